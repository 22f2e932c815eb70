"""People with real nodes at a real relay, for tests: each has a home on the disk and a clock of their own."""

import asyncio
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import msgspec

from skvoz.base.ids import AccountId, GroupId, MessageId
from skvoz.client.commands import (
    AcceptLink,
    Answer,
    Command,
    CreateAccount,
    CreateGroup,
    CreateLink,
    RelayAddress,
    SendMessage,
)
from skvoz.client.inputs import TimePassed
from skvoz.client.records import Conversation, LoggedEvent, Message, MessageState, Record
from skvoz.client.step import Step
from skvoz.client.transaction import Transaction
from skvoz.node.core import Core
from skvoz.node.node import Node, OpenHome, open_home, system_clock_ms
from skvoz.server import RelayService, Settings, create_home
from skvoz.store import Protection
from skvoz.store.protection import AskPassphrase
from skvoz.store.queries import Chat, Queries

T = TypeVar("T")
R = TypeVar("R", bound=Record)


def client_id() -> str:
    return uuid.uuid4().hex


async def until(look: Callable[[], Awaitable[T]], seconds: float = 60) -> T:
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


def _act(core: Core, work: Callable[[Step], T]) -> T:
    transaction = Transaction(core._records)
    machine = core._machine
    step = Step(transaction, machine._environment, core._clock_ms(), machine.caches)
    result = work(step)
    core._store(transaction, step.outcome().effects, 0)
    return result


class Person:
    """One person: a home and the node on it."""

    def __init__(
        self, folder: Path, protection: Protection = Protection.FILE, ask: AskPassphrase = str
    ) -> None:
        self.folder = folder
        self._protection = protection
        self._ask = ask
        self.clock_ahead_ms = 0
        self._opened: OpenHome | None = None
        self._node: Node | None = None

    @property
    def node(self) -> Node:
        assert self._node is not None
        return self._node

    @property
    def is_awake(self) -> bool:
        return self._node is not None

    async def wake(self) -> None:
        self._opened = open_home(self.folder, self._ask, self._protection)
        self._node = Node(self._opened, lambda: system_clock_ms() + self.clock_ahead_ms)
        await self._node.start()

    async def sleep(self) -> None:
        await self.node.close()
        assert self._opened is not None
        self._opened.close()
        self._node = None

    def pass_time(self, duration_ms: int) -> None:
        """Let this person's clock jump ahead."""
        self.clock_ahead_ms += duration_ms
        self.node._relays.tell(TimePassed())

    # What they do

    async def do(self, command: Command) -> Answer:
        return await self.node.command(command)

    async def act(self, work: Callable[[Step], T]) -> T:
        """Do what no command offers: what a changed client could do with this person's keys."""
        core = self.node._core
        return await asyncio.wrap_future(core._ask(lambda: _act(core, work)))

    async def send(self, chat_id: bytes, text: str) -> MessageId:
        answer = await self.do(SendMessage(client_id=client_id(), chat_id=chat_id, text=text))
        assert answer.message_id is not None
        return answer.message_id

    async def link(self, *, lasting: bool = False) -> str:
        answer = await self.do(CreateLink(client_id=client_id(), lasting=lasting))
        assert answer.link is not None
        return answer.link

    async def accept_link(self, link: str, text: str | None = "hello") -> bytes:
        answer = await self.do(AcceptLink(client_id=client_id(), link=link, text=text))
        assert answer.chat_id is not None
        return answer.chat_id

    # What they see

    async def account_id(self) -> AccountId:
        account = await self.node.query(lambda queries: queries.account())
        assert account is not None
        return account.account_id

    async def records(self, kind: type[R], **equals: object) -> list[R]:
        return await self.node.query(lambda queries: list(queries._records.select(kind, **equals)))

    async def counted(self, name: str) -> int:
        """Return one of the counts of what was dropped."""
        return (await self.node.query(Queries.dropped))[name]

    async def messages(self, chat_id: bytes) -> list[Message]:
        return await self.node.query(lambda queries: queries.messages_after(chat_id, after=0, limit=500))

    async def message(self, message_id: MessageId) -> Message:
        found = await self.node.query(lambda queries: queries.message(message_id))
        assert found is not None
        return found

    async def texts(self, chat_id: bytes) -> list[str]:
        """Return all texts of a chat in order."""
        return [message.text for message in await self.messages(chat_id)]

    async def chat(self, chat_id: bytes) -> Chat:
        found = await self.node.query(lambda queries: queries.chat(chat_id))
        assert found is not None
        return found

    async def conversation(self, chat_id: bytes) -> Conversation:
        return (await self.chat(chat_id)).main

    async def members(self, chat_id: bytes) -> dict[AccountId, bool]:
        """Return who is in a chat, and whether each is an admin."""
        group_id = GroupId((await self.chat(chat_id)).main.group_id)
        return dict(await self.node.query(lambda queries: queries.members(group_id)))

    async def events(self, kind: str) -> list[LoggedEvent]:
        found = await self.node.query(lambda queries: queries.events(after=0, limit=500))
        return [event for event in found if event.kind == kind]

    # What they wait for

    async def wait_for(self, chat_id: bytes, texts: list[str]) -> None:
        """Wait until a chat holds just these texts."""

        async def look() -> bool:
            return await self.texts(chat_id) == texts

        try:
            await until(look)
        except (TimeoutError, AssertionError):
            assert await self.texts(chat_id) == texts
            raise

    async def wait_for_state(self, message_id: MessageId, state: MessageState) -> None:
        async def look() -> bool:
            return (await self.message(message_id)).state is state

        await until(look)

    async def wait_for_chat(self, chat_id: bytes, check: Callable[[Conversation], bool]) -> None:
        async def look() -> bool:
            chat = await self.node.query(lambda queries: queries.chat(chat_id))
            return chat is not None and check(chat.main)

        await until(look)

    async def wait_for_members(self, chat_id: bytes, *people: "Person") -> None:
        wanted = {await person.account_id() for person in people}

        async def look() -> bool:
            chat = await self.node.query(lambda queries: queries.chat(chat_id))
            return chat is not None and set(await self.members(chat_id)) == wanted

        await until(look)

    async def wait_for_event(self, kind: str, part: bytes = b"") -> LoggedEvent:
        """Wait until an event of this kind with these bytes in it was told."""

        async def look() -> LoggedEvent | None:
            return next((one for one in await self.events(kind) if part in one.body), None)

        found = await until(look)
        assert found is not None
        return found

    async def wait_for_contacts(self, count: int) -> None:
        """Wait until so many people can be invited into groups."""

        async def look() -> bool:
            found = await self.node.query(lambda queries: queries.contacts())
            return len([contact for contact in found if contact.inbox]) == count

        await until(look)


class World:
    """A relay and people around it."""

    def __init__(
        self, folder: Path, settings: Settings | None = None, service: type[RelayService] = RelayService
    ) -> None:
        self.folder = folder
        self.relay_folder = folder / "relay"
        self.settings = settings or Settings(port=0, reserve_bytes=0)
        self.people: list[Person] = []
        self._service = service
        self._relay: RelayService | None = None

    @property
    def relay(self) -> RelayService:
        assert self._relay is not None
        return self._relay

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.settings.port}{self.settings.path}"

    @property
    def address(self) -> RelayAddress:
        return RelayAddress(public_key=self.relay.public_key, addresses=(self.url,))

    async def start_relay(self) -> None:
        """Start the relay, at the same port again if it ran before."""
        create_home(self.relay_folder)
        self._relay = await self._service(self.relay_folder, self.settings).start()
        self.settings = msgspec.structs.replace(self.settings, port=self._relay.port)

    async def stop_relay(self) -> None:
        await self.relay.close()
        self._relay = None

    async def person(self, name: str, *, ticket: bytes = b"", url: str = "") -> Person:
        """Make somebody who lives at this relay, or reaches it by another address."""
        person = Person(self.folder / name)
        self.people.append(person)
        await self.settle(person, name, ticket=ticket, url=url)
        return person

    async def settle(self, person: Person, name: str, *, ticket: bytes = b"", url: str = "") -> None:
        """Make an account in somebody's empty home."""
        await person.wake()
        address = self.address
        relay = msgspec.structs.replace(
            address, ticket=ticket, addresses=(url,) if url else address.addresses
        )
        await person.do(CreateAccount(client_id=client_id(), name=name, relay=relay))

    async def introduce(self, inviter: Person, guest: Person, text: str = "hello") -> None:
        """Let a guest open a single-use link and wait until the text is there."""
        await guest.accept_link(await inviter.link(), text)
        await inviter.wait_for(await guest.account_id(), [text])

    async def friends(self, *names: str) -> list[Person]:
        """Return people of whom the first can invite all others into groups."""
        people = [await self.person(name) for name in names]
        for guest in people[1:]:
            await self.introduce(people[0], guest)
        await people[0].wait_for_contacts(len(people) - 1)
        return people

    async def group(self, *people: Person, title: str = "Дача") -> bytes:
        """Let the first make a group of all, and wait until everybody is in it."""
        members = tuple([await person.account_id() for person in people[1:]])
        made = await people[0].do(CreateGroup(client_id=client_id(), title=title, members=members))
        assert made.chat_id is not None
        for person in people:
            await person.wait_for_members(made.chat_id, *people)
        return made.chat_id

    async def close(self) -> None:
        for person in self.people:
            if person.is_awake:
                await person.sleep()
        if self._relay is not None:
            await self.stop_relay()


@asynccontextmanager
async def world(
    folder: Path, settings: Settings | None = None, service: type[RelayService] = RelayService
) -> AsyncGenerator[World]:
    """Run a relay; people come and go."""
    made = World(folder, settings, service)
    await made.start_relay()
    try:
        yield made
    finally:
        await made.close()
