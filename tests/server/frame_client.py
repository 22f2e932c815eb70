"""A client that speaks frames by hand to a relay on real sockets."""

import secrets
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from skvoz.crypto import DEFAULT_SUITE, suite
from skvoz.server import RelayService, Settings, create_home
from skvoz.transports import MessageConnection
from skvoz.transports.wss.websocket import connect
from skvoz.wire.frames import Credit, Down, Up
from skvoz.wire.sealed import SealedSession, greet


class FrameClient:
    """One connection; answers come in order."""

    def __init__(
        self, public_key: bytes, url: str, connection: MessageConnection, sealed: SealedSession
    ) -> None:
        self.public_key = public_key
        self.url = url
        self._connection = connection
        self._sealed = sealed
        self._heard: deque[Down] = deque()

    @classmethod
    async def connect(cls, public_key: bytes, url: str) -> "FrameClient":
        connection = await connect(url)
        message, greeting = greet(suite(DEFAULT_SUITE), public_key, secrets.token_bytes)
        await connection.send(message)
        _, sealed = greeting.finish(await connection.receive())
        client = cls(public_key, url, connection, sealed)
        await client.send(Credit(0))
        return client

    async def another(self) -> "FrameClient":
        return await FrameClient.connect(self.public_key, self.url)

    async def send(self, *frames: Up) -> None:
        """Send frames, a message each."""
        for frame in frames:
            await self._connection.send(self._sealed.seal_up([frame]))

    async def answer(self) -> Down:
        """Wait for the next frame."""
        while not self._heard:
            self._heard += self._sealed.open_down(await self._connection.receive())
        return self._heard.popleft()

    async def ask(self, frame: Up) -> Down:
        """Send a frame and wait for its answer."""
        await self.send(frame)
        return await self.answer()

    async def close(self) -> None:
        await self._connection.close()


@asynccontextmanager
async def serving(folder: Path) -> AsyncGenerator[FrameClient]:
    """Run a relay in `folder` and give a client of it."""
    create_home(folder)
    service = await RelayService(folder, Settings(port=0, reserve_bytes=0)).start()
    try:
        client = await FrameClient.connect(service.public_key, f"ws://127.0.0.1:{service.port}/")
        try:
            yield client
        finally:
            await client.close()
    finally:
        await service.close()
