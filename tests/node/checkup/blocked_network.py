"""A relay that speaks TLS, and boxes on the way to it that do what networks do to connections."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager
from typing import Final, Literal

import trustme

from lab.client_hello import ClientHello, read_client_hello
from tests.transports.caddy import AUTHORITY

Verdict = Literal["pass", "reset", "silence"]
Rule = Callable[[ClientHello], Verdict]
_COMPRESS_CERTIFICATE: Final = 27
"""An extension that browsers send, and Python doesn't (RFC 8879)."""
_TICK_S: Final = 0.05


def is_browser(hello: ClientHello) -> bool:
    return _COMPRESS_CERTIFICATE in hello.extensions


class Servers:
    """All that listens, until the end."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._held: list[asyncio.Server] = []
        self._is_over = False

    async def serve(
        self,
        carry: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
        tls: ssl.SSLContext | None = None,
    ) -> int:
        """Serve connections at a port, which is returned."""

        async def met(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                with contextlib.suppress(OSError):
                    await carry(reader, writer)
            finally:
                writer.transport.abort()  # nobody waits for the rest

        def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if self._is_over:  # accepted just before the end
                writer.transport.abort()
                return
            task = asyncio.ensure_future(met(reader, writer))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        server = await asyncio.start_server(meet, "127.0.0.1", 0, ssl=tls)
        self._held.append(server)
        return int(server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        self._is_over = True
        for server in self._held:
            server.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for _ in range(5):  # who was accepted is met some turns later, and transports close in the next one
            await asyncio.sleep(0)

    # What stands somewhere

    async def front(self, target: int, name: str = "localhost", authority: trustme.CA = AUTHORITY) -> int:
        """Take TLS off and carry on what is inside, with a certificate for a name."""
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert(name).configure_cert(tls)  # pyright: ignore[reportUnknownMemberType]  # of pyOpenSSL too

        async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await _join(reader, writer, target)

        return await self.serve(carry, tls)

    async def box(self, target: int, rule: Rule) -> int:
        """Look at the hello of each connection before it is let through."""

        async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            stream = b""
            while data := await reader.read(65_536):
                stream += data
                with contextlib.suppress(ValueError):
                    verdict = rule(read_client_hello(stream))
                    break
            else:
                return
            if verdict == "pass":
                await _join(reader, writer, target, first=stream)
            elif verdict == "reset":
                _reset(writer)
            else:
                await reader.read(-1)

        return await self.serve(carry)

    async def requests_alone(self, target: int) -> int:
        """Let POST through; nothing else is found here."""

        async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            first = await reader.read(65_536)
            if first.startswith(b"POST"):
                await _join(reader, writer, target, first=first)
            else:
                writer.write(b"HTTP/1.1 404 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                await writer.drain()

        return await self.serve(carry)

    async def slow(self, target: int, bytes_s: int) -> int:
        """Let so many bytes through a second, in each direction."""

        async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await _join(reader, writer, target, bytes_s=bytes_s)

        return await self.serve(carry)

    async def says(self, answer: bytes) -> int:
        """Answer everything with the same words."""

        async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(65_536)
            writer.write(answer)
            await writer.drain()

        return await self.serve(carry)


def _reset(writer: asyncio.StreamWriter) -> None:
    opened = writer.get_extra_info("socket")
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    writer.transport.abort()


async def _join(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    target: int,
    *,
    first: bytes = b"",
    bytes_s: int | None = None,
) -> None:
    far_reader, far_writer = await asyncio.open_connection("127.0.0.1", target)
    far_writer.write(first)
    pumps = [
        asyncio.ensure_future(_pump(reader, far_writer, bytes_s)),
        asyncio.ensure_future(_pump(far_reader, writer, bytes_s)),
    ]
    try:
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)
        far_writer.transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, bytes_s: int | None) -> None:
    piece = 65_536 if bytes_s is None else max(1, int(bytes_s * _TICK_S))
    loop = asyncio.get_running_loop()
    free_at = loop.time()
    while data := await reader.read(piece):
        if bytes_s is not None:
            # By the clock, so that a busy machine makes it no slower.
            free_at = max(free_at, loop.time() - _TICK_S) + len(data) / bytes_s
            await asyncio.sleep(max(0.0, free_at - loop.time()))
        writer.write(data)
        await writer.drain()


@contextlib.contextmanager
def deaf_port() -> Generator[int]:
    """Give a port at which connections are not answered: its backlog is full (listen(2))."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = int(listener.getsockname()[1])
        for _ in range(4):
            filling = stack.enter_context(socket.socket())
            filling.settimeout(0)
            filling.connect_ex(("127.0.0.1", port))
        yield port


@asynccontextmanager
async def servers() -> AsyncGenerator[Servers]:
    made = Servers()
    try:
        yield made
    finally:
        await made.close()
