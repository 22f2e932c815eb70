import asyncio
from pathlib import Path

import pytest

from skvoz.base.errors import BadRequest, Conflict, HomeBusy, NotAllowed, NotFound
from skvoz.client.commands import (
    AcceptLink,
    CreateGroup,
    CreateLink,
    DeleteMessage,
    EditMessage,
    MarkRead,
    React,
    RemoveMember,
    RenameGroup,
    SendMessage,
)
from skvoz.client.records import MessageState
from skvoz.node.node import open_home
from skvoz.store import Protection
from tests.node.people import client_id, until, world


def test_two_people_talk_and_a_restart_of_everything_loses_nothing(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as here:
            anna, boris = await here.person("Анна"), await here.person("Борис")
            await here.introduce(anna, boris, "привет")
            to_boris, to_anna = await boris.account_id(), await anna.account_id()
            await anna.send(to_boris, "и тебе")
            await boris.wait_for(to_anna, ["привет", "и тебе"])
            await here.stop_relay()
            await anna.send(to_boris, "ты тут?")
            await boris.sleep()
            await here.start_relay()
            await boris.wake()
            await boris.wait_for(to_anna, ["привет", "и тебе", "ты тут?"])
            await boris.send(to_anna, "тут")
            await anna.wait_for(to_boris, ["привет", "и тебе", "ты тут?", "тут"])

    asyncio.run(scenario())


@pytest.mark.slow
def test_reports_edits_reactions_and_deletions_arrive(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as here:
            anna, boris = await here.person("Anna"), await here.person("Boris")
            await here.introduce(anna, boris, "first")
            to_boris, to_anna = await boris.account_id(), await anna.account_id()
            message_id = await anna.send(to_boris, "helo")
            await boris.wait_for(to_anna, ["first", "helo"])
            await anna.do(EditMessage(client_id=client_id(), message_id=message_id, text="hello"))
            await boris.wait_for(to_anna, ["first", "hello"])
            await boris.do(React(client_id=client_id(), message_id=message_id, emoji="👍"))

            async def reacted() -> bool:
                found = (await anna.messages(to_boris))[1].reactions
                return found == {"👍": (await boris.account_id(),)}

            await until(reacted)
            await boris.do(MarkRead(client_id=client_id(), chat_id=to_anna, message_id=message_id))

            async def read() -> bool:
                return (await anna.messages(to_boris))[1].state is MessageState.READ

            await until(read)
            with pytest.raises(NotAllowed):
                await boris.do(EditMessage(client_id=client_id(), message_id=message_id, text="mine"))
            await anna.do(DeleteMessage(client_id=client_id(), message_id=message_id))

            async def deleted() -> bool:
                return (await boris.messages(to_anna))[1].deleted

            await until(deleted)
            assert await boris.texts(to_anna) == ["first", ""]

    asyncio.run(scenario())


def test_a_group_of_three_is_made_renamed_and_left_by_force(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as here:
            anna, boris, vera = [await here.person(name) for name in ("Anna", "Boris", "Vera")]
            for friend in (boris, vera):
                await here.introduce(anna, friend)

            async def reachable() -> bool:
                found = await anna.node.query(lambda queries: queries.contacts())
                return len([contact for contact in found if contact.inbox]) == 2

            await until(reachable)
            members = (await boris.account_id(), await vera.account_id())
            made = await anna.do(CreateGroup(client_id=client_id(), title="Дача", members=members))
            assert made.chat_id is not None
            group = made.chat_id
            await anna.send(group, "all here?")
            await boris.wait_for(group, ["all here?"])
            await vera.wait_for(group, ["all here?"])
            await boris.send(group, "yes")
            await vera.wait_for(group, ["all here?", "yes"])
            with pytest.raises(NotAllowed):
                await boris.do(RenameGroup(client_id=client_id(), chat_id=group, title="x"))
            await anna.do(RenameGroup(client_id=client_id(), chat_id=group, title="Сад"))

            async def renamed() -> bool:
                chat = await vera.node.query(lambda queries: queries.chat(group))
                return chat is not None and chat.main.title == "Сад"

            await until(renamed)
            await anna.do(RemoveMember(client_id=client_id(), chat_id=group, member=members[0]))
            await anna.send(group, "without Boris")
            await vera.wait_for(group, ["all here?", "yes", "without Boris"])

            async def out() -> bool:
                chat = await boris.node.query(lambda queries: queries.chat(group))
                return chat is not None and chat.main.state.name == "REMOVED"

            await until(out)
            assert await boris.texts(group) == ["all here?", "yes"]

    asyncio.run(scenario())


def test_a_used_link_and_nonsense_are_said(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as here:
            anna, boris, vera = [await here.person(name) for name in ("Anna", "Boris", "Vera")]
            link = (await anna.do(CreateLink(client_id=client_id()))).link
            assert link is not None
            await boris.do(AcceptLink(client_id=client_id(), link=link, text="me"))
            await anna.wait_for(await boris.account_id(), ["me"])
            await vera.do(AcceptLink(client_id=client_id(), link=link, text="me too"))

            async def told() -> bool:
                events = await vera.node.query(lambda queries: queries.events(after=0, limit=100))
                return any(event.kind == "link.failed" and b"used" in event.body for event in events)

            await until(told)
            with pytest.raises(BadRequest):
                await vera.do(AcceptLink(client_id=client_id(), link="skvoz:nonsense"))
            with pytest.raises(Conflict):
                await anna.do(AcceptLink(client_id=client_id(), link=link))
            with pytest.raises(NotFound):
                await vera.send(b"x" * 32, "to nobody")

    asyncio.run(scenario())


def test_a_repeated_command_does_nothing_again(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as here:
            anna, boris = await here.person("Anna"), await here.person("Boris")
            await here.introduce(anna, boris)
            to_boris = await boris.account_id()
            command = SendMessage(client_id="same", chat_id=to_boris, text="once")
            assert await anna.do(command) == await anna.do(command)
            await boris.wait_for(await anna.account_id(), ["hello", "once"])
            assert await anna.texts(to_boris) == ["hello", "once"]
            with pytest.raises(HomeBusy):
                open_home(anna.folder, str, Protection.FILE)

    asyncio.run(scenario())
