"""A relay's store in memory that can lose what was not synced, as a disk does when the power goes.

`execute` changes the present state and `sync` makes it durable; `crash` goes back to what was durable.
`restore(snapshot)` puts back an older state under a new store id, as a restored backup does.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field

from skvoz.logs import Blob, Branch, Log, Segment, Usage, relieved, trimmed
from skvoz.relay.blobs import PartWriter, fetch
from skvoz.relay.executor import Executor
from skvoz.relay.ports import Offer, Removed
from skvoz.relay.reading import read
from skvoz.relay.seam import Job, Outcome, PartJob, PartOutcome, ReadAnswer, ReadRequest
from skvoz.wire.frames import Entry, Fetch, Flag, KnockItem, Taken
from tests.relay.memory_blobs import MemoryFiles, MemoryRows


@dataclass(slots=True)
class _Pool:
    untaken: dict[bytes, bytes] = field(default_factory=dict[bytes, bytes])
    taken: dict[bytes, tuple[bytes, bytes, int]] = field(
        default_factory=dict[bytes, tuple[bytes, bytes, int]]
    )
    last: bytes | None = None
    offer: Offer | None = None


@dataclass(slots=True)
class _Room:
    log: Log
    segments: dict[int, Segment] = field(default_factory=dict[int, Segment])
    entries: dict[int, tuple[Entry, int, int]] = field(default_factory=dict[int, tuple[Entry, int, int]])
    """By position: the entry, its hour, and its contested branch or 0."""
    ids: dict[bytes, int] = field(default_factory=dict[bytes, int])
    knocks: dict[int, tuple[bytes, KnockItem, int]] = field(
        default_factory=dict[int, tuple[bytes, KnockItem, int]]
    )
    pool: _Pool = field(default_factory=_Pool)
    branches: dict[int, Branch] = field(default_factory=dict[int, Branch])

    def copy(self) -> "_Room":
        """Copy what changes; the values never do."""
        pool = _Pool(dict(self.pool.untaken), dict(self.pool.taken), self.pool.last, self.pool.offer)
        return _Room(
            self.log,
            dict(self.segments),
            dict(self.entries),
            dict(self.ids),
            dict(self.knocks),
            pool,
            dict(self.branches),
        )


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A backup."""

    rooms: dict[bytes, _Room]


class MemoryStore:
    """Implements `LogTransaction` and `LogReader` over dictionaries."""

    def __init__(self, store_id: bytes, executor: Executor) -> None:
        self.store_id = store_id
        self.executor = executor
        self._logs: dict[bytes, _Room] = {}
        self._durable: dict[bytes, _Room] = {}
        self._changed: set[bytes] = set()
        self.rows = MemoryRows()
        self.files = MemoryFiles()
        self._writer = PartWriter()

    def execute(self, jobs: Iterable[Job], now_ms: int, *, disk_full: bool = False) -> list[Outcome]:
        """Run jobs; their outcomes may be handed on after `sync` only."""
        return self.executor.execute(self, jobs, now_ms, disk_full=disk_full)

    def sync(self) -> None:
        """Make everything so far durable."""
        for log_id in self._changed:
            if log_id in self._logs:
                self._durable[log_id] = self._logs[log_id].copy()
            else:
                self._durable.pop(log_id, None)
        self._changed.clear()
        gone = self.rows.sync()
        self._writer.forget(gone)
        self.files.remove(gone)

    def crash(self) -> None:
        """Lose what was not synced."""
        self.rows.crash()
        self.files.crash()
        self._writer = PartWriter()
        self.files.remove(self.files.files.keys() - self.rows.present.keys())
        for log_id in self._changed:
            if log_id in self._durable:
                self._logs[log_id] = self._durable[log_id].copy()
            else:
                self._logs.pop(log_id, None)
        self._changed.clear()

    def snapshot(self) -> Snapshot:
        """Return a backup of what is durable."""
        return Snapshot({log_id: room.copy() for log_id, room in self._durable.items()})

    def restore(self, snapshot: Snapshot, store_id: bytes) -> None:
        """Go back to a backup."""
        self._durable = {log_id: room.copy() for log_id, room in snapshot.rooms.items()}
        self._logs = {log_id: room.copy() for log_id, room in snapshot.rooms.items()}
        self._changed.clear()
        self.store_id = store_id
        self.rows, self.files, self._writer = MemoryRows(), MemoryFiles(), PartWriter()

    def write_parts(self, jobs: Iterable[PartJob], *, disk_full: bool = False) -> list[PartOutcome]:
        """Write parts of blobs, and sync them."""
        return self._writer.write(self.rows, self.files, jobs, disk_full=disk_full)

    def read_parts(self, jobs: Iterable[PartJob]) -> list[PartOutcome]:
        """Read parts of blobs."""
        return [
            PartOutcome(job.session, job.request, fetch(self.rows, self.files, job.request))
            for job in jobs
            if isinstance(job.request, Fetch)
        ]

    def read(self, requests: Iterable[ReadRequest]) -> list[ReadAnswer]:
        """Read what is there; call it between `sync`s, since unsynced entries would be seen."""
        return [read(self, request) for request in requests]

    def expire(self, hour: int) -> None:
        """Forget everything whose hour has come."""
        for log_id, room in list(self._logs.items()):
            self._changed.add(log_id)
            if room.log.expires_hour <= hour:
                del self._logs[log_id]
                continue
            gone = [position for position, (_, expires, _) in room.entries.items() if expires <= hour]
            room.log = trimmed(room.log, max(gone, default=0), 0, 0)
            for removed in self._delete_entries(room, gone):
                if removed.branch:
                    branch = self.branch(log_id, removed.branch)
                    self.save_branch(log_id, relieved(branch, removed.entry_count, removed.byte_count))
                else:
                    room.log = trimmed(room.log, 0, removed.entry_count, removed.byte_count)
            room.segments = {
                number: segment
                for number, segment in room.segments.items()
                if segment.expires_hour is None or segment.expires_hour > hour
            }
            room.knocks = {number: knock for number, knock in room.knocks.items() if knock[2] > hour}
            room.pool.taken = {taker: row for taker, row in room.pool.taken.items() if row[2] > hour}
        self._drop_blobs(lambda blob: blob.expires_hour <= hour or blob.log_id not in self._logs)

    def log_ids(self) -> list[bytes]:
        return list(self._logs)

    def all_entries(self, log_id: bytes) -> list[Entry]:
        return [entry for entry, _, _ in self._logs[log_id].entries.values()]

    def branches(self, log_id: bytes) -> list[Branch]:
        return list(self._logs[log_id].branches.values())

    # LogTransaction

    def log(self, log_id: bytes) -> Log | None:
        room = self._logs.get(log_id)
        return None if room is None else room.log

    def save_log(self, log: Log) -> None:
        room = self._logs.get(log.log_id)
        if room is None:
            self._logs[log.log_id] = _Room(log)
        else:
            room.log = log
        self._changed.add(log.log_id)

    def delete_log(self, log_id: bytes) -> None:
        del self._logs[log_id]
        self._changed.add(log_id)
        self._drop_blobs(lambda blob: blob.log_id == log_id)

    def blob(self, blob_id: bytes) -> Blob | None:
        return self.rows.present.get(blob_id)

    def blobs(self) -> dict[bytes, Blob]:
        return self.rows.present

    def save_blob(self, blob: Blob) -> None:
        self.rows.present[blob.blob_id] = blob

    def delete_blob(self, blob_id: bytes) -> None:
        del self.rows.present[blob_id]

    def blob_usage(self, log_id: bytes, branch: int) -> Usage:
        blobs = self.rows.present.values()
        sizes = [blob.size for blob in blobs if (blob.log_id, blob.branch) == (log_id, branch)]
        return Usage(blob_count=len(sizes), byte_count=sum(sizes))

    def _drop_blobs(self, is_gone: Callable[[Blob], bool]) -> None:
        self.rows.present = {
            blob_id: blob for blob_id, blob in self.rows.present.items() if not is_gone(blob)
        }

    def segment(self, log_id: bytes, key_hash: bytes) -> Segment | None:
        room = self._logs.get(log_id)
        if room is None:
            return None
        return next((one for one in room.segments.values() if one.key_hash == key_hash), None)

    def carried_children(self, log_id: bytes, number: int) -> Sequence[Segment]:
        segments = self._logs[log_id].segments.values()
        return [one for one in segments if one.parent == number and one.by_carry]

    def save_segment(self, log_id: bytes, segment: Segment) -> None:
        self._logs[log_id].segments[segment.number] = segment
        self._changed.add(log_id)

    def branch(self, log_id: bytes, number: int) -> Branch:
        return self._logs[log_id].branches.get(number, Branch(number=number))

    def save_branch(self, log_id: bytes, branch: Branch) -> None:
        branches = self._logs[log_id].branches
        if branch.entry_count:
            branches[branch.number] = branch
        else:
            branches.pop(branch.number, None)
        self._changed.add(log_id)

    def find_repeat(
        self, log_id: bytes, entry_id: bytes, body: bytes, next_hash: bytes | None, since: int
    ) -> int | None:
        room = self._logs[log_id]
        if room.ids.get(entry_id, 0) <= since:
            return None
        wanted = (entry_id, body, next_hash)
        for position, (entry, _, _) in reversed(room.entries.items()):
            if position > since and (entry.entry, entry.body, entry.next_hash) == wanted:
                return position
        return None

    def add_entry(self, log_id: bytes, entry: Entry, expires_hour: int, branch: int) -> None:
        room = self._logs[log_id]
        room.entries[entry.position] = (entry, expires_hour, branch)
        room.ids[entry.entry] = entry.position
        self._changed.add(log_id)

    def trim_entries(self, log_id: bytes, before: int) -> Sequence[Removed]:
        room = self._logs[log_id]
        gone = [
            position
            for position, (entry, _, _) in room.entries.items()
            if position < before and not entry.flags & Flag.CLOSER
        ]
        self._changed.add(log_id)
        self._drop_blobs(lambda blob: blob.log_id == log_id and blob.position + 1 < before)
        return self._delete_entries(room, gone)

    def has_door(self, log_id: bytes, door_hash: bytes) -> bool:
        room = self._logs.get(log_id)
        return room is not None and any(
            one.door_hash == door_hash and not one.closed_at for one in room.segments.values()
        )

    def knock_count(self, log_id: bytes) -> int:
        return len(self._logs[log_id].knocks)

    def door_knocks(self, log_id: bytes, door_hash: bytes) -> Sequence[KnockItem]:
        return [knock for door, knock, _ in self._logs[log_id].knocks.values() if door == door_hash]

    def add_knock(self, log_id: bytes, door_hash: bytes, knock: KnockItem, expires_hour: int) -> None:
        self._logs[log_id].knocks[knock.knock] = (door_hash, knock, expires_hour)
        self._changed.add(log_id)

    def remove_knocks(self, log_id: bytes, door_hash: bytes, numbers: Collection[int]) -> None:
        knocks = self._logs[log_id].knocks
        for number in numbers:
            if number in knocks and knocks[number][0] == door_hash:
                del knocks[number]
        self._changed.add(log_id)

    def taken(self, log_id: bytes, taker: bytes) -> Taken | None:
        row = self._logs[log_id].pool.taken.get(taker)
        return None if row is None else Taken("package", row[1])

    def package_count(self, log_id: bytes) -> int:
        return len(self._logs[log_id].pool.untaken)

    def has_package(self, log_id: bytes, digest: bytes) -> bool:
        pool = self._logs[log_id].pool
        return digest in pool.untaken or any(row[0] == digest for row in pool.taken.values())

    def add_package(self, log_id: bytes, digest: bytes, body: bytes) -> None:
        self._logs[log_id].pool.untaken[digest] = body
        self._changed.add(log_id)

    def drop_packages(self, log_id: bytes) -> None:
        self._logs[log_id].pool.untaken.clear()
        self._changed.add(log_id)

    def take_package(self, log_id: bytes, taker: bytes, expires_hour: int) -> bytes | None:
        pool = self._logs[log_id].pool
        for digest, body in pool.untaken.items():
            del pool.untaken[digest]
            pool.taken[taker] = (digest, body, expires_hour)
            self._changed.add(log_id)
            return body
        return None

    def last_package(self, log_id: bytes) -> bytes | None:
        return self._logs[log_id].pool.last

    def set_last_package(self, log_id: bytes, body: bytes) -> None:
        self._logs[log_id].pool.last = body
        self._changed.add(log_id)

    def offer(self, log_id: bytes) -> Offer | None:
        return self._logs[log_id].pool.offer

    def set_offer(self, log_id: bytes, offer: Offer) -> None:
        self._logs[log_id].pool.offer = offer
        self._changed.add(log_id)

    # LogReader

    def base(self, log_id: bytes) -> int:
        room = self._logs.get(log_id)
        return 0 if room is None else room.log.base

    def entries(
        self, log_id: bytes, after: int, through: int, count_max: int, bytes_max: int
    ) -> Sequence[Entry]:
        room = self._logs.get(log_id)
        found: list[Entry] = []
        size = 0
        for position in [] if room is None else sorted(room.entries):
            if room is None or not after < position <= through:
                continue
            entry = room.entries[position][0]
            size += len(entry.body or b"")
            if len(found) == count_max or (found and size > bytes_max):
                break
            found.append(entry)
        return found

    def knocks(self, log_id: bytes, segments: Collection[int]) -> Sequence[KnockItem]:
        room = self._logs.get(log_id)
        if room is None:
            return []
        doors = {
            one.door_hash for one in room.segments.values() if one.number in segments and not one.closed_at
        }
        return [knock for door, knock, _ in room.knocks.values() if door in doors]

    def _delete_entries(self, room: _Room, positions: Iterable[int]) -> list[Removed]:
        removed: dict[int, Removed] = {}
        for position in positions:
            entry, _, branch = room.entries.pop(position)
            room.ids.pop(entry.entry, None)
            before = removed.get(branch, Removed(branch, 0, 0))
            size = before.byte_count + len(entry.body or b"")
            removed[branch] = Removed(branch, before.entry_count + 1, size)
        return list(removed.values())
