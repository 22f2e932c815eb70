"""Which way to a relay is tried when: on a clock of the test's own."""

from msgspec.structs import replace

from skvoz.node import relays
from skvoz.node.dialer import network_name
from skvoz.node.ways import (
    BLOCKED_FIRST_S,
    BLOCKED_MOST_S,
    LIVED_S,
    PING_LEAST_S,
    PING_MOST_S,
    Kind,
    Way,
    Ways,
    reach,
)
from skvoz.transports.https import lane
from skvoz.transports.wss import websocket

WSS = Way(kind=Kind.WSS, address="wss://a.example/x")
HTTPS = Way(kind=Kind.HTTPS, address="https://a.example/x")
OTHER = Way(kind=Kind.WSS, address="wss://b.example/x")
ALL = (WSS, HTTPS, OTHER)


def test_a_websockets_address_implies_requests_and_a_request_nothing() -> None:
    def shown(*addresses: str) -> list[tuple[Kind, str]]:
        return [(way.kind, way.shown) for way in reach(addresses)]

    assert reach((WSS.address,)) == (WSS, HTTPS)
    assert reach((HTTPS.address,)) == (HTTPS,)
    assert reach((WSS.address, HTTPS.address)) == (WSS, HTTPS)
    assert shown("ws://127.0.0.1:1/") == [(Kind.WSS, "ws://127.0.0.1:1/")]
    assert shown("http://127.0.0.1:1/") == [(Kind.HTTPS, "http://127.0.0.1:1/")]
    more = Way(kind=Kind.HTTPS, address="https://b.example/x")
    assert reach((WSS.address, OTHER.address)) == (WSS, OTHER, HTTPS, more)


def test_addresses_of_a_kind_that_is_unknown_are_left_out() -> None:
    assert reach(("pigeon://a.example/", "", WSS.address)) == (WSS, HTTPS)
    assert reach(("pigeon://a.example/",)) == ()


def test_a_way_through_something_is_another_one_and_shows_it() -> None:
    through = replace(WSS, through="socks5://127.0.0.1:9050")
    assert through != WSS
    assert through.shown == "wss://a.example/x (socks5://127.0.0.1:9050)"
    assert "example" not in repr(through)
    assert "9050" not in repr(through)


def test_what_costs_less_comes_first_and_what_failed_last() -> None:
    ways = Ways()
    assert ways.order(ALL, 0) == [WSS, OTHER, HTTPS]
    ways.failed(WSS, 0)
    assert ways.order(ALL, 1) == [OTHER, HTTPS, WSS]
    ways.failed(OTHER, 1)
    assert ways.order(ALL, 2) == [HTTPS, WSS, OTHER]


def test_where_all_fail_they_take_turns() -> None:
    ways, now, tried = Ways(), 0.0, list[Way]()
    for _ in range(9):
        way = ways.order(ALL, now)[0]
        tried.append(way)
        ways.failed(way, now)
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


def test_who_talks_hears_of_a_freeze_within_half_a_minute_and_who_left_costs_little() -> None:
    """Counted by the node's own pauses; a dead way beside it adds what a handshake may take."""
    noticed = PING_LEAST_S + relays.FROZEN_AFTER_S + relays._LOOK_S + relays._RETRY_FIRST_S
    assert noticed < 25
    assert WSS.ping_after_s(0) == WSS.ping_after_s(100) == PING_LEAST_S
    # Two-stage: the address is blocked as well, so that what it implies is tried in vain.
    assert noticed + websocket._OPEN_TIMEOUT_S + lane.ANSWER_S < 50
    now, heard, pings = 0.0, 0.0, list[float]()
    while now < 24 * 3600:
        now += 1
        if now - heard > WSS.ping_after_s(now):
            heard = now
            pings.append(now)
    assert len([at for at in pings if at < 600]) < 35
    assert len(pings) < 350
    assert HTTPS.ping_after_s(0) == HTTPS.ping_after_s(1e6) == PING_MOST_S


def test_a_network_has_a_name_without_sending_anything() -> None:
    assert network_name() == network_name()
    assert len(network_name()) == 2


def test_another_way_is_there_to_be_tried_unless_it_rests() -> None:
    ways = Ways()
    assert ways.has_other(WSS, (WSS, OTHER), 0)
    assert not ways.has_other(WSS, (WSS,), 0)
    ways.failed(OTHER, 0)
    assert not ways.has_other(WSS, (WSS, OTHER), BLOCKED_FIRST_S - 1)
    assert ways.has_other(WSS, (WSS, OTHER), BLOCKED_FIRST_S)
