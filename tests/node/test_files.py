"""Files between people: through kills, full disks and lies, whole or not at all."""

import asyncio
import os
from pathlib import Path
from random import Random

import msgspec
import pytest

from skvoz.base.errors import Conflict, DiskFull
from skvoz.client.commands import (
    AcceptRequest,
    DeleteMessage,
    FileToSend,
    ForgetFile,
    PauseFile,
    SendMessage,
)
from skvoz.client.records import File, FileState, Gap, HeldMessage, MessageState
from skvoz.logs import Quotas
from skvoz.node import transfers
from skvoz.server import Settings
from tests.node.filing import arrived, content_of, fetch, files_of, put, send_files, wait_for_state
from tests.node.people import Person, World, client_id, until, world

SMALL = Random(1).randbytes(100_000)
LARGE = Random(2).randbytes(9_000_000)


@pytest.mark.slow
def test_a_file_goes_from_one_home_to_another(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as here:
            anna, boris = await here.friends("Anna", "Boris")
            to_boris, to_anna = await boris.account_id(), await anna.account_id()
            message_id = await send_files(anna, to_boris, [SMALL, LARGE, b""], "смотри")
            files = await arrived(boris, message_id)
            assert await boris.texts(to_anna) == ["hello", "смотри"]
            assert [file.size for file in files] == [len(SMALL), len(LARGE), 0]
            assert {file.state for file in files} == {FileState.REMOTE}
            for file, content in zip(files, (SMALL, LARGE, b""), strict=True):
                assert file.name == "фото.jpg"
                await fetch(boris, file)
                await wait_for_state(boris, file, FileState.HERE)
                assert content_of(boris, file) == content
            assert [file.state for file in await files_of(anna, message_id)] == [FileState.HERE] * 3
            await anna.wait_for_state(message_id, MessageState.DELIVERED)

    asyncio.run(scenario())


@pytest.fixture
def slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have files move in small parts, so that there is a middle."""
    monkeypatch.setattr(transfers, "_PART_SIZE_FIRST", 32 * 1024)
    monkeypatch.setattr(transfers, "PART_SIZE_MAX", 32 * 1024)


async def under_way(person: Person, least: int = 1) -> None:
    """Wait until some of a file has moved, and not all."""

    async def look() -> bool:
        return any(least <= one.done < one.total for one in person.node.transfers.progress.values())

    await until(look)


@pytest.mark.slow
@pytest.mark.usefixtures("slowly")
def test_an_upload_survives_the_relay_and_then_the_node(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as here:
            anna, boris = await here.friends("Anna", "Boris")
            to_boris, to_anna = await boris.account_id(), await anna.account_id()
            message_id = await send_files(anna, to_boris, [LARGE], "big")
            await under_way(anna)
            await here.stop_relay()
            await anna.send(to_boris, "later")
            await here.start_relay()
            await boris.wait_for(to_anna, ["hello", "later"])
            await under_way(anna, 1_000_000)
            await anna.sleep()
            await anna.wake()
            await boris.wait_for(to_anna, ["hello", "later", "big"])
            [file] = await arrived(boris, message_id)
            await fetch(boris, file)
            await wait_for_state(boris, file, FileState.HERE)
            assert content_of(boris, file) == LARGE
            assert await boris.records(Gap) == [], "nobody named a message that had not gone out"

    asyncio.run(scenario())


@pytest.mark.slow
@pytest.mark.usefixtures("slowly")
def test_a_download_survives_the_relay_and_then_the_node(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as here:
            anna, boris = await here.friends("Anna", "Boris")
            to_boris = await boris.account_id()
            message_id = await send_files(anna, to_boris, [LARGE])
            [file] = await arrived(boris, message_id)
            await fetch(boris, file)
            await under_way(boris)
            await here.stop_relay()
            await here.start_relay()
            await under_way(boris, 5_000_000)
            await boris.sleep()
            part = boris.folder / "files" / f"{file.file_id.hex()}.part"
            assert part.stat().st_size >= 4 * file.chunk_size
            await boris.wake()
            await wait_for_state(boris, file, FileState.HERE)
            assert content_of(boris, file) == LARGE
            assert not part.exists()

    asyncio.run(scenario())


@pytest.mark.slow
@pytest.mark.usefixtures("slowly")
def test_both_can_be_held_and_let_go(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as here:
            anna, boris = await here.friends("Anna", "Boris")
            message_id = await send_files(anna, await boris.account_id(), [LARGE])
            await under_way(anna)
            [own] = await files_of(anna, message_id)
            await anna.do(PauseFile(client_id=client_id(), file_id=own.file_id))
            await until(lambda: nothing_moves(anna))
            stood = anna.node.transfers.progress[own.file_id]
            await asyncio.sleep(0.2)
            assert anna.node.transfers.progress[own.file_id] == stood
            await anna.sleep()
            await anna.wake()
            assert await nothing_moves(anna), "a file that is held stays held"
            await anna.do(PauseFile(client_id=client_id(), file_id=own.file_id, paused=False))
            [file] = await arrived(boris, message_id)
            await fetch(boris, file)
            await under_way(boris)
            await boris.do(PauseFile(client_id=client_id(), file_id=file.file_id))
            await until(lambda: nothing_moves(boris))
            await boris.do(PauseFile(client_id=client_id(), file_id=file.file_id, paused=False))
            await wait_for_state(boris, file, FileState.HERE)
            assert content_of(boris, file) == LARGE

    asyncio.run(scenario())


async def nothing_moves(person: Person) -> bool:
    return not person.node.transfers._tasks


@pytest.mark.slow
def test_a_strangers_file_waits_until_they_are_accepted(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as here:
            anna, stranger = await here.person("Anna"), await here.person("Stranger")
            chat_id = await stranger.accept_link(await anna.link(lasting=True), None)
            message_id = await send_files(stranger, chat_id, [SMALL], "look")
            [file] = await arrived(anna, message_id)
            with pytest.raises(Conflict, match="accept the request"):
                await fetch(anna, file)
            assert not list((anna.folder / "files").iterdir())
            await anna.do(AcceptRequest(client_id=client_id(), chat_id=await stranger.account_id()))
            await fetch(anna, file)
            await wait_for_state(anna, file, FileState.HERE)
            assert content_of(anna, file) == SMALL

    asyncio.run(scenario())


@pytest.mark.slow
def test_a_file_that_the_relay_changed_is_never_shown(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as here:
            anna, boris = await here.friends("Anna", "Boris")
            message_id = await send_files(anna, await boris.account_id(), [LARGE])
            [file] = await arrived(boris, message_id)
            [blob] = (here.relay_folder / "blobs").iterdir()
            honest = blob.read_bytes()
            for place in (10, len(honest) - 10):  # the last byte is padding: it is checked as well
                blob.write_bytes(honest[:place] + bytes([honest[place] ^ 1]) + honest[place + 1 :])
                await fetch(boris, file)
                await wait_for_state(boris, file, FileState.REMOTE, "file_damaged")
                assert not list((boris.folder / "files").iterdir())
            blob.write_bytes(honest)
            await fetch(boris, file)
            await wait_for_state(boris, file, FileState.HERE)

    asyncio.run(scenario())


def test_a_file_that_is_not_what_its_author_said_is_never_shown(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as here:
            anna, boris = await here.friends("Anna", "Boris")
            file_id = await put(anna, SMALL)
            [staged] = await anna.records(File, file_id=file_id)
            lie = msgspec.structs.replace(staged, sha256=bytes(32))
            await anna.act(lambda step: step.transaction.put(lie))
            wish = SendMessage(
                client_id=client_id(),
                chat_id=await boris.account_id(),
                text="",
                files=(FileToSend(file_id=file_id),),
            )
            answer = await anna.do(wish)
            assert answer.message_id is not None
            [file] = await arrived(boris, answer.message_id)
            await fetch(boris, file)
            await wait_for_state(boris, file, FileState.REMOTE, "file_damaged")

    asyncio.run(scenario())


def test_a_full_disk_here_is_said_and_what_came_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.pwrite

    def pwrite(descriptor: int, data: bytes, offset: int) -> int:
        if offset > 3_000_000:
            raise OSError(28, "No space left on device")
        return real(descriptor, data, offset)

    async def scenario() -> None:
        async with world(tmp_path) as here:
            anna, boris = await here.friends("Anna", "Boris")
            message_id = await send_files(anna, await boris.account_id(), [LARGE])
            [file] = await arrived(boris, message_id)
            monkeypatch.setattr(os, "pwrite", pwrite)
            await fetch(boris, file)
            await wait_for_state(boris, file, FileState.REMOTE, "disk_full")
            with pytest.raises(DiskFull):
                await put(boris, LARGE)
            monkeypatch.undo()
            await fetch(boris, file)
            await wait_for_state(boris, file, FileState.HERE)
            assert content_of(boris, file) == LARGE

    asyncio.run(scenario())


@pytest.mark.slow
def test_a_relay_without_room_is_said_and_tried_again(tmp_path: Path) -> None:
    async def scenario() -> None:
        settings = Settings(port=0, reserve_bytes=0, quotas=Quotas(log_blobs_max=1))
        async with world(tmp_path, settings) as here:
            anna, boris = await here.friends("Anna", "Boris")
            to_boris, to_anna = await boris.account_id(), await anna.account_id()
            first = await send_files(anna, to_boris, [SMALL], "one")
            await boris.wait_for(to_anna, ["hello", "one"])
            second = await send_files(anna, to_boris, [SMALL], "two")
            [file] = await files_of(anna, second)
            await wait_for_state(anna, file, FileState.UPLOADING, "relay_full")
            await anna.send(to_boris, "three")
            await boris.wait_for(to_anna, ["hello", "one", "three"])
            await anna.do(DeleteMessage(client_id=client_id(), message_id=first))
            await until(lambda: blobs_at(here, 0))
            anna.pass_time(61_000)
            await boris.wait_for(to_anna, ["hello", "", "three", "two"])

    asyncio.run(scenario())


async def blobs_at(here: World, count: int) -> bool:
    return len(list((here.relay_folder / "blobs").iterdir())) == count


def test_a_deleted_message_takes_its_file_from_everywhere(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as here:
            anna, boris = await here.friends("Anna", "Boris")
            message_id = await send_files(anna, await boris.account_id(), [SMALL])
            [file] = await arrived(boris, message_id)
            await fetch(boris, file)
            await wait_for_state(boris, file, FileState.HERE)
            await anna.do(DeleteMessage(client_id=client_id(), message_id=message_id))

            async def gone() -> bool:
                kept = [one for who in (anna, boris) for one in (who.folder / "files").iterdir()]
                return not kept and await blobs_at(here, 0)

            await until(gone)
            assert await anna.records(File) == await boris.records(File) == []

    asyncio.run(scenario())


@pytest.mark.usefixtures("slowly")
def test_a_message_that_has_not_gone_out_is_taken_back_without_a_trace(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as here:
            anna, boris = await here.friends("Anna", "Boris")
            to_boris, to_anna = await boris.account_id(), await anna.account_id()
            message_id = await send_files(anna, to_boris, [LARGE], "no")
            await under_way(anna)
            await anna.do(DeleteMessage(client_id=client_id(), message_id=message_id))
            await anna.send(to_boris, "yes")
            await boris.wait_for(to_anna, ["hello", "yes"])
            await until(lambda: blobs_at(here, 0))
            assert await anna.texts(to_boris) == ["hello", "yes"]
            assert await anna.records(HeldMessage) == []

    asyncio.run(scenario())


def test_what_is_freed_here_can_be_had_again(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as here:
            anna, boris = await here.friends("Anna", "Boris")
            message_id = await send_files(anna, await boris.account_id(), [SMALL])
            await arrived(boris, message_id)
            [own] = await files_of(anna, message_id)
            await anna.do(ForgetFile(client_id=client_id(), file_id=own.file_id))
            await until(lambda: is_empty(anna.folder / "files"))
            await fetch(anna, own)
            await wait_for_state(anna, own, FileState.HERE)
            assert content_of(anna, own) == SMALL
            unused = await put(anna, SMALL)
            await anna.do(ForgetFile(client_id=client_id(), file_id=unused))
            await until(lambda: holds(anna.folder / "files", 1))

    asyncio.run(scenario())


async def is_empty(folder: Path) -> bool:
    return await holds(folder, 0)


async def holds(folder: Path, count: int) -> bool:
    return len(os.listdir(folder)) == count  # noqa: PTH208  # in a coroutine


def test_what_nobody_sent_goes_after_a_day_and_what_a_crash_left_at_a_start(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as here:
            anna = await here.person("Anna")
            await put(anna, SMALL)
            await anna.sleep()
            for name in ("a" * 32, "b" * 32 + ".part", "c" * 32 + ".new"):
                (anna.folder / "files" / name).write_bytes(b"left over")
            await anna.wake()
            assert await holds(anna.folder / "files", 1)
            anna.pass_time(25 * 3600 * 1000)
            await until(lambda: is_empty(anna.folder / "files"))

    asyncio.run(scenario())


def test_what_the_relay_finds_too_big_is_not_sent(tmp_path: Path) -> None:
    async def scenario() -> None:
        settings = Settings(port=0, reserve_bytes=0, quotas=Quotas(blob_size_max=1))
        async with world(tmp_path, settings) as here:
            anna, boris = await here.friends("Anna", "Boris")
            message_id = await send_files(anna, await boris.account_id(), [SMALL])
            await anna.wait_for_state(message_id, MessageState.FAILED)
            assert (await anna.message(message_id)).failure == "too_big"
            [file] = await files_of(anna, message_id)
            assert (file.state, file.failure) == (FileState.HERE, "too_big")

    asyncio.run(scenario())
