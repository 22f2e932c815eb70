"""A program that talks to nodes as any other does: JSON-RPC over their Unix socket, and events."""

import asyncio
import contextlib
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from websockets.asyncio.client import ClientConnection, unix_connect

ANSWER_TIMEOUT_S = 60.0
EventHandler = Callable[[dict[str, Any]], None]


class CallRefused(Exception):
    """A node answered a call with an error."""


class ApiClient:
    """One connection to a node; made by `connect`."""

    def __init__(self, connection: ClientConnection) -> None:
        self.on_event: EventHandler = lambda _: None
        self._connection = connection
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._last_id = 0
        self._reader = asyncio.create_task(self._read())

    async def ask(self, method: str, **parameters: Any) -> Any:  # noqa: ANN401  # JSON
        """Call a method and return its result. Raises `CallRefused` or `TimeoutError`."""
        self._last_id += 1
        answer = self._answers[self._last_id] = asyncio.get_running_loop().create_future()
        call = {"jsonrpc": "2.0", "id": self._last_id, "method": method, "params": parameters}
        await self._connection.send(msgspec.json.encode(call).decode())
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            return await answer

    async def wish(self, method: str, **parameters: Any) -> Any:  # noqa: ANN401  # JSON
        """Call a method that changes something."""
        return await self.ask(method, client_id=uuid.uuid4().hex, **parameters)

    async def subscribe(self) -> None:
        """Be told every event from now on through `on_event`."""
        status = await self.ask("node.status")
        await self.ask("event.subscribe", after=status["last_event"])

    async def close(self) -> None:
        """Hang up."""
        self._reader.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._reader
        await self._connection.close()

    async def _read(self) -> None:
        async for text in self._connection:
            message = msgspec.json.decode(text)
            if "method" in message:
                self.on_event(message["params"])
                continue
            answer = self._answers.pop(message["id"])
            if "error" in message:
                answer.set_exception(CallRefused(message["error"]["message"]))
            else:
                answer.set_result(message["result"])


async def connect(socket_file: Path) -> ApiClient:
    """Connect to a node that listens. Raises `OSError`."""
    return ApiClient(
        await unix_connect(
            str(socket_file), "ws://localhost/rpc", compression=None, max_size=None, ping_interval=None
        )
    )
