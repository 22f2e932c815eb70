"""People talk while their relay is killed with -9 again and again: each message is shown once to each.

`./dev bench kills` does it many times and prints figures.
"""

import asyncio
import random
import signal
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import msgspec

from skvoz.base.ids import AccountId
from skvoz.client.commands import CreateAccount, CreateGroup, RelayAddress, RenameGroup
from skvoz.client.events import GapNoticed, MessageReceived
from skvoz.client.records import LoggedEvent, Message, MessageState
from tests.node.people import Person, client_id, until
from tests.server.relay_process import RelayProcess

RECEIVED_BETWEEN_KILLS = 6
"""So much comes through, all people together, before the relay is killed the next time."""
QUOTAS = "appends_per_s = 10000.0\nappend_burst = 10000\n"
SETTLE_S = 60.0
_PAGE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What became of a run; everything but the first three is to be 0."""

    kills: int
    messages: int
    seconds: float
    missing: int
    shown_twice: int
    told_twice: int
    not_sent: int
    out_of_order: int
    gaps: int


class Talker:
    """Somebody who writes into some chats, now here, now there."""

    def __init__(self, person: Person, chats: list[bytes], chance: random.Random) -> None:
        self.person = person
        self.written: dict[bytes, list[str]] = {chat_id: [] for chat_id in chats}
        self.talking = True
        self._chance = chance

    @property
    def count(self) -> int:
        """How much was written so far."""
        return sum(map(len, self.written.values()))

    async def talk(self) -> None:
        """Write until told to stop."""
        while self.talking:
            chat_id = self._chance.choice(list(self.written))
            text = f"{self.person.folder.name} {self.count}"
            await self.person.send(chat_id, text)
            self.written[chat_id].append(text)
            await asyncio.sleep(self._chance.random() * 0.1)


class Talk:
    """Three people, two of whom also talk by themselves, and their relay."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.relay = RelayProcess(folder / "relay", quotas=QUOTAS)
        self.people = [Person(folder / name) for name in ("anna", "boris", "vera")]
        self.talkers: list[Talker] = []
        self.group = b""
        self.direct: dict[str, bytes] = {}
        self._chance = random.Random(seed)

    async def begin(self) -> None:
        """Start everybody and let them meet."""
        await self.relay.start()
        address = RelayAddress(public_key=self.relay.public_key, addresses=(self.relay.url,))
        for person in self.people:
            await person.wake()
            await person.do(
                CreateAccount(client_id=client_id(), name=person.folder.name.title(), relay=address)
            )
        anna, boris, vera = self.people
        ids = [await person.account_id() for person in self.people]
        for friend, account_id in ((boris, ids[1]), (vera, ids[2])):
            assert await friend.accept_link(await anna.link()) == ids[0]
            await anna.wait_for(account_id, ["hello"])
        await anna.wait_for_contacts(2)
        made = await anna.do(CreateGroup(client_id=client_id(), title="Us", members=(ids[1], ids[2])))
        assert made.chat_id is not None
        self.group = made.chat_id
        for person in (boris, vera):
            await person.wait_for_members(self.group, *self.people)
        self.direct = {"anna": ids[1], "boris": ids[0]}
        for person in self.people:
            chats = [self.group, *filter(None, [self.direct.get(person.folder.name)])]
            self.talkers.append(Talker(person, chats, self._chance))

    async def go_on(self, kills: int) -> None:
        """Talk, and kill the relay so often while more comes through."""
        tasks = [asyncio.create_task(talker.talk()) for talker in self.talkers]
        try:
            for number in range(kills):
                enough = await self._received() + RECEIVED_BETWEEN_KILLS

                async def has_enough(enough: int = enough) -> bool:
                    return await self._received() >= enough

                await until(has_enough, SETTLE_S)
                if number % 4 == 0:
                    rename = RenameGroup(client_id=client_id(), chat_id=self.group, title=f"Us {number}")
                    await self.people[0].do(rename)
                await asyncio.sleep(self._chance.random() * 0.1)
                await self.relay.stop(signal.SIGKILL)
                await self.relay.start()
        finally:
            for talker in self.talkers:
                talker.talking = False
            await asyncio.gather(*tasks)
        await until(self._all_there, SETTLE_S)

    async def _received(self) -> int:
        chats = [
            chat for one in self.people for chat in await one.node.query(lambda queries: queries.chats())
        ]
        return sum(chat.unread for chat in chats)

    async def _all_there(self) -> bool:
        for talker in self.talkers:
            for chat_id in talker.written:
                shown = await _all(talker.person, chat_id)
                expected = await self._expected(talker, chat_id)
                if len(shown) < sum(map(len, expected.values())) or not all(map(_is_sent, shown)):
                    return False
        return True

    async def _expected(self, talker: Talker, chat_id: bytes) -> dict[AccountId, list[str]]:
        """Return what a chat of somebody's is to hold, by author."""
        if chat_id == self.group:
            return {await other.person.account_id(): other.written[chat_id] for other in self.talkers}
        own = await talker.person.account_id()
        [partner] = [other for other in self.talkers if own in other.written]
        return {own: talker.written[chat_id], AccountId(chat_id): partner.written[own]}

    async def look(self, kills: int, seconds: float) -> Found:
        """Compare what was written with what everybody was shown and told."""
        missing = shown_twice = told_twice = not_sent = out_of_order = gaps = 0
        for talker in self.talkers:
            events = await _events(talker.person)
            told = Counter(_event.message_id for _event in _told(events))
            told_twice += sum(count - 1 for count in told.values())
            gaps += sum(event.kind == GapNoticed.kind for event in events)
            for chat_id in talker.written:
                shown = await _all(talker.person, chat_id)
                not_sent += sum(not _is_sent(message) for message in shown)
                for author, texts in (await self._expected(talker, chat_id)).items():
                    seen = [message.text for message in shown if message.author == author]
                    missing += len(set(texts) - set(seen))
                    shown_twice += len(seen) - len(set(seen))
                    out_of_order += seen != texts
        return Found(
            kills=kills,
            messages=sum(talker.count for talker in self.talkers),
            seconds=round(seconds, 1),
            missing=missing,
            shown_twice=shown_twice,
            told_twice=told_twice,
            not_sent=not_sent,
            out_of_order=out_of_order,
            gaps=gaps,
        )

    async def end(self) -> None:
        """Stop everybody."""
        for person in self.people:
            if person.is_awake:
                await person.sleep()
        await self.relay.stop(signal.SIGTERM)


def _is_sent(message: Message) -> bool:
    return message.state not in {MessageState.QUEUED, MessageState.FAILED}


async def _all(person: Person, chat_id: bytes) -> list[Message]:
    """Return a chat but for what was said when people met."""
    found: list[Message] = []
    after = 0
    while True:
        page = await person.node.query(
            lambda queries, after=after: queries.messages_after(chat_id, after=after, limit=_PAGE)
        )
        found += page
        if len(page) < _PAGE:
            return [message for message in found if message.text != "hello"]
        after = page[-1].sequence


async def _events(person: Person) -> list[LoggedEvent]:
    found: list[LoggedEvent] = []
    after = 0
    while True:
        page = await person.node.query(lambda queries, after=after: queries.events(after=after, limit=_PAGE))
        found += page
        if len(page) < _PAGE:
            return found
        after = page[-1].sequence


def _told(events: list[LoggedEvent]) -> list[MessageReceived]:
    decoder = msgspec.msgpack.Decoder(MessageReceived)
    return [decoder.decode(event.body) for event in events if event.kind == MessageReceived.kind]


async def talk_through_kills(folder: Path, *, kills: int, seed: int) -> Found:
    """Let three people talk in a direct chat and a group, kill their relay so often, then look."""
    started = time.monotonic()
    talk = Talk(folder, seed)
    try:
        await talk.begin()
        await talk.go_on(kills)
        return await talk.look(kills, time.monotonic() - started)
    finally:
        await talk.end()
