"""A server for tests that leaves no connection behind, however its block is left."""

import asyncio
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

Meet = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def meeting(meet: Meet, tls: ssl.SSLContext | None = None) -> AsyncGenerator[int]:
    """Have `meet` answer every connection to the port given; with the block all of them end."""
    tasks: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
    is_over = False

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await meet(reader, writer)

    def met(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if is_over:  # it was accepted just before
            writer.transport.abort()
            return
        task = asyncio.ensure_future(serve(reader, writer))
        tasks[task] = writer
        task.add_done_callback(tasks.pop)

    server = await asyncio.start_server(met, "127.0.0.1", 0, ssl=tls)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        is_over = True
        server.close()
        left = dict(tasks)
        for task, writer in left.items():
            task.cancel()
            writer.transport.abort()  # a task that had not begun closes nothing
        await asyncio.gather(*left, return_exceptions=True)
        await asyncio.sleep(0)
