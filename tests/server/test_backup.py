"""Backups of a relay: whole while it is in use, never half, and never mistaken for the relay itself."""

import asyncio
import contextlib
import sqlite3
from pathlib import Path

import pytest

from skvoz.base.errors import Conflict, HomeBusy, NotFound, StoreError
from skvoz.base.ids import LogId
from skvoz.server import RelayService, Settings, back_up, create_home, restore
from skvoz.server.database import store_id
from tests.server.real_relay import running

LOG = LogId(b"l" * 16)


def store_of(folder: Path) -> bytes:
    with contextlib.closing(sqlite3.connect(folder / "relay.db")) as connection:
        return store_id(connection)


async def written(folder: Path, count: int) -> None:
    async with running(folder) as (_, client):
        client.open_room(LOG)
        for number in range(count):
            client.append(LOG, b"%d" % number)
        await client.until(lambda _: len(client.stored()) == count)


def test_a_backup_of_a_relay_in_use_is_whole(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path / "relay") as (service, client):
            client.open_room(LOG)
            for number in range(300):
                client.append(LOG, b"%d" % number)
            await client.until(lambda _: len(client.stored()) >= 50)
            copied = asyncio.create_task(asyncio.to_thread(back_up, tmp_path / "relay", tmp_path / "backup"))
            await client.until(lambda _: len(client.stored()) == 300)
            await copied
            with contextlib.closing(sqlite3.connect(tmp_path / "backup" / "relay.db")) as connection:
                rows = connection.execute("SELECT position, body FROM entry ORDER BY position").fetchall()
                [head] = connection.execute("SELECT head FROM log").fetchone()
            assert rows == [(number, b"%d" % (number - 1)) for number in range(1, len(rows) + 1)]
            assert 50 <= len(rows) == head
            client.append(LOG, b"goes on")
            await client.until(lambda _: len(client.stored()) == 301)
            assert service.port

    asyncio.run(scenario())
    names = {file.name for file in (tmp_path / "backup").iterdir()}
    assert names == {"relay.key", "relay.db", "blobs"}
    for file in (tmp_path / "backup").iterdir():
        assert file.stat().st_mode & 0o777 == (0o700 if file.is_dir() else 0o600)
    assert (tmp_path / "backup").stat().st_mode & 0o777 == 0o700
    assert not list(tmp_path.glob("*.part"))


def test_a_restored_relay_has_its_key_and_entries_and_another_store_id(tmp_path: Path) -> None:
    asyncio.run(written(tmp_path / "relay", 3))
    (tmp_path / "relay" / "relay.toml").write_text("path = '/x'\n")
    back_up(tmp_path / "relay", tmp_path / "backup")
    restore(tmp_path / "backup", tmp_path / "restored")
    assert store_of(tmp_path / "relay") == store_of(tmp_path / "backup")
    assert store_of(tmp_path / "restored") != store_of(tmp_path / "relay")
    for name in ("relay.key", "relay.toml"):
        assert (tmp_path / "restored" / name).read_bytes() == (tmp_path / "relay" / name).read_bytes()

    async def scenario(folder: Path) -> bool:
        async with running(folder) as (service, client):
            client.attach(LOG)
            await client.until(lambda _: client.bodies() == [b"0", b"1", b"2"])
            return service.was_restored

    asyncio.run(scenario(tmp_path / "restored"))
    # Who runs a relay on the backup itself gets another id as well.
    before = store_of(tmp_path / "backup")
    assert asyncio.run(scenario(tmp_path / "backup"))
    assert store_of(tmp_path / "backup") != before
    # The relay itself is no copy.
    assert not asyncio.run(scenario(tmp_path / "relay"))


def test_backups_go_nowhere_else(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        back_up(tmp_path / "nothing", tmp_path / "backup")
    create_home(tmp_path / "unused")
    with pytest.raises(NotFound):
        back_up(tmp_path / "unused", tmp_path / "backup")
    asyncio.run(written(tmp_path / "relay", 1))
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "something").touch()
    for target in (tmp_path / "taken", tmp_path / "taken" / "something", tmp_path / "relay"):
        with pytest.raises(Conflict, match="something at that place"):
            back_up(tmp_path / "relay", target)
    (tmp_path / "empty").mkdir()
    back_up(tmp_path / "relay", tmp_path / "empty")
    with pytest.raises(Conflict):
        restore(tmp_path / "empty", tmp_path / "relay")
    with pytest.raises(NotFound):
        restore(tmp_path / "nothing", tmp_path / "restored")
    service = RelayService(tmp_path / "empty", Settings(port=0))
    try:
        with pytest.raises(HomeBusy):
            restore(tmp_path / "empty", tmp_path / "restored")
    finally:
        asyncio.run(service.close())
    assert not (tmp_path / "restored").exists()


def test_a_damaged_relay_gives_no_backup(tmp_path: Path) -> None:
    asyncio.run(written(tmp_path / "relay", 200))
    file = tmp_path / "relay" / "relay.db"
    damaged = bytearray(file.read_bytes())
    for start in range(4096 * 4, len(damaged) - 4096, 4096):
        damaged[start : start + 200] = b"\xff" * 200
    file.write_bytes(damaged)
    with pytest.raises(StoreError, match="damaged"):
        back_up(tmp_path / "relay", tmp_path / "backup")
    assert not (tmp_path / "backup").exists()
    assert not list(tmp_path.glob("*.part"))
