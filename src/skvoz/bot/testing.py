"""The real thing in a temporary folder, for tests of bots: a relay and two homes, all in this process.

    async def scenario() -> None:
        async with stage() as here, here.running(bot):
            await here.friend.says("hello")
            assert await here.friend.hears() == "hello"


    asyncio.run(scenario())

The bot lives in `here.home`, and the friend, who is a person with a home of their own, writes to it. What is
said goes out encrypted, over the relay and back in, so a test takes a second or two.
"""

import asyncio
import contextlib
import tempfile
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from skvoz.api.access import new_token, token_hash
from skvoz.api.local import running as serving
from skvoz.api.protocol import CallFailed
from skvoz.api.views import (
    BotSelfView,
    ChatView,
    EventView,
    MessagePageView,
    MessageView,
)
from skvoz.base.ids import MessageId
from skvoz.base.value import Value
from skvoz.bot.bot import Bot
from skvoz.bot.line import Line, line_to, told
from skvoz.bot.place import Place
from skvoz.client.commands import Answer, RelayAddress
from skvoz.node.node import open_home
from skvoz.server import RelayService, Settings, create_home
from skvoz.store import Protection

T = TypeVar("T")

PATIENCE_S: Final = 20.0
"""How long a test waits for what has to come."""
_POLL_S: Final = 0.02


class _Received(Value, frozen=True):
    message_id: MessageId


class Person:
    """Somebody with a home, whose node runs in this process."""

    def __init__(self, home: Path, line: Line) -> None:
        self.home = home
        self.line = line
        self.chat_id = b""
        """The chat with the other one on the stage, whose account id it is."""
        self._after = 0

    async def says(self, text: str, chat_id: bytes | None = None) -> MessageId:
        """Write to the bot, or to another chat."""
        done = await self.does("message.send", chat_id=chat_id or self.chat_id, text=text)
        if done.message_id is None:
            raise AssertionError("a message has an id")
        return done.message_id

    async def hears(self, seconds: float = PATIENCE_S) -> str:
        """Return the next text that somebody else wrote; raise `TimeoutError` where none comes."""
        return (await self.gets(seconds)).text

    async def gets(self, seconds: float = PATIENCE_S) -> MessageView:
        """Return the next message that somebody else wrote; raise `TimeoutError` where none comes."""
        async with (
            asyncio.timeout(seconds),
            contextlib.aclosing(told(Place.of_home(self.home), self._after)) as news,
        ):
            async for event in news:
                self._after = event.sequence
                if isinstance(event, EventView) and event.kind == "message.received":
                    message_id = msgspec.json.decode(event.data, type=_Received).message_id
                    return await self.line.call("message.get", {"message_id": message_id}, MessageView)
        raise AssertionError("events go on for ever")

    async def makes_group(self, title: str) -> bytes:
        """Make a group with the other one, and return its chat."""
        made = await until(lambda: self._group(title))
        return made.chat_id or b""

    async def _group(self, title: str) -> Answer | None:
        try:
            return await self.does("group.create", title=title, members=(self.chat_id,))
        except CallFailed as failed:
            if failed.error.data.kind != "conflict":
                raise
            return None  # the other one's inbox is not known yet

    async def does(self, method: str, **fields: object) -> Answer:
        """Have something changed in this home, as any method that wants a `client_id`."""
        return await self.line.call(method, {"client_id": uuid.uuid4().hex, **fields}, Answer)

    async def sees(self, chat_id: bytes) -> ChatView:
        """Wait until a chat is there, and return it."""

        async def look() -> ChatView | None:
            try:
                return await self.line.call("chat.get", {"chat_id": chat_id}, ChatView)
            except CallFailed:
                return None

        return await until(look)

    async def catches_up(self) -> None:
        """Let `hears` begin with what comes from now on."""
        self._after = (await self.line.call("bot.self", {}, BotSelfView)).last_event


class Stage:
    """Two people who can write to each other: one whom the bot acts as, and a friend."""

    def __init__(self, folder: Path, owner: Person, friend: Person) -> None:
        self.folder = folder
        self.owner = owner
        self.friend = friend
        self._token = ""

    @property
    def home(self) -> Path:
        """The home that the bot reaches."""
        return self.owner.home

    async def new_token(self, name: str, *chats: bytes, can_write: bool = True) -> str:
        """Let a program in, to all chats or these, as `skvoz bot new` does, and return its token."""
        token = new_token()
        for chat_id in chats:
            await self.owner.sees(chat_id)
        await self.owner.does(
            "bot.create",
            name=name,
            token_hash=token_hash(token),
            can_write=can_write,
            chats=chats or None,
        )
        return token

    @contextlib.asynccontextmanager
    async def running(self, bot: Bot, token: str = "") -> AsyncGenerator[None]:
        """Run a bot until the block ends, with this token, else with one for all chats.

        What ends the bot ends the block, and is raised in its place. Run again, it goes on where it was.
        """
        if not token:
            self._token = self._token or await self.new_token("bot on stage")
            token = self._token
        begun = asyncio.Event()
        state = self.folder / f"{token_hash(token).hex()[:16]}.state"
        try:
            async with asyncio.TaskGroup() as tasks:
                serve = bot.serve(Place.of_home(self.home, token), state, begun.set)
                running = tasks.create_task(serve)
                await begun.wait()
                try:
                    yield
                finally:
                    running.cancel()
        except BaseExceptionGroup as group:
            raise group.exceptions[0] from None


async def until(look: Callable[[], Awaitable[T | None]]) -> T:
    """Return the first result that is something; raise `TimeoutError` where there is none for too long."""
    async with asyncio.timeout(PATIENCE_S):
        found = await look()
        while not found:
            await asyncio.sleep(_POLL_S)
            found = await look()
        return found


@contextlib.asynccontextmanager
async def stage() -> AsyncGenerator[Stage]:
    """Run a relay and two homes in a temporary folder until the block ends; both can write to each other."""
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bot")))
        address = await stack.enter_async_context(_relay(folder / "relay"))
        owner = await stack.enter_async_context(_person(folder / "owner", "Owner", address))
        friend = await stack.enter_async_context(_person(folder / "friend", "Friend", address))
        link = (await owner.does("link.create")).link
        accepted = await friend.does("link.accept", link=link, text="hello")
        friend.chat_id = accepted.chat_id or b""
        owner.chat_id = (await friend.line.call("bot.self", {}, BotSelfView)).account_id
        await until(lambda: _has_read(owner))
        for person in (owner, friend):
            await person.catches_up()
        yield Stage(folder, owner, friend)


async def _has_read(owner: Person) -> bool:
    page = await owner.line.call("message.list", {"chat_id": owner.chat_id}, MessagePageView)
    return bool(page.messages)


@contextlib.asynccontextmanager
async def _relay(folder: Path) -> AsyncGenerator[RelayAddress]:
    create_home(folder)
    service = await RelayService(folder, Settings(port=0, reserve_bytes=0)).start()
    try:
        address = f"ws://127.0.0.1:{service.port}{Settings().path}"
        yield RelayAddress(public_key=service.public_key, addresses=(address,))
    finally:
        await service.close()


@contextlib.asynccontextmanager
async def _person(home: Path, name: str, relay: RelayAddress) -> AsyncGenerator[Person]:
    with open_home(home, str, Protection.FILE) as opened:
        async with serving(opened), line_to(Place.of_home(home)) as line:
            person = Person(home, line)
            await person.does("account.create", name=name, relay=relay)
            yield person
