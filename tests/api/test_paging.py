import asyncio
from base64 import b64decode
from pathlib import Path

from skvoz.api.params import PAGE_SIZE_MAX
from tests.api.programs import Program, Words, alone, served
from tests.node.people import client_id


def texts(page: Words) -> list[str]:
    return [message["text"] for message in page["messages"]]


def counted(numbers: range) -> list[str]:
    return [f"note {number}" for number in numbers]


async def make_notes(one: Program, chat_id: bytes, count: int) -> list[int]:
    """Write messages with a stranger's chat in between, so that sequences have holes; return sequences."""
    other = b64decode(
        (await one.result("group.create", client_id=client_id(), title="Other", members=()))["chat_id"]
    )
    for number in range(count):
        for chat in (chat_id, other):
            await one.result("message.send", client_id=client_id(), chat_id=chat, text=f"note {number}")
    page = await one.result("message.list", chat_id=chat_id, limit=PAGE_SIZE_MAX)
    return [message["sequence"] for message in page["messages"]][::-1]


def test_a_chat_is_paged_back_forth_and_around_a_message_with_nothing_twice(tmp_path: Path) -> None:
    async def scenario() -> None:
        anna, notes = await alone(tmp_path / "anna")
        async with served(anna) as one:
            sequences = await make_notes(one, notes, 25)
            page = await one.result("message.list", chat_id=notes, limit=10)
            assert texts(page) == counted(range(24, 14, -1))
            assert page["next_after"] is None
            back = [page]
            while back[-1]["next_before"] is not None:
                before = back[-1]["next_before"]
                back.append(await one.result("message.list", chat_id=notes, limit=10, before=before))
            assert [texts(page) for page in back[1:]] == [
                counted(range(14, 4, -1)),
                counted(range(4, -1, -1)),
            ]
            forth = await one.result("message.list", chat_id=notes, limit=10, after=back[-1]["next_after"])
            assert texts(forth) == counted(range(14, 4, -1))
            assert (forth["next_before"], forth["next_after"]) == (sequences[5], sequences[14])
            around = await one.result("message.list", chat_id=notes, limit=5, around=sequences[12])
            assert texts(around) == counted(range(14, 9, -1))
            assert (around["next_before"], around["next_after"]) == (sequences[10], sequences[14])
            first = await one.result("message.list", chat_id=notes, limit=5, around=sequences[0])
            assert texts(first) == counted(range(4, -1, -1))
            assert first["next_before"] is None
            last = await one.result("message.list", chat_id=notes, limit=1, around=sequences[-1])
            assert (texts(last), last["next_after"]) == (["note 24"], None)
            below = await one.result("message.list", chat_id=notes, before=sequences[0])
            assert below == {"messages": [], "next_before": None, "next_after": None}
        await anna.sleep()

    asyncio.run(scenario())


def test_pages_that_make_no_sense_are_refused(tmp_path: Path) -> None:
    async def scenario() -> None:
        anna, notes = await alone(tmp_path / "anna")
        async with served(anna) as one:
            for wrong in ({"limit": 0}, {"limit": PAGE_SIZE_MAX + 1}, {"limit": 1.5}, {"before": -1}):
                assert (await one.refusal("message.list", chat_id=notes, **wrong))["code"] == -32602
            two = await one.refusal("message.list", chat_id=notes, before=5, after=1)
            assert two["data"]["kind"] == "bad_request"
            for cursor in ("", "nonsense", "5-xyz", "-"):
                wrong = await one.refusal("chat.list", cursor=cursor)
                assert "cursor" in wrong["message"]
            assert (await one.refusal("chat.list", limit=0))["code"] == -32602
            assert (await one.refusal("event.list", after=0, limit=501))["code"] == -32602
            assert (await one.refusal("message.search", text="x" * 1001))["code"] == -32602
        await anna.sleep()

    asyncio.run(scenario())


def test_chats_are_paged_in_order_even_while_the_latest_changes(tmp_path: Path) -> None:
    async def scenario() -> None:
        anna, notes = await alone(tmp_path / "anna")
        async with served(anna) as one:
            for number in range(6):
                await one.result("group.create", client_id=client_id(), title=f"{number}", members=())
            whole = [chat["chat_id"] for chat in (await one.result("chat.list"))["chats"]]
            assert len(whole) == 7
            page = await one.result("chat.list", limit=3)
            await one.result("message.send", client_id=client_id(), chat_id=notes, text="now the latest")
            seen = [chat["chat_id"] for chat in page["chats"]]
            while page["next_cursor"] is not None:
                page = await one.result("chat.list", limit=3, cursor=page["next_cursor"])
                seen += [chat["chat_id"] for chat in page["chats"]]
            assert seen == [chat_id for chat_id in whole if b64decode(chat_id) != notes]
            newest = (await one.result("chat.list", limit=1))["chats"][0]
            assert b64decode(newest["chat_id"]) == notes
            assert newest["last_message"]["text"] == "now the latest"
        await anna.sleep()

    asyncio.run(scenario())


def test_what_a_search_finds_is_paged_and_kept_to_a_chat(tmp_path: Path) -> None:
    async def scenario() -> None:
        anna, notes = await alone(tmp_path / "anna")
        async with served(anna) as one:
            await make_notes(one, notes, 7)
            everywhere = await one.result("message.search", text="note")
            assert (len(everywhere["messages"]), everywhere["next_before"]) == (14, None)
            page = await one.result("message.search", text="NOT", chat_id=notes, limit=4)
            rest = await one.result(
                "message.search", text="NOT", chat_id=notes, limit=4, before=page["next_before"]
            )
            assert texts(page) + texts(rest) == counted(range(6, -1, -1))
            assert rest["next_before"] is None
            next_up = await one.result(
                "message.search", text="NOT", chat_id=notes, limit=2, after=rest["messages"][-1]["sequence"]
            )
            assert texts(next_up) == counted(range(2, 0, -1))
            assert next_up["next_before"] == next_up["messages"][-1]["sequence"]
            assert (await one.refusal("message.search", text="not", before=9, after=1))["data"]["kind"] == (
                "bad_request"
            )
            exact = await one.result("message.search", text="note", chat_id=notes, limit=7)
            assert exact["next_before"] is None
            assert (await one.result("message.search", text="?!"))["messages"] == []
        await anna.sleep()

    asyncio.run(scenario())
