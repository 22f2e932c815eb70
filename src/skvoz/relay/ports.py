"""What the relay asks of a store. Any store will do that keeps what it acknowledged.

A store runs `Executor.execute` inside one write transaction a batch, commits it to stable storage, and only
then hands the outcomes back to the relay. Reads see committed data only and may run beside a write.
"""

from collections.abc import Collection, Sequence
from typing import Protocol

from skvoz.base.value import Value
from skvoz.logs import Blob, Branch, Log, Segment, Usage
from skvoz.wire.frames import Entry, KnockItem, Taken


class Removed(Value, frozen=True, gc=False):
    """How many entries and body bytes of a branch were deleted; 0: of what is in no contested one."""

    branch: int
    entry_count: int
    byte_count: int


class Offer(Value, frozen=True, gc=False):
    """An inbox's offer, and who has it."""

    body: bytes
    taker: bytes | None


class LogTransaction(Protocol):
    """A write transaction: sees what it wrote itself, before anything is committed."""

    def log(self, log_id: bytes) -> Log | None:
        """Return a log."""
        ...

    def save_log(self, log: Log) -> None:
        """Insert or replace a log; often called, so write it once, before the commit."""
        ...

    def delete_log(self, log_id: bytes) -> None:
        """Delete a log with segments, entries, knocks, packages and blobs."""
        ...

    def segment(self, log_id: bytes, key_hash: bytes) -> Segment | None:
        """Return the segment whose key has this hash."""
        ...

    def carried_children(self, log_id: bytes, number: int) -> Sequence[Segment]:
        """Return the segments with this parent that a carry closer opened, by number."""
        ...

    def save_segment(self, log_id: bytes, segment: Segment) -> None:
        """Insert or replace a segment by its number."""
        ...

    def branch(self, log_id: bytes, number: int) -> Branch:
        """Return what a contested branch holds; one that is not there holds nothing."""
        ...

    def save_branch(self, log_id: bytes, branch: Branch) -> None:
        """Insert or replace a contested branch; one that holds nothing may be forgotten."""
        ...

    def find_repeat(
        self, log_id: bytes, entry_id: bytes, body: bytes, next_hash: bytes | None, since: int
    ) -> int | None:
        """Return the position of the same bytes under the same id after `since`; called for every append.

        Anybody who has read an entry may write another one under its id into a store that forgot it.
        """
        ...

    def add_entry(self, log_id: bytes, entry: Entry, expires_hour: int, branch: int) -> None:
        """Insert an entry of a branch; its position is the log's new head, `entry.body` is never None."""
        ...

    def trim_entries(self, log_id: bytes, before: int) -> Sequence[Removed]:
        """Delete entries before this position, closers excepted, and blobs whose message stood there.

        A blob became whole before its message was appended: those with `position` + 1 < `before` go.
        """
        ...

    def has_door(self, log_id: bytes, door_hash: bytes) -> bool:
        """Tell whether an open segment of the log has this door."""
        ...

    def knock_count(self, log_id: bytes) -> int:
        """Count the knocks of all doors of a log."""
        ...

    def door_knocks(self, log_id: bytes, door_hash: bytes) -> Sequence[KnockItem]:
        """Return the knocks at one door, by number."""
        ...

    def add_knock(self, log_id: bytes, door_hash: bytes, knock: KnockItem, expires_hour: int) -> None:
        """Insert a knock."""
        ...

    def remove_knocks(self, log_id: bytes, door_hash: bytes, numbers: Collection[int]) -> None:
        """Delete those of these knocks that are at this door."""
        ...

    def taken(self, log_id: bytes, taker: bytes) -> Taken | None:
        """Return the package that this taker was given, while it is kept."""
        ...

    def package_count(self, log_id: bytes) -> int:
        """Count the packages that nobody has taken."""
        ...

    def has_package(self, log_id: bytes, digest: bytes) -> bool:
        """Tell whether a package with this SHA-256 is or was in the pool; taken ones count while kept."""
        ...

    def add_package(self, log_id: bytes, digest: bytes, body: bytes) -> None:
        """Insert a package behind the others."""
        ...

    def drop_packages(self, log_id: bytes) -> None:
        """Delete the packages that nobody has taken; a pool of them keeps its last one."""
        ...

    def take_package(self, log_id: bytes, taker: bytes, expires_hour: int) -> bytes | None:
        """Give the oldest untaken package to a taker and keep it for a repeat; None where there is none."""
        ...

    def last_package(self, log_id: bytes) -> bytes | None:
        """Return the package that is given when the pool is dry."""
        ...

    def set_last_package(self, log_id: bytes, body: bytes) -> None:
        """Insert or replace it."""
        ...

    def offer(self, log_id: bytes) -> Offer | None:
        """Return the inbox's offer."""
        ...

    def set_offer(self, log_id: bytes, offer: Offer) -> None:
        """Insert or replace it."""
        ...

    def blob(self, blob_id: bytes) -> Blob | None:
        """Return a blob."""
        ...

    def save_blob(self, blob: Blob) -> None:
        """Insert or replace a blob."""
        ...

    def delete_blob(self, blob_id: bytes) -> None:
        """Delete a blob; its file goes after the commit."""
        ...

    def blob_usage(self, log_id: bytes, branch: int) -> Usage:
        """Count the blobs of a log's branch and their bytes, those to come included."""
        ...


class BlobRows(Protocol):
    """Committed blobs."""

    def blob(self, blob_id: bytes) -> Blob | None:
        """Return a blob."""
        ...


class BlobFiles(Protocol):
    """The bytes of blobs; a file for each that has any. What fails raises a `StoreError`."""

    def write_at(self, blob_id: bytes, offset: int, body: bytes) -> None:
        """Write into a blob's file, making it where it is missing; raise `DiskFull`."""
        ...

    def sync(self) -> None:
        """Put everything that was written on stable storage; raise `DiskFull`."""
        ...

    def bytes_at(self, blob_id: bytes, offset: int, size: int) -> bytes | None:
        """Return bytes of a blob's file; None where it is not there or too short."""
        ...


class LogReader(Protocol):
    """Committed data, as one snapshot a call."""

    def base(self, log_id: bytes) -> int:
        """Return the log's base; 0 for a log that isn't there."""
        ...

    def entries(
        self, log_id: bytes, after: int, through: int, count_max: int, bytes_max: int
    ) -> Sequence[Entry]:
        """Return entries of all segments with `after` < position ≤ `through`, in order.

        At most `count_max`, and after the first none that would bring the bodies over `bytes_max`.
        """
        ...

    def knocks(self, log_id: bytes, segments: Collection[int]) -> Sequence[KnockItem]:
        """Return the knocks at the doors of those of these segments that are open, by number."""
        ...
