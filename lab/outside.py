"""What is served outside for every run: two resolvers, and echoes and scripts at the blocked addresses.

A process in the outside namespace: `python -m lab.outside`. It says a line when it is ready, and ends
with its input.
"""

import asyncio
import contextlib
import ssl
import struct
import sys
from typing import Any, Final, cast

import trustme

from lab import dns
from lab.places import FOREIGN_RESOLVER, PLACES, RESOLVER, WHO, address_of

ECHO_TCP: Final = 7
SCRIPTED_TLS: Final = 8443
"""TLS; each message says how many bytes follow and how many are wanted back: what no web site does."""
ECHO_UDP: Final = (443, 3478, 19302, 50_000, 51_820)
"""QUIC, STUN, STUN, calls, WireGuard: what comes there goes back, with the first byte first."""
_IDLE_S: Final = 60.0


def resolve(asked: bytes) -> bytes | None:
    """Answer a query from the lab's names."""
    try:
        name, kind, _ = dns.read_question(asked)
        address = address_of(name)
        if address is None:
            return dns.answer(asked, None, code=dns.NO_SUCH_NAME)
        return dns.answer(asked, address if kind == dns.A else None)
    except ValueError:
        return None


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, *, resolves: bool) -> None:
        self._resolves = resolves

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        back = resolve(data) if self._resolves else data
        if back is not None:
            self._transport.sendto(back, addr)


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError, TimeoutError):
        while data := await asyncio.wait_for(reader.read(65_536), _IDLE_S):
            writer.write(data)
            await writer.drain()
    writer.close()


async def _resolve_stream(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
        (size,) = struct.unpack("!H", await asyncio.wait_for(reader.readexactly(2), _IDLE_S))
        back = resolve(await asyncio.wait_for(reader.readexactly(size), _IDLE_S))
        if back is not None:
            writer.write(struct.pack("!H", len(back)) + back)
            await writer.drain()
    writer.close()


async def _play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
        while True:
            head = await asyncio.wait_for(reader.readexactly(4), _IDLE_S)
            follows, wanted = struct.unpack("!HH", head)
            await asyncio.wait_for(reader.readexactly(follows), _IDLE_S)
            writer.write(bytes(wanted))
            await writer.drain()
    writer.close()


async def serve() -> None:
    """Serve until standard input ends."""
    loop = asyncio.get_running_loop()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate = trustme.CA().issue_cert("*.suspicious.example")
    certificate.configure_cert(context)  # pyright: ignore[reportUnknownMemberType]  # untyped in part
    for address in (RESOLVER, FOREIGN_RESOLVER):
        await loop.create_datagram_endpoint(lambda: _Datagrams(resolves=True), (address, 53))
        await asyncio.start_server(_resolve_stream, address, 53)
    for place in PLACES:
        address = place.at(WHO["blocked"])
        await asyncio.start_server(_echo, address, ECHO_TCP)
        await asyncio.start_server(_play, address, SCRIPTED_TLS, ssl=context)
        for port in ECHO_UDP:
            await loop.create_datagram_endpoint(lambda: _Datagrams(resolves=False), (address, port))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve())
