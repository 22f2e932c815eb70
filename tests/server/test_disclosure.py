"""What a relay prints of itself: everything that it holds, or an error."""

import asyncio
import contextlib
import re
import sqlite3
from pathlib import Path

import pytest

from skvoz.base.errors import NotFound, StoreError
from skvoz.base.ids import LogId
from skvoz.server import disclose
from skvoz.server.disclosure import SHOWN, disclosed_in
from tests.server.real_relay import running

LOG = LogId(b"l" * 16)
DOCS = Path(__file__).resolve().parents[2] / "docs" / "protocol" / "relay.md"


@pytest.fixture
def used(tmp_path: Path) -> Path:
    async def scenario() -> None:
        async with running(tmp_path / "relay") as (_, client):
            client.open_room(LOG)
            client.append(LOG, b"short")
            client.append(LOG, b"SEALED-BODY" * 20)
            await client.until(lambda _: len(client.stored()) == 2)

    asyncio.run(scenario())
    return tmp_path / "relay"


def changed(folder: Path, sql: str) -> None:
    with contextlib.closing(sqlite3.connect(folder / "relay.db")) as connection:
        connection.execute(sql)
        connection.commit()


@pytest.mark.parametrize("table", SHOWN)
def test_a_column_that_is_not_listed_stops_the_printing(used: Path, table: str) -> None:
    changed(used, f"ALTER TABLE {table} ADD COLUMN address TEXT")
    with pytest.raises(StoreError, match="field that the list"):
        list(disclose(used))


@pytest.mark.parametrize(
    "sql",
    ["CREATE TABLE people (name)", "CREATE VIEW people AS SELECT log FROM log", "DROP TABLE knock"],
)
def test_a_table_that_is_not_listed_or_missing_stops_the_printing(used: Path, sql: str) -> None:
    changed(used, sql)
    with pytest.raises(StoreError, match="table that the list"):
        list(disclose(used))


def test_a_file_that_is_not_listed_stops_the_printing(used: Path) -> None:
    assert list(disclose(used))
    (used / "addresses.log").touch()
    with pytest.raises(StoreError, match="file that the list"):
        list(disclose(used))


def test_every_row_of_a_relay_in_use_is_printed(tmp_path: Path) -> None:
    async def scenario() -> list[str]:
        async with running(tmp_path / "relay") as (_, client):
            client.open_room(LOG)
            for number in range(20):
                client.append(LOG, b"%d" % number)
            await client.until(lambda _: len(client.stored()) == 20)
            lines = await asyncio.to_thread(lambda: list(disclose(tmp_path / "relay")))
            client.append(LOG, b"goes on")
            await client.until(lambda _: len(client.stored()) == 21)
            return lines

    lines = asyncio.run(scenario())
    with contextlib.closing(sqlite3.connect(tmp_path / "relay" / "relay.db")) as connection:
        rows = connection.execute("SELECT entry FROM entry ORDER BY number LIMIT 20").fetchall()
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    assert "entry: 20" in lines
    assert all(any(f"entry={entry.hex()}" in line for line in lines) for (entry,) in rows)
    assert {name for (name,) in tables} - {"sqlite_sequence"} == set(SHOWN)
    for name in ("relay.key", "relay.db", "lock"):
        assert any(line.startswith(f"{name}: ") for line in lines)


def test_long_bodies_are_shown_by_their_size_and_beginning(used: Path) -> None:
    lines = list(disclose(used))
    body = b"SEALED-BODY" * 20
    assert any(f"body={body[:16].hex()}…(220 bytes)" in line for line in lines)
    assert any(f"body={b'short'.hex()} " in line for line in lines)
    with contextlib.closing(sqlite3.connect(used / "relay.db")) as connection:
        assert [one.text for one in disclosed_in(connection)] == lines[
            -len([one.text for one in disclosed_in(connection)]) :
        ]


def test_the_protocol_names_every_field() -> None:
    lines = DOCS.read_text("utf-8").splitlines()
    for table, columns in SHOWN.items():
        [row] = [line for line in lines if line.startswith(f"| {table} | `")]
        assert re.findall(r"`(\w+)`", row) == list(columns)


def test_where_there_is_no_relay_nothing_is_printed(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        list(disclose(tmp_path))
