"""A node that misbehaves: whatever it says, a bot's line ends in an error that is meant."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import msgspec
import pytest
from websockets.asyncio.server import ServerConnection, serve

from skvoz.api.protocol import CallFailed
from skvoz.api.views import BotSelfView
from skvoz.base.errors import NotAllowed, TransportError
from skvoz.bot import line as line_module
from skvoz.bot.line import line_to, told
from skvoz.bot.place import Place

Handler = Callable[[ServerConnection], Awaitable[None]]


def with_node(handler: Handler, visit: Callable[[Place], Awaitable[None]]) -> None:
    async def scenario() -> None:
        async with serve(handler, "127.0.0.1", 0) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            async with asyncio.timeout(20):
                await visit(Place(authority=f"127.0.0.1:{port}", token="x"))

    asyncio.run(scenario())


async def ask(place: Place) -> None:
    async with line_to(place) as line:
        await line.call("bot.self", {}, BotSelfView)


async def listen(place: Place) -> None:
    async with contextlib.aclosing(told(place, 0)) as news:
        async for _ in news:
            raise AssertionError("nothing was told")


@pytest.mark.parametrize("visit", [ask, listen])
@pytest.mark.parametrize(
    "words",
    [
        "{nonsense",
        b"\xff\xfe",
        "[" * 100_000,
        '{"id": 1, "result": {"name": 5}, "method": "event", "params": 7}',
        '{"id": 1, "error": "no object"}',
        None,
    ],
    ids=["no JSON", "bytes", "deep", "wrong types", "no error", "hangs up"],
)
def test_a_node_that_makes_no_sense_is_a_transport_error(
    words: str | bytes | None, visit: Callable[[Place], Awaitable[None]]
) -> None:
    async def handler(websocket: ServerConnection) -> None:
        await websocket.recv()
        if words is not None:
            await websocket.send(words)
            await websocket.wait_closed()

    async def refused(place: Place) -> None:
        with pytest.raises(TransportError):
            await visit(place)

    with_node(handler, refused)


def test_what_nobody_asked_for_is_passed_over_and_an_error_is_the_calls() -> None:
    async def handler(websocket: ServerConnection) -> None:
        request = msgspec.json.decode(await websocket.recv())
        await websocket.send('{"id": 999, "result": {}}')
        await websocket.send('{"method": "news.of.tomorrow", "params": {}}')
        error = {"code": -32000, "message": "no", "data": {"kind": "not_found"}}
        await websocket.send(msgspec.json.encode({"id": request["id"], "error": error}).decode())
        await websocket.wait_closed()

    async def visit(place: Place) -> None:
        for attempt in (ask, listen):
            with pytest.raises(CallFailed) as failed:
                await attempt(place)
            assert failed.value.error.data.kind == "not_found"

    with_node(handler, visit)


def test_a_node_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_module, "CALL_TIMEOUT_S", 0.05)

    async def handler(websocket: ServerConnection) -> None:
        await websocket.wait_closed()

    async def visit(place: Place) -> None:
        with pytest.raises(TransportError, match="did not answer"):
            await ask(place)

    with_node(handler, visit)


def test_a_revoked_token_and_nobody_at_all_are_told_apart() -> None:
    async def handler(websocket: ServerConnection) -> None:
        await websocket.close(1008)

    async def visit(place: Place) -> None:
        with pytest.raises(NotAllowed, match="revoked"):
            await listen(place)
        with pytest.raises(TransportError, match="out of reach"):
            await ask(Place(authority="127.0.0.1:9", token="x"))

    with_node(handler, visit)
