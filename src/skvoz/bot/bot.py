"""`Bot`: handlers of messages and events, and the loop that brings them there."""

import asyncio
import contextlib
import logging
import os
import random
import sys
import time
import traceback
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Final, Self, TypeVar

import msgspec

from skvoz.api.protocol import CallFailed
from skvoz.api.views import BotSelfView, EventView, MessageView
from skvoz.base.errors import SkvozError, TransportError
from skvoz.base.ids import MessageId
from skvoz.base.value import Value
from skvoz.bot.cursor import Cursor
from skvoz.bot.files import Files
from skvoz.bot.line import Line, line_to, told
from skvoz.bot.message import Message, client_ids
from skvoz.bot.place import Place, place_in, state_file_in
from skvoz.texts import choose_language, explain

R = TypeVar("R")
OnMessage = TypeVar("OnMessage", bound=Callable[[Message], Awaitable[object]])
OnEvent = TypeVar("OnEvent", bound=Callable[[EventView], Awaitable[object]])

ATTEMPTS_MAX: Final = 3
"""How often an event is given to a handler that fails; then the bot goes on without it."""
RETRY_S: Final = 1.0
"""How long to wait before a handler is tried again: once, then twice as long."""
RETRY_MOST_MS: Final = 60_000
"""The longest wait that a node may ask for."""
RECONNECT_FIRST_S: Final = 0.5
RECONNECT_MOST_S: Final = 30.0
KEEP_EVERY_S: Final = 5.0
"""How often it is kept how far the bot is while nothing comes that it handles."""
_MESSAGE: Final = "message.received"
_CHAT: Final = "chat.created"
_log = logging.getLogger("skvoz.bot")


class _Made(Value, frozen=True):
    chat_id: bytes
    is_request: bool


class _About(Value, frozen=True):
    message_id: MessageId


class _Session(Value, frozen=True, kw_only=True):
    """What a bot has while it is connected."""

    line: Line
    itself: BotSelfView
    cursor: Cursor
    name: str
    files: Files


class Bot:
    """A program that is told what happens in chats, and writes there.

    Events are dealt with one after the other, each at least once whatever stops in between.
    """

    def __init__(
        self, place: Place | None = None, state: Path | None = None, *, accepts_requests: bool = False
    ) -> None:
        """Be the bot of a node at `place`, with its progress in the file `state`; else as `from_env`.

        `accepts_requests`: let strangers write, and take part in the groups that they invite the bot to;
        only a bot without a token may, in a home of its own.
        """
        self._accepts_requests = accepts_requests
        self._place = place
        self._state = state
        self._on_message: dict[str, Callable[[Message], Awaitable[object]]] = {}
        self._on_event: dict[str, list[Callable[[EventView], Awaitable[object]]]] = {}
        self._session: _Session | None = None
        self.on_failure: Callable[[Exception], object] = _log_failure
        """Told of what a handler raised; by default its kind and place are logged, and none of its words."""

    @classmethod
    def from_env(cls, *, accepts_requests: bool = False) -> Self:
        """Return a bot that looks into the environment when it begins to run: see `skvoz.bot.place`."""
        return cls(accepts_requests=accepts_requests)

    def on_message(self, handler: OnMessage) -> OnMessage:
        """Have a handler called with every message of somebody else's; handlers differ in their names."""
        name = handler.__name__
        if name in self._on_message:
            # The name is part of what makes an answer the same when it is repeated.
            raise ValueError(f"two handlers of messages are named {name}")
        self._on_message[name] = handler
        return handler

    def on_event(self, kind: str) -> Callable[[OnEvent], OnEvent]:
        """Have a handler called with every event of a kind (`chat.changed`), as asyncapi.json lists them."""

        def add(handler: OnEvent) -> OnEvent:
            self._on_event.setdefault(kind, []).append(handler)
            return handler

        return add

    def run(self) -> None:
        """Serve until Ctrl-C; end the program with one line where the bot can't or may not begin."""
        choose_language()
        with contextlib.suppress(KeyboardInterrupt):
            try:
                asyncio.run(self.serve())
            except SkvozError as error:
                sys.exit(f"bot: {explain(error)}")

    async def serve(
        self,
        place: Place | None = None,
        state: Path | None = None,
        begun: Callable[[], object] = lambda: None,
    ) -> None:
        """Serve until cancelled, and wait wherever the node is out of reach.

        `place` and `state` go before those of the constructor; `begun` is called once nothing is missed any
        more.

        Raises `NotAllowed` where the token opens nothing, `BadRequest` where the environment or the state
        file is wrong, `StoreError` where the state can't be kept.
        """
        place = place or self._place or place_in(os.environ)
        state = state or self._state or state_file_in(os.environ)
        pause_s = RECONNECT_FIRST_S
        while True:
            try:
                async with line_to(place) as line:
                    await self._begin(line, state, Files(place))
                    begun()
                    pause_s = RECONNECT_FIRST_S
                    await self._follow(place)
            except TransportError as error:
                _log.warning("%s; trying again", error)
            finally:
                self._session = None
            await asyncio.sleep(pause_s * random.uniform(0.8, 1.2))  # noqa: S311  # so that bots don't march
            pause_s = min(2 * pause_s, RECONNECT_MOST_S)

    async def call(self, method: str, params: object, result: type[R]) -> R:
        """Return the result of any method that openrpc.json describes, as a `skvoz.api.views` type.

        Raises `CallFailed` with the node's error, or `TransportError`, also while nothing is connected.
        """
        if self._session is None:
            raise TransportError("the bot is not connected")
        return await self._session.line.call(method, params, result)

    async def _begin(self, line: Line, state: Path, files: Files) -> None:
        itself = await line.call("bot.self", {}, BotSelfView)
        name = itself.name or state.stem
        cursor = Cursor(state, itself.account_id, name, itself.last_event)
        self._session = _Session(line=line, itself=itself, cursor=cursor, name=name, files=files)

    async def _follow(self, place: Place) -> None:
        session = self._session
        if session is None:
            raise AssertionError("nothing is connected")
        cursor = session.cursor
        kept_s = time.monotonic()
        try:
            async with contextlib.aclosing(told(place, cursor.after)) as news:
                async for one in news:
                    is_handled = isinstance(one, EventView) and await self._deal_with(session, one)
                    is_due = time.monotonic() - kept_s > KEEP_EVERY_S
                    cursor.move(one.sequence, keep=is_handled or is_due)
                    kept_s = time.monotonic() if is_handled or is_due else kept_s
        except CallFailed as failed:
            if failed.error.data.kind != "not_found":
                raise
            _log.warning("events were forgotten while the bot was away; it goes on with new ones")
            cursor.move(session.itself.last_event, keep=True)

    async def _deal_with(self, session: _Session, event: EventView) -> bool:
        """Give an event to its handlers; tell whether there was one."""
        if event.kind == _CHAT and self._accepts_requests:
            await self._accept(session, event)
        handlers = list(self._on_event.get(event.kind, ()))
        for handler in handlers:
            await self._try(partial(handler, event))
        if event.kind != _MESSAGE or not self._on_message:
            return bool(handlers)
        message_id = msgspec.json.decode(event.data, type=_About).message_id
        view = await self._message(session, message_id)
        if view is None:
            return True
        for name, handle in self._on_message.items():
            await self._try(partial(_handle, session, view, name, handle))
        return True

    async def _accept(self, session: _Session, event: EventView) -> None:
        made = msgspec.json.decode(event.data, type=_Made)
        if not made.is_request:
            return
        next_client_id = client_ids(session.name, "accept", str(event.sequence))
        wish = {"client_id": next_client_id(), "chat_id": made.chat_id}

        async def accept() -> None:
            try:
                await session.line.call("chat.accept", wish, msgspec.Raw)
            except CallFailed as failed:
                if failed.error.data.kind != "not_found":  # somebody was quicker, or it was taken back
                    raise

        await self._try(accept)

    async def _message(self, session: _Session, message_id: MessageId) -> MessageView | None:
        """Return a message, or nothing where it was deleted or has disappeared since."""
        found: list[MessageView] = []

        async def look() -> None:
            try:
                found.append(await session.line.call("message.get", {"message_id": message_id}, MessageView))
            except CallFailed as failed:
                if failed.error.data.kind != "not_found":
                    raise

        await self._try(look)
        return found[0] if found and not found[0].deleted else None

    async def _try(self, attempt: Callable[[], Awaitable[object]]) -> None:
        """Do something for an event: again where it failed, and where the node says to come back later.

        Raises `TransportError` where the node is gone, after which the event comes again.
        """
        pause_s = RETRY_S
        attempts = 0
        while True:
            try:
                await attempt()
            except TransportError:
                raise
            except CallFailed as failed:
                data = failed.error.data
                if not data.retryable:
                    self.on_failure(failed)
                    return
                await asyncio.sleep(min(data.retry_after_ms or 1_000, RETRY_MOST_MS) / 1000)
            except Exception as error:  # noqa: BLE001  # whatever a handler raises must not end the bot
                attempts += 1
                self.on_failure(error)
                if attempts == ATTEMPTS_MAX:
                    return
                await asyncio.sleep(pause_s)
                pause_s *= 2
            else:
                return


def _handle(
    session: _Session, view: MessageView, name: str, handle: Callable[[Message], Awaitable[object]]
) -> Awaitable[object]:
    """Call a handler of messages; a repeat has the same client ids again."""
    next_client_id = client_ids(session.name, name, view.message_id.hex())
    return handle(Message(view, session.line, next_client_id, session.files))


def _log_failure(error: Exception) -> None:
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "somewhere"
    kind = error.error.data.kind if isinstance(error, CallFailed) else type(error).__name__
    _log.error("a handler failed: %s at %s", kind, place)
