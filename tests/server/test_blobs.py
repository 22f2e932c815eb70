"""Blobs on a real disk: files and rows agree again after whatever happened."""

import asyncio
import contextlib
import os
import signal
import sqlite3
from pathlib import Path
from random import Random

import pytest

from skvoz.base.errors import StoreError
from skvoz.base.limits import CHUNK_SIZES, PART_SIZE_MAX
from skvoz.crypto import sha256
from skvoz.logs import Quotas
from skvoz.server import RelayHome, back_up, disclose
from skvoz.server.blob_store import BlobFolder
from skvoz.wire.frames import Discard, Fetch, Fill, Filled, Kind, No, Ok, Open, Part, Reserve, Up
from tests.server.frame_client import FrameClient, serving
from tests.server.relay_process import RelayProcess

LOG = b"l" * 16
KEY = b"k" * 32
OWNER = b"o" * 32
BLOB = b"b" * 16
WRITE = b"w" * 32
READ = b"r" * 32
BODY = Random(1).randbytes(CHUNK_SIZES[2])
OPEN = Open(1, LOG, Kind.ROOM, sha256(KEY), sha256(OWNER), None, b"", None)


def reserve(blob: bytes = BLOB, chunk: int = CHUNK_SIZES[2], count: int = 1) -> Up:
    return Reserve(2, blob, LOG, KEY, sha256(WRITE), sha256(READ), chunk, count, None)


async def upload(client: FrameClient, body: bytes = BODY, blob: bytes = BLOB) -> None:
    """Send what is not there yet, a part at a time."""
    answer = await client.ask(reserve(blob))
    assert isinstance(answer, Filled)
    while answer.written < len(body):
        part = body[answer.written : answer.written + PART_SIZE_MAX]
        answer = await client.ask(Fill(3, blob, WRITE, answer.written, part))
        assert isinstance(answer, Filled)


async def download(client: FrameClient, size: int = len(BODY), blob: bytes = BLOB) -> bytes:
    body = b""
    while len(body) < size:
        wanted = min(PART_SIZE_MAX, size - len(body))
        answer = await client.ask(Fetch(4, blob, READ, len(body), wanted))
        assert isinstance(answer, Part)
        body += answer.body
    return body


def rows(folder: Path) -> list[tuple[bytes, int]]:
    with contextlib.closing(sqlite3.connect(folder / "relay.db")) as connection:
        return connection.execute("SELECT blob, written FROM blob ORDER BY blob").fetchall()


def files(folder: Path) -> list[str]:
    return sorted(file.name for file in (folder / "blobs").iterdir())


def change(folder: Path, sql: str, *values: object) -> None:
    with contextlib.closing(sqlite3.connect(folder / "relay.db")) as connection:
        connection.execute(sql, values)
        connection.commit()


@pytest.fixture
def used(tmp_path: Path) -> Path:
    async def scenario() -> None:
        async with serving(tmp_path / "relay") as client:
            await client.ask(OPEN)
            await upload(client)

    asyncio.run(scenario())
    return tmp_path / "relay"


def test_a_restarted_relay_has_the_blob(used: Path) -> None:
    async def scenario() -> None:
        async with serving(used) as client:
            assert await download(client) == BODY

    asyncio.run(scenario())
    assert rows(used) == [(BLOB, len(BODY))]
    assert files(used) == [BLOB.hex()]
    assert (used / "blobs" / BLOB.hex()).stat().st_mode & 0o777 == 0o600


def test_a_file_that_is_longer_than_its_row_is_written_over(used: Path) -> None:
    change(used, "UPDATE blob SET written = 1000")
    (used / "blobs" / BLOB.hex()).write_bytes(BODY[:1000] + b"unsynced rubbish")

    async def scenario() -> None:
        async with serving(used) as client:
            answer = await client.ask(reserve())
            assert isinstance(answer, Filled)
            assert answer.written == 1000
            await upload(client)
            assert await download(client) == BODY

    asyncio.run(scenario())


def test_a_file_without_a_row_is_removed_at_the_next_start(used: Path) -> None:
    (used / "blobs" / ("c" * 32)).write_bytes(b"orphan")
    change(used, "DELETE FROM blob")

    async def scenario() -> None:
        async with serving(used) as client:
            assert isinstance(await client.ask(Fetch(4, BLOB, READ, 0, 1)), No)

    asyncio.run(scenario())
    assert files(used) == []


def test_a_row_whose_bytes_are_missing_goes_and_the_blob_can_be_sent_again(used: Path) -> None:
    (used / "blobs" / BLOB.hex()).write_bytes(BODY[:-1])

    async def scenario() -> None:
        async with serving(used) as client:
            assert isinstance(await client.ask(Fetch(4, BLOB, READ, 0, 1)), No)
            await upload(client)
            assert await download(client) == BODY

    asyncio.run(scenario())


def test_deleting_removes_the_file(used: Path) -> None:
    async def scenario() -> None:
        async with serving(used) as client:
            assert isinstance(await client.ask(Discard(5, BLOB, WRITE)), Ok)
            assert isinstance(await client.ask(reserve()), Filled)  # the row went first, and the file with it
            await client.ask(Fill(6, BLOB, WRITE, 0, b"x"))

    asyncio.run(scenario())
    assert (used / "blobs" / BLOB.hex()).read_bytes() == b"x"


def test_expiry_removes_the_file(used: Path) -> None:
    change(used, "UPDATE blob SET expires_hour = 1")

    async def scenario() -> None:
        async with serving(used):
            async with asyncio.timeout(20):
                while files(used):  # noqa: ASYNC110  # the sweep tells nobody
                    await asyncio.sleep(0.05)

    asyncio.run(scenario())
    assert rows(used) == []


def test_a_full_disk_is_said_and_loses_nothing(used: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, left = os.pwrite, [2_000]

    def pwrite(descriptor: int, body: bytes, offset: int) -> int:
        if len(body) > left[0]:
            raise OSError(28, "No space left on device")
        return real(descriptor, body, offset)

    async def scenario() -> None:
        async with serving(used) as client:
            blob = b"c" * 16
            await client.ask(reserve(blob))
            assert isinstance(await client.ask(Fill(3, blob, WRITE, 0, BODY[:1_000])), Filled)
            monkeypatch.setattr(os, "pwrite", pwrite)
            answer = await client.ask(Fill(3, blob, WRITE, 1_000, BODY[1_000:]))
            assert isinstance(answer, No)
            assert answer.code == "full"
            assert await download(client) == BODY
            monkeypatch.undo()
            await upload(client, blob=blob)
            assert await download(client, blob=blob) == BODY

    asyncio.run(scenario())


def test_somebody_who_does_not_read_holds_little_memory_and_nobody_up(used: Path) -> None:
    """Asks for much and takes nothing; another reads all the while."""

    async def scenario() -> None:
        async with serving(used) as client:
            lazy = await client.another()
            await lazy.send(*(Fetch(10 + n, BLOB, READ, 0, len(BODY) // 2) for n in range(8)))
            for _ in range(5):
                assert await download(client) == BODY
            parts = [await lazy.answer() for _ in range(8)]
            assert [len(part.body) for part in parts if isinstance(part, Part)] == [len(BODY) // 2] * 8
            await lazy.close()

    asyncio.run(scenario())


def test_the_disclosure_names_every_blob_and_every_file(used: Path) -> None:
    lines = list(disclose(used))
    assert "blobs: 1 files, the bytes of blobs, a file each" in lines
    assert f"  {BLOB.hex()}: {len(BODY)} bytes, sealed" in lines
    assert any(line.startswith(f"  blob={BLOB.hex()} log={LOG.hex()} ") for line in lines)
    (used / "blobs" / "notes.txt").touch()
    with pytest.raises(StoreError, match="none of them"):
        list(disclose(used))


@pytest.mark.parametrize("name", ["ABCDEF" + "0" * 26, "0" * 30, "0" * 34, "x" * 32])
def test_only_ids_name_files(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    with pytest.raises(StoreError):
        BlobFolder(tmp_path).sizes()


def test_a_backup_has_the_blobs(used: Path, tmp_path: Path) -> None:
    back_up(used, tmp_path / "copy")
    assert (tmp_path / "copy" / "blobs" / BLOB.hex()).read_bytes() == BODY
    assert RelayHome(folder=tmp_path / "copy").blobs_folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.slow
def test_killed_again_and_again_a_relay_keeps_what_it_acknowledged(tmp_path: Path) -> None:
    chance = Random(7)
    body = chance.randbytes(8 * CHUNK_SIZES[2])

    async def scenario() -> None:
        relay = RelayProcess(tmp_path / "relay", quotas=f"blob_size_max = {Quotas().blob_size_max}")
        await relay.start()
        acknowledged = kills = 0
        try:
            client = await FrameClient.connect(relay.public_key, relay.url)
            await client.ask(OPEN)
            while acknowledged < len(body):
                answer = await client.ask(reserve(count=8))
                assert isinstance(answer, Filled)
                assert answer.written >= acknowledged, "an acknowledged part is gone"
                acknowledged = answer.written
                step = max(1, len(body) // 60)
                offsets = [acknowledged + n * step for n in range(4) if acknowledged + n * step < len(body)]
                await client.send(
                    *(Fill(20 + n, BLOB, WRITE, at, body[at : at + step]) for n, at in enumerate(offsets))
                )
                for _ in offsets[: chance.randrange(len(offsets) + 1)]:
                    answer = await client.answer()
                    assert isinstance(answer, Filled)
                    acknowledged = max(acknowledged, answer.written)
                await relay.stop(signal.SIGKILL)
                kills += 1
                await client.close()
                await relay.start()
                client = await FrameClient.connect(relay.public_key, relay.url)
            assert kills >= 10
            assert await download(client, len(body)) == body
            await client.close()
        finally:
            await relay.stop(signal.SIGTERM)
        assert files(tmp_path / "relay") == [BLOB.hex()]

    asyncio.run(scenario())
