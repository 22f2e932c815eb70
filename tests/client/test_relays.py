"""Where relays are looked for, and that strangers lead nobody to theirs."""

import pytest
from msgspec.structs import replace

from skvoz.base.addresses import is_public
from skvoz.base.errors import BadRequest, Conflict, Invalid
from skvoz.base.ids import RelayId
from skvoz.client import relays
from skvoz.client.commands import (
    AcceptLink,
    AcceptRequest,
    CreateAccount,
    DeclineRequest,
    RelayAddress,
    RenameGroup,
)
from skvoz.client.effects import Connect
from skvoz.client.links import Link, parse_link
from skvoz.client.records import Account, Conversation, ConversationState, Relay
from skvoz.client.step import Step
from tests.client.fake_relay import Device, World
from tests.client.people_world import accept, dropped, friends, link_of, pair, say

ELSEWHERE = RelayId(b"e" * 32)
LOCAL = "ws://192.168.1.1/talk"


def apart() -> tuple[World, Device, Device, RelayId]:
    """Return Anna and Boris, who live at different relays, and Anna's relay."""
    world = World()
    own, other = world.add_relay("relay"), world.add_relay("other")
    return world, world.add_device("anna", other), world.add_device("boris", own), other.relay_id


def met(device: Device) -> set[RelayId]:
    """Return the relays that a device has connected to."""
    return {relay_id for relay_id, _ in device.connected}


def asked() -> tuple[World, Device, Device, RelayId]:
    """Return Anna, a stranger who wrote to Boris from another relay, Boris, and her relay."""
    world, anna, boris, hers = apart()
    accept(anna, link_of(boris, lasting=True), "let me in")
    world.advance(60_000)
    return world, anna, boris, hers


# Strangers


def test_a_request_from_another_relay_leads_nobody_there() -> None:
    world, anna, boris, hers = asked()
    assert boris.conversation().is_request
    assert boris.conversation().state is ConversationState.HELD
    assert hers not in met(boris)
    boris.restart()
    world.advance(60_000)
    assert hers not in met(boris)
    assert not [one for one in boris.submitted if one.relay_id == hers]
    with pytest.raises(Conflict, match="accept"):
        say(boris, anna.account_id, "who are you?")


def test_a_request_that_is_accepted_is_read_where_it_lies() -> None:
    world, anna, boris, hers = asked()
    boris.do(lambda client_id: AcceptRequest(client_id=client_id, chat_id=anna.account_id))
    world.advance(60_000)
    assert hers in met(boris)
    assert boris.texts() == ["let me in"]
    say(boris, anna.account_id, "welcome")
    say(anna, boris.account_id, "thanks")
    assert boris.texts() == ["let me in", "welcome", "thanks"]
    assert anna.texts() == boris.texts()


def test_a_request_that_is_declined_never_leads_anywhere() -> None:
    world, anna, boris, hers = asked()
    boris.do(lambda client_id: DeclineRequest(client_id=client_id, chat_id=anna.account_id))
    world.advance(60_000)
    assert hers not in met(boris)
    boris.restart()
    world.advance(60_000)
    assert hers not in met(boris)
    assert boris.conversation().hidden


def test_turning_to_who_asked_from_another_relay_lets_them_in() -> None:
    world, anna, boris, hers = asked()
    accept(boris, link_of(anna), "so it is you")
    world.advance(60_000)
    assert hers in met(boris)
    assert "let me in" in boris.texts()
    assert not any(one.state is ConversationState.HELD for one in boris.all(Conversation))


def test_a_request_from_a_relay_that_is_used_anyway_is_read_at_once() -> None:
    world, anna, boris, hers = apart()
    carl = world.add_device("carl", world.relays[hers])
    accept(anna, link_of(boris))
    world.advance(60_000)
    assert hers in met(boris)
    accept(carl, link_of(boris, lasting=True), "let me in too")
    world.advance(60_000)
    assert boris.texts() == ["let me in too"]
    assert [one.state for one in boris.all(Conversation)] == [ConversationState.ACTIVE] * 2


def test_a_group_that_is_held_is_not_changed() -> None:
    _, _, boris, _ = asked()
    [held] = boris.all(Conversation)
    with pytest.raises((Conflict, BadRequest)):
        boris.do(lambda client_id: RenameGroup(client_id=client_id, chat_id=held.chat_id, title="x"))


# Addresses


def known(device: Device, relay_id: RelayId) -> Relay:
    [found] = [one for one in device.all(Relay) if one.relay_id == relay_id]
    return found


def given(device: Device, relay_id: RelayId, *addresses: str) -> None:
    device.act(lambda step: relays.give(step, RelayAddress(addresses=addresses, relay_id=relay_id)))


def named(device: Device, relay_id: RelayId, *addresses: str) -> None:
    device.act(lambda step: relays.name(step, relay_id, addresses))


def many(word: str, count: int) -> tuple[str, ...]:
    return tuple(f"wss://{word}{number}.invalid" for number in range(count))


def tried(device: Device, relay_id: RelayId) -> tuple[str, ...]:
    """Return the addresses that a device would try, in order."""

    def ask(step: Step) -> tuple[str, ...]:
        found = step.transaction.get(Relay, relay_id)
        assert found is not None
        return (*found.addresses, *found.named)

    return device.act(ask)


def test_nobody_adds_addresses_to_the_home_relay() -> None:
    _, _, boris = pair()
    home = boris.all(Account)[0].home_relay_id
    before = known(boris, home)
    named(boris, home, *many("dead", 8))
    given(boris, home, *many("dead", 4))
    assert known(boris, home) == before


def test_addresses_that_others_name_first_do_not_crowd_out_those_of_a_link() -> None:
    _, _, boris = pair()
    named(boris, ELSEWHERE, *many("dead", 8))
    given(boris, ELSEWHERE, "wss://real.invalid")
    assert tried(boris, ELSEWHERE) == ("wss://real.invalid", *many("dead", 8))


def test_addresses_of_links_stay_first_and_the_latest_link_counts() -> None:
    _, _, boris = pair()
    given(boris, ELSEWHERE, "wss://real.invalid")
    for number in range(5):
        given(boris, ELSEWHERE, *many(f"dead{number}-", 4))
    named(boris, ELSEWHERE, *many("named", 9))
    assert tried(boris, ELSEWHERE)[0] == "wss://real.invalid"
    given(boris, ELSEWHERE, "wss://latest.invalid")
    assert "wss://latest.invalid" in known(boris, ELSEWHERE).addresses
    assert len(known(boris, ELSEWHERE).named) == relays.ADDRESSES_MAX


def test_the_session_tries_what_the_person_gave_first() -> None:
    world, anna, boris, hers = apart()
    told: list[Connect] = []
    step_connect = Step.connect
    accept(anna, link_of(boris))
    world.advance(10_000)
    named(boris, hers, "wss://late.invalid")
    given(boris, hers, "wss://real.invalid")

    def look(step: Step) -> None:
        step_connect(step, hers, next(channel for _, channel in boris.connected))
        told.extend(effect for effect in step.effects if isinstance(effect, Connect))

    boris.act(look)
    assert told[-1].addresses == ("wss://real.invalid", "wss://other.invalid", "wss://late.invalid")


# The person's own network


@pytest.mark.parametrize(
    "address",
    [
        "ws://relay.example/talk",
        "wss://127.0.0.1/",
        "wss://127.1/",
        "wss://0x7f000001/",
        "wss://2130706433/",
        "wss://0177.0.0.1/",
        "wss://10.0.0.1:8443/",
        "wss://192.168.1.1",
        "wss://169.254.169.254/latest",
        "wss://100.64.0.1/",
        "wss://0.0.0.0/",
        "wss://224.0.0.1/",
        "wss://[::1]/",
        "wss://[fe80::1]/",
        "wss://[fd00::1]/",
        "wss://[::ffff:192.168.1.1]/",
        "wss://[2002:c0a8:101::1]/",
        "wss://localhost/",
        "wss://router/",
        "wss://nas.local/",
        "wss://nas.local./",
        "wss://a..example/",
        "wss://somebody@relay.example/",
        "wss://relay.example\\@127.0.0.1/",
        "wss://relay.example#x",
        "wss://\uff11\uff12\uff17.0.0.1/",
        "wss://relay.example/\n",
        "http://relay.example/",
        "https://localhost/",
        "wss://[64:ff9b::10.0.0.1]/",
        "wss://[64:ff9b::a00:1]/",
        "wss://[64:ff9b:1::808:808]/",
        "wss://[::127.0.0.1]/",
        "wss://[::ffff:0:10.0.0.1]/",
        "wss://[fec0::1]/",
        "",
    ],
)
def test_addresses_in_ones_own_network_are_told_from_public_ones(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "wss://relay.example/talk",
        "WSS://Relay.Example:8443",
        "wss://8.8.8.8/x",
        "wss://[2606:4700::1]:443/",
        "wss://[64:ff9b::808:808]/",
    ],
)
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(address)


def test_strangers_lead_nobody_into_their_own_network() -> None:
    world, _, boris = pair()
    link = parse_link(link_of(world.add_device("carl", next(iter(world.relays.values())))))
    local = replace(link, relay_id=ELSEWHERE, addresses=(LOCAL,))
    with pytest.raises(BadRequest, match="local network"):
        boris.do(lambda client_id: AcceptLink(client_id=client_id, link=local.encode()))
    with pytest.raises(Invalid):
        named(boris, ELSEWHERE, LOCAL)
    assert not [one for one in boris.all(Relay) if one.relay_id == ELSEWHERE]
    given(boris, ELSEWHERE, LOCAL, "wss://relay.example")
    named(boris, ELSEWHERE, LOCAL, "wss://more.example")
    assert tried(boris, ELSEWHERE) == ("wss://relay.example", "wss://more.example")


def test_an_invitation_into_ones_own_network_is_dropped() -> None:
    world, anna, boris, hers = apart()
    relay = world.relays[hers]
    # Her own program takes her at her word; nobody else's does.
    anna.act(lambda step: step.transaction.put(Relay(relay_id=hers, public_key=b"", addresses=(LOCAL,))))
    before = dropped(boris)
    for lasting in (True, False):
        accept(anna, link_of(boris, lasting=lasting), "come in")
        world.advance(60_000)
    assert dropped(boris) == before + 2
    assert not boris.all(Conversation)
    assert relay.relay_id not in met(boris)


def test_who_lives_in_a_local_network_meets_others_there() -> None:
    world, _, _ = friends()
    relay = next(iter(world.relays.values()))
    relay.address = "ws://127.0.0.1:9000/"
    carl = Device(world, "carl", world.fresh_session())
    world.devices.append(carl)
    home = RelayAddress(public_key=relay.public_key, addresses=(relay.address,))
    carl.do(lambda client_id: CreateAccount(client_id=client_id, name="carl", relay=home))
    given(carl, ELSEWHERE, LOCAL)
    named(carl, RelayId(b"f" * 32), LOCAL)
    assert tried(carl, ELSEWHERE) == (LOCAL,)


def test_a_link_says_where_its_own_relay_is() -> None:
    _, anna, _, hers = apart()
    named(anna, hers, *many("dead", 8))
    assert parse_link(link_of(anna)).addresses == ("wss://other.invalid",)
    assert isinstance(parse_link(link_of(anna)), Link)
