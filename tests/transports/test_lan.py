"""What is said on the local network: friends recognise it, others see random bytes, and nobody is flooded."""

import asyncio
import secrets
import socket

import pytest
from zeroconf import ServiceStateChange

from skvoz.base.errors import TransportError
from skvoz.transports.lan import Lender, announce, discovery, recognise
from skvoz.transports.lan.announcement import ANNOUNCEMENT_SIZE, SLOTS
from skvoz.transports.lan.discovery import NAMES_WAITING_MAX, SERVICE, Discovery

LENDER = Lender(relay_id=bytes(range(32)), ticket=b"t" * 16, path=b"p" * 16)
KEYS = [(number, secrets.token_bytes(32)) for number in range(40)]


def said(*numbers: int) -> bytes:
    return announce(LENDER, [KEYS[number][1] for number in numbers], secrets.token_bytes)


def test_friends_recognise_a_lender_by_the_conversations_that_they_share() -> None:
    assert recognise(said(1, 2, 3), KEYS[2:5]) == (LENDER, [2, 3])
    assert recognise(said(1), KEYS[1:2]) == (LENDER, [1])


def test_strangers_see_nothing_and_not_how_many_conversations_there_are() -> None:
    assert recognise(said(1, 2, 3), KEYS[4:]) is None
    assert recognise(said(), KEYS) is None
    assert {len(said(*range(count))) for count in (0, 1, SLOTS, 40)} == {ANNOUNCEMENT_SIZE}
    assert LENDER.relay_id not in said(1)


def test_two_announcements_have_nothing_in_common() -> None:
    one, other = said(1, 2), said(1, 2)
    pieces = {one[at : at + 4] for at in range(len(one) - 3)}
    assert not any(other[at : at + 4] in pieces for at in range(len(other) - 3))


def test_a_changed_announcement_opens_nothing() -> None:
    whole = said(7)
    for place in (0, 15, len(whole) - 1, len(whole) - 80):
        changed = bytearray(whole)
        changed[place] ^= 1
        assert recognise(bytes(changed), KEYS) is None
    for bad in (b"", whole[:-1], whole + b"\x00", bytes(ANNOUNCEMENT_SIZE), bytes(100_000)):
        assert recognise(bad, KEYS) is None


def _nobody(name: str, announcement: bytes, host: str, port: int) -> None:
    del name, announcement, host, port


def test_names_that_come_too_fast_are_passed_over() -> None:
    async def scenario() -> None:
        heard: list[str] = []
        found = Discovery("127.0.0.1", _nobody, heard.append)
        for number in range(10 * NAMES_WAITING_MAX):
            found._changed(None, SERVICE, f"{number}.{SERVICE}", ServiceStateChange.Added)  # type: ignore[arg-type]  # not used
        assert found._names.qsize() == NAMES_WAITING_MAX

    asyncio.run(scenario())


def _answer(number: int) -> bytes:
    """Return an mDNS answer: one more service of this kind."""
    name = b"".join(bytes((len(part),)) + part for part in (b"_http", b"_tcp", b"local")) + b"\x00"
    label = f"flood{number}".encode()
    data = bytes((len(label),)) + label + name
    record = name + (12).to_bytes(2) + (1).to_bytes(2) + (4500).to_bytes(4) + len(data).to_bytes(2) + data
    return bytes((0, 0, 0x84, 0, 0, 0, 0, 1, 0, 0, 0, 0)) + record


@pytest.mark.slow
def test_a_network_that_is_flooded_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery, "REMEMBERED_MAX", 20)
    heard: list[str] = []

    def note(name: str, announcement: bytes, host: str, port: int) -> None:
        del announcement, host, port
        heard.append(name)

    async def scenario() -> None:
        async with (
            asyncio.timeout(30),
            Discovery("127.0.0.1", note, heard.append) as one,
        ):
            running = asyncio.create_task(one.run())
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as flood:
                flood.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
                for number in range(100):
                    flood.sendto(_answer(number), ("224.0.0.251", 5353))
                    flood.sendto(bytes(number), ("224.0.0.251", 5353))  # no mDNS at all
                await one.say(secrets.token_bytes(ANNOUNCEMENT_SIZE), 9)
                with pytest.raises(ExceptionGroup) as raised:
                    await running
        assert raised.value.subgroup(TransportError) is not None

    asyncio.run(scenario())
    assert heard == []
