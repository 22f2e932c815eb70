"""What a drop's journal comes to, in memory: `LogTransaction` and `LogReader` over dictionaries.

Bodies of entries stay in the records that brought them; a row says which. What is tried is done to copies of
the logs that it touches, and can be taken back.

Long, because it is all that the relay's rules ask of a store.
"""

from bisect import bisect_right
from collections.abc import Callable, Collection, Sequence
from typing import Final

import msgspec

from skvoz.base.value import Value
from skvoz.crypto import sha256
from skvoz.logs import Blob, Branch, Log, Segment, Usage
from skvoz.relay.deletion import let_go
from skvoz.relay.ports import Offer, Removed
from skvoz.wire.frames import Entry, Flag, KnockItem, Taken

BLOB_SHIFT: Final = 12
"""A blob's number is its slot, shifted so far, and the request's place in the record: at most 4,096."""


class Spot(Value, frozen=True, array_like=True, gc=False):
    """Where a request stands: its slot, and which of the record's requests it is."""

    slot: int
    index: int


class _Row(Value, frozen=True, array_like=True, gc=False):
    """An entry without its body, and where that is: its size in bytes and its SHA-256."""

    position: int
    entry: bytes
    segment: int
    flags: int
    next_hash: bytes | None
    expires_hour: int
    size: int
    digest: bytes
    spot: Spot
    branch: int = 0


class _KnockRow(Value, frozen=True, array_like=True, gc=False):
    door_hash: bytes
    number: int
    body: bytes
    expires_hour: int


class _TakenRow(Value, frozen=True, array_like=True, gc=False):
    digest: bytes
    body: bytes
    expires_hour: int


class BlobRow(Value, frozen=True, array_like=True, gc=False):
    """A blob, its number among the drop's objects, and where each of its pieces ends."""

    blob: Blob
    number: int
    ends: tuple[int, ...]


class Room(msgspec.Struct, array_like=True):
    """A log with everything in it."""

    log: Log
    segments: dict[int, Segment] = msgspec.field(default_factory=dict[int, Segment])
    entries: dict[int, _Row] = msgspec.field(default_factory=dict[int, _Row])
    knocks: dict[int, _KnockRow] = msgspec.field(default_factory=dict[int, _KnockRow])
    untaken: dict[bytes, bytes] = msgspec.field(default_factory=dict[bytes, bytes])
    taken: dict[bytes, _TakenRow] = msgspec.field(default_factory=dict[bytes, _TakenRow])
    last_package: bytes | None = None
    offer: Offer | None = None
    branches: dict[int, Branch] = msgspec.field(default_factory=dict[int, Branch])

    def __repr__(self) -> str:
        """Say nothing of what it holds."""
        return "<Room>"

    def copy(self) -> "Room":
        """Copy what changes; the values never do."""
        return Room(
            self.log,
            dict(self.segments),
            dict(self.entries),
            dict(self.knocks),
            dict(self.untaken),
            dict(self.taken),
            self.last_package,
            self.offer,
            dict(self.branches),
        )


class Rows:
    """The state of a drop; `spot` is set to where a request stands before the rules are asked about it."""

    def __init__(self, body_of: Callable[[Spot], bytes | None]) -> None:
        """`body_of` returns the body of an entry's request, or None where its record is lost."""
        self._body_of = body_of
        self.rooms: dict[bytes, Room] = {}
        self.blobs: dict[bytes, BlobRow] = {}
        self._ids: dict[bytes, dict[bytes, list[int]]] = {}
        self.spot = Spot(0, 0)
        self.changes = 0
        self._tried: dict[bytes, Room | None] | None = None
        self._tried_blobs: dict[bytes, BlobRow] = {}

    def begin_trial(self) -> None:
        """From now on keep what is changed, for `end_trial`."""
        self._tried = {}
        self._tried_blobs = dict(self.blobs)

    def end_trial(self) -> None:
        """Take back everything since `begin_trial`."""
        tried, self._tried = self._tried or {}, None
        for log_id, room in tried.items():
            self._ids.pop(log_id, None)
            if room is None:
                self.rooms.pop(log_id, None)
            else:
                self.rooms[log_id] = room
        self.blobs = self._tried_blobs

    def _touched(self, log_id: bytes) -> Room:
        """Return a log's room to be changed."""
        self.changes += 1
        room = self.rooms[log_id]
        if self._tried is not None and log_id not in self._tried:
            self._tried[log_id] = room
            room = self.rooms[log_id] = room.copy()
        return room

    def _ids_of(self, log_id: bytes) -> dict[bytes, list[int]]:
        known = self._ids.get(log_id)
        if known is None:
            known = self._ids[log_id] = {}
            for row in self.rooms[log_id].entries.values():
                known.setdefault(row.entry, []).append(row.position)
        return known

    # LogTransaction

    def log(self, log_id: bytes) -> Log | None:
        """Return a log."""
        room = self.rooms.get(log_id)
        return None if room is None else room.log

    def save_log(self, log: Log) -> None:
        """Insert or replace a log."""
        if log.log_id in self.rooms:
            self._touched(log.log_id).log = log
            return
        self.changes += 1
        if self._tried is not None:
            self._tried.setdefault(log.log_id, None)
        self.rooms[log.log_id] = Room(log)

    def delete_log(self, log_id: bytes) -> None:
        """Delete a log with everything in it."""
        self._touched(log_id)
        del self.rooms[log_id]
        self._ids.pop(log_id, None)
        self._drop_blobs(lambda blob: blob.log_id == log_id)

    def segment(self, log_id: bytes, key_hash: bytes) -> Segment | None:
        """Return the segment whose key has this hash."""
        room = self.rooms.get(log_id)
        if room is None:
            return None
        return next((one for one in reversed(room.segments.values()) if one.key_hash == key_hash), None)

    def carried_children(self, log_id: bytes, number: int) -> Sequence[Segment]:
        """Return the segments with this parent that a carry closer opened, by number."""
        segments = self.rooms[log_id].segments.values()
        return [one for one in segments if one.parent == number and one.by_carry]

    def save_segment(self, log_id: bytes, segment: Segment) -> None:
        """Insert or replace a segment by its number."""
        self._touched(log_id).segments[segment.number] = segment

    def branch(self, log_id: bytes, number: int) -> Branch:
        """Return what a contested branch holds; one that is not there holds nothing."""
        return self.rooms[log_id].branches.get(number, Branch(number=number))

    def save_branch(self, log_id: bytes, branch: Branch) -> None:
        """Insert or replace a contested branch; forget one that holds nothing."""
        branches = self._touched(log_id).branches
        if branch.entry_count:
            branches[branch.number] = branch
        else:
            branches.pop(branch.number, None)

    def find_repeat(
        self, log_id: bytes, entry_id: bytes, body: bytes, next_hash: bytes | None, since: int
    ) -> int | None:
        """Return the position of the same bytes under the same id after `since`."""
        positions = self._ids_of(log_id).get(entry_id)
        if not positions:
            return None
        digest = sha256(body)
        for position in reversed(positions):
            row = self.rooms[log_id].entries.get(position)
            if row is not None and position > since and (row.digest, row.next_hash) == (digest, next_hash):
                return position
        return None

    def add_entry(self, log_id: bytes, entry: Entry, expires_hour: int, branch: int) -> None:
        """Insert an entry."""
        body = entry.body or b""
        room = self._touched(log_id)
        room.entries[entry.position] = _Row(
            entry.position,
            entry.entry,
            entry.segment,
            entry.flags,
            entry.next_hash,
            expires_hour,
            len(body),
            sha256(body),
            self.spot,
            branch,
        )
        self._ids_of(log_id).setdefault(entry.entry, []).append(entry.position)

    def trim_entries(self, log_id: bytes, before: int) -> Sequence[Removed]:
        """Delete entries before this position, closers excepted, and blobs whose message stood there."""
        room = self._touched(log_id)
        gone = [row for row in room.entries.values() if row.position < before and not row.flags & Flag.CLOSER]
        for row in gone:
            del room.entries[row.position]
        self._ids.pop(log_id, None)
        self._drop_blobs(lambda blob: blob.log_id == log_id and blob.position + 1 < before)
        return _removed(gone)

    def has_door(self, log_id: bytes, door_hash: bytes) -> bool:
        """Tell whether an open segment of the log has this door."""
        room = self.rooms.get(log_id)
        return room is not None and any(
            one.door_hash == door_hash and not one.closed_at for one in room.segments.values()
        )

    def knock_count(self, log_id: bytes) -> int:
        """Count the knocks of all doors of a log."""
        return len(self.rooms[log_id].knocks)

    def door_knocks(self, log_id: bytes, door_hash: bytes) -> Sequence[KnockItem]:
        """Return the knocks at one door, by number."""
        knocks = self.rooms[log_id].knocks.values()
        return [KnockItem(row.number, row.body) for row in knocks if row.door_hash == door_hash]

    def add_knock(self, log_id: bytes, door_hash: bytes, knock: KnockItem, expires_hour: int) -> None:
        """Insert a knock."""
        row = _KnockRow(door_hash, knock.knock, knock.body, expires_hour)
        self._touched(log_id).knocks[knock.knock] = row

    def remove_knocks(self, log_id: bytes, door_hash: bytes, numbers: Collection[int]) -> None:
        """Delete those of these knocks that are at this door."""
        knocks = self._touched(log_id).knocks
        for number in numbers:
            if number in knocks and knocks[number].door_hash == door_hash:
                del knocks[number]

    def taken(self, log_id: bytes, taker: bytes) -> Taken | None:
        """Return the package that this taker was given, while it is kept."""
        row = self.rooms[log_id].taken.get(taker)
        return None if row is None else Taken("package", row.body)

    def package_count(self, log_id: bytes) -> int:
        """Count the packages that nobody has taken."""
        return len(self.rooms[log_id].untaken)

    def has_package(self, log_id: bytes, digest: bytes) -> bool:
        """Tell whether a package with this SHA-256 is or was in the pool."""
        room = self.rooms[log_id]
        return digest in room.untaken or any(row.digest == digest for row in room.taken.values())

    def add_package(self, log_id: bytes, digest: bytes, body: bytes) -> None:
        """Insert a package behind the others."""
        self._touched(log_id).untaken[digest] = body

    def drop_packages(self, log_id: bytes) -> None:
        """Delete the packages that nobody has taken."""
        self._touched(log_id).untaken.clear()

    def take_package(self, log_id: bytes, taker: bytes, expires_hour: int) -> bytes | None:
        """Give the oldest untaken package to a taker and keep it for a repeat."""
        if not self.rooms[log_id].untaken:
            return None
        room = self._touched(log_id)
        digest = next(iter(room.untaken))
        body = room.untaken.pop(digest)
        room.taken[taker] = _TakenRow(digest, body, expires_hour)
        return body

    def last_package(self, log_id: bytes) -> bytes | None:
        """Return the package that is given when the pool is dry."""
        return self.rooms[log_id].last_package

    def set_last_package(self, log_id: bytes, body: bytes) -> None:
        """Insert or replace it."""
        self._touched(log_id).last_package = body

    def offer(self, log_id: bytes) -> Offer | None:
        """Return the inbox's offer."""
        return self.rooms[log_id].offer

    def set_offer(self, log_id: bytes, offer: Offer) -> None:
        """Insert or replace it."""
        self._touched(log_id).offer = offer

    def blob(self, blob_id: bytes) -> Blob | None:
        """Return a blob."""
        row = self.blobs.get(blob_id)
        return None if row is None else row.blob

    def save_blob(self, blob: Blob) -> None:
        """Insert or replace a blob; a new one takes the number of where it stands in the journal."""
        self.changes += 1
        known = self.blobs.get(blob.blob_id)
        if known is None:
            known = BlobRow(blob, self.spot.slot << BLOB_SHIFT | self.spot.index, ())
        ends = known.ends
        if blob.written > (ends[-1] if ends else 0):
            ends = (*ends, blob.written)
        self.blobs[blob.blob_id] = BlobRow(blob, known.number, ends)

    def delete_blob(self, blob_id: bytes) -> None:
        """Delete a blob."""
        self.changes += 1
        del self.blobs[blob_id]

    def blob_usage(self, log_id: bytes, branch: int) -> Usage:
        """Count the blobs of a log's branch and their bytes."""
        blobs = [row.blob for row in self.blobs.values()]
        sizes = [blob.size for blob in blobs if (blob.log_id, blob.branch) == (log_id, branch)]
        return Usage(blob_count=len(sizes), byte_count=sum(sizes))

    def _drop_blobs(self, is_gone: Callable[[Blob], bool]) -> None:
        self.blobs = {blob_id: row for blob_id, row in self.blobs.items() if not is_gone(row.blob)}

    # LogReader

    def base(self, log_id: bytes) -> int:
        """Return the log's base; 0 for a log that isn't there."""
        room = self.rooms.get(log_id)
        return 0 if room is None else room.log.base

    def entries(
        self, log_id: bytes, after: int, through: int, count_max: int, bytes_max: int
    ) -> Sequence[Entry]:
        """Return entries with `after` < position ≤ `through`, in order, until a limit is reached.

        One whose record is lost is left out: its reader learns of the gap from what comes after it.
        """
        room = self.rooms.get(log_id)
        if room is None:
            return []
        positions = list(room.entries)
        found: list[Entry] = []
        size = 0
        for position in positions[bisect_right(positions, after) :]:
            row = room.entries[position]
            size += row.size
            if position > through or len(found) == count_max or (found and size > bytes_max):
                break
            body = self._body_of(row.spot)
            if body is not None:
                found.append(Entry(position, row.entry, row.segment, row.flags, body, row.next_hash))
        return found

    def knocks(self, log_id: bytes, segments: Collection[int]) -> Sequence[KnockItem]:
        """Return the knocks at the doors of those of these segments that are open, by number."""
        room = self.rooms.get(log_id)
        if room is None:
            return []
        doors = {
            one.door_hash for one in room.segments.values() if one.number in segments and not one.closed_at
        }
        return [KnockItem(row.number, row.body) for row in room.knocks.values() if row.door_hash in doors]

    # What has expired

    def expire(self, hour: int) -> None:
        """Let go everything that has come to its hour; logs themselves stay until they are dropped."""
        for log_id in list(self.rooms):
            room = self.rooms[log_id]
            gone = [row for row in room.entries.values() if row.expires_hour <= hour]
            dead = [
                number
                for number, segment in room.segments.items()
                if segment.expires_hour is not None and segment.expires_hour <= hour
            ]
            knocks = [number for number, row in room.knocks.items() if row.expires_hour <= hour]
            taken = [taker for taker, row in room.taken.items() if row.expires_hour <= hour]
            if not (gone or dead or knocks or taken):
                continue
            room = self._touched(log_id)
            for row in gone:
                del room.entries[row.position]
            for number in dead:
                del room.segments[number]
            for number in knocks:
                del room.knocks[number]
            for taker in taken:
                del room.taken[taker]
            if gone:
                # Closers expire long after what stands around them.
                base = max((row.position for row in gone if not row.flags & Flag.CLOSER), default=0)
                let_go(self, room.log, base, _removed(gone))
            self._ids.pop(log_id, None)
        self._drop_blobs(lambda blob: blob.expires_hour <= hour or blob.log_id not in self.rooms)

    def slots_in_use(self) -> set[int]:
        """Return the slots whose records hold bodies that are still to be read."""
        return {row.spot.slot for room in self.rooms.values() for row in room.entries.values()}


def _removed(gone: Sequence[_Row]) -> list[Removed]:
    found: dict[int, Removed] = {}
    for row in gone:
        before = found.get(row.branch, Removed(row.branch, 0, 0))
        found[row.branch] = Removed(row.branch, before.entry_count + 1, before.byte_count + row.size)
    return list(found.values())
