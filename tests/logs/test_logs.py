"""The rules of a log by themselves: contests, rates, retention, and logs against a tiny model."""

import hashlib
from unittest.mock import patch

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from skvoz.logs import (
    CONTEST_BITS,
    INBOX,
    ROOM,
    Added,
    Branch,
    Log,
    OpenRequest,
    Quotas,
    Rate,
    Rates,
    Refusal,
    Rekeyed,
    RekeyRequest,
    Segment,
    append,
    attach_head,
    contest,
    contest_proof_fits,
    entry_expiry,
    find_contest_proof,
    hour_after,
    is_owner,
    open_log,
    rekey,
    renewed,
    trimmed,
)

NOW = 1_800_000_000_000
LOG_ID = bytes(16)
DAY = 24 * 3600


def opened(kind: int = ROOM, retention_s: int | None = None) -> tuple[Log, Segment]:
    made = open_log(request(kind, retention_s), None, None, NOW)
    assert isinstance(made, tuple)
    return made


def request(kind: int = ROOM, retention_s: int | None = None) -> OpenRequest:
    return OpenRequest(
        log_id=LOG_ID,
        kind=kind,
        key_hash=b"k" * 32,
        owner_hash=b"o" * 32,
        door_hash=b"d" * 32,
        retention_s=retention_s,
    )


def closer(number: int, *, carry: bool = False, proof: bytes | None = None) -> RekeyRequest:
    return RekeyRequest(
        size=10,
        next_hash=hashlib.sha256(b"%d" % number).digest(),
        carry=carry,
        contest_proof=proof,
        door_hash=None,
        answered=False,
    )


def close(log: Log, segment: Segment, wanted: RekeyRequest) -> Refusal | Rekeyed:
    branch = Branch(number=segment.branch) if segment.branch else None
    return rekey(log, segment, branch, wanted, Quotas(), next_hash_known=False, now_ms=NOW)


def test_a_proof_fits_its_closer_only() -> None:
    proof = find_contest_proof(LOG_ID, b"k" * 32, b"n" * 32)
    assert contest_proof_fits(LOG_ID, b"k" * 32, b"n" * 32, proof)
    digest = hashlib.sha256(LOG_ID + b"k" * 32 + b"n" * 32 + proof).digest()
    assert int.from_bytes(digest) >> (256 - CONTEST_BITS) == 0
    assert not contest_proof_fits(b"x" * 16, b"k" * 32, b"n" * 32, proof)
    assert not contest_proof_fits(LOG_ID, b"x" * 32, b"n" * 32, proof)
    assert not contest_proof_fits(LOG_ID, b"k" * 32, b"x" * 32, proof)
    assert not contest_proof_fits(LOG_ID, b"k" * 32, b"n" * 32, proof[:7])
    assert not contest_proof_fits(LOG_ID, b"k" * 32, b"n" * 32, proof + b"\x00")


def test_rates_let_a_burst_pass_and_then_the_average() -> None:
    rates, rate = Rates(), Rate.of(10.0, 3)
    assert [rates.wait_ms("a", rate, NOW) for _ in range(4)] == [0, 0, 0, 100]
    assert rates.wait_ms("b", rate, NOW) == 0
    assert rates.wait_ms("a", rate, NOW + 99) == 1
    assert rates.wait_ms("a", rate, NOW + 100) == 0
    assert rates.wait_ms("a", rate, NOW + 100) == 100
    assert [rates.wait_ms("a", rate, NOW + 10_000) for _ in range(4)] == [0, 0, 0, 100]


def test_a_clock_that_jumps_back_delays_no_longer_than_a_burst() -> None:
    rates, rate = Rates(), Rate.of(10.0, 3)
    rates.wait_ms("a", rate, NOW + 1_000_000)
    wait_ms = rates.wait_ms("a", rate, NOW)
    assert 0 < wait_ms <= 400
    assert rates.wait_ms("a", rate, NOW + wait_ms) == 0


def test_idle_rates_are_forgotten() -> None:
    rates, rate = Rates(), Rate.of(1000.0, 1)
    for number in range(10_000):
        rates.wait_ms(number, rate, NOW + number)
    assert len(rates) < 5_000


def test_expiry_is_the_shorter_wish_in_whole_hours() -> None:
    quotas = Quotas(retention_s=30 * DAY)
    assert hour_after(0, 1) == 1
    assert hour_after(0, 3600) == 1
    assert hour_after(1, 3600) == 2
    own, _ = opened(retention_s=DAY)
    long, _ = opened(retention_s=90 * DAY)
    none, _ = opened()
    assert entry_expiry(own, quotas, NOW) == hour_after(NOW, DAY)
    assert entry_expiry(long, quotas, NOW) == hour_after(NOW, 30 * DAY)
    assert entry_expiry(none, quotas, NOW) == hour_after(NOW, 30 * DAY)


def test_a_log_is_renewed_now_and_then() -> None:
    log, _ = opened()
    assert renewed(log, NOW + 29 * DAY * 1000) is log
    assert renewed(log, NOW + 31 * DAY * 1000).expires_hour > log.expires_hour


def test_an_identical_open_is_known_again() -> None:
    log, root = opened()
    assert open_log(request(), log, root, NOW) is None


@pytest.mark.parametrize("case", ["root", "kind", "retention", "owner", "segment"])
def test_another_open_is_denied(case: str) -> None:
    log, root = opened()
    wanted = request(kind=INBOX if case == "kind" else ROOM, retention_s=5 if case == "retention" else None)
    found: Segment | None = root
    if case == "root":
        found = None
    if case == "owner":
        log = open_log_with_owner(b"x" * 32)
    if case == "segment":
        done = close(log, root, closer(1))
        assert isinstance(done, Rekeyed)
        found = done.opened
    assert open_log(wanted, log, found, NOW) == Refusal("denied")


def open_log_with_owner(owner_hash: bytes) -> Log:
    made = open_log(
        OpenRequest(
            log_id=LOG_ID,
            kind=ROOM,
            key_hash=b"k" * 32,
            owner_hash=owner_hash,
            door_hash=None,
            retention_s=None,
        ),
        None,
        None,
        NOW,
    )
    assert isinstance(made, tuple)
    return made[0]


def test_an_inbox_has_no_door_and_no_closers() -> None:
    log, root = opened(INBOX)
    assert root.door_hash is None
    assert close(log, root, closer(1)) == Refusal("denied")


def test_a_closer_closes_and_opens_at_one_position() -> None:
    log, root = opened()
    done = close(log, root, closer(1, carry=True))
    assert isinstance(done, Rekeyed)
    assert (done.log.head, done.closed.closed_at, done.closed.last_closer, done.opened.number) == (1, 1, 1, 1)
    assert (done.closed.carried, done.opened.by_carry, done.opened.parent) == (True, True, 0)
    assert done.opened.door_hash == root.door_hash
    assert append(done.log, done.closed, None, 1, Quotas()) == Refusal("superseded")
    assert isinstance(append(done.log, done.opened, None, 1, Quotas()), Added)
    assert (log.head, root.closed_at) == (0, 0)


def test_the_owner_is_known_by_its_hash() -> None:
    log, _ = opened()
    assert is_owner(log, b"o" * 32)
    assert not is_owner(log, b"x" * 32)
    assert not is_owner(None, bytes(32))


def test_trimming_never_moves_the_base_back() -> None:
    log, _ = opened()
    trimmed_once = trimmed(log, 5, 0, 0)
    assert trimmed(trimmed_once, 3, 9, 9).base == 5
    assert trimmed(trimmed_once, 6, 9, 9).entry_count == 0


def test_states_tell_nothing_in_text() -> None:
    log, root = opened()
    assert repr(log) == "<Log>"
    assert repr(root) == "<Segment>"


class LogModel(RuleBasedStateMachine):
    """A log of many segments against lists: what is accepted, and what each key would read."""

    def __init__(self) -> None:
        super().__init__()
        self.cheap_proofs = patch.object(contest, "CONTEST_BITS", 4)
        self.cheap_proofs.start()
        self.log, root = opened()
        self.segments: dict[int, Segment] = {0: root}
        self.rows: list[tuple[int, int, str]] = []
        self.carry_of: dict[int, bool] = {}
        self.branches: dict[int, Branch] = {}
        self.number = 0

    def teardown(self) -> None:
        self.cheap_proofs.stop()

    def known(self, choice: int) -> Segment:
        numbers = sorted(self.segments)
        return self.segments[numbers[choice % len(numbers)]]

    def is_closed(self, number: int) -> bool:
        return any(segment == number and kind == "closer" for _, segment, kind in self.rows)

    @rule(choice=st.integers(0, 20), size=st.integers(0, 100))
    def append_one(self, choice: int, size: int) -> None:
        segment = self.known(choice)
        branch = self.branches.get(segment.branch)
        decided = append(self.log, segment, branch, size, Quotas())
        if self.is_closed(segment.number):
            assert decided == Refusal("superseded")
            return
        assert isinstance(decided, Added)
        self.log = decided.log
        self.charge(decided.branch)
        self.rows.append((decided.log.head, segment.number, "entry"))

    @rule(choice=st.integers(0, 20), carry=st.booleans())
    def close_one(self, choice: int, *, carry: bool) -> None:
        segment = self.known(choice)
        self.number += 1
        decided = self.close(segment, closer(self.number, carry=carry))
        if self.is_closed(segment.number):
            assert decided == Refusal("superseded")
            return
        assert isinstance(decided, Rekeyed)
        self.take(decided, segment, carry=carry)

    @precondition(lambda self: any(self.is_closed(one) for one in self.segments))
    @rule(choice=st.integers(0, 20), carry=st.booleans())
    def contest_one(self, choice: int, *, carry: bool) -> None:
        closed = sorted(number for number in self.segments if self.is_closed(number))
        segment = self.segments[closed[choice % len(closed)]]
        self.number += 1
        wanted = closer(self.number, carry=carry)
        proof = find_contest_proof(LOG_ID, segment.key_hash, wanted.next_hash)
        decided = self.close(segment, closer(self.number, carry=carry, proof=proof))
        assert isinstance(decided, Rekeyed)
        self.take(decided, segment, carry=carry)

    def close(self, segment: Segment, wanted: RekeyRequest) -> Refusal | Rekeyed:
        branch = self.branches.get(segment.branch)
        return rekey(self.log, segment, branch, wanted, Quotas(), next_hash_known=False, now_ms=NOW)

    def charge(self, branch: Branch | None) -> None:
        if branch is not None:
            self.branches[branch.number] = branch

    def take(self, done: Rekeyed, segment: Segment, *, carry: bool) -> None:
        self.log = done.log
        self.charge(done.branch)
        if segment.closed_at:
            assert done.opened.branch == done.opened.number
        else:
            assert done.opened.branch == segment.branch
        self.segments[segment.number] = done.closed
        self.segments[done.opened.number] = done.opened
        self.carry_of[done.opened.number] = carry
        self.rows.append((done.log.head, segment.number, "closer"))

    @invariant()
    def positions_are_consecutive(self) -> None:
        assert [position for position, _, _ in self.rows] == list(range(1, self.log.head + 1))

    @invariant()
    def each_entry_is_charged_once(self) -> None:
        held = {0: self.log, **self.branches}
        for number, one in held.items():
            in_it = [
                kind
                for position, segment, kind in self.rows
                if (self.segments[position if kind == "closer" else segment].branch == number)
            ]
            assert one.entry_count == len(in_it)

    @invariant()
    def states_agree_with_the_rows(self) -> None:
        for number, segment in self.segments.items():
            closers = [position for position, one, kind in self.rows if one == number and kind == "closer"]
            assert segment.closed_at == (closers[0] if closers else 0)
            assert segment.last_closer == (closers[-1] if closers else 0)
            assert segment.carried == any(self.carry_of[position] for position in closers)

    @invariant()
    def the_head_of_an_attach_covers_all_that_may_be_read(self) -> None:
        for number, segment in self.segments.items():
            visible = {number}
            last = 0
            for position, one, kind in self.rows:
                if one in visible:
                    last = position
                    if kind == "closer" and self.carry_of[position]:
                        visible.add(position)
            assert attach_head(self.log, segment) >= last


LogModel.TestCase.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
TestLogModel = LogModel.TestCase
