import asyncio
from base64 import b64decode
from pathlib import Path

from skvoz.api.methods import COMMANDS
from tests.api.programs import alone, program, served
from tests.node.people import client_id


def test_a_wish_said_again_with_its_client_id_does_nothing_again_even_after_a_restart(tmp_path: Path) -> None:
    async def scenario() -> None:
        anna, notes = await alone(tmp_path / "anna")
        wish = {"client_id": "the same", "chat_id": notes, "text": "once"}
        async with served(anna) as one, program(anna.folder) as two:
            first, second = await asyncio.gather(
                one.result("message.send", **wish), two.result("message.send", **wish)
            )
            events = anna.node.last_event
        await anna.sleep()
        await anna.wake()
        async with served(anna) as one:
            assert first == second == await one.result("message.send", **wish)
            assert anna.node.last_event == events
        assert await anna.texts(notes) == ["once"]
        await anna.sleep()

    asyncio.run(scenario())


def test_a_client_id_that_stood_for_another_wish_is_refused(tmp_path: Path) -> None:
    async def scenario() -> None:
        anna, notes = await alone(tmp_path / "anna")
        async with served(anna) as one:
            sent = await one.result("message.send", client_id="1", chat_id=notes, text="one")
            for method, changed in (
                ("message.send", {"chat_id": notes, "text": "two"}),
                ("message.send", {"chat_id": notes, "text": "one", "reply_to": bytes(32)}),
                ("chat.mute", {"chat_id": notes, "muted": True}),
            ):
                error = await one.refusal(method, client_id="1", **changed)
                assert error["data"]["kind"] == "client_id_used"
            again = await one.result("message.send", client_id="1", chat_id=notes, text="one", reply_to=None)
            assert again == sent
        assert await anna.texts(notes) == ["one"]
        await anna.sleep()

    asyncio.run(scenario())


def test_a_refused_wish_may_be_said_again_once_it_can_be_fulfilled(tmp_path: Path) -> None:
    async def scenario() -> None:
        anna, _ = await alone(tmp_path / "anna")
        async with served(anna) as one:
            wish = {"client_id": "1", "text": "hello", "chat_id": bytes(16)}
            assert (await one.refusal("message.send", **wish))["data"]["kind"] == "not_found"
            made = await one.result("group.create", client_id=client_id(), title="Later", members=())
            wish["chat_id"] = b64decode(made["chat_id"])
            assert (await one.result("message.send", **wish))["message_id"]
        await anna.sleep()

    asyncio.run(scenario())


def test_every_wish_wants_a_client_id_that_is_not_empty_or_endless(tmp_path: Path) -> None:
    async def scenario() -> None:
        anna, _ = await alone(tmp_path / "anna")
        async with served(anna) as one:
            for method in COMMANDS:
                assert "`client_id` is missing" in (await one.refusal(method))["message"]
                for wrong in ("", "x" * 129):
                    error = await one.refusal(method, client_id=wrong)
                    assert "`client_id` is wrong" in error["message"]
        await anna.sleep()

    asyncio.run(scenario())


def test_a_read_mark_is_set_by_a_message_of_the_chat_and_no_other(tmp_path: Path) -> None:
    async def scenario() -> None:
        anna, notes = await alone(tmp_path / "anna")
        async with served(anna) as one:
            made = await one.result("group.create", client_id=client_id(), title="Other", members=())
            sent = await one.result("message.send", client_id=client_id(), chat_id=notes, text="here")
            other, message_id = b64decode(made["chat_id"]), b64decode(sent["message_id"])
            wrong = await one.refusal(
                "chat.read", client_id=client_id(), chat_id=other, message_id=message_id
            )
            assert wrong["data"]["kind"] == "not_found"
            await one.result("chat.read", client_id=client_id(), chat_id=notes, message_id=message_id)
        await anna.sleep()

    asyncio.run(scenario())
