"""Something on the way between nodes and a relay that spoils messages, without a key to either end."""

import asyncio
import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Self

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_websocket
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

KINDS = ("truncated", "repeated", "reordered", "foreign", "random", "text")


class Tampering:
    """A proxy in front of a relay; spoils one message of each direction when told to."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._server: Server | None = None
        self._spoil: dict[str, str] = {}
        self._held: dict[str, bytes] = {}
        self._earlier: dict[str, bytes] = {}
        self.spoiled = 0

    @property
    def url(self) -> str:
        assert self._server is not None
        port = next(iter(self._server.sockets)).getsockname()[1]
        return f"ws://127.0.0.1:{port}/"

    async def start(self) -> Self:
        self._server = await serve(self._serve, "127.0.0.1", 0, compression=None, max_size=None)
        return self

    async def close(self) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    def spoil_next(self, direction: str, kind: str) -> None:
        """Spoil the next message that goes `up` or `down`."""
        self._spoil[direction] = kind

    async def _serve(self, node: ServerConnection) -> None:
        async with open_websocket(self._url, compression=None, max_size=None, proxy=None) as relay:
            ways = [
                asyncio.create_task(self._pass(node, relay, "up")),
                asyncio.create_task(self._pass(relay, node, "down")),
            ]
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
            await asyncio.wait(ways)

    async def _pass(
        self,
        source: ServerConnection | ClientConnection,
        target: ServerConnection | ClientConnection,
        direction: str,
    ) -> None:
        with suppress(ConnectionClosed):
            async for message in source:
                assert isinstance(message, bytes)
                for said in self._said(direction, message):
                    await target.send(said)

    def _said(self, direction: str, message: bytes) -> list[bytes | str]:
        held = self._held.pop(direction, None)
        if held is not None:
            return [message, held]
        kind = self._spoil.pop(direction, None)
        earlier = self._earlier.get(direction, message)
        self._earlier[direction] = message
        if kind is None:
            return [message]
        self.spoiled += 1
        match kind:
            case "truncated":
                return [message[:-1]]
            case "repeated":
                return [message, message]
            case "reordered":
                self._held[direction] = message
                return []
            case "foreign":
                return [earlier]  # sealed for another place, perhaps for another session
            case "random":
                return [secrets.token_bytes(len(message))]
            case _:
                return ["text"]


@asynccontextmanager
async def tampering(url: str) -> AsyncGenerator[Tampering]:
    proxy = await Tampering(url).start()
    try:
        yield proxy
    finally:
        await proxy.close()
