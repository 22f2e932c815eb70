"""Nodes and their relay are killed with -9 in the middle, again and again: nothing is lost or doubled."""

import asyncio
import contextlib
import random
import signal
import sys
from pathlib import Path

import pytest

from skvoz.client.commands import CreateAccount, RelayAddress
from skvoz.client.records import MessageState
from tests.node.people import Person, client_id, until
from tests.server.relay_process import RelayProcess

pytestmark = pytest.mark.slow

KILLS = 12
TALKING = """
import asyncio, sys
from pathlib import Path
from skvoz.client.commands import SendMessage
from skvoz.node.node import Node, open_home

async def talk(home, chat, name, first):
    with open_home(Path(home), str) as opened:
        node = Node(opened)
        await node.start()
        for number in range(first, first + 100_000):
            text = f"{name} {number}"
            await node.command(SendMessage(client_id=text, chat_id=bytes.fromhex(chat), text=text))
            print(number, flush=True)
            await asyncio.sleep(0.02)

asyncio.run(talk(*sys.argv[1:4], int(sys.argv[4])))
"""


class Talker:
    """A node in a process of its own that never stops talking."""

    def __init__(self, person: Person, name: str, chat_id: bytes) -> None:
        self.person = person
        self.name = name
        self.chat_id = chat_id
        self.said = 0
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it; whatever was not heard to be stored is said again under the same name."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            TALKING,
            str(self.person.folder),
            self.chat_id.hex(),
            self.name,
            str(self.said + 1),
            stdout=asyncio.subprocess.PIPE,
        )

    async def say(self, count: int) -> None:
        """Wait until it has said so much more."""
        assert self._process is not None
        assert self._process.stdout is not None
        for _ in range(count):
            line = await asyncio.wait_for(self._process.stdout.readline(), 60)
            self.said = int(line)

    async def stop(self, how: signal.Signals) -> None:
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(how)
        await self._process.wait()
        assert self._process.stdout is not None
        rest = (await self._process.stdout.read()).split()
        self.said = int(rest[-1]) if rest else self.said


def test_kills_in_the_middle_lose_and_double_nothing(tmp_path: Path) -> None:
    async def scenario() -> None:
        relay = RelayProcess(tmp_path / "relay")
        await relay.start()
        people = [Person(tmp_path / name) for name in ("anna", "boris")]
        for person in people:
            await person.wake()
            address = RelayAddress(public_key=relay.public_key, addresses=(relay.url,))
            await person.do(CreateAccount(client_id=client_id(), name="somebody", relay=address))
        anna, boris = people
        await boris.accept_link(await anna.link(), "hello")
        to_boris, to_anna = await boris.account_id(), await anna.account_id()
        await anna.wait_for(to_boris, ["hello"])
        for person in people:
            await person.sleep()
        talkers = [Talker(anna, "anna", to_boris), Talker(boris, "boris", to_anna)]
        for talker in talkers:
            await talker.start()
        choice = random.Random(KILLS)
        for _ in range(KILLS):
            for talker in talkers:
                await talker.say(choice.randint(1, 15))
            victim = choice.choice([*talkers, relay])
            await victim.stop(signal.SIGKILL)
            await victim.start()
        for talker in talkers:
            await talker.say(10)
            await talker.stop(signal.SIGKILL)
        wanted = {"hello", *(f"{one.name} {number}" for one in talkers for number in range(1, one.said + 1))}
        for person in people:
            await person.wake()
        for person, chat_id in ((anna, to_boris), (boris, to_anna)):

            async def all_there(person: Person = person, chat_id: bytes = chat_id) -> bool:
                person.pass_time(500)
                return wanted <= set(await every_text(person, chat_id))

            await until(all_there, 60)
            texts = await every_text(person, chat_id)
            # What was stored, but killed before it could say so, is there once as well.
            assert len(texts) == len(set(texts)) <= len(wanted) + len(talkers) * (KILLS + 1)
            for talker in talkers:
                own = [text for text in texts if text.startswith(talker.name)]
                assert own == [f"{talker.name} {number}" for number in range(1, len(own) + 1)]

            async def all_sent(person: Person = person, chat_id: bytes = chat_id) -> bool:
                return all(one.state is not MessageState.QUEUED for one in await person.messages(chat_id))

            await until(all_sent)
            assert await person.counted("entries_dropped") == 0
            assert await person.counted("closers_dropped") == 0
            assert (await person.chat(chat_id)).gaps == 0
            await person.sleep()
        await relay.stop(signal.SIGTERM)

    asyncio.run(scenario())


async def every_text(person: Person, chat_id: bytes) -> list[str]:
    texts: list[str] = []
    after = 0
    while True:
        page = await person.node.query(
            lambda queries, after=after: queries.messages_after(chat_id, after=after, limit=500)
        )
        if not page:
            return texts
        texts += [message.text for message in page]
        after = page[-1].sequence
