"""A message that a bot was told of, and what it may do about it.

An event comes again where something stopped before it was dealt with. So the client ids of what a handler
does are made of the message, the handler and a count: what was done before is not done twice, even where the
handler words it differently this time.
"""

import asyncio
import hashlib
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol, TypeVar

import msgspec

from skvoz.api.protocol import CallFailed
from skvoz.api.views import ChatView, FileView, MemberListView, MemberView, MessageView
from skvoz.base.errors import StoreError
from skvoz.base.ids import AccountId, MessageId
from skvoz.base.value import Value
from skvoz.bot.files import Files

R = TypeVar("R")

FETCH_S_MAX: Final = 3600.0
"""How long a file may take to come where nobody says otherwise, seconds."""
_LOOK_EVERY_S: Final = 0.1
_DONE_BEFORE: Final = "client_id_used"


class Calls(Protocol):
    """What calls a node's methods; see `skvoz.bot.line.Line.call`."""

    async def call(self, method: str, params: object, result: type[R]) -> R:
        """Return a method's result."""
        ...


class _Done(Value, frozen=True, kw_only=True):
    message_id: MessageId | None = None


def client_ids(*parts: str) -> Callable[[], str]:
    """Return what makes the client ids of one handling: the same ones again when it is repeated."""
    numbers = itertools.count(1)

    def next_id() -> str:
        told = msgspec.json.encode([*parts, next(numbers)])
        return "bot " + hashlib.sha256(told).hexdigest()

    return next_id


class Message:
    """A message of somebody else's; what is done with it is done as the account that the bot acts as."""

    def __init__(
        self, view: MessageView, calls: Calls, next_client_id: Callable[[], str], files: Files
    ) -> None:
        self.view = view
        """Everything that the node shows of it."""
        self._calls = calls
        self._files = files
        self._next_client_id = next_client_id

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    @property
    def text(self) -> str:
        """What was written: CommonMark; empty where there is only something else, a file say."""
        return self.view.text

    @property
    def author_name(self) -> str:
        """What the author is called here."""
        return self.view.author_name

    @property
    def author(self) -> AccountId:
        """The author's account."""
        return self.view.author

    @property
    def chat_id(self) -> bytes:
        """The chat that it is in."""
        return self.view.chat_id

    @property
    def message_id(self) -> MessageId:
        """What names it everywhere."""
        return self.view.message_id

    async def reply(self, text: str) -> MessageId | None:
        """Answer it, with a reference to it; return the answer's id, None for one that was given before."""
        return await self._do("message.send", chat_id=self.chat_id, text=text, reply_to=self.message_id)

    async def send(self, text: str) -> MessageId | None:
        """Write to its chat likewise, without a reference."""
        return await self._do("message.send", chat_id=self.chat_id, text=text)

    async def send_file(self, file: Path, text: str = "", name: str = "") -> MessageId | None:
        """Write to its chat likewise, with a file, under its own name or another.

        Raises `NotAllowed` for a bot with a token, or `StoreError` where the file can't be read.
        """
        file_id = await self._files.put(file, name)
        files = [{"file_id": file_id}]
        sent = await self._do("message.send", chat_id=self.chat_id, text=text, files=files)
        if sent is None:  # said before: these bytes are in no message
            await self._do("file.forget", file_id=file_id)
        return sent

    @property
    def files(self) -> tuple[FileView, ...]:
        """Its files; their names are harmless, and nothing is known of what is in them."""
        return self.view.files

    async def save_file(self, file: FileView, into: Path, seconds: float = FETCH_S_MAX) -> None:
        """Fetch one of its files where need be, and write it into a new file.

        Raises `NotAllowed` for a bot with a token, `StoreError` where it can't be fetched or written, or
        `TimeoutError`.
        """
        await self._do("file.fetch", file_id=file.file_id)
        async with asyncio.timeout(seconds):
            while file.state != "here":
                if file.state == "remote" and file.failure:
                    raise StoreError("the file could not be fetched")
                await asyncio.sleep(_LOOK_EVERY_S)
                file = await self._calls.call("file.get", {"file_id": file.file_id}, FileView)
        await self._files.get(file.file_id, into)

    async def react(self, emoji: str) -> None:
        """Put an emoji on it."""
        await self._do("message.react", message_id=self.message_id, emoji=emoji)

    async def mark_read(self) -> None:
        """Mark its chat as read up to it, which its author may be told."""
        await self._do("chat.read", chat_id=self.chat_id, message_id=self.message_id)

    async def chat(self) -> ChatView:
        """Return its chat."""
        return await self._calls.call("chat.get", {"chat_id": self.chat_id}, ChatView)

    async def members(self) -> tuple[MemberView, ...]:
        """Return who is in its chat."""
        found = await self._calls.call("chat.members", {"chat_id": self.chat_id}, MemberListView)
        return found.members

    async def _do(self, method: str, **params: object) -> MessageId | None:
        try:
            done = await self._calls.call(method, {"client_id": self._next_client_id(), **params}, _Done)
        except CallFailed as failed:
            if failed.error.data.kind == _DONE_BEFORE:
                return None
            raise
        return done.message_id
