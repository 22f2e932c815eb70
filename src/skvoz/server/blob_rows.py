"""`BlobRows` over SQLite, and what the writer's transaction keeps of blobs."""

import sqlite3
from typing import Any

import msgspec

from skvoz.logs import Blob, Usage

_COLUMNS = "blob, log, write_hash, read_hash, size, written, position, retention_s, expires_hour, branch"


def _blob(row: tuple[Any, ...]) -> Blob:
    blob_id, log_id, write_hash, read_hash, size, written, position, retention_s, expires_hour, branch = row
    return Blob(
        blob_id=blob_id,
        log_id=log_id,
        write_hash=write_hash,
        read_hash=read_hash,
        size=size,
        written=written,
        position=position,
        retention_s=retention_s,
        expires_hour=expires_hour,
        branch=branch,
    )


class SqliteBlobs:
    """Blobs on any connection: a reader's, or the writer's inside of its transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._removed: list[bytes] = []

    def blob(self, blob_id: bytes) -> Blob | None:
        """Return a blob."""
        row = self._connection.execute(f"SELECT {_COLUMNS} FROM blob WHERE blob = ?", (blob_id,)).fetchone()
        return None if row is None else _blob(row)

    def save(self, blob: Blob) -> None:
        """Insert or replace a blob."""
        self._connection.execute(
            f"INSERT OR REPLACE INTO blob ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            msgspec.structs.astuple(blob),
        )

    def usage(self, log_id: bytes, branch: int) -> Usage:
        """Count the blobs of a log's branch and their bytes."""
        count, size = self._connection.execute(
            "SELECT count(*), coalesce(sum(size), 0) FROM blob WHERE log = ? AND branch = ?",
            (log_id, branch),
        ).fetchone()
        return Usage(blob_count=count, byte_count=size)

    def delete(self, blob_id: bytes) -> None:
        """Delete a blob."""
        self._delete("blob = ?", (blob_id,))

    def delete_of_log(self, log_id: bytes, before: int | None = None) -> None:
        """Delete a log's blobs: all, or those whose message stood before a position."""
        if before is None:
            self._delete("log = ?", (log_id,))
        else:
            self._delete("log = ? AND position + 1 < ?", (log_id, before))

    def expire(self, hour: int, limit: int) -> bool:
        """Delete up to so many that have come to their hour; tell whether there may be more."""
        return (
            self._delete("blob IN (SELECT blob FROM blob WHERE expires_hour <= ? LIMIT ?)", (hour, limit))
            == limit
        )

    def take_removed(self) -> list[bytes]:
        """Return the ids of what was deleted since the last time: after the commit their files go."""
        removed, self._removed = self._removed, []
        return removed

    def all_written(self) -> dict[bytes, int]:
        """Return how many bytes of each blob are said to be there."""
        return dict(self._connection.execute("SELECT blob, written FROM blob").fetchall())

    def _delete(self, where: str, values: tuple[object, ...]) -> int:
        rows = self._connection.execute(f"SELECT blob FROM blob WHERE {where}", values).fetchall()
        self._connection.executemany("DELETE FROM blob WHERE blob = ?", rows)
        self._removed += [row[0] for row in rows]
        return len(rows)
