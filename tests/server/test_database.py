import contextlib
import importlib.resources
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from skvoz.base.errors import StoreError
from skvoz.logs import Blob, Segment
from skvoz.relay.ports import Removed
from skvoz.server.database import STORE_ID_SIZE, open_database, store_id
from skvoz.server.write_transaction import SqliteTransaction


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM relay WHERE name = 'store_id'",
        "UPDATE relay SET value = x'00' WHERE name = 'store_id'",
        "UPDATE relay SET value = 'sixteen letters.' WHERE name = 'store_id'",
        "UPDATE relay SET value = 16 WHERE name = 'store_id'",
    ],
)
def test_a_database_that_lost_its_name_is_damaged(tmp_path: Path, change: str) -> None:
    with contextlib.closing(open_database(tmp_path / "relay.db")) as connection:
        assert len(store_id(connection)) == STORE_ID_SIZE
        connection.execute(change)
        with pytest.raises(StoreError, match="damaged"):
            store_id(connection)


def test_what_an_older_relay_held_is_in_no_branch(tmp_path: Path) -> None:
    file = tmp_path / "relay.db"
    with contextlib.closing(sqlite3.connect(file)) as old:
        for number in (1, 2):
            script = importlib.resources.files("skvoz.server") / "schema" / f"{number:04}.sql"
            old.executescript(script.read_text("utf-8"))
        old.execute("INSERT INTO relay VALUES ('store_id', ?)", (bytes(STORE_ID_SIZE),))
        old.execute("INSERT INTO log VALUES (x'01', 0, x'02', NULL, 1, 0, 1, 4, 0, 900)")
        old.execute("INSERT INTO segment VALUES (x'01', 0, 0, 0, x'03', NULL, 0, 0, 0, NULL)")
        old.execute("INSERT INTO entry VALUES (1, x'01', 1, x'04', 0, 0, x'05060708', NULL, 900)")
        old.execute("INSERT INTO blob VALUES (x'09', x'01', x'0a', x'0b', 8, 8, 1, NULL, 900)")
        old.execute("PRAGMA user_version = 2")
        old.commit()
    with contextlib.closing(open_database(file)) as connection:
        transaction = SqliteTransaction(connection)
        transaction.begin()
        segment, blob = transaction.segment(b"\x01", b"\x03"), transaction.blob(b"\x09")
        assert segment is not None
        assert blob is not None
        assert (segment.branch, blob.branch) == (0, 0)
        assert transaction.trim_entries(b"\x01", 2) == [Removed(0, 1, 4)]
        transaction.commit()


LOG = b"L" * 16


def segment(number: int, parent: int) -> Segment:
    return Segment(
        number=number,
        parent=parent,
        by_carry=True,
        key_hash=number.to_bytes(32),
        door_hash=b"d" * 32,
        closed_at=number + 1,
        last_closer=number + 1,
        carried=True,
        expires_hour=900,
    )


def blob(number: int, branch: int) -> Blob:
    return Blob(
        blob_id=number.to_bytes(16),
        log_id=LOG,
        write_hash=bytes(32),
        read_hash=bytes(32),
        size=8,
        written=0,
        position=1,
        retention_s=None,
        expires_hour=900,
        branch=branch,
    )


def find_what_a_carry_opened(transaction: SqliteTransaction) -> object:
    return transaction.carried_children(LOG, 0)


def find_a_door(transaction: SqliteTransaction) -> object:
    return transaction.has_door(LOG, b"e" * 32)


def count_files(transaction: SqliteTransaction) -> object:
    return transaction.blob_usage(LOG, 0)


@pytest.mark.parametrize("ask", [find_what_a_carry_opened, find_a_door, count_files])
def test_what_others_put_into_a_log_costs_who_asks_nothing(
    tmp_path: Path, ask: Callable[[SqliteTransaction], object]
) -> None:
    with contextlib.closing(open_database(tmp_path / "relay.db")) as connection:
        transaction = SqliteTransaction(connection)
        steps = 0

        def count() -> int:
            nonlocal steps
            steps += 1
            return 0

        def cost() -> int:
            nonlocal steps
            steps = 0
            connection.set_progress_handler(count, 1)
            ask(transaction)
            connection.set_progress_handler(None, 1)
            return steps

        transaction.begin()
        transaction.save_segment(LOG, segment(1, 0))
        transaction.save_blob(blob(1, 0))
        alone = cost()
        for number in range(2, 300):
            transaction.save_segment(LOG, segment(number, number - 1))
            transaction.save_blob(blob(number, number))
        assert cost() < 2 * alone
        transaction.rollback()
