"""What a connection may have: numbers only."""

from skvoz.transports.https.budget import (
    HANDSHAKE_PACKETS,
    OUTLIVED_PACKETS,
    PACKETS_FIRST,
    PACKETS_LEAST,
    PROBE_PACKETS,
    Allowance,
    Budget,
)

LARGE = 256 * 1024
HELLO, WELCOME = 2_677, 1_672


def test_the_first_request_fills_the_budget_and_stays_within_it() -> None:
    for wanted_up in (0, 500, HELLO, LARGE):
        budget = Budget(Allowance())
        up, down = budget.pieces(wanted_up, LARGE)
        budget.spend(up, down)
        assert budget.used <= PACKETS_FIRST
        assert not budget.is_worth_a_request
    assert Budget(Allowance()).pieces(0, LARGE)[1] > 5_000
    assert Budget(Allowance()).pieces(LARGE, LARGE)[0] > 4_000
    assert Budget(Allowance()).pieces(HELLO, LARGE)[1] > WELCOME


def test_what_freezes_at_once_is_asked_for_less() -> None:
    allowance = Allowance()
    sizes: list[int] = []
    for _ in range(4):
        budget = Budget(allowance)
        sizes.append(budget.pieces(0, LARGE)[1])
        allowance.froze(budget.used, 0.0)
    assert sizes[0] > sizes[1] > sizes[2] == sizes[3] > 1_000
    assert allowance.packets == PACKETS_LEAST
    assert Budget(allowance).is_worth_a_request
    assert allowance.may_probe(0.0)


def test_a_connection_that_froze_beyond_its_budget_is_tried_for_rarely() -> None:
    allowance = Allowance()
    now = 0.0
    for rests_s in (600.0, 1_200.0):
        assert allowance.may_probe(now)
        allowance.froze(HANDSHAKE_PACKETS + 6, now)
        assert allowance.packets == PACKETS_FIRST
        assert not allowance.may_probe(now + rests_s - 1)
        now += rests_s


def test_one_that_lives_beyond_what_freezes_is_used_and_then_all_are() -> None:
    allowance = Allowance()
    budget = Budget(allowance)
    while budget.used < OUTLIVED_PACKETS:
        assert budget.used == HANDSHAKE_PACKETS or not budget.is_worth_a_request
        budget.spend(0, 0)
    assert budget.is_worth_a_request
    assert budget.is_beyond
    assert budget.pieces(LARGE, 16_384) == (16_384, 16_384)
    while budget.used < PROBE_PACKETS:
        assert not allowance.is_known_free
        budget.spend(0, 0)
    assert allowance.is_known_free
    assert Budget(allowance).pieces(LARGE, LARGE) == (LARGE, LARGE)


def test_requests_that_were_called_back_prove_nothing() -> None:
    allowance = Allowance()
    budget = Budget(allowance)
    for _ in range(20):
        budget.call_back()
    assert not budget.is_worth_a_request
    assert not allowance.is_known_free
