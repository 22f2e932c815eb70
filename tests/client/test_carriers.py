"""Which relays may carry a session to another: known ones that say so, and the own one rather than others."""

from skvoz.base.ids import RelayId
from skvoz.client import whereabouts
from skvoz.client.commands import AcceptRequest, RelayAddress
from skvoz.client.effects import Carrier, Connect
from skvoz.client.inputs import RelayConnected
from skvoz.client.records import Account, Conversation, Relay
from skvoz.client.relays import give
from skvoz.client.step import CARRIERS_MAX, Step
from tests.client.fake_relay import Device
from tests.client.people_world import accept, link_of
from tests.client.test_relays import apart, asked


def home_of(device: Device) -> RelayId:
    [account] = device.all(Account)
    return account.home_relay_id


def carriers(device: Device, relay_id: RelayId) -> list[Carrier]:
    return device.act(lambda step: list(step._carriers(relay_id)))


def say(device: Device, relay_id: RelayId, *, carries: bool) -> None:
    """Let a relay say in its welcome whether it carries."""
    [relay] = [one for one in device.all(Relay) if one.relay_id == relay_id]
    device.handle(
        RelayConnected(relay_id=relay_id, store_id=b"", public_key=relay.public_key, carries=carries)
    )


def learn(device: Device, count: int) -> list[RelayId]:
    """Have somebody know more relays, in the order of their ids; they carry until they say otherwise."""
    made = [RelayId(bytes([number]) * 32) for number in range(1, count + 1)]
    for number, relay_id in enumerate(made):
        address = RelayAddress(relay_id=relay_id, addresses=(f"wss://r{number}.example/",))
        device.act(lambda step, address=address: give(step, address))
    return made


def test_to_a_relay_of_others_the_own_one_carries_rather_than_anything_else() -> None:
    _, _, boris, _ = apart()
    first, second, far = learn(boris, 3)
    say(boris, home_of(boris), carries=True)
    own, other = carriers(boris, far)
    assert (own.relay_id, own.preferred) == (home_of(boris), True)
    assert (other.relay_id, other.preferred) == (first, False)
    [relay] = [one for one in boris.all(Relay) if one.relay_id == home_of(boris)]
    assert (own.public_key, own.addresses) == (relay.public_key, relay.reach)
    assert {one.relay_id for one in carriers(boris, first)} == {home_of(boris), second}


def test_to_the_own_relay_others_carry_where_nothing_else_works() -> None:
    _, _, boris, _ = apart()
    known = learn(boris, CARRIERS_MAX + 2)
    found = carriers(boris, home_of(boris))
    assert [one.relay_id for one in found] == known[:CARRIERS_MAX]
    assert not any(one.preferred for one in found)


def test_a_relay_carries_until_it_says_that_it_does_not() -> None:
    """So that the very first session to a relay of somebody else's goes over the own one."""
    world, anna, boris, hers = apart()
    [other] = learn(boris, 1)
    assert [one.relay_id for one in carriers(boris, home_of(boris))] == [other]
    accept(boris, link_of(anna), "hello")
    world.advance(1_000)  # the relays of this world carry nothing, and say so
    assert [one.relay_id for one in carriers(boris, hers)] == [other]
    assert [one.relay_id for one in carriers(boris, home_of(boris))] == [other]
    say(boris, hers, carries=True)
    assert {one.relay_id for one in carriers(boris, home_of(boris))} == {other, hers}
    say(boris, hers, carries=False)
    assert [one.relay_id for one in carriers(boris, home_of(boris))] == [other]


def test_that_another_relay_carries_is_told_where_the_own_one_is_kept() -> None:
    world, anna, boris, hers = apart()
    accept(boris, link_of(anna), "hello")
    world.advance(1_000)

    def hear(step: Step) -> list[Connect]:
        whereabouts.carries(step, hers, carries=True)
        return [one for one in step.outcome().effects if isinstance(one, Connect)]

    [told] = boris.act(hear)
    assert told.relay_id == home_of(boris)
    assert [one.relay_id for one in told.carriers] == [hers]
    assert boris.act(hear) == [], "it is known"


def test_a_strangers_relay_carries_nothing_before_the_stranger_is_accepted() -> None:
    world, _, boris, hers = asked()
    assert hers not in {one.relay_id for one in carriers(boris, home_of(boris))}
    [request] = boris.all(Conversation)
    boris.do(lambda client_id: AcceptRequest(client_id=client_id, chat_id=request.chat_id))
    world.advance(60_000)
    say(boris, hers, carries=True)
    assert hers in {one.relay_id for one in carriers(boris, home_of(boris))}
