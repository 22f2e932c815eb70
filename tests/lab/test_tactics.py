"""Tactics on synthetic packets: what they block, and beside it what they don't."""

import pytest

from lab.places import CLEAN, SUSPICIOUS
from lab.tactics import TACTICS
from lab.tactics.base import DROP, PASS, Inject, Verdict
from lab.tactics.curtains import CURTAIN_PACKETS
from tests.lab.wire import Connection, hello_bytes


def test_an_address_is_blocked_and_its_neighbour_is_not() -> None:
    tactic = TACTICS["ip"]()
    assert Connection(tactic, SUSPICIOUS.at(10)).open() is DROP
    assert Connection(tactic, SUSPICIOUS.at(11)).open() is PASS


def test_a_name_is_reset_once_it_is_put_together_in_any_order() -> None:
    hello = hello_bytes("blocked.suspicious.example")
    pieces = [(at, hello[at : at + 100]) for at in range(0, len(hello), 100)]
    for order in (pieces, pieces[::-1], pieces[1:] + pieces[:1]):
        connection = Connection(TACTICS["sni-rst"]())
        connection.open()
        verdicts = [connection.up(piece, at=at) for at, piece in order]
        assert verdicts[:-1] == [PASS] * (len(pieces) - 1)
        assert isinstance(verdicts[-1], Inject)
        assert not verdicts[-1].passes
        assert isinstance(connection.down(b"hello"), Inject)


def test_another_name_passes() -> None:
    connection = Connection(TACTICS["sni-rst"]())
    connection.open()
    assert connection.up(hello_bytes("decoy.suspicious.example")) is PASS
    assert connection.down(b"x") is PASS


@pytest.mark.parametrize("udp", [True, False])
def test_the_curtain_falls_after_so_many_packets_of_both_directions(*, udp: bool) -> None:
    connection = Connection(TACTICS["curtain"]())

    def send(*, up: bool) -> Verdict:
        if udp:
            return connection.datagram(b"x", up=up)
        return connection.up(b"x") if up else connection.down(b"x")

    verdicts = [send(up=number % 3 == 0) for number in range(40)]
    assert verdicts == [PASS] * CURTAIN_PACKETS + [DROP] * (40 - CURTAIN_PACKETS)
    elsewhere = Connection(TACTICS["curtain"](), CLEAN.at(10))
    assert [elsewhere.up(b"x") for _ in range(40)] == [PASS] * 40


def test_a_throttle_lets_its_rate_through_in_each_direction() -> None:
    connection = Connection(TACTICS["throttle"]())
    passed = 0
    for number in range(2_000):  # ten seconds at 2.3 Mbit/s
        connection.now = number / 200
        passed += 1500 * (connection.down(bytes(1460)) is PASS)
    assert 0.9 * 162_500 <= passed <= 162_500 + 6_000
    assert connection.up(bytes(1460)) is PASS
