"""Catches the hello that somebody sends."""

import asyncio
from collections.abc import Awaitable, Callable

from lab.client_hello import ClientHello, read_client_hello


async def hello_of(visit: Callable[[str], Awaitable[object]]) -> ClientHello:
    """Let somebody visit an address and return the hello that they sent; then hang up."""
    loop = asyncio.get_running_loop()
    found: asyncio.Future[ClientHello] = loop.create_future()

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        stream = b""
        try:
            while data := await reader.read(65_536):
                stream += data
                try:
                    hello = read_client_hello(stream)
                except ValueError:
                    continue
                if not found.done():
                    found.set_result(hello)
                break
        finally:
            writer.close()

    server = await asyncio.start_server(meet, "127.0.0.1", 0)
    visiting = asyncio.ensure_future(visit(f"https://localhost:{server.sockets[0].getsockname()[1]}/"))
    try:
        async with asyncio.timeout(60):
            return await found
    finally:
        visiting.cancel()
        await asyncio.gather(visiting, return_exceptions=True)
        server.close()
