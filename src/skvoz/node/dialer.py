"""Opens connections by the kind of a way, and knows what works on the network that it is in.

A transport is one more `Kind`, and one more entry of `Dialer`'s table; where its ways are not told by a
relay's addresses alone, whoever knows more of them adds a `Finder`.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from skvoz.base.ids import RelayId
from skvoz.node.drops import Drops
from skvoz.node.ways import Kind, Way, Ways, reach
from skvoz.transports import https, wss
from skvoz.transports.connection import MessageConnection
from skvoz.transports.pace import Pace, host_of

if TYPE_CHECKING:
    import wreq

_OUTSIDE: Final = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))
"""Addresses of nobody (RFC 5737, 3849), to which nothing is sent."""
_ANY_PORT: Final = 9


Opener = Callable[[Way], Awaitable[MessageConnection]]
"""Opens a connection; raises `BadRequest` for an address that is none, or `TransportError`."""
Finder = Callable[[RelayId, tuple[Way, ...]], Sequence[Way]]
"""Makes more ways to a relay out of its id and of those that its addresses mean."""


class Dialer:
    """One for all sessions of a node, so that their handshakes take turns and they learn from each other."""

    def __init__(self, authority: "wreq.CertStore | None" = None, drops: Drops | None = None) -> None:
        """Have requests trust `authority` alone where it is given, for relays with their own certificates.

        `drops`: the dead drops that this node can reach.
        """
        self.authority = authority
        self._pace = Pace()
        self._may_begin = asyncio.Event()
        self._may_begin.set()
        self._networks: dict[tuple[str, ...], tuple[Ways, https.Network]] = {}
        self._finders: list[Finder] = []
        self._openers: Mapping[Kind, Opener] = {
            Kind.WSS: self._open_websocket,
            Kind.HTTPS: self._open_requests,
            Kind.DROP: (drops or Drops.none()).open,
        }

    @property
    def ways(self) -> Ways:
        """What is known of ways on the present network."""
        return self._here()[0]

    def add_finder(self, finder: Finder) -> None:
        """Have more ways found."""
        self._finders.append(finder)

    def reach(self, relay_id: RelayId, addresses: Sequence[str]) -> tuple[Way, ...]:
        """Return all ways to a relay."""
        plain = reach(addresses)
        found = (way for finder in self._finders for way in finder(relay_id, plain))
        return tuple(dict.fromkeys((*plain, *found)))

    async def dial(self, way: Way) -> MessageConnection:
        """Open a connection; raise `BadRequest` for an address that is none, or `TransportError`."""
        await self._may_begin.wait()
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

    def turn(self, host: str) -> contextlib.AbstractAsyncContextManager[None]:
        """Have a turn with a host, as each of its handshakes has."""
        return self._pace.turn(host)

    async def _open_websocket(self, way: Way) -> MessageConnection:
        if not way.address.startswith("wss:"):  # nobody counts handshakes on this machine
            return await wss.connect(way.address)
        async with self._pace.turn(host_of(way.address)):
            return await wss.connect(way.address)

    async def _open_requests(self, way: Way) -> MessageConnection:
        return await https.connect(way.address, self._here()[1])

    def _here(self) -> tuple[Ways, https.Network]:
        name = network_name()
        if name not in self._networks:
            self._networks[name] = Ways(), https.Network(self._pace, self.authority)
        return self._networks[name]


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
