"""Folders of chats: kept in the home, and told to every tab."""

import asyncio
import base64
from pathlib import Path

from skvoz.client.commands import FOLDERS_MAX
from tests.api.programs import Program, Words, alone, program, served
from tests.node.people import client_id


async def keep(one: Program, *folders: Words) -> Words:
    return await one.ask("folder.keep", client_id=client_id(), folders=list(folders))


def test_folders_are_kept_in_order_and_told(tmp_path: Path) -> None:
    async def scenario() -> None:
        anna, chat_id = await alone(tmp_path / "anna")
        shown = base64.b64encode(chat_id).decode()
        async with served(anna) as one, program(anna.folder) as other:
            assert (await one.result("folder.list"))["folders"] == []
            last = (await other.result("event.subscribe"))["last_event"]
            await keep(one, {"name": " the  lake ", "chats": [chat_id, chat_id]}, {"name": "Empty"})
            kept: list[Words] = [{"name": "the lake", "chats": [shown]}, {"name": "Empty", "chats": []}]
            assert (await other.result("folder.list"))["folders"] == kept
            told = await other.events_through(last + 1)
            assert [event["kind"] for event in told] == ["folder.changed"]
            await keep(one, *kept)  # as it is: nothing to tell
            assert (await one.result("node.status"))["last_event"] == last + 1
        await anna.sleep()
        await anna.wake()
        async with served(anna) as one:
            assert (await one.result("folder.list"))["folders"] == kept
            await keep(one)
            assert (await one.result("folder.list"))["folders"] == []
        await anna.sleep()

    asyncio.run(scenario())


def test_what_makes_no_folder_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    async def scenario() -> None:
        anna, chat_id = await alone(tmp_path / "anna")
        async with served(anna) as one:
            await keep(one, {"name": "lake", "chats": [chat_id]})
            before = await one.result("folder.list")
            for wrong in (
                [{"name": " "}],
                [{"name": "n" * 65}],
                [{"name": "n"}] * (FOLDERS_MAX + 1),
                [{"name": "n", "chats": [chat_id] * 1001}],
                [{"name": "n", "more": 1}],
            ):
                assert (await keep(one, *wrong))["error"]["data"]["kind"] == "bad_request", wrong
            assert await one.result("folder.list") == before
        await anna.sleep()

    asyncio.run(scenario())
