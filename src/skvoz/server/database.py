"""The relay's SQLite database: opening it, its schema's version, and errors in our own words."""

import contextlib
import errno
import importlib.resources
import os
import secrets
import sqlite3
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Final

from skvoz.base.errors import DiskFull, SchemaTooNew, StoreError

SCHEMA_VERSION: Final = 4
"""The number of the newest file in `schema/`."""
STORE_ID_SIZE: Final = 16
_PAGE_SIZE: Final = 4096
_NO_ROOM: Final = frozenset({"SQLITE_FULL", "SQLITE_IOERR_SHMSIZE"})
"""The latter where the journal's index can't be made, as at a start."""
_PRAGMAS: Final = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",  # a commit that was answered survives the power going
    "PRAGMA cache_size = -65536",
    "PRAGMA wal_autocheckpoint = 4000",
    "PRAGMA journal_size_limit = 67108864",
    "PRAGMA secure_delete = ON",  # what was let go is not to be found in the file's free pages
    "PRAGMA temp_store = MEMORY",
)


def open_database(file: Path) -> sqlite3.Connection:
    """Open or create a relay's database; raise `StoreError` or `SchemaTooNew`."""
    with own_words():
        if not file.exists():
            os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
        connection = sqlite3.connect(
            file, isolation_level=None, check_same_thread=False, cached_statements=64
        )
        try:
            for pragma in _PRAGMAS:
                connection.execute(pragma)
            _migrate(connection)
        except BaseException:
            connection.close()
            raise
        return connection


def open_reader(file: Path) -> sqlite3.Connection:
    """Open a connection that can't write, beside the writer's."""
    with own_words():
        connection = sqlite3.connect(
            file, isolation_level=None, check_same_thread=False, cached_statements=64
        )
        connection.execute("PRAGMA query_only = ON")
        return connection


def _migrate(connection: sqlite3.Connection) -> None:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > SCHEMA_VERSION:
        raise SchemaTooNew("this relay's database was written by a newer version of Skvoz")
    for number in range(version + 1, SCHEMA_VERSION + 1):
        script = importlib.resources.files("skvoz.server") / "schema" / f"{number:04}.sql"
        connection.execute("BEGIN IMMEDIATE")
        for statement in _statements(script.read_text("utf-8")):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {number}")
        if number == 1:
            connection.execute(
                "INSERT INTO relay VALUES ('store_id', ?)", (secrets.token_bytes(STORE_ID_SIZE),)
            )
        connection.execute("COMMIT")


def _statements(script: str) -> Iterator[str]:
    pending = ""
    for line in script.splitlines(keepends=True):
        if not line.startswith("--"):
            pending += line
        if pending.strip() and sqlite3.complete_statement(pending):
            yield pending
            pending = ""


def store_id(connection: sqlite3.Connection) -> bytes:
    """Return what names this database to clients (16 bytes); raise `StoreError` where that is gone."""
    row = connection.execute("SELECT value FROM relay WHERE name = 'store_id'").fetchone()
    if row is None or not isinstance(row[0], bytes) or len(row[0]) != STORE_ID_SIZE:
        raise StoreError("the relay's database is damaged, or is something else")
    return row[0]


def last_entry_number(connection: sqlite3.Connection) -> int:
    """Return the greatest number that an entry ever had in this database."""
    row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'entry'").fetchone()
    return 0 if row is None else int(row[0])


def rename_if_restored(connection: sqlite3.Connection, mark: int | None) -> bool:
    """Give the store a new id if it was put back from a copy; tell whether.

    `mark`: how many entries it is known to have had; None where nothing is known, as beside a bare copy.
    """
    had = last_entry_number(connection)
    if mark is None and had == 0:
        return False
    if mark is not None and had >= mark:
        return False
    rename(connection)
    return True


def rename(connection: sqlite3.Connection) -> None:
    """Give the store a new id, so that members say again what a restored copy may lack."""
    with own_words():
        connection.execute(
            "UPDATE relay SET value = ? WHERE name = 'store_id'", (secrets.token_bytes(STORE_ID_SIZE),)
        )


def free_page_bytes(connection: sqlite3.Connection) -> int:
    """Return how many bytes of the file are free for new rows."""
    return _PAGE_SIZE * int(connection.execute("PRAGMA freelist_count").fetchone()[0])


@contextlib.contextmanager
def own_words() -> Generator[None]:
    """Translate SQLite's errors, whose texts may quote values."""
    try:
        yield
    except sqlite3.Error as error:
        name: str = getattr(error, "sqlite_errorname", "")  # absent where SQLite itself did not fail
        if name in _NO_ROOM:
            raise DiskFull("the relay's disk is full") from None
        if name in {"SQLITE_NOTADB", "SQLITE_CORRUPT"}:
            raise StoreError("the relay's database is damaged, or is something else") from None
        raise StoreError(f"the relay's database failed: {name or type(error).__name__}") from None
    except UnicodeDecodeError:  # out of SQLite's text about a damaged schema
        raise StoreError("the relay's database is damaged, or is something else") from None
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise DiskFull("the relay's disk is full") from None
        raise StoreError(f"the relay's database can't be used: {error.strerror}") from None
