"""Which way to a relay is tried when: on a clock of the test's own."""

from skvoz.node.dialer import network_name
from skvoz.node.ways import BLOCKED_FIRST_S, BLOCKED_MOST_S, LIVED_S, Ways, reach

WSS, HTTPS, OTHER = "wss://a.example/x", "https://a.example/x", "wss://b.example/x"
ALL = (WSS, HTTPS, OTHER)


def test_a_websockets_address_implies_requests_and_a_request_nothing() -> None:
    assert reach((WSS,)) == (WSS, HTTPS)
    assert reach((HTTPS,)) == (HTTPS,)
    assert reach((WSS, HTTPS)) == (WSS, HTTPS)
    assert reach(("ws://127.0.0.1:1/",)) == ("ws://127.0.0.1:1/",)
    assert reach((WSS, OTHER)) == (WSS, OTHER, HTTPS, "https://b.example/x")


def test_what_costs_less_comes_first_and_what_failed_last() -> None:
    ways = Ways()
    assert ways.order(ALL, 0) == [WSS, OTHER, HTTPS]
    ways.failed(WSS, 0)
    assert ways.order(ALL, 1) == [OTHER, HTTPS, WSS]
    ways.failed(OTHER, 1)
    assert ways.order(ALL, 2) == [HTTPS, WSS, OTHER]


def test_where_all_fail_they_take_turns() -> None:
    ways, now, tried = Ways(), 0.0, list[str]()
    for _ in range(9):
        address = ways.order(ALL, now)[0]
        tried.append(address)
        ways.failed(address, now)
        now += 1
    assert tried == [WSS, OTHER, HTTPS] * 3


def test_a_better_way_is_tried_again_ever_more_rarely() -> None:
    ways, now, pauses = Ways(), 0.0, list[float]()
    for _ in range(6):
        ways.failed(WSS, now)
        ways.worked(HTTPS, now)
        started = now
        while not ways.has_better(HTTPS, (WSS, HTTPS), now):
            now += 10
        pauses.append(now - started)
        ways.worked(WSS, now)  # it comes up, as behind a curtain, and freezes again
        now += 20
    assert pauses[:4] == [BLOCKED_FIRST_S, 120, 480, 1_920]
    assert pauses[4:] == [BLOCKED_MOST_S] * 2
    assert not ways.has_better(WSS, (WSS, HTTPS), now)


def test_sessions_that_fail_together_are_one_failure() -> None:
    ways = Ways()
    for _ in range(3):
        ways.failed(WSS, 0)
    assert ways.has_better(HTTPS, (WSS, HTTPS), BLOCKED_FIRST_S)


def test_a_way_that_worked_for_long_is_not_one_that_is_blocked_here() -> None:
    ways = Ways()
    ways.failed(WSS, 0)
    ways.failed(WSS, 100)
    ways.worked(WSS, 1_000)
    ways.failed(WSS, 1_000 + LIVED_S)
    assert ways.has_better(HTTPS, (WSS, HTTPS), 1_000 + LIVED_S + BLOCKED_FIRST_S)


def test_after_a_relay_was_away_its_better_way_is_tried_soon() -> None:
    ways = Ways()
    for now in range(0, 5_000, 10):
        ways.failed(WSS, now)
        ways.failed(HTTPS, now + 5)
    assert not ways.has_better(HTTPS, (WSS, HTTPS), 5_100)
    ways.worked(HTTPS, 5_100)
    assert ways.has_better(HTTPS, (WSS, HTTPS), 5_100 + BLOCKED_FIRST_S)


def test_a_network_has_a_name_without_sending_anything() -> None:
    assert network_name() == network_name()
    assert len(network_name()) == 2
