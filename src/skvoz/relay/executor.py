"""Runs requests against a store's write transaction by the rules of `skvoz.logs`."""

from collections.abc import Iterable
from typing import Final, Literal, assert_never

import msgspec

from skvoz.base.value import Value
from skvoz.crypto import sha256
from skvoz.logs import (
    CLOSER_RETENTION_S,
    INBOX,
    KNOCK_RETENTION_S,
    Branch,
    Log,
    OpenRequest,
    Quotas,
    Rate,
    Rates,
    Refusal,
    RekeyRequest,
    Segment,
    append,
    attach_head,
    entry_expiry,
    hour_after,
    is_owner,
    open_log,
    rekey,
    renewed,
)
from skvoz.relay.blobs import Blobs
from skvoz.relay.carry import SEGMENTS_MAX, SEGMENTS_NEAR, carried_on, visible
from skvoz.relay.deletion import let_go
from skvoz.relay.pool import Pools
from skvoz.relay.ports import LogTransaction
from skvoz.relay.seam import Appended, Dropped, Granted, Job, Knocked, LogRequest, Outcome, Progress
from skvoz.relay.turns import Lane, Turns
from skvoz.wire.frames import (
    Append,
    Attach,
    Attached,
    Code,
    Discard,
    Drop,
    Entry,
    Flag,
    Knock,
    KnockItem,
    No,
    Ok,
    Open,
    Put,
    Rekey,
    Reserve,
    Stored,
    Take,
    Trim,
)

_NEAR_POSITIONS: Final = 2_048
"""A repeat that looks back further than this may cost the store a long search, so it is rated."""


class Admission(Value, frozen=True, kw_only=True):
    """Who may create logs: `ticket_hashes` are SHA-256 of the accepted tickets; None lets everybody."""

    ticket_hashes: frozenset[bytes] | None = None


class _Batch(Value, frozen=True):
    """What the requests of one transaction share."""

    transaction: LogTransaction
    now_ms: int
    disk_full: bool


class Executor:
    """Decides requests; one object a store, used by its writer only. Rates live here, in memory."""

    def __init__(self, *, quotas: Quotas, admission: Admission) -> None:
        self._quotas = quotas
        self._admission = admission
        self._rates = Rates()
        self._turns = Turns()
        self._pools = Pools(quotas, self._rates)
        self._blobs = Blobs(quotas, self._rates)
        self._append_rate = Rate.of(quotas.appends_per_s, quotas.append_burst)
        self._contest_rate = Rate.of(quotas.contests_per_s, quotas.contest_burst)
        self._knock_rate = Rate.of(quotas.knocks_per_s, quotas.knock_burst)
        self._lookup_rate = Rate.of(quotas.lookups_per_s, quotas.lookup_burst)
        self._open_rate = Rate.of(quotas.opens_per_s, quotas.open_burst)
        self._session_open_rate = Rate.of(quotas.session_opens_per_s, quotas.session_open_burst)

    def execute(
        self, transaction: LogTransaction, jobs: Iterable[Job], now_ms: int, *, disk_full: bool = False
    ) -> list[Outcome]:
        """Run jobs in order inside one transaction; commit before the outcomes go anywhere.

        `disk_full`: the high-water mark is passed, so everything that stores answers `full`.
        """
        batch = _Batch(transaction, now_ms, disk_full)
        return [self._decide(batch, job.session, job.request) for job in jobs]

    def refuse(
        self, jobs: Iterable[Job], code: Literal["slow", "full"], now_ms: int, *, retry_after_ms: int
    ) -> list[Outcome]:
        """Answer jobs whose transaction could not be committed, such as `full` by a full disk."""
        outcomes: list[Outcome] = []
        for job in jobs:
            request = job.request
            if isinstance(request, Append):
                self._turns.refused(_lane(job.session, request), request.entry, retry_after_ms, now_ms)
            outcomes.append(_no(job.session, request, code, retry_after_ms))
        return outcomes

    def _decide(self, batch: _Batch, session: int, request: LogRequest) -> Outcome:
        match request:
            case Append():
                return self._append(batch, session, request)
            case Rekey():
                return self._rekey(batch, session, request)
            case Attach():
                return self._attach(batch, session, request)
            case Open():
                return self._open(batch, session, request)
            case Knock():
                return self._knock(batch, session, request)
            case Trim():
                return _trim(batch, session, request)
            case Drop():
                return _drop(batch, session, request)
            case Put():
                answer = self._pools.put(batch.transaction, request, disk_full=batch.disk_full)
                return Outcome(session, answer, None)
            case Take():
                return Outcome(session, self._pools.take(batch.transaction, request, batch.now_ms), None)
            case Reserve() | Discard() | Progress():
                answer = self._blobs.decide(
                    batch.transaction, request, batch.now_ms, disk_full=batch.disk_full
                )
                return Outcome(session, answer, None)
            case _:
                assert_never(request)

    def _append(self, batch: _Batch, session: int, request: Append) -> Outcome:
        lane = _lane(session, request)
        waiting_ms = self._turns.wait_ms(lane, request.entry, batch.now_ms)
        outcome = self._append_in_turn(batch, session, request, waiting_ms)
        answer = outcome.answer
        if isinstance(answer, No) and answer.code in {"slow", "full"}:
            self._turns.refused(lane, request.entry, answer.retry_after_ms, batch.now_ms)
        else:
            self._turns.settled(lane, request.entry)
        return outcome

    def _append_in_turn(self, batch: _Batch, session: int, request: Append, waiting_ms: int) -> Outcome:
        transaction, now_ms = batch.transaction, batch.now_ms
        log_id = request.log
        segment = transaction.segment(log_id, sha256(request.key))
        log = transaction.log(log_id)
        if segment is None or log is None:
            return _no(session, request, "denied")
        wait_ms = self._lookup_wait_ms(session, log, request.since, now_ms)
        if wait_ms:
            return _no(session, request, "slow", wait_ms)
        position = transaction.find_repeat(log_id, request.entry, request.body, None, request.since)
        if position is not None:
            return Outcome(session, Stored(request.request, log_id, request.entry, position), None)
        if batch.disk_full:
            return _no(session, request, "full")
        branch = _branch(transaction, log_id, segment)
        changed = append(log, segment, branch, len(request.body), self._quotas)
        if isinstance(changed, Refusal):
            return _no(session, request, changed.code)
        wait_ms = waiting_ms or self._append_wait_ms(log_id, segment, now_ms)
        if wait_ms:
            return _no(session, request, "slow", wait_ms)
        entry = Entry(changed.log.head, request.entry, segment.number, 0, request.body, None)
        transaction.add_entry(log_id, entry, entry_expiry(log, self._quotas, now_ms), segment.branch)
        if changed.branch is not None:
            transaction.save_branch(log_id, changed.branch)
        transaction.save_log(renewed(changed.log, now_ms))
        answer = Stored(request.request, log_id, request.entry, changed.log.head)
        return Outcome(session, answer, Appended(log_id, entry))

    def _rekey(self, batch: _Batch, session: int, request: Rekey) -> Outcome:
        transaction, now_ms = batch.transaction, batch.now_ms
        log_id = request.log
        segment = transaction.segment(log_id, sha256(request.key))
        log = transaction.log(log_id)
        if segment is None or log is None:
            return _no(session, request, "denied")
        known = transaction.segment(log_id, request.next_hash)
        since = request.since
        if known is not None and known.number:
            # Members put closers back into a store that was restored, so this one may stand before `since`.
            since = min(since, known.number - 1)
        wait_ms = self._lookup_wait_ms(session, log, since, now_ms)
        if wait_ms:
            return _no(session, request, "slow", wait_ms)
        position = transaction.find_repeat(log_id, request.entry, request.body, request.next_hash, since)
        if position is not None:
            return Outcome(session, Stored(request.request, log_id, request.entry, position), None)
        if batch.disk_full:
            return _no(session, request, "full")
        decision = rekey(
            log,
            segment,
            _branch(transaction, log_id, segment),
            RekeyRequest(
                size=len(request.body),
                next_hash=request.next_hash,
                carry=request.carry,
                contest_proof=request.contest_proof,
                door_hash=request.door_hash,
                answered=bool(request.answered),
            ),
            self._quotas,
            next_hash_known=known is not None,
            now_ms=now_ms,
        )
        if isinstance(decision, Refusal):
            return _no(session, request, decision.code)
        if segment.closed_at:
            wait_ms = self._rates.wait_ms((log_id, segment.number), self._contest_rate, now_ms)
        else:
            wait_ms = self._append_wait_ms(log_id, segment, now_ms)
        if wait_ms:
            return _no(session, request, "slow", wait_ms)
        flags = Flag.CLOSER | Flag.CARRY if request.carry else Flag.CLOSER
        head = decision.log.head
        entry = Entry(head, request.entry, segment.number, int(flags), request.body, request.next_hash)
        transaction.add_entry(log_id, entry, hour_after(now_ms, CLOSER_RETENTION_S), decision.opened.branch)
        if decision.branch is not None:
            transaction.save_branch(log_id, decision.branch)
        transaction.save_segment(log_id, decision.closed)
        transaction.save_segment(log_id, decision.opened)
        transaction.save_log(renewed(decision.log, now_ms))
        if request.answered and segment.door_hash is not None:
            transaction.remove_knocks(log_id, segment.door_hash, request.answered)
        return Outcome(session, Stored(request.request, log_id, request.entry, head), Appended(log_id, entry))

    def _attach(self, batch: _Batch, session: int, request: Attach) -> Outcome:
        transaction = batch.transaction
        log_id = request.log
        key_hash = sha256(request.key)
        segment = transaction.segment(log_id, key_hash)
        log = transaction.log(log_id)
        owner = is_owner(log, key_hash)
        if log is None or (log.kind == INBOX and not owner) or (log.kind != INBOX and segment is None):
            return _no(session, request, "denied")
        after = min(request.after, log.head)
        if segment is None or log.kind == INBOX:
            head, segment_open = log.head, True
            segments, closed = {0: b""}, (0,)
        else:
            head, segment_open = attach_head(log, segment), not segment.closed_at
            found, is_whole = carried_on(transaction, log_id, segment, after, SEGMENTS_NEAR)
            if not is_whole:
                wait_ms = self._looking_wait_ms(session, batch.now_ms)
                if wait_ms:
                    return _no(session, request, "slow", wait_ms)
                found, _ = carried_on(transaction, log_id, segment, after, SEGMENTS_MAX)
            segments, closed = visible(found)
        kept = renewed(log, batch.now_ms)
        if kept is not log:
            transaction.save_log(kept)
        return Outcome(
            session,
            Attached(request.request, log_id, segment_open, head),
            Granted(log_id, after, head, segments, closed),
        )

    def _append_wait_ms(self, log_id: bytes, segment: Segment, now_ms: int) -> int:
        return self._rates.wait_ms(("append", log_id, segment.branch), self._append_rate, now_ms)

    def _lookup_wait_ms(self, session: int, log: Log, since: int, now_ms: int) -> int:
        if log.head - since <= _NEAR_POSITIONS:
            return 0
        return self._looking_wait_ms(session, now_ms)

    def _looking_wait_ms(self, session: int, now_ms: int) -> int:
        return self._rates.wait_ms(("lookup", session), self._lookup_rate, now_ms)

    def _open(self, batch: _Batch, session: int, request: Open) -> Outcome:
        transaction, now_ms = batch.transaction, batch.now_ms
        existing = transaction.log(request.log)
        if existing is None:
            hashes = self._admission.ticket_hashes
            if hashes is not None and sha256(request.ticket) not in hashes:
                return _no(session, request, "denied")
            if batch.disk_full:
                return _no(session, request, "full")
            wait_ms = self._rates.wait_ms(("open", session), self._session_open_rate, now_ms)
            wait_ms = wait_ms or self._rates.wait_ms("open", self._open_rate, now_ms)
            if wait_ms:
                return _no(session, request, "slow", wait_ms)
        wanted = OpenRequest(
            log_id=request.log,
            kind=int(request.kind),
            key_hash=request.key_hash,
            owner_hash=request.owner_hash,
            door_hash=request.door_hash,
            retention_s=request.retention_s,
        )
        root = transaction.segment(request.log, request.key_hash)
        decision = open_log(wanted, existing, root, now_ms)
        if isinstance(decision, Refusal):
            return _no(session, request, decision.code)
        if decision is not None:
            log, segment = decision
            transaction.save_log(log)
            transaction.save_segment(request.log, segment)
        return Outcome(session, Ok(request.request, None), None)

    def _knock(self, batch: _Batch, session: int, request: Knock) -> Outcome:
        transaction, now_ms = batch.transaction, batch.now_ms
        door_hash = sha256(request.door_key)
        known = transaction.has_door(request.log, door_hash)
        log = transaction.log(request.log)
        if not known or log is None:
            return _no(session, request, "denied")
        waiting = transaction.door_knocks(request.log, door_hash)
        if any(knock.body == request.body for knock in waiting):
            return Outcome(session, Ok(request.request, None), None)
        many = len(waiting) >= self._quotas.knocks_per_door_max
        if batch.disk_full or many or transaction.knock_count(request.log) >= self._quotas.knocks_per_log_max:
            return _no(session, request, "full")
        wait_ms = self._rates.wait_ms(("knock", request.log), self._knock_rate, now_ms)
        if wait_ms:
            return _no(session, request, "slow", wait_ms)
        changed = _numbered(log)
        knock = KnockItem(changed.knock_head, request.body)
        transaction.add_knock(request.log, door_hash, knock, hour_after(now_ms, KNOCK_RETENTION_S))
        transaction.save_log(changed)
        return Outcome(session, Ok(request.request, None), Knocked(request.log))


def _branch(transaction: LogTransaction, log_id: bytes, segment: Segment) -> Branch | None:
    return transaction.branch(log_id, segment.branch) if segment.branch else None


def _lane(session: int, request: Append) -> Lane:
    return session, request.log, sha256(request.key)


def _no(session: int, request: LogRequest, code: Code, retry_after_ms: int = 0) -> Outcome:
    return Outcome(session, No(request.request, code, retry_after_ms), None)


def _numbered(log: Log) -> Log:
    return msgspec.structs.replace(log, knock_head=log.knock_head + 1)


def _trim(batch: _Batch, session: int, request: Trim) -> Outcome:
    transaction = batch.transaction
    log = transaction.log(request.log)
    if not is_owner(log, sha256(request.owner_key)) or log is None:
        return _no(session, request, "denied")
    base = min(request.before - 1, log.head)
    if base > log.base:
        let_go(transaction, log, base, transaction.trim_entries(request.log, base + 1))
    return Outcome(session, Ok(request.request, None), None)


def _drop(batch: _Batch, session: int, request: Drop) -> Outcome:
    transaction = batch.transaction
    log = transaction.log(request.log)
    if not is_owner(log, sha256(request.owner_key)):
        return _no(session, request, "denied")
    transaction.delete_log(request.log)
    return Outcome(session, Ok(request.request, None), Dropped(request.log))
