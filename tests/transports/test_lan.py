"""What is said on the local network: friends recognise it, others see random bytes, and nobody is flooded."""

import asyncio
import secrets
import socket
from ipaddress import IPv4Interface

import ifaddr
import pytest
from msgspec.structs import replace
from zeroconf import ServiceStateChange
from zeroconf.asyncio import AsyncServiceInfo

from skvoz.base.errors import TransportError
from skvoz.crypto import ZERO_NONCE, hkdf_sha256, seal, unseal
from skvoz.transports.lan import Lender, Place, announce, discovery, lan_address, recognise
from skvoz.transports.lan.announcement import ANNOUNCEMENT_SIZE, FRESH_MINUTES, SLOTS
from skvoz.transports.lan.discovery import NAMES_WAITING_MAX, SERVICE, Discovery

LENDER = Lender(relay_id=bytes(range(32)), ticket=b"t" * 16, path=b"p" * 16)
KEYS = [(number, secrets.token_bytes(32)) for number in range(40)]
HERE = Place(address=bytes((192, 168, 1, 5)), port=40_000)
NOW_MS = 1_800_000_000_000
THIS_MACHINE, OTHER = IPv4Interface("127.41.7.2/8"), IPv4Interface("127.41.7.3/8")
"""Addresses of this test's own: what goes to one that others listen at too, one of them gets."""
MARK = secrets.token_hex(3)[:5]
"""What names begin with here: other tests say things on this machine at the same time."""


def said(*numbers: int) -> bytes:
    keys = [KEYS[number][1] for number in numbers]
    return announce(LENDER, HERE, keys, now_ms=NOW_MS, randomness=secrets.token_bytes)


def known(
    announcement: bytes, keys: list[tuple[int, bytes]], place: Place = HERE, now_ms: int = NOW_MS
) -> tuple[Lender, list[int]] | None:
    return recognise(announcement, place, keys, now_ms=now_ms)


def test_friends_recognise_a_lender_by_the_conversations_that_they_share() -> None:
    assert known(said(1, 2, 3), KEYS[2:5]) == (LENDER, [2, 3])
    assert known(said(1), KEYS[1:2]) == (LENDER, [1])


def test_strangers_see_nothing_and_not_how_many_conversations_there_are() -> None:
    assert known(said(1, 2, 3), KEYS[4:]) is None
    assert known(said(), KEYS) is None
    assert {len(said(*range(count))) for count in (0, 1, SLOTS, 40)} == {ANNOUNCEMENT_SIZE}
    assert LENDER.relay_id not in said(1)


def test_who_shares_one_conversation_puts_nothing_behind_the_slots_of_others() -> None:
    made, elsewhere = said(1, 2), replace(HERE, port=40_001)
    nonce, table, sealed = made[:16], made[16 : 16 + SLOTS * 22], made[16 + SLOTS * 22 :]
    drawn = hkdf_sha256(KEYS[1][1], salt=nonce, info=b"skvoz near 1" + HERE.encoded + sealed, length=22)
    [slot] = [table[at : at + 22] for at in range(0, len(table), 22) if table[at : at + 6] == drawn[:6]]
    seed = bytes(one ^ other for one, other in zip(slot[6:], drawn[6:], strict=True))
    key = hkdf_sha256(seed, salt=nonce, info=b"skvoz near lender 1", length=32)
    lender = unseal(key, ZERO_NONCE, nonce + HERE.encoded, sealed)
    for place in (HERE, elsewhere):
        theirs = nonce + table + seal(key, ZERO_NONCE, nonce + place.encoded, bytes(32) + lender[32:])
        assert known(theirs, KEYS[2:3], place=place) is None
    assert known(made, KEYS[2:3]) == (LENDER, [2])


def test_two_announcements_have_nothing_in_common() -> None:
    one, other = said(1, 2), said(1, 2)
    pieces = {one[at : at + 4] for at in range(len(one) - 3)}
    assert not any(other[at : at + 4] in pieces for at in range(len(other) - 3))


def test_a_changed_announcement_opens_nothing() -> None:
    whole = said(7)
    for place in (0, 15, len(whole) - 1, len(whole) - 84):
        changed = bytearray(whole)
        changed[place] ^= 1
        assert known(bytes(changed), KEYS) is None
    for bad in (b"", whole[:-1], whole + b"\x00", bytes(ANNOUNCEMENT_SIZE), bytes(100_000)):
        assert known(bad, KEYS) is None


def test_who_repeats_an_announcement_elsewhere_or_later_is_recognised_by_nobody() -> None:
    elsewhere = (replace(HERE, address=bytes((192, 168, 1, 6))), replace(HERE, port=40_001))
    for place in elsewhere:
        assert known(said(7), KEYS, place=place) is None
    within_ms = FRESH_MINUTES * 60_000
    for now_ms in (NOW_MS - within_ms, NOW_MS + within_ms):
        assert known(said(7), KEYS, now_ms=now_ms) == (LENDER, [7])
    for now_ms in (NOW_MS - within_ms - 60_000, NOW_MS + within_ms + 60_000):
        assert known(said(7), KEYS, now_ms=now_ms) is None


def _adapter(name: str, address: str, prefix: int) -> ifaddr.Adapter:
    return ifaddr.Adapter(name, name, [ifaddr.IP(address, prefix, name)])


def test_a_network_around_is_private_and_no_tunnel(monkeypatch: pytest.MonkeyPatch) -> None:
    adapters = [
        _adapter("lo", "127.0.0.1", 8),
        _adapter("tun0", "10.8.0.6", 24),
        _adapter("wg0", "10.9.0.2", 24),
        _adapter("docker0", "172.17.0.1", 16),
        _adapter("ztqu4i5ndz", "10.147.17.5", 24),
        _adapter("vboxnet0", "192.168.56.1", 24),
        _adapter("podman0", "10.88.0.1", 16),
        _adapter("cable", "10.7.0.1", 31),
        _adapter("eth0", "203.0.113.4", 24),
        _adapter("mobile", "100.64.3.4", 24),
    ]
    monkeypatch.setattr(discovery.ifaddr, "get_adapters", lambda: adapters)
    assert lan_address() is None
    adapters.append(_adapter("wlan0", "192.168.1.5", 24))
    assert lan_address() == IPv4Interface("192.168.1.5/24")


class Heard:
    """What a search tells."""

    def __init__(self) -> None:
        self.places: list[Place] = []
        self.announcements: list[bytes] = []
        self.something = asyncio.Event()

    def note(self, name: str, announcement: bytes, place: Place) -> None:
        if name.startswith(MARK):
            self.announcements.append(announcement)
            self.places.append(place)
            self.something.set()


def _name(number: int) -> str:
    return f"{MARK}{number:03x}.{SERVICE}"


def _service(number: int, address: str) -> AsyncServiceInfo:
    """Return a service as announcements have it, that is said to be at an address."""
    return AsyncServiceInfo(
        SERVICE,
        _name(number),
        addresses=[socket.inet_aton(address)],
        port=9,
        properties={"a": b"x" * number},
        server=f"{MARK}{number:03x}.local.",
    )


@pytest.mark.slow
def test_garbage_and_places_on_other_networks_are_passed_over() -> None:
    heard = Heard()

    async def scenario() -> None:
        async with (
            asyncio.timeout(30),
            Discovery(THIS_MACHINE, heard.note, lambda _: None) as one,
            Discovery(OTHER, Heard().note, lambda _: None) as other,
        ):
            running = asyncio.create_task(one.run())
            with _socket() as stranger:
                for name in (b"\x01x\x00", b"\x00", b"\x02\xff\xfe\x05local\x00", b"\x01x" + _HTTP):
                    stranger.sendto(_answer(name), _MDNS)
                stranger.sendto(secrets.token_bytes(700), _MDNS)
            for number, address in ((1, "203.0.113.4"), (2, "192.168.1.1"), (3, "127.0.0.9")):
                await other._mdns.async_register_service(_service(number, address))  # pyright: ignore[reportUnknownMemberType]  # as in the code
            await heard.something.wait()
            assert not running.done()
            running.cancel()
            await asyncio.wait((running,))

    asyncio.run(scenario())
    assert heard.places == [Place(address=bytes((127, 0, 0, 9)), port=9)]
    assert heard.announcements == [b"xxx"]


def test_names_that_come_too_fast_are_passed_over() -> None:
    async def scenario() -> None:
        gone: list[str] = []
        found = Discovery(THIS_MACHINE, Heard().note, gone.append)
        for number in range(10 * NAMES_WAITING_MAX):
            for name in (_name(number), f"printer {number}.{SERVICE}"):
                for change in (ServiceStateChange.Added, ServiceStateChange.Removed):
                    found._changed(None, SERVICE, name, change)  # type: ignore[arg-type]  # not used
        assert found._names.qsize() == NAMES_WAITING_MAX
        assert gone == [_name(number) for number in range(10 * NAMES_WAITING_MAX)]

    asyncio.run(scenario())


_MDNS = ("224.0.0.251", 5353)
_HTTP = b"".join(bytes((len(part),)) + part for part in (b"_http", b"_tcp", b"local")) + b"\x00"


def _answer(data: bytes) -> bytes:
    """Return an mDNS answer: one more service of this kind, called `data`."""
    record = _HTTP + (12).to_bytes(2) + (1).to_bytes(2) + (4500).to_bytes(4) + len(data).to_bytes(2) + data
    return bytes((0, 0, 0x84, 0, 0, 0, 0, 1, 0, 0, 0, 0)) + record


def _socket() -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
    return made


@pytest.mark.slow
def test_a_network_that_is_flooded_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery, "REMEMBERED_MAX", 20)
    heard = Heard()

    async def scenario() -> None:
        async with asyncio.timeout(30), Discovery(THIS_MACHINE, heard.note, lambda _: None) as one:
            running = asyncio.create_task(one.run())
            with _socket() as flood:
                for number in range(100):
                    label = f"{MARK}{number:03x}".encode()
                    flood.sendto(_answer(bytes((len(label),)) + label + _HTTP), _MDNS)
                    flood.sendto(bytes(number), _MDNS)  # no mDNS at all
                await one.say(secrets.token_bytes(ANNOUNCEMENT_SIZE), 9)
                with pytest.raises(ExceptionGroup) as raised:
                    await running
        assert raised.value.subgroup(TransportError) is not None

    asyncio.run(scenario())
    assert heard.places == []
