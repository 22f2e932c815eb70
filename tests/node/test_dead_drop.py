"""People talk without any relay, over storage that all of them reach."""

import asyncio
import random
import signal
from pathlib import Path

import pytest

from skvoz.client.commands import CreateAccount, CreateGroup, RemoveMember, RenameGroup
from skvoz.client.records import FileState, MessageState
from skvoz.node import drops
from skvoz.transports.deaddrop import Patience, StorageRefuses, host, make_drop, open_storage
from tests.node.dropping import drop_world
from tests.node.faulty_storage import FaultyStorage
from tests.node.filing import arrived, content_of, fetch, send_files, wait_for_state
from tests.node.people import Person, client_id, until
from tests.node.test_killed_processes import Talker, every_text
from tests.transports.deaddrop.servers import PASSWORD, storage_url

KILLS = 3


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drops, "FIRST_S", 0.02)
    monkeypatch.setattr(drops, "PATIENCE", Patience(retry_s=0.01))


@pytest.fixture
def losing(monkeypatch: pytest.MonkeyPatch) -> list[FaultyStorage]:
    """Have every storage that a node opens lose a tenth of what is asked of it."""
    opened: list[FaultyStorage] = []

    def open_faulty(url: str, password: str) -> FaultyStorage:
        chance = random.Random(len(opened))
        opened.append(FaultyStorage(open_storage(url, password), chance, 0.1))
        return opened[-1]

    monkeypatch.setattr(drops, "open_storage", open_faulty)
    return opened


def test_two_people_talk_over_a_folder(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with drop_world(tmp_path) as here:
            anna, boris = await here.person("Анна"), await here.person("Борис")
            await here.introduce(anna, boris, "привет")
            to_boris, to_anna = await boris.account_id(), await anna.account_id()
            await anna.send(to_boris, "и тебе")
            await boris.wait_for(to_anna, ["привет", "и тебе"])
            await boris.sleep()
            await anna.send(to_boris, "ты тут?")
            await boris.wake()
            await boris.wait_for(to_anna, ["привет", "и тебе", "ты тут?"])
            await boris.send(to_anna, "тут")
            await anna.wait_for(to_boris, ["привет", "и тебе", "ты тут?", "тут"])

    asyncio.run(scenario())


def test_a_group_lives_in_a_drop_whose_storage_loses_requests_and_answers(
    tmp_path: Path, losing: list[FaultyStorage]
) -> None:
    async def scenario() -> None:
        async with drop_world(tmp_path) as here:
            people = [await here.person(name) for name in ("Anna", "Boris", "Vera")]
            anna, boris, vera = people
            await here.introduce(anna, boris)
            await here.introduce(anna, vera)
            await anna.wait_for_contacts(2)
            ids = [await person.account_id() for person in people]
            made = await anna.do(CreateGroup(client_id=client_id(), title="We", members=(ids[1], ids[2])))
            group = made.chat_id
            assert group is not None
            for person in people:
                await person.wait_for_members(group, *people)
            written = [f"{number}" for number in range(12)]
            for number, text in enumerate(written):
                await people[number % 3].send(group, text)
                if number % 4 == 0:
                    await anna.do(RenameGroup(client_id=client_id(), chat_id=group, title=f"We {number}"))
            for person in people:
                await _wait_for_all(person, group, written)
            await anna.do(RemoveMember(client_id=client_id(), chat_id=group, member=ids[2]))
            await boris.wait_for_members(group, anna, boris)
            await boris.send(group, "without Vera")
            await _wait_for_all(anna, group, [*written, "without Vera"])
            assert "without Vera" not in await vera.texts(group)
            assert sum(storage.faults for storage in losing) > 10

    asyncio.run(scenario())


def test_files_go_over_a_drop(tmp_path: Path, losing: list[FaultyStorage]) -> None:
    content = random.Random(7).randbytes(1_500_000)

    async def scenario() -> None:
        async with drop_world(tmp_path) as here:
            anna, boris = await here.person("Anna"), await here.person("Boris")
            await here.introduce(anna, boris)
            message_id = await send_files(anna, await boris.account_id(), [content], "look")
            [file] = await arrived(boris, message_id)
            await fetch(boris, file)
            await wait_for_state(boris, file, FileState.HERE)
            assert content_of(boris, file) == content
            assert losing

    asyncio.run(scenario())


def test_a_full_storage_makes_messages_wait_and_loses_none(
    tmp_path: Path, losing: list[FaultyStorage], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host, "_FULL_RETRY_MS", 100)

    async def scenario() -> None:
        async with drop_world(tmp_path) as here:
            anna, boris = await here.person("Anna"), await here.person("Boris")
            await here.introduce(anna, boris)
            for storage in losing:
                storage.is_full = True
            to_boris = await boris.account_id()
            message_id = await anna.send(to_boris, "waits")
            await boris.send(await anna.account_id(), "waits too")
            refused = sum(storage.refused for storage in losing)

            async def is_refused_again() -> bool:
                return sum(storage.refused for storage in losing) >= refused + 3

            await until(is_refused_again)
            assert (await anna.message(message_id)).state is MessageState.QUEUED
            for storage in losing:
                storage.is_full = False
            await _wait_for_all(anna, to_boris, ["hello", "waits", "waits too"])
            await _wait_for_all(boris, await anna.account_id(), ["hello", "waits", "waits too"])

    asyncio.run(scenario())


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["webdav", "sftp"])
def test_two_people_talk_over_a_server(tmp_path: Path, kind: str) -> None:
    async def scenario() -> None:
        async with storage_url(kind, tmp_path) as url:
            made = await make_drop(url, PASSWORD)
            async with drop_world(tmp_path, made.key.url, PASSWORD) as here:
                anna, boris = await here.person("Anna"), await here.person("Boris")
                await here.introduce(anna, boris)
                to_boris, to_anna = await boris.account_id(), await anna.account_id()
                await anna.send(to_boris, "over a server")
                await boris.wait_for(to_anna, ["hello", "over a server"])

    asyncio.run(scenario())


def test_a_drop_that_is_unknown_here_and_a_wrong_password_are_said_in_a_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refusing(url: str, password: str) -> FaultyStorage:
        raise StorageRefuses("the drop's storage refuses: the name, the password or the place is wrong")

    async def scenario() -> None:
        async with drop_world(tmp_path) as here:
            anna = await here.person("Anna")
            vera = Person(tmp_path / "vera")
            here.people.append(vera)
            await vera.wake()
            await vera.do(CreateAccount(client_id=client_id(), name="Vera", relay=here.address))

            async def said(person: Person, words: str) -> bool:
                return any(words in state.problem for state in person.node.relay_states())

            await until(lambda: said(vera, "ask for its key"))
            await anna.sleep()
            monkeypatch.setattr(drops, "open_storage", refusing)
            await anna.wake()
            await until(lambda: said(anna, "the password or the place is wrong"))

    asyncio.run(scenario())


async def _wait_for_all(person: Person, chat_id: bytes, written: list[str]) -> None:
    """Wait until a chat holds all of these, each once, and each author's in their order."""

    async def look() -> bool:
        return len(await person.texts(chat_id)) >= len(written)

    await until(look)
    texts = await person.texts(chat_id)
    assert sorted(texts) == sorted(written)
    for first in range(3):
        own = [text for text in texts if text.isdigit() and int(text) % 3 == first]
        assert own == sorted(own, key=int)


@pytest.mark.slow
def test_nodes_that_are_killed_lose_and_double_nothing_in_a_drop(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with drop_world(tmp_path) as here:
            anna, boris = await here.person("Anna"), await here.person("Boris")
            await here.introduce(anna, boris)
            to_boris, to_anna = await boris.account_id(), await anna.account_id()
            for person in here.people:
                await person.sleep()
            talkers = [Talker(anna, "anna", to_boris), Talker(boris, "boris", to_anna)]
            for talker in talkers:
                await talker.start()
            choice = random.Random(KILLS)
            for _ in range(KILLS):
                for talker in talkers:
                    await talker.say(choice.randint(1, 6))
                victim = choice.choice(talkers)
                await victim.stop(signal.SIGKILL)
                await victim.start()
            for talker in talkers:
                await talker.stop(signal.SIGKILL)
            for person in here.people:
                await person.wake()
            wanted = {
                "hello",
                *(f"{one.name} {number}" for one in talkers for number in range(1, one.said + 1)),
            }
            for person, chat_id in ((anna, to_boris), (boris, to_anna)):

                async def all_there(person: Person = person, chat_id: bytes = chat_id) -> bool:
                    person.pass_time(500)
                    sent = all(one.state is not MessageState.QUEUED for one in await person.messages(chat_id))
                    return sent and wanted <= set(await every_text(person, chat_id))

                await until(all_there)
                texts = await every_text(person, chat_id)
                assert len(texts) == len(set(texts))
                for talker in talkers:
                    own = [text for text in texts if text.startswith(talker.name)]
                    assert own == [f"{talker.name} {number}" for number in range(1, len(own) + 1)]
                assert await person.counted("entries_dropped") == 0
                assert (await person.chat(chat_id)).gaps == 0

    asyncio.run(scenario())
