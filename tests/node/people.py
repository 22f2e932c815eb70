"""People with real nodes at a real relay, for tests: each has a home on the disk."""

import asyncio
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

from skvoz.base.ids import AccountId
from skvoz.client.commands import (
    AcceptLink,
    Answer,
    Command,
    CreateAccount,
    CreateLink,
    RelayAddress,
    SendMessage,
)
from skvoz.client.records import Message
from skvoz.node.node import Node, OpenHome, open_home
from skvoz.server import RelayService, Settings, create_home
from skvoz.store import Protection

T = TypeVar("T")


def client_id() -> str:
    return uuid.uuid4().hex


async def until(look: Callable[[], Awaitable[T]], seconds: float = 20) -> T:
    """Return the first result that is true."""
    async with asyncio.timeout(seconds):
        found = await look()
        for _ in range(int(seconds * 100)):
            if found:
                break
            await asyncio.sleep(0.01)
            found = await look()
    assert found
    return found


class Person:
    """One person: a home and the node on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._opened: OpenHome | None = None
        self._node: Node | None = None

    @property
    def node(self) -> Node:
        assert self._node is not None
        return self._node

    async def wake(self) -> None:
        self._opened = open_home(self.folder, str, Protection.FILE)
        self._node = Node(self._opened)
        await self._node.start()

    async def sleep(self) -> None:
        await self.node.close()
        assert self._opened is not None
        self._opened.close()
        self._node = None

    async def do(self, command: Command) -> Answer:
        return await self.node.command(command)

    async def account_id(self) -> AccountId:
        account = await self.node.query(lambda queries: queries.account())
        assert account is not None
        return account.account_id

    async def texts(self, chat_id: bytes) -> list[str]:
        """Return all texts of a chat in order."""
        found = await self.node.query(lambda queries: queries.messages_after(chat_id, after=0, limit=500))
        return [message.text for message in found]

    async def messages(self, chat_id: bytes) -> list[Message]:
        return await self.node.query(lambda queries: queries.messages_after(chat_id, after=0, limit=500))

    async def send(self, chat_id: bytes, text: str) -> Answer:
        return await self.do(SendMessage(client_id=client_id(), chat_id=chat_id, text=text))

    async def wait_for(self, chat_id: bytes, texts: list[str]) -> None:
        """Wait until a chat holds just these texts."""

        async def look() -> bool:
            return await self.texts(chat_id) == texts

        await until(look)


class World:
    """A relay and people around it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._relay: RelayService | None = None
        self._port = 0
        self.people: list[Person] = []

    async def start_relay(self) -> None:
        create_home(self._folder / "relay")
        settings = Settings(port=self._port, reserve_bytes=0)
        self._relay = await RelayService(self._folder / "relay", settings).start()
        self._port = self._relay.port

    async def stop_relay(self) -> None:
        assert self._relay is not None
        await self._relay.close()
        self._relay = None

    async def person(self, name: str) -> Person:
        assert self._relay is not None
        person = Person(self._folder / name)
        await person.wake()
        address = RelayAddress(
            public_key=self._relay.public_key, addresses=(f"ws://127.0.0.1:{self._port}/",)
        )
        await person.do(CreateAccount(client_id=client_id(), name=name, relay=address))
        self.people.append(person)
        return person

    async def introduce(self, inviter: Person, guest: Person, text: str = "hello") -> None:
        """Let a guest open a single-use link and wait until the text is there."""
        link = (await inviter.do(CreateLink(client_id=client_id()))).link
        assert link is not None
        await guest.do(AcceptLink(client_id=client_id(), link=link, text=text))
        await inviter.wait_for(await guest.account_id(), [text])

    async def close(self) -> None:
        for person in self.people:
            if person._node is not None:
                await person.sleep()
        if self._relay is not None:
            await self.stop_relay()


@asynccontextmanager
async def world(folder: Path) -> AsyncGenerator[World]:
    """Run a relay; people come and go."""
    made = World(folder)
    await made.start_relay()
    try:
        yield made
    finally:
        await made.close()
