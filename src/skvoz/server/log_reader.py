"""`LogReader` over SQLite: committed entries, read beside the writer."""

import sqlite3
from collections.abc import Collection, Sequence

from skvoz.wire.frames import Entry, KnockItem


class SqliteReader:
    """Reads on a connection of its own."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def base(self, log_id: bytes) -> int:
        """Return the log's base; 0 for a log that isn't there."""
        row = self._connection.execute("SELECT base FROM log WHERE log = ?", (log_id,)).fetchone()
        return 0 if row is None else int(row[0])

    def entries(
        self, log_id: bytes, after: int, through: int, count_max: int, bytes_max: int
    ) -> Sequence[Entry]:
        """Return entries with `after` < position ≤ `through`, in order, until a limit is reached."""
        rows = self._connection.execute(
            "SELECT position, entry, segment, flags, body, next_hash FROM entry"
            " WHERE log = ? AND position > ? AND position <= ? ORDER BY position LIMIT ?",
            (log_id, after, through, count_max),
        )
        found: list[Entry] = []
        size = 0
        for row in rows:
            size += len(row[4])
            if found and size > bytes_max:
                break
            found.append(Entry(*row))
        return found

    def knocks(self, log_id: bytes, segments: Collection[int]) -> Sequence[KnockItem]:
        """Return the knocks at the doors of those of these segments that are open, by number."""
        places = ", ".join("?" * len(segments))
        rows = self._connection.execute(
            "SELECT DISTINCT knock.number, knock.body FROM knock JOIN segment"
            " ON segment.log = knock.log AND segment.door_hash = knock.door_hash"
            f" WHERE knock.log = ? AND segment.closed_at = 0 AND segment.number IN ({places})"
            " ORDER BY knock.number",
            (log_id, *segments),
        )
        return [KnockItem(number, body) for number, body in rows]
