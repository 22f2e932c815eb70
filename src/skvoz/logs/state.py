"""What is known of a log. Msgspec structs, because one is replaced for every append and they do it in C.

Times of expiry are whole hours since 1970, so that what is stored tells little about when people write.
"""

from typing import Final, Literal, TypeAlias

from skvoz.base.limits import BLOB_SIZE_MAX, ENTRY_SIZE_MAX, REKEY_SIZE_MAX
from skvoz.base.value import Value

ROOM: Final = 0
INBOX: Final = 1
SEGMENTS_VISIBLE_MAX: Final = 64
"""How many segments one reader follows; the oldest of a long carry chain are let go."""

RefusalCode: TypeAlias = Literal["superseded", "denied", "gone", "too_big", "full", "slow", "bad", "used"]


class Log(Value, frozen=True, kw_only=True, gc=False):
    """A log without its entries.

    `retention_s`: the log's own wish, or None. `head`: the last position given. `base`: everything up to it
    except closers is gone. `entry_count`, `byte_count`: what is held now outside of contested branches,
    closers included. `knock_head`: the last number given to a knock.
    `expires_hour`: forgotten then, unless somebody comes.
    """

    log_id: bytes
    kind: int
    owner_hash: bytes
    retention_s: int | None
    head: int
    base: int
    entry_count: int
    byte_count: int
    knock_head: int
    expires_hour: int


class Segment(Value, frozen=True, kw_only=True, gc=False):
    """A stretch of a log under one access key; an inbox has exactly one.

    `number`: the position of the closer that opened it, 0 for the first. `parent`: the number of the segment
    that this closer closed. `by_carry`: it was marked `carry`, so holders of the parent's key read on here.
    `closed_at`: the position of its first closer, 0 while open. `last_closer`: of its latest one, or 0.
    `carried`: at least one of its closers was marked `carry`. `expires_hour`: None while open. `branch`: the
    number of the contested branch that it is in, 0 where nobody has contested what leads to it.
    """

    number: int
    parent: int
    by_carry: bool
    key_hash: bytes
    door_hash: bytes | None
    closed_at: int
    last_closer: int
    carried: bool
    expires_hour: int | None
    branch: int = 0


class Branch(Value, frozen=True, kw_only=True, gc=False):
    """What a contested branch holds now: the closer that a contest put in, and all that follows from it.

    `number`: the position of that closer. Each branch is charged apart from all others, since whoever was
    removed may open one and fill it, and must take no room from those who go on.
    """

    number: int
    entry_count: int = 0
    byte_count: int = 0


class Blob(Value, frozen=True, kw_only=True, gc=False):
    """A sealed file beside a log, without its bytes.

    `size`: its bytes once it is whole. `written`: the first so many are on stable storage.
    `position`: the log's head when it became whole, else when space was made for it.
    `expires_hour`: forgotten then.
    `retention_s`: how long it wants to be kept once it is whole, or None.
    `branch`: which one it is charged to, as its segment's.
    """

    blob_id: bytes
    log_id: bytes
    write_hash: bytes
    read_hash: bytes
    size: int
    written: int
    position: int
    retention_s: int | None
    expires_hour: int
    branch: int = 0

    @property
    def whole(self) -> bool:
        """Whether all of it is there."""
        return self.written >= self.size


class Refusal(Value, frozen=True, gc=False):
    """Why not; a repeat makes sense after `retry_after_ms` where that isn't 0."""

    code: RefusalCode
    retry_after_ms: int = 0


class Quotas(Value, frozen=True, kw_only=True):
    """What an operator grants; the defaults suit a small public relay.

    Sizes in bytes; a rate is so many a second on average, and `burst` at once. What is said of a log's bytes,
    entries, blobs and appends holds for each of its contested branches by itself.
    """

    entry_size_max: int = ENTRY_SIZE_MAX
    rekey_size_max: int = REKEY_SIZE_MAX
    retention_s: int = 30 * 24 * 3600
    log_bytes_max: int = 256 * 1024 * 1024
    log_entries_max: int = 200_000
    log_closers_spare: int = 50_000
    """So many closers more than entries are taken: what shuts somebody out must not be shut out."""
    inbox_entries_max: int = 256
    knocks_per_door_max: int = 8
    knocks_per_log_max: int = 64
    packages_max: int = 128
    blob_size_max: int = BLOB_SIZE_MAX
    log_blobs_max: int = 4_096
    log_blob_bytes_max: int = 8 * 1024 * 1024 * 1024
    appends_per_s: float = 100.0
    append_burst: int = 2_000
    contests_per_s: float = 1 / 30
    contest_burst: int = 4
    takes_per_s: float = 1 / 10
    take_burst: int = 20
    knocks_per_s: float = 1 / 10
    knock_burst: int = 16
    opens_per_s: float = 20.0
    open_burst: int = 1_000
    session_opens_per_s: float = 1.0
    session_open_burst: int = 64
    lookups_per_s: float = 5.0
    lookup_burst: int = 100
    reserves_per_s: float = 1.0
    reserve_burst: int = 64
    casts_per_s: float = 1_000.0
    cast_burst: int = 1_000
