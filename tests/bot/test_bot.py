"""A bot against the real thing: what it is told, what it says, and what stops in between.

Long, because one home and one bot serve all of it.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from skvoz.api import access as access_module
from skvoz.api.access import new_token, token_hash
from skvoz.api.caller import socket_file
from skvoz.api.home_socket import serving
from skvoz.api.page import serving_page
from skvoz.api.service import Service
from skvoz.api.views import BotListView
from skvoz.base.errors import BadRequest, NotAllowed, StoreError
from skvoz.bot import Bot, CallFailed, ChatView, EventView, Message, Place
from skvoz.bot import bot as bot_module
from skvoz.bot.cursor import Cursor
from skvoz.bot.testing import Stage, stage
from skvoz.client.commands import CreateGroup, RevokeBot
from skvoz.client.records import Bot as BotRecord
from skvoz.client.records import LoggedEvent
from skvoz.logs import Rate
from skvoz.node.node import system_clock_ms
from skvoz.store.queries import Queries
from tests.api.programs import alone, new_bot
from tests.node.people import Person, client_id, until, world

Visit = Callable[[Stage], Awaitable[None]]


@pytest.fixture(autouse=True)
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bot_module, "RETRY_S", 0.01)
    monkeypatch.setattr(bot_module, "RECONNECT_FIRST_S", 0.01)


def on_stage(visit: Visit) -> None:
    async def scenario() -> None:
        async with stage() as here:
            await visit(here)

    asyncio.run(scenario())


def echo_bot(heard: list[str] | None = None) -> Bot:
    bot = Bot.from_env()

    @bot.on_message
    async def echo(message: Message) -> None:
        if heard is not None:
            heard.append(message.text)
        await message.reply(message.text)

    return bot


def states(here: Stage) -> list[Path]:
    return list(here.folder.glob("*.state"))


def test_what_a_message_offers_is_done() -> None:
    seen: list[object] = []
    bot = Bot()

    @bot.on_message
    async def everything(message: Message) -> None:
        chat = await message.chat()
        seen.extend((message.author_name, chat.kind, len(await message.members()), repr(message)))
        await message.mark_read()
        await message.react("👍")
        await message.reply("with a reference")
        await message.send("without one")

    async def visit(here: Stage) -> None:
        async with here.running(bot):
            asked = await here.friend.says("hello")
            first, second = await here.friend.gets(), await here.friend.gets()
        assert (first.text, first.reply_to) == ("with a reference", asked)
        assert (second.text, second.reply_to) == ("without one", None)
        assert seen == ["Friend", "direct", 2, "<Message>"]
        chat = await here.owner.sees(here.owner.chat_id)
        assert chat.unread == 0

    on_stage(visit)


@pytest.mark.slow
def test_every_message_is_answered_once_wherever_the_bot_was_stopped() -> None:
    calls: list[str] = []
    failures: list[Exception] = []
    bot = Bot()
    bot.on_failure = failures.append

    @bot.on_message
    async def answer(message: Message) -> None:
        calls.append(message.text)
        # Worded differently each time, as what a clock or a network says may be.
        done = await message.reply(f"{message.text}, said {len(calls)}")
        assert (done is None) == (message.text in calls[:-1])
        await message.reply(f"{message.text} again")

    async def visit(here: Stage) -> None:
        heard: list[str] = []
        for text in ("one", "two", "three"):
            async with here.running(bot):
                before = states(here)[0].read_bytes()
                await here.friend.says(text)
                heard += [await here.friend.hears(), await here.friend.hears()]
            # As if it had been killed before it kept how far it was.
            states(here)[0].write_bytes(before)
            async with here.running(bot):
                await until_called(calls, 2 * (len(heard) // 2))
        said = iter(heard)
        for text in ("one", "two", "three"):
            assert next(said).startswith(f"{text}, said ")
            assert next(said) == f"{text} again"
        with pytest.raises(TimeoutError):
            await here.friend.hears(0.3)
        # While it was away
        await here.friend.says("four")
        async with here.running(bot):
            assert (await here.friend.hears()).startswith("four, said ")
        assert failures == []

    on_stage(visit)


async def until_called(calls: list[str], count: int) -> None:
    async def look() -> bool:
        return len(calls) >= count

    await until(look, 20)


@pytest.mark.slow
def test_two_handlers_both_answer_and_may_not_have_one_name() -> None:
    bot = echo_bot()

    @bot.on_message
    async def other(message: Message) -> None:
        await message.reply(message.text)

    with pytest.raises(ValueError, match="echo"):
        bot.on_message(bot._on_message["echo"])

    async def visit(here: Stage) -> None:
        async with here.running(bot):
            await here.friend.says("hello")
            assert [await here.friend.hears(), await here.friend.hears()] == ["hello", "hello"]

    on_stage(visit)


def test_a_handler_that_fails_is_tried_again_and_then_passed_over(caplog: pytest.LogCaptureFixture) -> None:
    attempts: list[str] = []
    bot = Bot()

    @bot.on_message
    async def fails(message: Message) -> None:
        attempts.append(message.text)
        if message.text == "kolbasa" or len(attempts) < 3:
            raise ValueError(message.text)
        await message.reply(f"heard {message.text}")

    async def visit(here: Stage) -> None:
        async with here.running(bot):
            await here.friend.says("hello")
            assert await here.friend.hears() == "heard hello"
            await here.friend.says("kolbasa")
            await here.friend.says("good bye")
            assert await here.friend.hears() == "heard good bye"

    on_stage(visit)
    assert attempts == ["hello"] * 3 + ["kolbasa"] * 3 + ["good bye"]
    assert "a handler failed: ValueError at test_bot.py:" in caplog.text
    assert "kolbasa" not in caplog.text


def test_a_bot_that_only_reads_is_told_that_it_may_not_write_and_goes_on() -> None:
    failures: list[Exception] = []
    heard: list[str] = []
    bot = echo_bot(heard)
    bot.on_failure = failures.append

    async def visit(here: Stage) -> None:
        token = await here.new_token("reader", can_write=False)
        async with here.running(bot, token):
            for text in ("one", "two"):
                await here.friend.says(text)
            await until_called(heard, 2)
            with pytest.raises(TimeoutError):
                await here.friend.hears(0.3)
        assert heard == ["one", "two"]
        assert [one.error.data.kind for one in failures if isinstance(one, CallFailed)] == ["not_allowed"] * 2

    on_stage(visit)


def test_a_bot_hears_its_own_chats_and_no_others() -> None:
    heard: list[str] = []
    events: list[str] = []
    bot = echo_bot(heard)

    @bot.on_event("message.received")
    async def note(event: EventView) -> None:
        events.append(event.kind)

    async def visit(here: Stage) -> None:
        group = await here.friend.makes_group("Bots welcome")
        token = await here.new_token("of the group", group)
        async with here.running(bot, token):
            await here.friend.says("nobody's business")
            await here.friend.says("hello, bot", group)
            assert await here.friend.hears() == "hello, bot"
            found = await bot.call("chat.get", {"chat_id": group}, ChatView)
            assert found.title == "Bots welcome"
            with pytest.raises(CallFailed, match="no such chat"):
                await bot.call("chat.get", {"chat_id": here.owner.chat_id}, ChatView)
        assert (heard, events) == (["hello, bot"], ["message.received"])

    on_stage(visit)


def test_a_revoked_token_ends_the_bot_and_a_wrong_one_does_not_let_it_begin() -> None:
    async def visit(here: Stage) -> None:
        async def revoke_while_it_runs() -> None:
            async with here.running(echo_bot(), token):
                await here.owner.does("bot.revoke", bot_id=await bot_id(here))
                await here.friend.says("hello")
                await asyncio.Event().wait()

        async def begin(wrong: str) -> None:
            async with here.running(echo_bot(), wrong):
                raise AssertionError("it began")

        token = await here.new_token("short-lived")
        with pytest.raises(NotAllowed, match="revoked"):
            await revoke_while_it_runs()
        for wrong in (token, new_token()):
            with pytest.raises(NotAllowed):
                await begin(wrong)

    async def bot_id(here: Stage) -> bytes:
        return (await here.owner.line.call("bot.list", {}, BotListView)).bots[0].bot_id

    on_stage(visit)


@pytest.mark.slow
def test_a_bot_for_everybody_accepts_strangers_and_the_groups_that_they_invite_it_to(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as here:
            owner, stranger = await here.person("Weather"), await here.person("Stranger")
            bot = Bot.from_env(accepts_requests=True)
            failures: list[Exception] = []
            bot.on_failure = failures.append

            @bot.on_message
            async def answer(message: Message) -> None:
                await message.reply(f"sunny, {message.author_name}")

            async with (
                serving(Service(owner.node), socket_file(owner.folder)),
                running(bot, Place.of_home(owner.folder), tmp_path / "state"),
            ):
                to_bot = await stranger.accept_link(await owner.link(lasting=True), "how is it?")
                await stranger.wait_for(to_bot, ["how is it?", "sunny, Stranger"])
                await stranger.wait_for_contacts(1)
                group = await here.group(stranger, owner)
                await stranger.send(group, "and here?")
                await stranger.wait_for(group, ["and here?", "sunny, Stranger"])
            assert failures == []

    asyncio.run(scenario())


def test_a_bot_with_a_token_accepts_nobody() -> None:
    failures: list[Exception] = []
    bot = Bot.from_env(accepts_requests=True)
    bot.on_failure = failures.append

    async def visit(here: Stage) -> None:
        async with here.running(bot):
            told = {"chat_id": here.owner.chat_id, "group_id": bytes(32), "is_request": True}
            data = msgspec.Raw(msgspec.json.encode(told))
            event = EventView(sequence=1, kind="chat.created", data=data, created_ms=0)
            assert bot._session is not None
            await bot._deal_with(bot._session, event)
        [failure] = failures
        assert isinstance(failure, CallFailed)
        assert failure.error.data.kind == "not_allowed"

    on_stage(visit)


# What needs a node that goes and comes


@asynccontextmanager
async def somebody(folder: Path) -> AsyncGenerator[tuple[Person, bytes]]:
    anna, notes = await alone(folder / "anna")
    try:
        yield anna, notes
    finally:
        await anna.sleep()


@asynccontextmanager
async def running(bot: Bot, place: Place, state: Path) -> AsyncGenerator[None]:
    begun = asyncio.Event()
    task = asyncio.create_task(bot.serve(place, state, begun.set))
    async with asyncio.timeout(20):
        await begun.wait()
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def listening_bot(heard: list[int]) -> Bot:
    bot = Bot()

    @bot.on_event("message.queued")
    async def note(event: EventView) -> None:
        heard.append(event.sequence)

    return bot


def test_a_bot_waits_for_a_node_that_is_away_and_misses_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[int] = []

    async def scenario() -> None:
        async with somebody(tmp_path) as (anna, notes):
            token = await new_bot(anna, "bot")
            place, file = Place.of_home(anna.folder, token), socket_file(anna.folder)
            begun = asyncio.Event()
            bot = listening_bot(heard)
            task = asyncio.create_task(bot.serve(place, tmp_path / "state", begun.set))
            await asyncio.sleep(0)  # it finds nobody
            for number in range(3):
                async with serving(Service(anna.node), file):
                    async with asyncio.timeout(20):
                        await begun.wait()
                    await anna.send(notes, f"{number}")
                    await until_heard(heard, 2 * number + 1)
                await anna.send(notes, f"{number} while nobody tells it")
            async with serving(Service(anna.node), file):
                await until_heard(heard, 6)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            queued = [one.sequence for one in await anna.events("message.queued")]
            assert heard == queued[-6:]
            assert token not in caplog.text

    with caplog.at_level(logging.DEBUG):
        asyncio.run(scenario())
    assert "trying again" in caplog.text


async def until_heard(heard: list[int], count: int) -> None:
    async def look() -> bool:
        return len(heard) >= count

    await until(look, 20)


def test_a_bot_reaches_the_pages_address_with_its_token(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[int] = []

    async def scenario() -> None:
        async with somebody(tmp_path) as (anna, notes):
            token = await new_bot(anna, "bot", notes)
            async with serving_page(Service(anna.node), anna.folder, system_clock_ms) as address:
                authority = address().removeprefix("http://").partition("/")[0]
                place = Place(authority=authority, token=token)
                assert token not in repr(place)
                async with running(listening_bot(heard), place, tmp_path / "state"):
                    await anna.send(notes, "hello")
                    await until_heard(heard, 1)
            assert token not in caplog.text

    with caplog.at_level(logging.DEBUG):
        asyncio.run(scenario())


def test_a_bot_that_was_away_too_long_goes_on_with_new_events(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[int] = []

    async def scenario() -> None:
        async with somebody(tmp_path) as (anna, notes):
            place = Place.of_home(anna.folder)
            for number in range(3):
                await anna.send(notes, f"{number}")
            Cursor(tmp_path / "state", await anna.account_id(), "state", 1)

            def forget(queries: Queries) -> None:
                records = queries._records
                with records.database.transaction():
                    records.apply([(LoggedEvent, (number,), None) for number in range(1, 4)])

            await anna.node.query(forget)
            async with (
                serving(Service(anna.node), socket_file(anna.folder)),
                running(listening_bot(heard), place, tmp_path / "state"),
            ):

                async def is_told() -> bool:
                    return "forgotten while" in caplog.text

                await until(is_told, 20)
                await anna.send(notes, "new")
                await until_heard(heard, 1)
            assert heard == [one.sequence for one in await anna.events("message.queued")][-1:]

    asyncio.run(scenario())


def test_a_bot_that_is_too_eager_comes_back_when_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[int] = []
    bot = Bot()

    @bot.on_event("message.queued")
    async def eager(event: EventView) -> None:
        await bot.call("bot.self", {}, msgspec.Raw)
        done.append(event.sequence)

    async def scenario() -> None:
        async with somebody(tmp_path) as (anna, notes):
            token = await new_bot(anna, "bot")
            monkeypatch.setattr(access_module, "CALLS", Rate.of(per_s=20, burst=3))
            async with (
                serving(Service(anna.node), socket_file(anna.folder)),
                running(bot, Place.of_home(anna.folder, token), tmp_path / "state"),
            ):
                for number in range(8):
                    await anna.send(notes, f"{number}")
                await until_heard(done, 8)
            assert done == sorted(set(done))

    asyncio.run(scenario())


def test_progress_is_kept_while_only_other_chats_are_busy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bot_module, "KEEP_EVERY_S", 0.0)

    async def scenario() -> None:
        async with somebody(tmp_path) as (anna, notes):
            made = await anna.do(CreateGroup(client_id=client_id(), title="Other", members=()))
            token = await new_bot(anna, "bot", notes)
            state = tmp_path / "state"
            async with (
                serving(Service(anna.node), socket_file(anna.folder)),
                running(listening_bot([]), Place.of_home(anna.folder, token), state),
            ):
                await anna.send(made.chat_id or b"", "nothing for the bot")

                async def is_kept() -> bool:
                    return msgspec.json.decode(state.read_bytes())["after"] == anna.node.last_event

                await until(is_kept, 20)

    asyncio.run(scenario())


def test_a_state_file_is_of_one_bot_and_what_is_wrong_with_it_is_said(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with somebody(tmp_path) as (anna, _), serving(Service(anna.node), socket_file(anna.folder)):
            one, other = await new_bot(anna, "one"), await new_bot(anna, "other")
            state = tmp_path / "state"
            async with running(Bot(), Place.of_home(anna.folder, one), state):
                pass
            with pytest.raises(BadRequest, match="another bot"):
                await Bot(Place.of_home(anna.folder, other), state).serve()
            for broken in (b"", b"{}", b"\xff", b'{"after": 1}'):
                state.write_bytes(broken)
                with pytest.raises(BadRequest, match="no bot's"):
                    await Bot(Place.of_home(anna.folder, one), state).serve()
            with pytest.raises(StoreError):
                await Bot(Place.of_home(anna.folder, one), tmp_path / "nowhere" / "state").serve()
            with pytest.raises(StoreError):
                await Bot(Place.of_home(anna.folder, one), tmp_path).serve()
            [record, _] = await anna.records(BotRecord)
            assert record.token_hash in {token_hash(one), token_hash(other)}
            await anna.do(RevokeBot(client_id=client_id(), bot_id=record.bot_id))

    asyncio.run(scenario())
