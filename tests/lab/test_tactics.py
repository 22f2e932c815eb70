"""Tactics on synthetic packets: what they block, and beside it what they don't."""

import random
import re

import pytest

from lab import dns
from lab.client_hello import read_client_hello
from lab.packets import NotIPv4, Packet
from lab.places import CLEAN, CLIENT, DOMESTIC, FOREIGN_RESOLVER, LISTED, RESOLVER, SUSPICIOUS, number_of
from lab.tactics import BLOCKING, TACTICS, addresses, names, throttles
from lab.tactics.base import DROP, FLOWS_MAX, PASS, Delay, Inject, Tactic, Verdict
from lab.tactics.curtains import CURTAIN_PACKETS
from lab.tactics.datagrams import STUN_COOKIE
from lab.tactics.shapes import looks_fully_encrypted
from tests.lab.wire import Connection, hello_bytes

BLOCKED = "blocked.suspicious.example"
INNOCENT = "decoy.suspicious.example"


def met(tactic: str, name: str, far: str = SUSPICIOUS.at(10)) -> Verdict:
    """Let a fresh tactic meet a hello."""
    connection = Connection(TACTICS[tactic](), far)
    connection.open()
    return connection.up(hello_bytes(name))


def test_every_tactic_says_where_it_is_from_and_has_a_case() -> None:
    for tactic in BLOCKING.values():
        assert re.search(r"#\d|IMC|tspu-docs|USENIX", tactic.__doc__ or ""), tactic
        assert tactic.case.control


def test_an_address_is_blocked_and_its_neighbour_is_not() -> None:
    tactic = TACTICS["ip"]()
    assert Connection(tactic, SUSPICIOUS.at(10)).open() is DROP
    assert Connection(tactic, SUSPICIOUS.at(11)).open() is PASS


def test_what_was_recognised_is_blocked_later_and_nothing_else() -> None:
    tactic = TACTICS["two-stage"](3, 10.0)
    connection = Connection(tactic)
    connection.open()
    assert connection.up(hello_bytes(BLOCKED)) is PASS
    connection.now = 29.9
    assert connection.up(b"x") is PASS
    connection.now = 90.1
    assert connection.up(b"x") is connection.down(b"x") is DROP
    assert Connection(tactic, now=91.0).open() is DROP
    assert Connection(tactic, port=8443, now=91.0).open() is PASS
    innocent = Connection(TACTICS["two-stage"]())
    innocent.up(hello_bytes(INNOCENT))
    innocent.now = 10_000.0
    assert innocent.up(b"x") is PASS


def test_a_poisoned_answer_is_that_to_the_question() -> None:
    for resolver in (RESOLVER, FOREIGN_RESOLVER):
        connection = Connection(TACTICS["dns"](), resolver, 53)
        asked = dns.query("www." + BLOCKED, 0x1234)
        verdict = connection.datagram(asked)
        assert isinstance(verdict, Inject)
        assert not verdict.passes
        forged = Packet(memoryview(verdict.to_client[0]), from_client=False)
        assert bytes(forged.payload[:4]) == b"\x12\x34\x81\x83"
        assert forged.client_port == connection.near_port
        assert dns.read_address(bytes(forged.payload)) is None
        for other in (dns.query(INNOCENT), b"", b"\0" * 12, b"\xff" * 40):
            assert connection.datagram(other) is PASS
        assert connection.up(asked) is PASS  # over TCP


@pytest.mark.parametrize("tactic", ["sni-rst", "sni-drop"])
def test_a_name_is_found_once_it_is_put_together_in_any_order(tactic: str) -> None:
    hello = hello_bytes(BLOCKED)
    pieces = [(at, hello[at : at + 100]) for at in range(0, len(hello), 100)]
    twice = [*pieces[:2], *pieces]
    for order in (pieces, pieces[::-1], pieces[1:] + pieces[:1], twice):
        connection = Connection(TACTICS[tactic]())
        connection.open()
        verdicts = [connection.up(piece, at=at) for at, piece in order]
        assert verdicts[:-1] == [PASS] * (len(order) - 1)
        assert isinstance(verdicts[-1], Inject) is (tactic == "sni-rst")
        assert verdicts[-1] is not PASS
        assert connection.down(b"hello") is not PASS


@pytest.mark.parametrize("tactic", ["sni-rst-packet", "sni-drop-packet"])
def test_without_putting_together_only_a_whole_hello_is_seen(tactic: str) -> None:
    hello = hello_bytes(BLOCKED)
    assert met(tactic, BLOCKED) is not PASS
    connection = Connection(TACTICS[tactic]())
    connection.open()
    assert [connection.up(hello[:60]), connection.up(hello[60:])] == [PASS, PASS]


@pytest.mark.parametrize(
    "tactic", [name for name in BLOCKING if name.startswith("sni-") and "list" not in name]
)
def test_another_name_passes(tactic: str) -> None:
    assert met(tactic, INNOCENT) is PASS
    assert met(tactic, "notblocked.example") is PASS


def test_a_late_drop_lets_five_to_eight_packets_pass() -> None:
    found: set[int] = set()
    for seed in range(40):
        connection = Connection(TACTICS["sni-drop-late"](seed))
        connection.open()
        verdicts = [connection.up(hello_bytes(BLOCKED)), *(connection.down(b"x") for _ in range(12))]
        passed = verdicts.index(DROP)
        assert verdicts == [PASS] * passed + [DROP] * (13 - passed)
        found.add(passed)
    assert found == {5, 6, 7, 8}


def test_a_late_data_packet_before_the_first_breaks_nothing() -> None:
    connection = Connection(TACTICS["sni-drop"]())
    connection.open()
    assert connection.up(b"far ahead", at=1 << 20) is PASS
    assert connection.up(b"behind", at=-5) is PASS
    assert connection.up(hello_bytes(BLOCKED)) is DROP


def test_a_fingerprint_is_dropped_by_its_hash_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert met("ja4", BLOCKED) is PASS
    monkeypatch.setattr(names, "STALE_CHROME", read_client_hello(hello_bytes(BLOCKED)).ja4)
    assert met("ja4", INNOCENT) is DROP


def test_an_encrypted_hello_needs_name_and_extension(monkeypatch: pytest.MonkeyPatch) -> None:
    assert met("ech", names.ECH_NAME) is PASS  # Python sends no such extension
    monkeypatch.setattr(names, "ENCRYPTED_CLIENT_HELLO", 0x002B)  # one that it does send
    assert met("ech", names.ECH_NAME) is DROP
    assert met("ech", INNOCENT) is PASS


@pytest.mark.parametrize("udp", [True, False])
@pytest.mark.parametrize("tactic", ["curtain", "curtain-count"])
def test_the_curtain_falls_after_so_many_packets_of_both_directions(tactic: str, *, udp: bool) -> None:
    def send(connection: Connection, *, up: bool) -> Verdict:
        if udp:
            return connection.datagram(b"x", up=up)
        return connection.up(b"x") if up else connection.down(b"x")

    connection = Connection(TACTICS[tactic]())
    verdicts = [send(connection, up=number % 3 == 0) for number in range(40)]
    assert verdicts == [PASS] * CURTAIN_PACKETS + [DROP] * (40 - CURTAIN_PACKETS)
    elsewhere = Connection(TACTICS[tactic](), CLEAN.at(10))
    assert [elsewhere.up(b"x") for _ in range(40)] == [PASS] * 40


def test_flows_are_counted_apart_and_anew_when_they_begin_anew() -> None:
    tactic = TACTICS["curtain"]()
    first, second = Connection(tactic), Connection(tactic)
    for _ in range(CURTAIN_PACKETS + 1):
        first.up(b"x")
    assert first.up(b"x") is DROP
    assert second.up(b"x") is PASS
    assert first.open() is PASS
    assert first.up(b"x") is PASS


def test_old_flows_are_forgotten_and_memory_is_bounded() -> None:
    tactic = TACTICS["curtain"]()
    for number in range(FLOWS_MAX + 50):
        Connection(tactic, near_port=1 + number % 60_000, port=1 + number // 60_000).up(b"x")
    assert len(vars(tactic)["_flows"]) == FLOWS_MAX


def handshakes(
    tactic: Tactic, times: list[float], name: str = INNOCENT, far: str = SUSPICIOUS.at(10)
) -> list[bool]:
    """Begin handshakes at those times and tell which pass."""
    passed: list[bool] = []
    for now in times:
        connection = Connection(tactic, far, now=now)
        connection.open()
        passed.append(connection.up(hello_bytes(name)) is PASS)
    return passed


@pytest.mark.parametrize("tactic", ["count", "curtain-count"])
def test_the_fourth_handshake_in_a_row_is_dropped_and_those_after_it(
    tactic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ciphers = read_client_hello(hello_bytes(INNOCENT)).ja4.split("_")[1]
    assert all(handshakes(TACTICS[tactic](), [0.1 * n for n in range(9)]))  # not a browser's
    monkeypatch.setattr("lab.tactics.curtains.BROWSERS_CIPHERS", ciphers)
    assert handshakes(TACTICS[tactic](), [0, 0.3, 0.6, 0.9, 5, 59, 61]) == [True] * 3 + [False] * 3 + [True]
    assert all(handshakes(TACTICS[tactic](), [0.41 * n for n in range(9)]))
    assert all(handshakes(TACTICS[tactic](), [0.1 * n for n in range(9)], far=CLEAN.at(10)))
    without_end = handshakes(TACTICS[tactic](), [0.3 * n for n in range(230)])
    assert without_end == [True] * 3 + [False] * 197 + [True] * 3 + [False] * 27  # a minute, and a new row
    both = TACTICS[tactic]()
    assert handshakes(both, [0, 0.1, 0.2]) + handshakes(both, [0.3, 0.4], name=BLOCKED) == [True] * 5


def test_a_throttle_lets_its_rate_through_in_each_direction() -> None:
    connection = Connection(TACTICS["throttle"]())
    passed = 0
    for number in range(2_000):  # ten seconds at 2.3 Mbit/s
        connection.now = number / 200
        passed += 1500 * (connection.down(bytes(1460)) is PASS)
    assert 0.9 * 162_500 <= passed <= 162_500 + 6_000
    assert connection.up(bytes(1460)) is PASS
    elsewhere = Connection(connection.tactic, CLEAN.at(10))
    assert all(elsewhere.down(bytes(1460)) is PASS for _ in range(100))


def test_one_in_twenty_passes_and_the_same_ones_for_a_seed() -> None:
    def passed(seed: int, far: str = SUSPICIOUS.at(10)) -> list[bool]:
        connection = Connection(TACTICS["five-percent"](seed), far)
        return [connection.up(b"x") is PASS for _ in range(5_000)]

    assert passed(1) == passed(1) != passed(2)
    assert 180 <= sum(passed(1)) <= 320
    assert all(passed(1, CLEAN.at(10)))


def test_a_slow_leg_queues_and_drops_what_waits_too_long() -> None:
    tactic = TACTICS["slow"]()
    connection, other = Connection(tactic, CLEAN.at(10)), Connection(tactic, SUSPICIOUS.at(10))
    first, second = connection.up(bytes(1460)), other.up(bytes(1460))
    assert isinstance(first, Delay)
    assert isinstance(second, Delay)
    assert first.seconds == pytest.approx(1500 / throttles.LEG_BYTES_S)
    assert second.seconds == pytest.approx(2 * first.seconds)  # all of a client's share it
    assert isinstance(connection.down(b"x"), Delay)
    verdicts = [connection.up(bytes(1460)) for _ in range(10)]
    assert verdicts[-1] is DROP
    assert Connection(tactic, LISTED.at(80)).up(bytes(1460)) is PASS
    connection.now = 60.0
    assert connection.up(bytes(1460)) == first


def test_quic_is_known_by_port_size_and_version() -> None:
    initial = b"\xc3\0\0\0\1" + bytes(996)
    tactic = TACTICS["quic"]()
    assert Connection(tactic, CLEAN.at(80)).datagram(initial) is DROP
    assert Connection(tactic).datagram(initial[:-1]) is PASS
    assert Connection(tactic).datagram(b"\xc3\0\0\0\2" + bytes(1200)) is PASS
    assert Connection(tactic, port=4433).datagram(initial) is PASS
    assert Connection(tactic).up(initial) is PASS


def test_calls_are_known_by_cookie_or_by_size_and_port() -> None:
    tactic = TACTICS["calls"]()
    binding = b"\0\1\0\0" + STUN_COOKIE + bytes(12)
    assert Connection(tactic, port=1234).datagram(binding) is DROP
    assert Connection(tactic, port=1234).datagram(binding[:19]) is PASS
    assert Connection(tactic, port=50_001).datagram(bytes(590)) is DROP
    assert Connection(tactic, port=50_001).datagram(bytes(1400), up=False) is DROP
    assert Connection(tactic, port=50_001).datagram(bytes(589)) is PASS
    assert Connection(tactic, port=50_001).datagram(bytes(1401)) is PASS
    assert Connection(tactic, port=49_999).datagram(bytes(700)) is PASS
    assert Connection(tactic, port=3478).up(binding) is PASS


def test_random_bytes_look_encrypted_and_five_things_do_not() -> None:
    noise = random.Random(7).randbytes(200)
    assert looks_fully_encrypted(noise)
    exempt = {
        "few bits": bytes(b & 0x55 for b in noise),
        "many bits": bytes(b | 0xAA for b in noise),
        "printable first": b"abcdef" + noise,
        "mostly printable": noise[:90] + b"A?" * 60,
        "a printable run": noise[:50] + b"k" * 21 + noise[50:],
        "tls": b"\x16\x03\x01" + noise,
        "http": b"GET " + noise,
    }
    assert [words for words, first in exempt.items() if looks_fully_encrypted(first)] == []
    assert looks_fully_encrypted(b"\x16\x03\x0a" + noise)
    assert looks_fully_encrypted(b"\xff") is False


def test_a_server_that_was_sent_random_bytes_is_blocked_for_a_while() -> None:
    tactic = TACTICS["encrypted"]()
    noise = random.Random(7).randbytes(200)
    connection = Connection(tactic)
    connection.open()
    assert connection.down(noise) is PASS
    assert connection.up(noise) is DROP
    assert Connection(tactic, now=179.0).open() is DROP
    assert Connection(tactic, now=181.0).open() is PASS
    assert Connection(tactic, port=444, now=1.0).open() is PASS
    assert Connection(tactic, DOMESTIC.at(10)).up(noise) is PASS
    later = Connection(tactic, SUSPICIOUS.at(12))
    assert [later.up(b"GET / HTTP/1.1\r\n"), later.up(noise)] == [PASS, PASS]  # only the first counts


@pytest.mark.parametrize(
    ("up", "down", "verdict"), [(600, 4000, DROP), (1900, 4000, DROP), (600, 500, PASS), (300, 4000, PASS)]
)
def test_an_inner_handshake_is_known_by_its_sizes(up: int, down: int, verdict: Verdict) -> None:
    connection = Connection(TACTICS["tls-in-tls"]())
    connection.open()
    connection.up(hello_bytes(INNOCENT))
    for _ in range(3):
        connection.down(bytes(1400))
    connection.up(b"\x14\x03\x03" + bytes(77))
    connection.down(bytes(500))  # tickets
    connection.up(bytes(up))
    connection.down(bytes(down))
    assert connection.up(b"x") is verdict
    assert connection.up(b"x") is verdict


def test_a_server_is_probed_once_and_blocked_only_when_it_was_found_out() -> None:
    tactic = TACTICS["probing"]()
    lines: list[dict[str, object]] = []
    tactic.log = lines.append
    for far in (SUSPICIOUS.at(10), SUSPICIOUS.at(10), DOMESTIC.at(10)):
        connection = Connection(tactic, far)
        connection.open()
        assert connection.up(hello_bytes(INNOCENT)) is PASS
    assert [(line["event"], line["address"], line["sni"]) for line in lines] == [
        ("probe", SUSPICIOUS.at(10), INNOCENT)
    ]
    tactic.on_probed(SUSPICIOUS.at(10), 443, is_suspicious=False)
    assert Connection(tactic).open() is PASS
    tactic.on_probed(SUSPICIOUS.at(10), 443, is_suspicious=True)
    assert Connection(tactic).open() is DROP
    assert Connection(tactic, port=80).open() is PASS


def test_only_listed_names_pass_wherever_they_lead() -> None:
    assert met("sni-list", "decoy.listed.example", SUSPICIOUS.at(10)) is PASS
    assert met("sni-list", INNOCENT, LISTED.at(10)) is DROP
    assert met("sni-list", "listed.example.evil.example", LISTED.at(10)) is DROP
    tactic = TACTICS["sni-list"]()
    assert Connection(tactic, LISTED.at(10)).datagram(b"x") is DROP
    assert Connection(tactic, RESOLVER, 53).datagram(dns.query(INNOCENT)) is PASS
    assert Connection(tactic, FOREIGN_RESOLVER, 53).datagram(dns.query(INNOCENT)) is DROP
    assert Connection(tactic, LISTED.at(10), 80).up(b"GET / HTTP/1.1\r\n") is DROP
    hello = hello_bytes("decoy.listed.example")
    pieces = Connection(tactic, LISTED.at(10))
    pieces.open()
    assert [pieces.up(hello[:50]), pieces.up(hello[50:]), pieces.up(b"x"), pieces.down(b"x")] == [PASS] * 4


def test_only_listed_names_at_listed_addresses_pass() -> None:
    assert met("ip-list", "decoy.listed.example", LISTED.at(10)) is PASS
    assert met("ip-list", "decoy.listed.example", SUSPICIOUS.at(10)) is DROP
    assert met("ip-list", INNOCENT, LISTED.at(10)) is DROP
    assert Connection(TACTICS["ip-list"](), DOMESTIC.at(10)).open() is DROP
    assert Connection(TACTICS["ip-list"](), RESOLVER, 53).datagram(dns.query(INNOCENT)) is PASS


def test_abroad_is_for_chosen_clients_and_not_for_blocked_names(monkeypatch: pytest.MonkeyPatch) -> None:
    tactic = addresses.SourceAllowList(1)
    assert not tactic.is_allowed(number_of(CLIENT))
    assert 0 < sum(tactic.is_allowed(client) for client in range(20_000)) < 20
    assert met("source-list", INNOCENT) is DROP
    assert met("source-list", INNOCENT, DOMESTIC.at(10)) is PASS
    monkeypatch.setattr(addresses, "IRAN_ALLOWED", 1.0)
    assert met("source-list", INNOCENT) is PASS
    assert isinstance(met("source-list", BLOCKED), Inject)


def test_nothing_passes_a_shutdown_and_everything_no_rule() -> None:
    for far in (SUSPICIOUS.at(10), LISTED.at(80), RESOLVER):
        assert Connection(TACTICS["off"](), far).datagram(b"x") is DROP
        assert Connection(TACTICS["none"](), far).datagram(b"x") is PASS


def test_no_packet_whatever_breaks_a_tactic() -> None:
    chance = random.Random(11)
    for tactic in (made(5) for made in TACTICS.values()):
        for number in range(100):
            connection = Connection(tactic, SUSPICIOUS.at(chance.randrange(4)), 443, now=float(number))
            hello = bytearray(
                hello_bytes(BLOCKED) if number % 40 == 0 else b"\x16\x03\x01\0\xf0\1\0\0\xec\3\3" * 3
            )
            hello[chance.randrange(len(hello))] ^= 1 << chance.randrange(8)
            connection.open()
            connection.up(bytes(hello[: chance.randrange(len(hello))]))
            connection.down(bytes(hello))
            connection.datagram(bytes(hello))
            frame = bytearray(chance.randbytes(80))
            frame[12:15] = b"\x08\0\x45"
            frame[16:18] = b"\0\x40"
            frame[23] = chance.choice((1, 6, 17, 47))
            try:
                packet = Packet(memoryview(frame), from_client=number % 2 == 0)
            except NotIPv4:
                continue
            tactic.on_packet(packet, float(number))
