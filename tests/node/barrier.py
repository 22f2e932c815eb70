"""A way to a relay that can be shut, frozen or made to lose what comes back, while another stays open."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Literal

Mood = Literal["open", "shut", "frozen", "deaf"]


class Barrier:
    """`frozen` carries nothing on, `deaf` nothing back; neither says so. `shut` hangs up."""

    def __init__(self, target: int) -> None:
        self._target = target
        self.port = 0
        self.mood: Mood = "open"
        self.met = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.met += 1
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except ConnectionRefusedError:
            writer.close()
            return
        pumps = [
            asyncio.create_task(self._pump(reader, far_writer, upwards=True)),
            asyncio.create_task(self._pump(far_reader, writer, upwards=False)),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            writer.close()
            far_writer.close()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, upwards: bool
    ) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65_536):
                if self.mood == "shut":
                    return
                if self.mood == "open" or (self.mood == "deaf" and upwards):
                    writer.write(data)
                    await writer.drain()

    def met_by(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self.carry(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def barrier(target: int) -> AsyncGenerator[Barrier]:
    made = Barrier(target)
    server = await asyncio.start_server(made.met_by, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        await made.close()
        server.close()
