"""Being parted by a relay and coming together again: what it withholds, lies about, forgets or gets wrong."""

import asyncio
import secrets
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from skvoz.base.ids import EntryId
from skvoz.client.commands import RenameGroup
from skvoz.client.commits import UPDATE_AFTER_MS
from skvoz.client.inputs import EntryStored
from skvoz.client.records import Conversation, ConversationState, MessageState
from skvoz.crypto import sha256
from skvoz.relay.session import Session
from skvoz.server import back_up, restore
from skvoz.wire import frames
from tests.node.attackers import ForgedCloser, Outsider, lying
from tests.node.people import Person, World, client_id, until, world

pytestmark = pytest.mark.slow


async def everybody_reads(people: list[Person], chat_id: bytes, text: str) -> None:
    """Wait until a text is there once for each, while minutes pass."""
    for person in people:

        async def look(person: Person = person) -> bool:
            for one in people:
                one.pass_time(1_000)
            return (await person.texts(chat_id)).count(text) == 1

        await until(look)


async def one_epoch(people: list[Person], chat_id: bytes) -> int:
    """Return the epoch once all are in the same one, and have the same people in it."""

    async def look() -> bool:
        found = [await person.conversation(chat_id) for person in people]
        return len({one.segment_key for one in found}) == 1

    await until(look)
    members = [await person.members(chat_id) for person in people]
    assert all(one == members[0] for one in members)
    return (await people[0].conversation(chat_id)).epoch


def junk_closer() -> ForgedCloser:
    return ForgedCloser(
        entry_id=EntryId(secrets.token_bytes(16)),
        body=secrets.token_bytes(1040),
        next_hash=sha256(secrets.token_bytes(32)),
    )


@pytest.mark.parametrize("carry", [False, True])
def test_a_junk_closer_and_junk_entries_hold_nobody_up(tmp_path: Path, *, carry: bool) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as here:
            people = await here.friends("Anna", "Boris", "Vera")
            group = await here.group(*people)
            epoch = await one_epoch(people, group)
            conversation = await people[1].conversation(group)
            outsider = await Outsider.at(here)
            for body in (b"", b"\0" * 528, secrets.token_bytes(528), secrets.token_bytes(3000)):
                answer = await outsider.write(conversation.log_id, conversation.segment_key, body)
                assert isinstance(answer, EntryStored)
            answer = await outsider.close_segment(conversation, junk_closer(), carry=carry)
            assert isinstance(answer, EntryStored)
            await outsider.close()
            await people[2].send(group, "held up")
            await everybody_reads(people, group, "held up")
            assert await one_epoch(people, group) > epoch
            for person in people:
                assert await person.counted("entries_dropped") == 4
                assert await person.counted("closers_dropped") >= 1

    asyncio.run(scenario())


def test_a_withheld_message_shows_as_a_gap_until_it_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    others: set[int] = set()
    held: list[frames.Entries] = []
    withholding = False

    def lie(session: Session, frame: frames.Down) -> frames.Down:
        if not withholding:
            others.add(session.number)
        elif isinstance(frame, frames.Entries) and session.number not in others and not held:
            held.append(frame)
            return frames.Entries(frame.log, [], frame.through)
        return frame

    async def scenario() -> None:
        nonlocal withholding
        async with world(tmp_path) as here:
            monkeypatch.setattr(Session, "take_messages", lying(lie))
            people = await here.friends("Anna", "Boris", "Vera")
            anna, boris, vera = people
            group = await here.group(*people)
            for person in people:
                await person.send(group, f"{id(person)} is here")
                await everybody_reads(people, group, f"{id(person)} is here")
            await one_epoch(people, group)
            await boris.sleep()
            lost = await anna.send(group, "hide this from Boris")
            await everybody_reads([anna, vera], group, "hide this from Boris")
            withholding = True
            await boris.wake()

            async def withheld() -> bool:
                return bool(held)

            await until(withheld)
            await vera.send(group, "after it")
            await everybody_reads([boris], group, "after it")
            assert (await boris.chat(group)).gaps == 1
            await boris.wait_for_event("message.missing", lost)
            assert "hide this from Boris" not in await boris.texts(group)
            [gap] = await boris.node.query(lambda queries: queries.gaps(next(iter(queries.chats())).main))
            assert gap.message_id == lost

    asyncio.run(scenario())


def test_a_relay_that_lies_about_who_won_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lies = 0

    def lie(_: Session, frame: frames.Down) -> frames.Down:
        nonlocal lies
        if lying_now and isinstance(frame, frames.Stored):
            lies += 1
            return frames.No(frame.request, "superseded", 0)
        return frame

    lying_now = False

    async def scenario() -> None:
        nonlocal lying_now
        async with world(tmp_path) as here:
            monkeypatch.setattr(Session, "take_messages", lying(lie))
            people = await here.friends("Anna", "Boris", "Vera")
            group = await here.group(*people)
            await one_epoch(people, group)
            lying_now = True
            await people[0].do(RenameGroup(client_id=client_id(), chat_id=group, title="won"))
            for person in people:
                await person.wait_for_chat(group, lambda chat: chat.title == "won")
                await person.send(group, f"{id(person)} said it once")
            for person in people:
                await everybody_reads(people, group, f"{id(person)} said it once")
            assert lies >= 4
            lying_now = False
            await one_epoch(people, group)
            for person in people:
                assert len(await person.texts(group)) == 3
                assert all(one.state is not MessageState.QUEUED for one in await person.messages(group))

    asyncio.run(scenario())


def forget_the_past(world: World, keep_from: int, log_id: bytes) -> None:
    """Let the relay have forgotten a room's entries and segments before a position, as after 400 days."""
    connection = sqlite3.connect(world.relay_folder / "relay.db")
    with connection:
        connection.execute("DELETE FROM entry WHERE log = ? AND position < ?", (log_id, keep_from))
        connection.execute("DELETE FROM segment WHERE log = ? AND number < ?", (log_id, keep_from))
        connection.execute("UPDATE log SET base = ? WHERE log = ?", (keep_from - 1, log_id))
    connection.close()


def test_who_fell_behind_what_a_relay_keeps_is_let_in_again(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as here:
            people = await here.friends("Anna", "Boris", "Vera")
            anna, boris, vera = people
            group = await here.group(*people)
            await one_epoch(people, group)
            await boris.sleep()
            for title in ("one", "two", "three"):
                await anna.do(RenameGroup(client_id=client_id(), chat_id=group, title=title))
                await vera.wait_for_chat(group, lambda chat, title=title: chat.title == title)
            await anna.send(group, "while Boris was away")
            await everybody_reads([anna, vera], group, "while Boris was away")
            conversation = await anna.conversation(group)
            await here.stop_relay()
            forget_the_past(here, conversation.segment, conversation.log_id)
            await here.start_relay()
            await boris.wake()

            async def lost() -> bool:
                boris.pass_time(60_000)
                return bool(await boris.events("chat.changed")) and any(
                    b"lost" in one.body for one in await boris.events("chat.changed")
                )

            await until(lost)

            async def found() -> bool:
                for person in (anna, vera):
                    person.pass_time(5_000)
                return any(b"found" in one.body for one in await boris.events("chat.changed"))

            await until(found)
            await boris.send(group, "here I am again")
            await everybody_reads(people, group, "here I am again")
            await anna.send(group, "good")
            await everybody_reads(people, group, "good")
            assert "while Boris was away" not in await boris.texts(group)
            assert await one_epoch(people, group) > conversation.epoch

    asyncio.run(scenario())


def test_members_put_back_what_a_restored_relay_lost(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as here:
            people = await here.friends("Anna", "Boris", "Vera")
            anna, boris, vera = people
            group = await here.group(*people)
            await anna.send(group, "in the backup")
            await everybody_reads(people, group, "in the backup")
            await one_epoch(people, group)
            before = _store_id(here)
            await asyncio.to_thread(back_up, here.relay_folder, tmp_path / "backup")
            for title in ("one", "two"):
                await anna.do(RenameGroup(client_id=client_id(), chat_id=group, title=title))
                await vera.wait_for_chat(group, lambda chat, title=title: chat.title == title)
            await boris.send(group, "not in the backup")
            await everybody_reads(people, group, "not in the backup")
            epoch = await one_epoch(people, group)
            await vera.sleep()
            await here.stop_relay()
            await anna.send(group, "while there was no relay")
            restore(tmp_path / "backup", tmp_path / "restored")
            here.relay_folder = tmp_path / "restored"
            await here.start_relay()
            assert _store_id(here) != before
            await vera.wake()
            await everybody_reads(people, group, "while there was no relay")
            for person in people:
                await person.send(group, f"{id(person)} goes on")
            for person in people:
                await everybody_reads(people, group, f"{id(person)} goes on")
            assert await one_epoch(people, group) >= epoch
            for person in people:
                chat = await person.conversation(group)
                assert (chat.title, chat.state) == ("two", ConversationState.ACTIVE)
                assert len(await person.texts(group)) == len(set(await person.texts(group))) == 6

    asyncio.run(scenario())


def _store_id(here: World) -> bytes:
    row = here.relay._store._connection.execute("SELECT value FROM relay WHERE name = 'store_id'").fetchone()
    return bytes(row[0])


def test_keys_are_renewed_before_the_first_message_after_a_week(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as here:
            people = await here.friends("Anna", "Boris")
            anna, boris = people
            to_boris, to_anna = await boris.account_id(), await anna.account_id()

            async def epoch_of(check: Callable[[Conversation], bool]) -> int:
                for person, chat_id in ((anna, to_boris), (boris, to_anna)):
                    await person.wait_for_chat(chat_id, check)
                return (await anna.conversation(to_boris)).epoch

            for person in people:
                person.pass_time(10_000)  # who joined renews their keys soon after
            epoch = await epoch_of(lambda chat: chat.epoch >= 2)
            await anna.send(to_boris, "same keys")
            await boris.wait_for(to_anna, ["hello", "same keys"])
            assert (await boris.conversation(to_anna)).epoch == epoch
            anna.pass_time(UPDATE_AFTER_MS)
            await anna.send(to_boris, "new keys")
            await boris.wait_for(to_anna, ["hello", "same keys", "new keys"])
            assert await epoch_of(lambda chat: chat.epoch > epoch) == epoch + 1

    asyncio.run(scenario())
