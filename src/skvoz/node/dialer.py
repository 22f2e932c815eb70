"""Opens connections by the kind of a way, and knows what works on the network that it is in.

A transport is one more `Kind`, and one more entry of `Dialer`'s table.
"""

import asyncio
import contextlib
import ipaddress
import itertools
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import msgspec

from skvoz.base.errors import BadRequest, StoreError, TransportError
from skvoz.base.ids import RelayId
from skvoz.client.effects import Carrier
from skvoz.node.drops import Drops
from skvoz.node.proxy_setting import ProxySetting
from skvoz.node.ways import Kind, NearRelay, Way, Ways, hops, reach
from skvoz.transports import hop, https, wss
from skvoz.transports.connection import MessageConnection
from skvoz.transports.pace import Pace, host_of
from skvoz.transports.proxy import SocksProxy

if TYPE_CHECKING:
    import wreq

_OUTSIDE: Final = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))
"""Addresses of nobody (RFC 5737, 3849), to which nothing is sent."""
_ANY_PORT: Final = 9
HURRIED_S: Final = 7.0
"""Where other ways are left; over 14 kbit/s a WebSocket over TLS is open after five."""
_WITH_TLS: Final = ("wss:", "https:")
_HOPS_MAX: Final = 8
"""Ways over other relays that are tried to one."""


Opener = Callable[[Way], Awaitable[MessageConnection]]
"""Opens a connection; raises `BadRequest` for an address that is none, or `TransportError`."""


class Dialer:
    """One for all sessions of a node, so that their handshakes take turns and they learn from each other."""

    def __init__(self, authority: "wreq.CertStore | None" = None, drops: Drops | None = None) -> None:
        """Have requests trust `authority` alone where it is given, for relays with their own certificates.

        `drops`: the dead drops that this node can reach.
        """
        self._authority = authority
        self._proxy_setting = ProxySetting(None)
        self._pace = Pace()
        self._may_begin = asyncio.Event()
        self._may_begin.set()
        self._networks: dict[tuple[str, ...], tuple[Ways, https.Network]] = {}
        self._carriers: dict[RelayId, tuple[Carrier, ...]] = {}
        self._openers: Mapping[Kind, Opener] = {
            Kind.WSS: self._open_websocket,
            Kind.HTTPS: self._open_requests,
            Kind.DROP: (drops or Drops.none()).open,
            Kind.HOP: self._open_hop,
        }

    @property
    def ways(self) -> Ways:
        """What is known of ways on the present network."""
        return self._here()[0]

    def keep_to(self, proxy_setting: ProxySetting) -> None:
        """Go through the person's proxy, whenever there is one."""
        self._proxy_setting = proxy_setting

    def note_carriers(self, relay_id: RelayId, carriers: tuple[Carrier, ...]) -> None:
        """Note which other relays may carry sessions to a relay."""
        self._carriers[relay_id] = carriers

    def reach(self, relay_id: RelayId, addresses: Sequence[str]) -> tuple[Way, ...]:
        """Return all ways to a relay."""
        direct = self._through_proxy(reach(addresses))
        carried = (
            one
            for carrier in self._carriers.get(relay_id, ())
            for way in self._through_proxy(reach(carrier.addresses))
            if not way.is_around  # what goes past the person's proxy is never the better way
            for one in hops(
                direct,
                NearRelay(
                    relay_id=carrier.relay_id,
                    public_key=carrier.public_key,
                    way=way,
                    far_relay_id=relay_id,
                ),
                preferred=carrier.preferred,
            )
        )
        return (*direct, *itertools.islice(carried, _HOPS_MAX))

    async def dial(self, way: Way, *, is_hurried: bool = False) -> MessageConnection:
        """Open a connection; raise `BadRequest` for an address that is none, or `TransportError`.

        `is_hurried`: there are other ways, so a host that says nothing gets less time.
        """
        await self._may_begin.wait()
        if is_hurried and way.kind is Kind.WSS and not way.through:
            return await self._open_websocket(way, HURRIED_S)
        return await self.open(way)

    async def open(self, way: Way) -> MessageConnection:
        """Open a connection likewise, also while somebody else is alone with the network."""
        return await self._openers[way.kind](way)

    @contextlib.asynccontextmanager
    async def alone(self) -> AsyncGenerator[None]:
        """Have no other connection begun until the block ends; what is open stays so."""
        self._may_begin.clear()
        try:
            yield
        finally:
            self._may_begin.set()

    @property
    def authority(self) -> "wreq.CertStore | None":
        """Whose certificates alone requests trust, if it isn't Mozilla's list."""
        return self._here()[1].authority

    def turn(self, host: str) -> contextlib.AbstractAsyncContextManager[None]:
        """Have a turn with a host, as each of its handshakes has."""
        return self._pace.turn(host)

    def _through_proxy(self, ways: tuple[Way, ...]) -> tuple[Way, ...]:
        """Return ways as the person's proxy has them: around it goes only what stays on this machine."""
        try:
            choice = self._proxy_setting.read()
        except StoreError:
            return tuple(way for way in ways if _stays_here(way))  # better nothing than around it
        if choice is None:
            return ways
        shown, through = choice.proxy.shown, {Kind.WSS, Kind.HTTPS}
        kept = [
            way if _stays_here(way) else msgspec.structs.replace(way, through=shown)
            for way in ways
            if _stays_here(way) or (way.kind in through and way.address.startswith(_WITH_TLS))
        ]
        past = (msgspec.structs.replace(way, is_around=True) for way in ways if not _stays_here(way))
        return tuple(dict.fromkeys((*kept, *(past if choice.allows_direct else ()))))

    def _proxy_of(self, way: Way) -> SocksProxy | None:
        """Return the proxy that a way goes through; raise `TransportError` where it is not that any more."""
        if not way.through:
            return None
        try:
            choice = self._proxy_setting.read()
        except StoreError as problem:
            raise TransportError(str(problem)) from None
        if choice is None or choice.proxy.shown != way.through:
            raise TransportError("this goes through another proxy now")
        return choice.proxy

    async def _open_hop(self, way: Way) -> MessageConnection:
        near = way.carrier
        if near is None:
            raise BadRequest("this way has no relay that carries")
        onto = hop.Onto(
            relay_id=near.relay_id,
            public_key=near.public_key,
            far_relay_id=near.far_relay_id,
            far_address=way.address,
        )
        return await hop.connect(await self.open(near.way), onto)

    async def _open_websocket(self, way: Way, within_s: float | None = None) -> MessageConnection:
        if not way.address.startswith("wss:"):  # nobody counts handshakes on this machine
            return await wss.connect(way.address)
        proxy = self._proxy_of(way)
        async with self._pace.turn(host_of(way.address)):
            try:
                async with asyncio.timeout(within_s):
                    return await wss.connect(way.address, proxy=proxy)
            except TimeoutError:
                raise TransportError("the relay's address doesn't answer in time") from None

    async def _open_requests(self, way: Way) -> MessageConnection:
        return await https.connect(way.address, self._here()[1], self._proxy_of(way))

    def _here(self) -> tuple[Ways, https.Network]:
        name = network_name()
        if name not in self._networks:
            self._networks[name] = Ways(), https.Network(self._pace, self._authority)
        return self._networks[name]


def _stays_here(way: Way) -> bool:
    """Tell whether a way ends on this very machine, which a proxy elsewhere could not reach."""
    if way.through or way.kind not in {Kind.WSS, Kind.HTTPS}:
        return False
    host = urlsplit(way.address).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def network_name() -> tuple[str, ...]:
    """Return this machine's own addresses towards the world: another network has others, as a rule."""
    found: list[str] = []
    for family, outside in _OUTSIDE:
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect((outside, _ANY_PORT))
                found.append(str(probe.getsockname()[0]))
        except OSError:
            found.append("")
    return tuple(found)
