"""`LogTransaction` over SQLite: what the writer's batch sees and changes.

Logs and segments that were used lately are remembered between batches, since nobody else writes; so are
the ids of the latest entries of each log, because every append asks whether its id is there. After a
rollback everything remembered is dropped.
"""

import sqlite3
from collections import OrderedDict
from collections.abc import Collection, Sequence
from typing import Any, Final

import msgspec

from skvoz.logs import Blob, Branch, Log, Segment, Usage
from skvoz.relay.deletion import let_go
from skvoz.relay.ports import Offer, Removed
from skvoz.server.blob_rows import SqliteBlobs
from skvoz.wire.frames import Entry, Flag, KnockItem, Taken

_LOGS_REMEMBERED_MAX: Final = 10_000
_IDS_REMEMBERED_MAX: Final = 128
"""Ids of a log's latest entries, about 20 KB a log; whoever asks about older ones costs a query."""
_SEGMENTS_REMEMBERED_MAX: Final = 32
_EXPIRED_PER_TRANSACTION_MAX: Final = 256
"""Rows of one table that one transaction lets go, so that a sweep holds nobody up."""
_LOG_COLUMNS: Final = (
    "log, kind, owner_hash, retention_s, head, base, entry_count, byte_count, knock_head, expires_hour"
)
_SEGMENT_COLUMNS: Final = (
    "number, parent, by_carry, key_hash, door_hash, closed_at, last_closer, carried, expires_hour, branch"
)
_ENTRY_COLUMNS: Final = "log, position, entry, segment, flags, body, next_hash, expires_hour, branch"
EntryRow = tuple[bytes, int, bytes, int, int, bytes, bytes | None, int, int]


class _Remembered:
    """What is known of one log without asking the database."""

    __slots__ = ("_segments", "ids", "ids_after", "log")

    def __init__(self, log: Log) -> None:
        self.log = log
        self._segments: dict[bytes, Segment] = {}
        self.ids: dict[bytes, int] = {}
        self.ids_after = log.head
        """Every entry after this position is in `ids`."""

    def segment(self, key_hash: bytes) -> Segment | None:
        return self._segments.get(key_hash)

    def remember_segment(self, segment: Segment) -> None:
        if len(self._segments) >= _SEGMENTS_REMEMBERED_MAX:
            self._segments.clear()
        self._segments[segment.key_hash] = segment

    def forget_segments(self) -> None:
        self._segments.clear()


def _segment(row: tuple[Any, ...]) -> Segment:
    number, parent, by_carry, key_hash, door_hash, closed_at, last_closer, carried, expires_hour, branch = row
    return Segment(
        number=number,
        parent=parent,
        by_carry=bool(by_carry),
        key_hash=key_hash,
        door_hash=door_hash,
        closed_at=closed_at,
        last_closer=last_closer,
        carried=bool(carried),
        expires_hour=expires_hour,
        branch=branch,
    )


def _log(row: tuple[Any, ...]) -> Log:
    log_id, kind, owner_hash, retention_s, head, base, entry_count, byte_count, knock_head, expires_hour = row
    return Log(
        log_id=log_id,
        kind=kind,
        owner_hash=owner_hash,
        retention_s=retention_s,
        head=head,
        base=base,
        entry_count=entry_count,
        byte_count=byte_count,
        knock_head=knock_head,
        expires_hour=expires_hour,
    )


class SqliteTransaction:
    """The writer's view; `begin`, then the rules' calls, then `commit` or `rollback`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._remembered: OrderedDict[bytes, _Remembered] = OrderedDict()
        self._changed_logs: dict[bytes, Log] = {}
        self._new_entries: list[EntryRow] = []
        self._blobs = SqliteBlobs(connection)

    def begin(self) -> None:
        """Start a batch."""
        self._connection.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        """Put the batch on stable storage."""
        self._write()
        self._connection.execute("COMMIT")
        while len(self._remembered) > _LOGS_REMEMBERED_MAX:
            self._remembered.popitem(last=False)

    def rollback(self) -> None:
        """Forget the batch, and everything remembered with it."""
        self._remembered.clear()
        self._changed_logs.clear()
        self._new_entries.clear()
        self._blobs.take_removed()
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def _write(self) -> None:
        if self._new_entries:
            self._connection.executemany(
                f"INSERT INTO entry ({_ENTRY_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                self._new_entries,
            )
            self._new_entries.clear()
        if self._changed_logs:
            self._connection.executemany(
                f"INSERT OR REPLACE INTO log ({_LOG_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [msgspec.structs.astuple(log) for log in self._changed_logs.values()],
            )
            self._changed_logs.clear()

    def _recall(self, log_id: bytes) -> _Remembered | None:
        known = self._remembered.get(log_id)
        if known is None:
            row = self._connection.execute(
                f"SELECT {_LOG_COLUMNS} FROM log WHERE log = ?", (log_id,)
            ).fetchone()
            if row is None:
                return None
            known = self._remembered[log_id] = _Remembered(_log(row))
        else:
            self._remembered.move_to_end(log_id)
        return known

    def log(self, log_id: bytes) -> Log | None:
        """Return a log."""
        known = self._recall(log_id)
        return None if known is None else known.log

    def save_log(self, log: Log) -> None:
        """Insert or replace a log, before the commit."""
        known = self._remembered.get(log.log_id)
        if known is None:
            self._remembered[log.log_id] = _Remembered(log)
        else:
            known.log = log
        self._changed_logs[log.log_id] = log

    def delete_log(self, log_id: bytes) -> None:
        """Delete a log with everything in it."""
        self._write()
        self._remembered.pop(log_id, None)
        for table in ("log", "segment", "branch", "entry", "knock", "package", "inbox"):
            self._connection.execute(f"DELETE FROM {table} WHERE log = ?", (log_id,))
        self._blobs.delete_of_log(log_id)

    def segment(self, log_id: bytes, key_hash: bytes) -> Segment | None:
        """Return the segment whose key has this hash."""
        known = self._recall(log_id)
        if known is None:
            return None
        segment = known.segment(key_hash)
        if segment is not None:
            return segment
        row = self._connection.execute(
            f"SELECT {_SEGMENT_COLUMNS} FROM segment WHERE log = ? AND key_hash = ?", (log_id, key_hash)
        ).fetchone()
        if row is None:
            return None
        segment = _segment(row)
        known.remember_segment(segment)
        return segment

    def carried_children(self, log_id: bytes, number: int) -> Sequence[Segment]:
        """Return the segments with this parent that a carry closer opened, by number."""
        rows = self._connection.execute(
            f"SELECT {_SEGMENT_COLUMNS} FROM segment INDEXED BY segment_parent"
            " WHERE log = ? AND parent = ? AND number > ? AND by_carry ORDER BY number",
            (log_id, number, number),
        )
        return [_segment(row) for row in rows]

    def save_segment(self, log_id: bytes, segment: Segment) -> None:
        """Insert or replace a segment by its number."""
        known = self._recall(log_id)
        if known is not None:
            known.remember_segment(segment)
        self._connection.execute(
            f"INSERT OR REPLACE INTO segment (log, {_SEGMENT_COLUMNS})"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (log_id, *msgspec.structs.astuple(segment)),
        )

    def branch(self, log_id: bytes, number: int) -> Branch:
        """Return what a contested branch holds; one that is not there holds nothing."""
        row = self._connection.execute(
            "SELECT number, entry_count, byte_count FROM branch WHERE log = ? AND number = ?",
            (log_id, number),
        ).fetchone()
        return Branch(number=number, entry_count=row[1], byte_count=row[2]) if row else Branch(number=number)

    def save_branch(self, log_id: bytes, branch: Branch) -> None:
        """Insert or replace a contested branch; forget one that holds nothing."""
        if branch.entry_count:
            self._connection.execute(
                "INSERT OR REPLACE INTO branch (log, number, entry_count, byte_count) VALUES (?, ?, ?, ?)",
                (log_id, *msgspec.structs.astuple(branch)),
            )
        else:
            self._connection.execute(
                "DELETE FROM branch WHERE log = ? AND number = ?", (log_id, branch.number)
            )

    def find_repeat(
        self, log_id: bytes, entry_id: bytes, body: bytes, next_hash: bytes | None, since: int
    ) -> int | None:
        """Return the position of the same bytes under the same id, if they stand after `since`."""
        known = self._recall(log_id)
        if known is None:
            return None
        position = known.ids.get(entry_id)
        if position is None and since >= known.ids_after:
            return None
        if position is not None and position <= since:
            return None
        for row in reversed(self._new_entries if position is not None else ()):
            if row[:3] == (log_id, position, entry_id) and row[5:7] == (body, next_hash):
                return position
        found = self._connection.execute(
            "SELECT position FROM entry"
            " WHERE log = ? AND position > ? AND entry = ? AND body = ? AND next_hash IS ?",
            (log_id, since, entry_id, body, next_hash),
        ).fetchone()
        return None if found is None else int(found[0])

    def add_entry(self, log_id: bytes, entry: Entry, expires_hour: int, branch: int) -> None:
        """Insert an entry, before the commit."""
        self._new_entries.append(
            (
                log_id,
                entry.position,
                entry.entry,
                entry.segment,
                entry.flags,
                entry.body or b"",
                entry.next_hash,
                expires_hour,
                branch,
            )
        )
        known = self._recall(log_id)
        if known is not None:
            if len(known.ids) >= _IDS_REMEMBERED_MAX:
                oldest = next(iter(known.ids))
                known.ids_after = known.ids.pop(oldest)
            known.ids[entry.entry] = entry.position

    def trim_entries(self, log_id: bytes, before: int) -> Sequence[Removed]:
        """Delete entries before this position, closers excepted, and blobs whose message stood there."""
        self._write()
        where = f"log = ? AND position < ? AND NOT flags & {int(Flag.CLOSER)}"
        rows = self._connection.execute(
            f"SELECT branch, count(*), sum(length(body)) FROM entry WHERE {where} GROUP BY branch",
            (log_id, before),
        ).fetchall()
        self._connection.execute(f"DELETE FROM entry WHERE {where}", (log_id, before))
        self._blobs.delete_of_log(log_id, before)
        return [Removed(*row) for row in rows]

    def expire(self, hour: int) -> bool:
        """Delete a part of what has come to its hour; tell whether there may be more."""
        run = self._connection.execute
        limit = _EXPIRED_PER_TRANSACTION_MAX
        logs = run("SELECT log FROM log WHERE expires_hour <= ? LIMIT ?", (hour, limit)).fetchall()
        for (log_id,) in logs:
            self.delete_log(log_id)
        entries = run(
            "SELECT number, log, position, length(body), branch FROM entry WHERE expires_hour <= ?"
            " ORDER BY expires_hour, number LIMIT ?",
            (hour, limit),
        ).fetchall()
        for _, log_id, position, size, branch in entries:
            log = self.log(log_id)
            if log is not None:
                let_go(self, log, position, [Removed(branch, 1, size)])
        self._connection.executemany("DELETE FROM entry WHERE number = ?", [row[:1] for row in entries])
        numbers = run(
            "SELECT log, number FROM segment WHERE expires_hour <= ? LIMIT ?", (hour, limit)
        ).fetchall()
        self._connection.executemany("DELETE FROM segment WHERE log = ? AND number = ?", numbers)
        if numbers:
            for known in self._remembered.values():
                known.forget_segments()
        for table in ("knock", "package"):  # few and small
            run(f"DELETE FROM {table} WHERE expires_hour <= ?", (hour,))  # no value in it
        more_blobs = self._blobs.expire(hour, limit)
        return more_blobs or limit in {len(logs), len(entries), len(numbers)}

    def take_removed_blobs(self) -> list[bytes]:
        """Return the blobs that were deleted since the last time: after the commit their files go."""
        return self._blobs.take_removed()

    def blob(self, blob_id: bytes) -> Blob | None:
        """Return a blob."""
        return self._blobs.blob(blob_id)

    def save_blob(self, blob: Blob) -> None:
        """Insert or replace a blob."""
        self._blobs.save(blob)

    def delete_blob(self, blob_id: bytes) -> None:
        """Delete a blob."""
        self._blobs.delete(blob_id)

    def blob_usage(self, log_id: bytes, branch: int) -> Usage:
        """Count the blobs of a log's branch and their bytes."""
        return self._blobs.usage(log_id, branch)

    def has_door(self, log_id: bytes, door_hash: bytes) -> bool:
        """Tell whether an open segment of the log has this door."""
        return bool(
            self._connection.execute(
                "SELECT EXISTS (SELECT 1 FROM segment INDEXED BY segment_door"
                " WHERE log = ? AND door_hash = ? AND closed_at = 0)",
                (log_id, door_hash),
            ).fetchone()[0]
        )

    def knock_count(self, log_id: bytes) -> int:
        """Count the knocks of all doors of a log."""
        return self._count("knock", log_id)

    def _count(self, table: str, log_id: bytes) -> int:
        return int(
            self._connection.execute(f"SELECT count(*) FROM {table} WHERE log = ?", (log_id,)).fetchone()[0]
        )

    def door_knocks(self, log_id: bytes, door_hash: bytes) -> Sequence[KnockItem]:
        """Return the knocks at one door, by number."""
        rows = self._connection.execute(
            "SELECT number, body FROM knock WHERE log = ? AND door_hash = ? ORDER BY number",
            (log_id, door_hash),
        )
        return [KnockItem(number, body) for number, body in rows]

    def add_knock(self, log_id: bytes, door_hash: bytes, knock: KnockItem, expires_hour: int) -> None:
        """Insert a knock."""
        self._connection.execute(
            "INSERT INTO knock (log, number, door_hash, body, expires_hour) VALUES (?, ?, ?, ?, ?)",
            (log_id, knock.knock, door_hash, knock.body, expires_hour),
        )

    def remove_knocks(self, log_id: bytes, door_hash: bytes, numbers: Collection[int]) -> None:
        """Delete those of these knocks that are at this door."""
        self._connection.executemany(
            "DELETE FROM knock WHERE log = ? AND door_hash = ? AND number = ?",
            [(log_id, door_hash, number) for number in numbers],
        )

    def taken(self, log_id: bytes, taker: bytes) -> Taken | None:
        """Return the package that this taker was given, while it is kept."""
        row = self._connection.execute(
            "SELECT body FROM package WHERE log = ? AND taker = ?", (log_id, taker)
        ).fetchone()
        return None if row is None else Taken("package", row[0])

    def package_count(self, log_id: bytes) -> int:
        """Count the packages that nobody has taken."""
        return int(
            self._connection.execute(
                "SELECT count(*) FROM package WHERE log = ? AND taker IS NULL", (log_id,)
            ).fetchone()[0]
        )

    def has_package(self, log_id: bytes, digest: bytes) -> bool:
        """Tell whether a package with this SHA-256 is or was in the pool."""
        return bool(
            self._connection.execute(
                "SELECT EXISTS (SELECT 1 FROM package WHERE log = ? AND digest = ?)", (log_id, digest)
            ).fetchone()[0]
        )

    def add_package(self, log_id: bytes, digest: bytes, body: bytes) -> None:
        """Insert a package behind the others."""
        self._connection.execute(
            "INSERT INTO package (log, digest, body) VALUES (?, ?, ?)", (log_id, digest, body)
        )

    def drop_packages(self, log_id: bytes) -> None:
        """Delete the packages that nobody has taken; a pool of them keeps its last one."""
        self._connection.execute("DELETE FROM package WHERE log = ? AND taker IS NULL", (log_id,))

    def take_package(self, log_id: bytes, taker: bytes, expires_hour: int) -> bytes | None:
        """Give the oldest untaken package to a taker and keep it for a repeat."""
        row = self._connection.execute(
            "SELECT number, body FROM package WHERE log = ? AND taker IS NULL ORDER BY number LIMIT 1",
            (log_id,),
        ).fetchone()
        if row is None:
            return None
        self._connection.execute(
            "UPDATE package SET taker = ?, expires_hour = ? WHERE number = ?", (taker, expires_hour, row[0])
        )
        return bytes(row[1])

    def last_package(self, log_id: bytes) -> bytes | None:
        """Return the package that is given when the pool is dry."""
        row = self._connection.execute("SELECT last_package FROM inbox WHERE log = ?", (log_id,)).fetchone()
        return None if row is None else row[0]

    def set_last_package(self, log_id: bytes, body: bytes) -> None:
        """Insert or replace it."""
        self._connection.execute(
            "INSERT INTO inbox (log, last_package) VALUES (?, ?)"
            " ON CONFLICT (log) DO UPDATE SET last_package = excluded.last_package",
            (log_id, body),
        )

    def offer(self, log_id: bytes) -> Offer | None:
        """Return the inbox's offer."""
        row = self._connection.execute(
            "SELECT offer, offer_taker FROM inbox WHERE log = ? AND offer IS NOT NULL", (log_id,)
        ).fetchone()
        return None if row is None else Offer(row[0], row[1])

    def set_offer(self, log_id: bytes, offer: Offer) -> None:
        """Insert or replace it."""
        self._connection.execute(
            "INSERT INTO inbox (log, offer, offer_taker) VALUES (?, ?, ?)"
            " ON CONFLICT (log) DO UPDATE SET offer = excluded.offer, offer_taker = excluded.offer_taker",
            (log_id, offer.body, offer.taker),
        )
