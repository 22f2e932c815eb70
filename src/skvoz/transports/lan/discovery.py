"""Saying and hearing announcements by mDNS: an ordinary service under names that mean nothing.

Anybody on the network may answer, and flood: names wait in a short queue, are looked up a few a second, and
where the library would have to remember too much, this ends and says so.
"""

import asyncio
import ipaddress
import logging
import secrets
import socket
from collections.abc import Callable
from typing import Final, Self

import ifaddr
from zeroconf import Error, IPVersion, ServiceStateChange, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from skvoz.base.errors import TransportError

SERVICE: Final = "_http._tcp.local."
"""What printers, cameras and disks say too."""
NAMES_WAITING_MAX: Final = 64
"""Names that wait to be looked up: more of them are passed over, and come again if they are real."""
LOOKED_UP_PER_S: Final = 8
REMEMBERED_MAX: Final = 2_000
"""Records of others: a network with more is flooded."""
_WATCH_S: Final = 1.0
_LOOK_UP_MS: Final = 1_500
_PIECE_SIZE: Final = 240
"""A string of a TXT record has 255 bytes with its name."""
_PIECES_MAX: Final = 8
Heard = Callable[[str, bytes, str, int], None]
"""Told of a service: its name, announcement, host and port."""
Gone = Callable[[str], None]


def lan_address() -> str | None:
    """Return this machine's IPv4 address on a private network, if it has one."""
    for adapter in ifaddr.get_adapters():
        for found in adapter.ips:
            if not isinstance(found.ip, str):
                continue
            address = ipaddress.ip_address(found.ip)
            if address.is_private and not address.is_loopback:
                return found.ip
    return None


class Discovery:
    """Says one announcement at a time and tells what others say, on the network of one address."""

    def __init__(self, address: str, heard: Heard, gone: Gone) -> None:
        self._address = address
        self._heard = heard
        self._gone = gone
        self._names: asyncio.Queue[str] = asyncio.Queue(NAMES_WAITING_MAX)
        self._said: AsyncServiceInfo | None = None

    async def __aenter__(self) -> Self:
        """Begin; raises `TransportError` where the network can't be used."""
        logging.getLogger("zeroconf").setLevel(logging.CRITICAL)  # it prints names and addresses
        try:
            self._mdns = AsyncZeroconf(interfaces=[self._address], ip_version=IPVersion.V4Only)
        except OSError:
            raise TransportError("the network around can't be searched") from None
        self._browser = AsyncServiceBrowser(self._mdns.zeroconf, SERVICE, handlers=[self._changed])
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._browser.async_cancel()
        await self._mdns.async_unregister_all_services()
        await self._mdns.async_close()

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
        if state_change is ServiceStateChange.Removed:
            self._gone(name)
        elif not self._names.full():
            self._names.put_nowait(name)

    async def _look_up(self) -> None:
        while True:
            name = await self._names.get()
            if self._said is None or name != self._said.name:
                await self._ask(name)
            await asyncio.sleep(1 / LOOKED_UP_PER_S)

    async def _ask(self, name: str) -> None:
        found = AsyncServiceInfo(SERVICE, name)
        if not await found.async_request(self._mdns.zeroconf, _LOOK_UP_MS):
            return
        hosts = found.parsed_addresses(IPVersion.V4Only)
        pieces = [found.properties.get(bytes((ord("a") + number,))) for number in range(_PIECES_MAX)]
        announcement = b"".join(piece for piece in pieces if piece)
        if hosts and found.port:
            self._heard(name, announcement, hosts[0], found.port)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(_WATCH_S)
            if _size(self._mdns.zeroconf) > REMEMBERED_MAX:
                raise TransportError("somebody floods the network around")


def _size(zeroconf: Zeroconf) -> int:
    """Count what the library remembers of others."""
    return sum(map(len, zeroconf.cache.cache.values()))
