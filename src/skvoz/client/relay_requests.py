"""What the machine wants of a relay as frames, and a relay's frames as inputs for the machine."""

from typing import Final, TypeAlias, assert_never

from skvoz.base.ids import EntryId, LogId, RelayId
from skvoz.client import effects, inputs
from skvoz.crypto import sha256
from skvoz.logs import find_contest_proof
from skvoz.wire import frames

RETRY_AFTER_MS_MAX: Final = 3_600_000
"""What a relay may ask for; no rate of ours needs more, and a time without bounds fits into no database."""

Wish: TypeAlias = (
    effects.OpenLog
    | effects.Attach
    | effects.Append
    | effects.Rekey
    | effects.Knock
    | effects.Put
    | effects.Take
    | effects.Trim
    | effects.DropLog
)
"""Effects that a relay answers."""


def frame_of(wish: Wish, request: int) -> frames.Up:
    """Put a wish into a frame; a contest does its proof of work here, a quarter of a second."""
    log = bytes(wish.log_id)
    match wish:
        case effects.OpenLog():
            kind = frames.Kind.INBOX if wish.is_inbox else frames.Kind.ROOM
            return frames.Open(
                request,
                log,
                kind,
                wish.key_hash,
                wish.owner_hash,
                wish.door_hash,
                wish.ticket,
                wish.retention_s,
            )
        case effects.Attach():
            return frames.Attach(request, log, wish.key, wish.after)
        case effects.Append():
            return frames.Append(request, log, wish.key, wish.entry_id, wish.body, wish.since)
        case effects.Rekey():
            proof = find_contest_proof(log, sha256(wish.key), wish.next_hash) if wish.contest else None
            return frames.Rekey(
                request,
                log,
                wish.key,
                wish.entry_id,
                wish.body,
                wish.since,
                wish.next_hash,
                wish.carry,
                proof,
                wish.door_hash,
                list(wish.answered_knocks),
            )
        case effects.Knock():
            return frames.Knock(request, log, wish.door_key, wish.body)
        case effects.Put():
            return frames.Put(
                request, log, wish.owner_key, list(wish.packages), wish.last_package, wish.offer
            )
        case effects.Take():
            return frames.Take(request, log, wish.post_key, wish.taker)
        case effects.Trim():
            return frames.Trim(request, log, wish.owner_key, wish.before)
        case effects.DropLog():
            return frames.Drop(request, log, wish.owner_key)
        case _:
            assert_never(wish)


def size_of(wish: Wish) -> int:
    """Return about how many bytes a wish's frame has besides its fixed fields."""
    match wish:
        case effects.Append() | effects.Rekey() | effects.Knock():
            return len(wish.body)
        case effects.Put():
            extra = len(wish.last_package or b"") + len(wish.offer or b"")
            return sum(len(package) for package in wish.packages) + extra
        case effects.OpenLog():
            return len(wish.ticket)
        case effects.Attach() | effects.Take() | effects.Trim() | effects.DropLog():
            return 0
        case _:
            assert_never(wish)


def identity_of(wish: Wish) -> tuple[object, ...]:
    """Return what makes two wishes one, so that a repeat of a waiting wish is not sent twice."""
    match wish:
        case effects.Append():
            return (wish.log_id, wish.entry_id)
        case effects.Rekey():
            return (wish.log_id, wish.entry_id, wish.contest)
        case effects.Take():
            return (wish.log_id, wish.taker)
        case _:
            return (wish,)


def done(relay_id: RelayId, wish: Wish, value: frames.Taken | None) -> inputs.Input | None:
    """Say that a wish was granted; trims and drops go without a word."""
    log_id = wish.log_id
    match wish:
        case effects.OpenLog():
            return inputs.LogOpened(relay_id=relay_id, log_id=log_id)
        case effects.Knock():
            return inputs.Knocked(relay_id=relay_id, log_id=log_id)
        case effects.Put():
            return inputs.PackagesStored(relay_id=relay_id, log_id=log_id)
        case effects.Take():
            if value is None:
                return None
            return inputs.Taken(
                relay_id=relay_id, log_id=log_id, taker=wish.taker, kind=value.kind, body=value.body
            )
        case effects.Attach() | effects.Append() | effects.Rekey() | effects.Trim() | effects.DropLog():
            return None
        case _:
            assert_never(wish)


def refused(relay_id: RelayId, wish: Wish, answer: frames.No) -> inputs.Input:
    """Say that a wish was refused; other wishes than entries and takes are named by their effect's name."""
    log_id = wish.log_id
    code, retry_after_ms = answer.code, min(answer.retry_after_ms, RETRY_AFTER_MS_MAX)
    match wish:
        case effects.Append() | effects.Rekey():
            return inputs.EntryRefused(
                relay_id=relay_id,
                log_id=log_id,
                entry_id=wish.entry_id,
                code=code,
                retry_after_ms=retry_after_ms,
            )
        case effects.Take():
            return inputs.TakeRefused(
                relay_id=relay_id, log_id=log_id, taker=wish.taker, code=code, retry_after_ms=retry_after_ms
            )
        case _:
            return inputs.RequestRefused(
                relay_id=relay_id,
                log_id=log_id,
                request=type(wish).__name__,
                code=code,
                retry_after_ms=retry_after_ms,
                key=wish.key if isinstance(wish, effects.Attach) else b"",
            )


def entries_read(relay_id: RelayId, frame: frames.Entries) -> inputs.EntriesRead:
    """Hand entries on."""
    return inputs.EntriesRead(
        relay_id=relay_id,
        log_id=LogId(frame.log),
        entries=tuple(
            inputs.Entry(
                position=entry.position,
                entry_id=EntryId(entry.entry),
                is_closer=bool(entry.flags & frames.Flag.CLOSER),
                carry=bool(entry.flags & frames.Flag.CARRY),
                body=entry.body,
                next_hash=entry.next_hash,
                segment=entry.segment,
            )
            for entry in frame.entries
        ),
        through=frame.through,
    )
