"""The encrypted database: opening it, schema versions, transactions, and errors in our own words."""

import contextlib
import importlib.resources
import os
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skvoz.base.errors import DiskFull, SchemaTooNew, StoreError

if TYPE_CHECKING:
    # SQLCipher's module ships no types and has the standard library's interface.
    import sqlite3 as sqlcipher
else:
    from sqlcipher3 import dbapi2 as sqlcipher

SCHEMA_VERSION = 11
"""The number of the newest file in `schema/`."""
_PRAGMAS = (
    "PRAGMA cipher_log_level = NONE",  # it writes to stderr otherwise
    "PRAGMA locking_mode = EXCLUSIVE",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA secure_delete = ON",  # disappeared messages are overwritten, not only unlinked
    "PRAGMA temp_store = MEMORY",
    "PRAGMA cache_size = -16384",
)
Row = tuple[Any, ...]


class Database:
    """One SQLCipher connection, used by one thread at a time."""

    def __init__(self, file: Path, key: bytes) -> None:
        """Open or create `file` under the 32-byte `key`; raise `StoreError`, `SchemaTooNew`."""
        self.file = file
        is_new = not file.exists()
        with _own_words():
            if is_new:
                os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
            self._connection = sqlcipher.connect(
                str(file), isolation_level=None, check_same_thread=False, cached_statements=256
            )
            try:
                self._connection.execute("PRAGMA cipher_log_level = NONE")
                self._connection.execute(f"PRAGMA key = \"x'{key.hex()}'\"")
                for pragma in _PRAGMAS:
                    self._connection.execute(pragma)
                self._migrate()
            except BaseException:
                self._connection.close()
                raise

    def _migrate(self) -> None:
        ((version,),) = self.rows("PRAGMA user_version")
        if version > SCHEMA_VERSION:
            raise SchemaTooNew("this home was written by a newer version of Skvoz")
        for number in range(version + 1, SCHEMA_VERSION + 1):
            script = importlib.resources.files("skvoz.store") / "schema" / f"{number:04}.sql"
            with self.transaction():
                for statement in _statements(script.read_text("utf-8")):
                    self._connection.execute(statement)
                self._connection.execute(f"PRAGMA user_version = {number}")

    @contextlib.contextmanager
    def transaction(self) -> Generator[None]:
        """Run the block as one transaction: all of it is on stable storage afterwards, or none."""
        with _own_words():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def rows(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        """Return all rows of a query."""
        with _own_words():
            return self._connection.execute(sql, values).fetchall()

    def each(self, sql: str, values: Sequence[object] = ()) -> Generator[Row]:
        """Yield the rows of a query one by one; who stops early does not pay for the rest."""
        with _own_words():
            yield from self._connection.execute(sql, values)

    def run(self, sql: str, values: Sequence[object] = ()) -> int:
        """Run a statement and return the number of rows that it changed."""
        with _own_words():
            return self._connection.execute(sql, values).rowcount

    def run_many(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        """Run a statement for each row of values."""
        with _own_words():
            self._connection.executemany(sql, rows)

    def close(self) -> None:
        """Close the file; what was committed stays."""
        self._connection.close()


def _statements(script: str) -> Iterator[str]:
    pending = ""
    for line in script.splitlines(keepends=True):
        if line.lstrip().startswith("--"):
            continue
        pending += line
        if sqlcipher.complete_statement(pending):
            yield pending
            pending = ""


@contextlib.contextmanager
def _own_words() -> Generator[None]:
    try:
        yield
    except sqlcipher.Error as error:
        name: str = getattr(error, "sqlite_errorname", "")  # absent where SQLite itself did not fail
        if name == "SQLITE_FULL":
            raise DiskFull("the disk is full") from None
        if name == "SQLITE_NOTADB":
            raise StoreError("the database is not one of this home, or is damaged") from None
        # Only SQLite's own name for it: its text may quote values.
        raise StoreError(f"the database failed: {name or type(error).__name__}") from None
    except OSError as error:
        raise StoreError(f"the database's file can't be used: {error.strerror}") from None
