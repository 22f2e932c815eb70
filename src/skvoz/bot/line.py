"""Lines to a node: one for calls, and one on which it tells events, so that neither holds the other up."""

import asyncio
import contextlib
import itertools
import logging
from collections.abc import AsyncGenerator
from typing import Final, TypeVar

import msgspec
from websockets.asyncio.client import ClientConnection, connect, unix_connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from skvoz.api.protocol import CallFailed, Error
from skvoz.api.views import EventView, ThroughView
from skvoz.base.errors import NotAllowed, TransportError
from skvoz.base.value import Value
from skvoz.bot.place import Place

R = TypeVar("R")

CALL_TIMEOUT_S: Final = 60.0
"""No method waits for a relay, so a node that is silent for so long is stuck."""
_REVOKED: Final = 1008
_NOT_LET_IN: Final = (401, 403)
_quiet = logging.getLogger("skvoz.bot.websocket")
_quiet.addHandler(logging.NullHandler())
_quiet.propagate = False
_quiet.setLevel(logging.CRITICAL)  # the library's logger prints headers, with the token among them


class _Words(Value, frozen=True, kw_only=True):
    id: int | str | None = None
    result: msgspec.Raw = msgspec.Raw()
    error: Error | None = None
    method: str = ""
    params: msgspec.Raw = msgspec.Raw()


_encode = msgspec.json.Encoder().encode
_words = msgspec.json.Decoder(_Words)


@contextlib.asynccontextmanager
async def _connected(place: Place) -> AsyncGenerator[ClientConnection]:
    """Connect; raise `NotAllowed` where the token opens nothing, else `TransportError`."""
    uri = f"ws://{place.authority or 'node'}/rpc"
    headers = {"authorization": f"Bearer {place.token}"} if place.token else None
    try:
        if place.socket is None:
            # No proxy and no ping: it is this machine.
            connecting = connect(
                uri,
                additional_headers=headers,
                proxy=None,
                compression=None,
                max_size=None,
                ping_interval=None,
                logger=_quiet,
            )
        else:
            connecting = unix_connect(
                str(place.socket),
                uri,
                additional_headers=headers,
                compression=None,
                max_size=None,
                ping_interval=None,
                logger=_quiet,
            )
        async with connecting as websocket:
            yield websocket
    except InvalidStatus as refused:
        if refused.response.status_code in _NOT_LET_IN:
            raise NotAllowed("the node does not know this token; was it revoked?") from None
        raise TransportError("the node does not answer as a node does") from None
    except ConnectionClosed as closed:
        if closed.rcvd is not None and closed.rcvd.code == _REVOKED:
            raise NotAllowed("the bot's token was revoked") from None
        raise TransportError("the node has ended") from None
    except (OSError, WebSocketException):
        raise TransportError("the node is out of reach; does it run?") from None


def _request(number: int, method: str, params: object) -> str:
    return _encode({"jsonrpc": "2.0", "id": number, "method": method, "params": params}).decode()


def _parsed(message: str | bytes) -> _Words:
    try:
        return _words.decode(message)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise TransportError("the node's words make no sense; is it of another version?") from None


def _result(raw: msgspec.Raw, kind: type[R]) -> R:
    try:
        return msgspec.json.decode(raw, type=kind)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise TransportError("the node's answer makes no sense; is it of another version?") from None


class Line:
    """Calls a node's methods; several calls may wait for their answers."""

    def __init__(self, websocket: ClientConnection) -> None:
        self._websocket = websocket
        self._numbers = itertools.count(1)
        self._waiting: dict[int | str | None, asyncio.Future[msgspec.Raw]] = {}

    async def call(self, method: str, params: object, result: type[R]) -> R:
        """Return a method's result; raise `CallFailed` with the node's error, or `TransportError`."""
        number = next(self._numbers)
        answer: asyncio.Future[msgspec.Raw] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            await self._websocket.send(_request(number, method, params))
            async with asyncio.timeout(CALL_TIMEOUT_S):
                return _result(await answer, result)
        except (ConnectionClosed, TimeoutError):
            raise TransportError("the node did not answer") from None
        finally:
            del self._waiting[number]

    async def listen(self) -> None:
        """Hand answers to those who wait for them, until the line breaks: then they get `TransportError`."""
        try:
            async for message in self._websocket:
                words = _parsed(message)
                waiting = self._waiting.get(words.id)
                if waiting is None or waiting.done():
                    continue
                if words.error is not None:
                    waiting.set_exception(CallFailed(words.error))
                else:
                    waiting.set_result(words.result)
        finally:
            for waiting in self._waiting.values():
                if not waiting.done():
                    waiting.set_exception(TransportError("the node did not answer"))


@contextlib.asynccontextmanager
async def line_to(place: Place) -> AsyncGenerator[Line]:
    """Give a line for calls until the block ends; raise `NotAllowed` or `TransportError`."""
    async with _connected(place) as websocket:
        line = Line(websocket)
        listening = asyncio.create_task(line.listen())
        try:
            yield line
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)


async def told(place: Place, after: int) -> AsyncGenerator[EventView | ThroughView]:
    """Yield every event after a sequence, in order, and how far there is nothing else to tell.

    Goes on for ever; raises `CallFailed`, `NotAllowed` where the token is revoked, or `TransportError`.
    """
    async with _connected(place) as websocket:
        await websocket.send(_request(1, "event.subscribe", {"after": after}))
        while True:
            words = _parsed(await websocket.recv())
            if words.error is not None and words.error.data.kind == "not_allowed":
                raise NotAllowed("the bot's token was revoked")
            if words.error is not None:
                raise CallFailed(words.error)
            if words.method == "event":
                yield _result(words.params, EventView)
            elif words.method == "event.through":
                yield _result(words.params, ThroughView)
