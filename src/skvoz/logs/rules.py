"""May this be done to a log? Each rule takes the present state and gives the next one, or a refusal.

Rates, and whether an entry id is known already, are looked up by the caller and handed in.
"""

import hmac
from typing import Final, TypeVar

import msgspec

from skvoz.base.value import Value
from skvoz.logs.contest import contest_proof_fits
from skvoz.logs.retention import CLOSER_RETENTION_S, hour_after
from skvoz.logs.state import INBOX, ROOM, Branch, Log, Quotas, Refusal, Segment

Held = TypeVar("Held", Log, Branch)

SUPERSEDED: Final = Refusal("superseded")
DENIED: Final = Refusal("denied")
TOO_BIG: Final = Refusal("too_big")
FULL: Final = Refusal("full")
BAD: Final = Refusal("bad")


class OpenRequest(Value, frozen=True, kw_only=True):
    """What a new log shall be; the meaning of the fields is that of `Log` and `Segment`."""

    log_id: bytes
    kind: int
    key_hash: bytes
    owner_hash: bytes
    door_hash: bytes | None
    retention_s: int | None


class RekeyRequest(Value, frozen=True, kw_only=True):
    """A closer: its size in bytes, and what it opens."""

    size: int
    next_hash: bytes
    carry: bool
    contest_proof: bytes | None
    door_hash: bytes | None
    answered: bool


class Added(Value, frozen=True, kw_only=True):
    """An entry was accepted: the log, and the contested branch that it is charged to, if any."""

    log: Log
    branch: Branch | None


class Rekeyed(Value, frozen=True, kw_only=True):
    """A closer was accepted: the log, its branch, the segment that it closes, and the one that it opens."""

    log: Log
    branch: Branch | None
    closed: Segment
    opened: Segment


def open_log(
    request: OpenRequest, existing: Log | None, root: Segment | None, now_ms: int
) -> Refusal | tuple[Log, Segment] | None:
    """Create a log; None where an identical request has created it before.

    `root`: the segment of the existing log that `request.key_hash` belongs to, if any.
    A log under this id that is not the same is `denied`.
    """
    if existing is not None:
        same = (
            root is not None
            and root.number == 0
            and existing.kind == request.kind
            and existing.retention_s == request.retention_s
            and hmac.compare_digest(existing.owner_hash, request.owner_hash)
        )
        return None if same else DENIED
    log = Log(
        log_id=request.log_id,
        kind=request.kind,
        owner_hash=request.owner_hash,
        retention_s=request.retention_s,
        head=0,
        base=0,
        entry_count=0,
        byte_count=0,
        knock_head=0,
        expires_hour=hour_after(now_ms, CLOSER_RETENTION_S),
    )
    segment = Segment(
        number=0,
        parent=0,
        by_carry=False,
        key_hash=request.key_hash,
        door_hash=request.door_hash if request.kind == ROOM else None,
        closed_at=0,
        last_closer=0,
        carried=False,
        expires_hour=None,
    )
    return log, segment


def append(log: Log, segment: Segment, branch: Branch | None, size: int, quotas: Quotas) -> Refusal | Added:
    """Add an entry of `size` bytes: the changed log, whose head is the entry's position.

    `branch`: the contested one that the segment is in, if it is in one. The caller has looked for the entry's
    id first, so that a repeat is never `superseded`.
    """
    if segment.closed_at:
        return SUPERSEDED
    if size > quotas.entry_size_max:
        return TOO_BIG
    held = log if branch is None else branch
    if log.kind == INBOX and held.entry_count >= quotas.inbox_entries_max:
        return FULL
    if held.entry_count >= quotas.log_entries_max or held.byte_count + size > quotas.log_bytes_max:
        return FULL
    return _charged(log, branch, size)


def _charged(log: Log, branch: Branch | None, size: int) -> Added:
    log = msgspec.structs.replace(log, head=log.head + 1)
    if branch is None:
        return Added(log=_with(log, 1, size), branch=None)
    return Added(log=log, branch=_with(branch, 1, size))


def _with(held: Held, entry_count: int, byte_count: int) -> Held:
    return msgspec.structs.replace(
        held,
        entry_count=max(0, held.entry_count + entry_count),
        byte_count=max(0, held.byte_count + byte_count),
    )


def rekey(
    log: Log,
    segment: Segment,
    branch: Branch | None,
    request: RekeyRequest,
    quotas: Quotas,
    *,
    next_hash_known: bool,
    now_ms: int,
) -> Refusal | Rekeyed:
    """Close a segment and open the next one; the closer's position is the changed log's head.

    A further closer of a closed segment needs a proof of work, and can't settle knocks: somebody who was
    removed by the first closer still holds this key. So what it opens is a branch that is charged by itself;
    `branch` is that of the segment. `next_hash_known`: the log has a segment of this hash.
    A closer may exceed the log's bytes by its own size, since what shuts somebody out must not be shut out.
    """
    if log.kind != ROOM:
        return DENIED
    if segment.closed_at:
        if request.contest_proof is None:
            return SUPERSEDED
        if not contest_proof_fits(log.log_id, segment.key_hash, request.next_hash, request.contest_proof):
            return BAD
        if request.answered:
            return BAD
    if request.size > quotas.rekey_size_max:
        return TOO_BIG
    if next_hash_known or request.next_hash == segment.key_hash:
        return BAD
    position = log.head + 1
    if segment.closed_at:
        branch = Branch(number=position)
    held = log if branch is None else branch
    closers_max = quotas.log_entries_max + quotas.log_closers_spare
    if held.byte_count > quotas.log_bytes_max or held.entry_count >= closers_max:
        return FULL
    closed = msgspec.structs.replace(
        segment,
        closed_at=segment.closed_at or position,
        last_closer=position,
        carried=segment.carried or request.carry,
        expires_hour=hour_after(now_ms, CLOSER_RETENTION_S),
    )
    opened = Segment(
        number=position,
        parent=segment.number,
        by_carry=request.carry,
        key_hash=request.next_hash,
        door_hash=segment.door_hash if request.door_hash is None else request.door_hash,
        closed_at=0,
        last_closer=0,
        carried=False,
        expires_hour=None,
        branch=0 if branch is None else branch.number,
    )
    changed = _charged(log, branch, request.size)
    return Rekeyed(log=changed.log, branch=changed.branch, closed=closed, opened=opened)


def attach_head(log: Log, segment: Segment) -> int:
    """Return the position up to which a holder of the segment's key has something to read now."""
    if segment.closed_at and not segment.carried:
        return segment.last_closer
    return log.head


def is_owner(log: Log | None, owner_hash: bytes) -> bool:
    """Tell whether a log exists and belongs to the key of this hash, alike in time for both."""
    expected = bytes(32) if log is None else log.owner_hash
    return hmac.compare_digest(expected, owner_hash) and log is not None


def trimmed(log: Log, base: int, entry_count: int, byte_count: int) -> Log:
    """Return the log after entries at or before `base` were deleted: so many of them outside of branches."""
    return _with(msgspec.structs.replace(log, base=max(log.base, base)), -entry_count, -byte_count)


def relieved(branch: Branch, entry_count: int, byte_count: int) -> Branch:
    """Return the branch after so many of its entries and bytes were deleted."""
    return _with(branch, -entry_count, -byte_count)
