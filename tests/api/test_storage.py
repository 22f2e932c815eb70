"""Room on the disk: what is counted, and what may be freed."""

import asyncio
import base64
from pathlib import Path

from skvoz.base.ids import MessageId
from skvoz.client.records import FileState
from tests.api.programs import alone, served
from tests.node.filing import arrived, put, wait_for_state
from tests.node.people import client_id, until, world

SMALL, LARGE = b"s" * 1_000, b"l" * 100_000


def encoded(value: bytes) -> str:
    return base64.b64encode(value).decode()


def test_what_was_sent_and_fetched_is_counted_and_freed_and_fetched_again(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as here:
            anna, boris = await here.friends("Anna", "Boris")
            async with served(anna) as one, served(boris) as two:
                nothing = await one.result("storage.get")
                assert (nothing["files"], nothing["chats"]) == (0, [])
                assert nothing["database"] > 10_000
                assert nothing["free"] > 0
                chat_id = await boris.account_id()
                ids = [await put(anna, content) for content in (SMALL, LARGE)]
                assert (await one.result("storage.get"))["files"] == 0  # nobody has them yet
                sent = await one.result(
                    "message.send",
                    client_id=client_id(),
                    chat_id=chat_id,
                    text="",
                    files=[{"file_id": file_id} for file_id in ids],
                )
                message_id = MessageId(base64.b64decode(sent["message_id"]))
                files = await arrived(boris, message_id)

                async def freeable() -> object:
                    return (await one.result("storage.get"))["files"]

                await until(freeable)  # once the message has gone out, after its files
                used = await one.result("storage.get")
                assert (used["files"], used["size"]) == (2, len(SMALL) + len(LARGE))
                assert used["chats"] == [{"chat_id": encoded(chat_id), "files": 2, "size": used["size"]}]
                listed = (await one.result("storage.files", limit=1))["files"]
                assert [file["size"] for file in listed] == [len(LARGE)]
                assert (await one.result("storage.files", chat_id=b"\0" * 32))["files"] == []
                assert (await one.result("storage.files", before_ms=1))["files"] == []
                found = (await one.result("storage.files", before_ms=2**52, chat_id=chat_id))["files"]
                assert [file["file_id"] for file in found] == [encoded(file_id) for file_id in ids[::-1]]
                assert found[0]["message_id"] == encoded(message_id)
                for file_id in ids:
                    await one.result("file.forget", client_id=client_id(), file_id=file_id)
                assert (await one.result("storage.get"))["files"] == 0

                async def bytes_are_gone() -> bool:
                    kept = (anna.folder / "files").iterdir()
                    return not [file for file in kept if file.stat().st_size > 500]

                await until(bytes_are_gone)
                await one.result("file.fetch", client_id=client_id(), file_id=ids[1])

                async def large_is_here() -> bool:
                    return (await one.result("file.get", file_id=ids[1]))["state"] == "here"

                await until(large_is_here)
                assert (await one.result("storage.get"))["size"] == len(LARGE)
                # With Boris nothing was fetched, so nothing can be freed.
                assert (await two.result("storage.get"))["files"] == 0
                await two.result("file.fetch", client_id=client_id(), file_id=files[0].file_id)
                await wait_for_state(boris, files[0], FileState.HERE)
                assert (await two.result("storage.get"))["files"] == 1

    asyncio.run(scenario())


def test_what_has_not_gone_out_is_never_offered(tmp_path: Path) -> None:
    async def scenario() -> None:
        anna, chat_id = await alone(tmp_path / "anna")
        async with served(anna) as one:
            file_id = await put(anna, LARGE)
            await one.result(
                "message.send", client_id=client_id(), chat_id=chat_id, text="", files=[{"file_id": file_id}]
            )
            assert (await one.result("storage.get"))["files"] == 0
            assert (await one.result("storage.files"))["files"] == []
            refused = await one.refusal("file.forget", client_id=client_id(), file_id=file_id)
            assert refused["data"]["kind"] == "conflict"
        await anna.sleep()

    asyncio.run(scenario())
