"""Blobs: sealed files beside a log, written front to back by one key and read by another.

A blob's bytes are charged to a room by whoever holds the key of its open segment when space is made for it.
After that its own write key is enough, so that a commit in the middle of an upload disturbs nobody.
"""

import msgspec

from skvoz.base.limits import CHUNK_SIZES
from skvoz.base.value import Value
from skvoz.crypto import equal
from skvoz.logs.retention import BLOB_UNFINISHED_S, blob_expiry, hour_after
from skvoz.logs.rules import BAD, DENIED, FULL, SUPERSEDED, TOO_BIG
from skvoz.logs.state import ROOM, Blob, Log, Quotas, Refusal, Segment


class ReserveRequest(Value, frozen=True, kw_only=True):
    """What a new blob shall be; `chunk_size` is in bytes."""

    blob_id: bytes
    write_hash: bytes
    read_hash: bytes
    chunk_size: int
    chunk_count: int
    retention_s: int | None

    @property
    def size(self) -> int:
        """The whole blob, bytes."""
        return self.chunk_size * self.chunk_count


class Usage(Value, frozen=True, kw_only=True):
    """What the blobs of a log's branch take: how many there are, and their bytes, written or not."""

    blob_count: int
    byte_count: int


def is_same_blob(existing: Blob, request: ReserveRequest) -> bool:
    """Tell whether an identical request has made this blob before."""
    return (
        existing.size == request.size
        and equal(existing.write_hash, request.write_hash)
        and equal(existing.read_hash, request.read_hash)
    )


def reserve(
    log: Log | None,
    segment: Segment | None,
    request: ReserveRequest,
    usage: Usage,
    *,
    quotas: Quotas,
    now_ms: int,
) -> Refusal | Blob:
    """Make space for a blob; `segment` is that of the presented key, if it fits one.

    The caller has looked for the blob's id first, so that a repeat is never `superseded`.
    """
    if log is None or segment is None or log.kind != ROOM:
        return DENIED
    if segment.closed_at:
        return SUPERSEDED
    if request.chunk_size not in CHUNK_SIZES:
        return BAD
    if request.size > quotas.blob_size_max:
        return TOO_BIG
    if (
        usage.blob_count >= quotas.log_blobs_max
        or usage.byte_count + request.size > quotas.log_blob_bytes_max
    ):
        return FULL
    return Blob(
        blob_id=request.blob_id,
        log_id=log.log_id,
        write_hash=request.write_hash,
        read_hash=request.read_hash,
        size=request.size,
        written=0,
        position=log.head,
        retention_s=request.retention_s,
        expires_hour=hour_after(now_ms, BLOB_UNFINISHED_S),
        branch=segment.branch,
    )


def may_fill(blob: Blob | None, write_hash: bytes, offset: int, size: int) -> Refusal | None:
    """Refuse bytes of who lacks the key, and those that leave a hole or reach beyond the end."""
    if not _fits(blob, None if blob is None else blob.write_hash, write_hash) or blob is None:
        return DENIED
    if offset > blob.written or offset + size > blob.size:
        return BAD
    return None


def may_fetch(blob: Blob | None, read_hash: bytes, offset: int, size: int) -> Refusal | None:
    """Refuse reading without the key, before all is there, and beyond the end."""
    if not _fits(blob, None if blob is None else blob.read_hash, read_hash) or blob is None or not blob.whole:
        return DENIED
    if offset + size > blob.size:
        return BAD
    return None


def may_discard(blob: Blob | None, write_hash: bytes) -> bool:
    """Tell whether the holder of the key of this hash may delete the blob."""
    return _fits(blob, None if blob is None else blob.write_hash, write_hash)


def filled(blob: Blob, log: Log, written: int, quotas: Quotas, now_ms: int) -> Blob:
    """Return the blob with its first `written` bytes on stable storage; whole, it is kept like an entry."""
    changed = msgspec.structs.replace(blob, written=max(blob.written, min(written, blob.size)))
    if blob.whole or not changed.whole:
        return changed
    return msgspec.structs.replace(
        changed, position=log.head, expires_hour=blob_expiry(log, blob, quotas, now_ms)
    )


def _fits(blob: Blob | None, expected: bytes | None, given: bytes) -> bool:
    """Compare alike in time whether there is a blob or not."""
    return equal(bytes(32) if expected is None else expected, given) and blob is not None
