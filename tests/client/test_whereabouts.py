"""New addresses of a relay: whose word counts, for which relay, and how many."""

import msgspec
import pytest

from skvoz.base.errors import Malformed
from skvoz.base.ids import LogId, RelayId
from skvoz.client import introductions, relays, whereabouts
from skvoz.client.inbox_mail import InboxAddress, parse_inbox_address
from skvoz.client.inputs import RelayConnected
from skvoz.client.links import parse_link
from skvoz.client.records import Contact, Conversation, Relay
from skvoz.client.step import Step
from tests.client.fake_relay import Device, World
from tests.client.people_world import accept, friends, link_of, pair, say

MOVED = ("wss://moved.example/x", "https://front.example/y")
DAY_MS = 24 * 3600 * 1000


def home_of(device: Device) -> Relay:
    relay_id = device.act(relays.home_of)
    [found] = [one for one in device.all(Relay) if one.relay_id == relay_id]
    return found


def tell(device: Device, *addresses: str, relay_id: RelayId | None = None) -> None:
    """Let a relay say in its welcome where it is."""
    home = home_of(device)
    known = relay_id or home.relay_id
    device.handle(
        RelayConnected(
            relay_id=known,
            store_id=b"",
            public_key=home.public_key if relay_id is None else b"",
            addresses=addresses,
        )
    )


def hint(device: Device, relay_id: RelayId, *addresses: str) -> None:
    """Let a contact's introduction name a relay."""
    inbox = InboxAddress(
        relay_id=relay_id,
        addresses=addresses,
        inbox_id=LogId(bytes(16)),
        post_key=bytes(32),
        link_secret=bytes(32),
    )
    device.act(lambda step: whereabouts.hinted(step, inbox.encode()))


def inbox_of(device: Device, other: Device) -> InboxAddress:
    [contact] = [one for one in device.all(Contact) if one.account_id == other.account_id]
    return parse_inbox_address(contact.inbox)


def test_a_relays_latest_word_counts_and_comes_after_what_the_person_gave() -> None:
    _, _, boris = pair()
    given = home_of(boris).addresses
    tell(boris, *MOVED)
    assert home_of(boris).reach == (*given, *MOVED)
    tell(boris, "wss://again.example/")
    assert home_of(boris).reach == (*given, "wss://again.example/")
    tell(boris)
    assert home_of(boris).reach == (*given, "wss://again.example/")


def test_links_name_what_the_relay_says() -> None:
    _, _, boris = pair()
    given = home_of(boris).addresses
    tell(boris, *MOVED)
    assert parse_link(link_of(boris)).addresses == (*MOVED, *given)


def test_a_relay_leads_nobody_into_their_own_network_and_tells_no_more_than_eight() -> None:
    _, _, boris = pair()
    local = (
        "ws://192.168.1.1/",
        "wss://10.0.0.1/",
        "wss://localhost/",
        "pigeon://a.example/",
        "wss://a b.example/",
    )
    tell(boris, *local)
    assert not home_of(boris).told
    tell(boris, *local, *(f"wss://r{number}.example/" for number in range(20)))
    assert home_of(boris).told == tuple(f"wss://r{number}.example/" for number in range(8))


def test_a_relay_speaks_for_itself_only() -> None:
    _, _, boris = pair()
    before = boris.all(Relay)
    tell(boris, *MOVED, relay_id=RelayId(b"x" * 32))
    assert boris.all(Relay) == before


def test_contacts_are_told_where_the_home_relay_is_once_a_day() -> None:
    world, anna, boris = friends()
    before = boris.all(Relay)
    tell(anna, *home_of(anna).addresses)
    world.advance(1_000)
    assert boris.all(Relay) == before
    tell(anna, *MOVED)
    world.advance(1_000)
    assert inbox_of(boris, anna).addresses == (*MOVED, *home_of(anna).addresses)
    assert home_of(boris).hinted == MOVED
    tell(anna, "wss://again.example/")
    world.advance(60_000)
    assert home_of(boris).hinted == MOVED
    world.advance(DAY_MS)
    assert home_of(boris).hinted == ("wss://again.example/", *MOVED)
    say(boris, anna.account_id, "still there")
    assert "still there" in anna.texts()


def test_a_contacts_word_adds_few_addresses_and_takes_none_away() -> None:
    _, _, boris = pair()
    home = home_of(boris)
    tell(boris, *MOVED)
    hint(boris, home.relay_id, "ws://192.168.1.1/", "wss://late.example/", MOVED[0])
    assert home_of(boris).reach == (*home.addresses, *MOVED, "wss://late.example/")
    for number in range(9):
        hint(boris, home.relay_id, *(f"wss://n{number}-{one}.example/" for one in range(8)))
    assert len(home_of(boris).hinted) == whereabouts.HINTED_MAX
    assert home_of(boris).reach[:3] == (*home.addresses, *MOVED)


def test_a_contacts_word_about_an_unknown_relay_is_passed_over() -> None:
    _, _, boris = pair()
    before = boris.all(Relay)
    hint(boris, RelayId(b"x" * 32), *MOVED)
    assert boris.all(Relay) == before
    with pytest.raises(Malformed, match="too many"):
        hint(boris, home_of(boris).relay_id, *(f"wss://n{one}.example/" for one in range(9)))


def test_whoever_is_no_contact_says_nothing_about_relays(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[bytes] = []

    def hear(_: Step, inbox: bytes) -> None:
        heard.append(inbox)

    monkeypatch.setattr(whereabouts, "hinted", hear)
    world = World()
    anna, boris = (world.add_device(name, world.add_relay()) for name in ("anna", "boris"))
    accept(anna, link_of(boris, lasting=True), "let me in")
    world.advance(60_000)
    heard.clear()

    def introduce(step: Step) -> None:
        [conversation] = [one for one in step.transaction.select(Conversation) if not one.is_request]
        introductions.introduce(step, msgspec.structs.replace(conversation, is_request=False))

    anna.act(introduce)
    world.advance(60_000)
    assert not heard


def test_a_record_that_was_stored_before_knows_of_no_more_addresses() -> None:
    old = msgspec.msgpack.encode([b"r" * 32, b"", ["wss://a.example/"], b"", b"", ["wss://b.example/"]])
    assert msgspec.msgpack.decode(old, type=Relay).reach == ("wss://a.example/", "wss://b.example/")
