"""Saying and hearing announcements by mDNS: an ordinary service under names that mean nothing.

Anybody on the network may answer, and flood: names wait in a short queue, are looked up a few a second, and
where the library would have to remember too much, this ends and says so.
"""

import asyncio
import contextlib
import ipaddress
import logging
import re
import secrets
import socket
from collections.abc import Callable
from typing import Final, Self

import ifaddr
from zeroconf import Error, IPVersion, ServiceStateChange, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from skvoz.base.errors import TransportError
from skvoz.transports.lan.announcement import Place

SERVICE: Final = "_http._tcp.local."
"""What printers, cameras and disks say too."""
_NAME: Final = re.compile(r"[0-9a-f]{8}\._http\._tcp\.local\.")
"""Names of announcements: what else is on the network is not asked."""
NAMES_WAITING_MAX: Final = 64
"""Names that wait to be looked up: more of them are passed over, and come again if they are real."""
LOOKED_UP_PER_S: Final = 8
REMEMBERED_MAX: Final = 2_000
"""Records of others: a network with more is flooded."""
_WATCH_S: Final = 1.0
_LOOK_UP_MS: Final = 1_500
_TRIES: Final = 3
"""How often a name is looked up that doesn't answer: radio loses what is said to all."""
_PIECE_SIZE: Final = 240
"""A string of a TXT record has 255 bytes with its name."""
_PIECES_MAX: Final = 8
_HOSTS_MAX: Final = 4
"""Addresses of one service that are told: anybody may say one more."""
Heard = Callable[[str, bytes, Place], None]
"""Told of a service: its name, announcement, and a place where it may be."""
Gone = Callable[[str], None]


_NEAR: Final = tuple(
    map(ipaddress.IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"))
)
"""Networks of homes and offices (RFC 1918), and of a cable without anybody who gives out addresses (3927)."""
_NOT_AROUND: Final = (
    *("tun", "tap", "utun", "wg", "ppp", "ipsec", "tailscale", "zt", "nordlynx", "proton"),
    *("docker", "podman", "br-", "cni", "lxc", "lxd", "veth", "virbr", "vboxnet", "vmnet", "lo"),
)
"""How systems call what leads far away, as VPNs do, or stays on this machine, as containers do."""
_POINT_TO_POINT: Final = 31


def lan_address() -> ipaddress.IPv4Interface | None:
    """Return this machine's IPv4 address on a private network around it, if it has one."""
    for adapter in ifaddr.get_adapters():
        if adapter.name.startswith(_NOT_AROUND):
            continue
        for found in adapter.ips:
            if isinstance(found.ip, str) and found.network_prefix < _POINT_TO_POINT:
                interface = ipaddress.IPv4Interface((found.ip, found.network_prefix))
                if any(interface.ip in network for network in _NEAR):
                    return interface
    return None


class Discovery:
    """Says one announcement at a time and tells what others say, on the network of one address."""

    def __init__(self, interface: ipaddress.IPv4Interface, heard: Heard, gone: Gone) -> None:
        self._address = str(interface.ip)
        self._network = interface.network
        self._heard = heard
        self._gone = gone
        self._names: asyncio.Queue[tuple[str, int]] = asyncio.Queue(NAMES_WAITING_MAX)
        self._said: AsyncServiceInfo | None = None

    async def __aenter__(self) -> Self:
        """Begin; raises `TransportError` where the network can't be used."""
        logging.getLogger("zeroconf").setLevel(logging.CRITICAL)  # it prints names and addresses
        try:
            self._mdns = AsyncZeroconf(interfaces=[self._address], ip_version=IPVersion.V4Only)
        except OSError:
            raise TransportError("the network around can't be searched") from None
        try:
            # Whoever is cancelled while the library starts stops it for good, and its end fails then.
            await self._mdns.zeroconf.async_wait_for_start()
        except Error:
            await self._close()
            raise TransportError("the network around can't be searched") from None
        self._browser = AsyncServiceBrowser(self._mdns.zeroconf, SERVICE, handlers=[self._changed])
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._browser.async_cancel()
        await self._close()

    async def _close(self) -> None:
        with contextlib.suppress(Error):
            await self._mdns.async_close()  # which says goodbye first

    async def say(self, announcement: bytes, port: int) -> None:
        """Say this from now on, under a fresh name, in place of what was said before.

        Raises `TransportError`.
        """
        pieces = [announcement[at : at + _PIECE_SIZE] for at in range(0, len(announcement), _PIECE_SIZE)]
        name = secrets.token_hex(4)
        before, self._said = (
            self._said,
            AsyncServiceInfo(
                SERVICE,
                f"{name}.{SERVICE}",
                addresses=[socket.inet_aton(self._address)],
                port=port,
                properties={chr(ord("a") + number): piece for number, piece in enumerate(pieces)},
                server=f"{name}.local.",
            ),
        )
        # The library leaves open what it gives back: a task that ends with the last announcement.
        try:
            await self._mdns.async_register_service(self._said)  # pyright: ignore[reportUnknownMemberType]
            if before is not None:
                await self._mdns.async_unregister_service(before)  # pyright: ignore[reportUnknownMemberType]
        except (Error, OSError):
            raise TransportError("the network around can't be searched") from None

    async def run(self) -> None:
        """Look up what others say, until cancelled; raise `TransportError` on a network that is flooded."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._look_up())
            tasks.create_task(self._watch())

    def _changed(
        self, zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange
    ) -> None:
        del zeroconf, service_type
        if _NAME.fullmatch(name) is None:
            return
        if state_change is ServiceStateChange.Removed:
            self._gone(name)
        else:
            self._put(name, _TRIES)

    def _put(self, name: str, tries: int) -> None:
        if tries and not self._names.full():
            self._names.put_nowait((name, tries))

    async def _look_up(self) -> None:
        while True:
            name, tries = await self._names.get()
            if self._said is None or name != self._said.name:
                await self._ask(name, tries)
            await asyncio.sleep(1 / LOOKED_UP_PER_S)

    async def _ask(self, name: str, tries: int) -> None:
        """Ask where a service is and what it says; only places on this very network are told."""
        found = AsyncServiceInfo(SERVICE, name)
        if not await found.async_request(self._mdns.zeroconf, _LOOK_UP_MS):
            self._put(name, tries - 1)
            return
        pieces = [found.properties.get(bytes((ord("a") + number,))) for number in range(_PIECES_MAX)]
        announcement = b"".join(piece for piece in pieces if piece)
        hosts = [one for one in found.ip_addresses_by_version(IPVersion.V4Only) if one in self._network]
        for host in hosts[:_HOSTS_MAX] if found.port else ():
            self._heard(name, announcement, Place(address=host.packed, port=found.port or 0))

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(_WATCH_S)
            if _size(self._mdns.zeroconf) > REMEMBERED_MAX:
                raise TransportError("somebody floods the network around")


def _size(zeroconf: Zeroconf) -> int:
    """Count what the library remembers of others."""
    return sum(map(len, zeroconf.cache.cache.values()))
