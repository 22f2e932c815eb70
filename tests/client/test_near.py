"""What is announced on the network around follows from who talks with whom, and not from who talks when."""

from skvoz.base.ids import GroupId, RelayId
from skvoz.client.near import near_keys, side_log
from tests.client.carried import group_of, say, update
from tests.client.fake_relay import Device
from tests.client.people_world import friends
from tests.client.test_blocking import block


def keys_of(device: Device) -> list[tuple[GroupId, bytes]]:
    return device.act(near_keys)


def test_keys_stay_in_their_order_whatever_is_said() -> None:
    world, [anna, boris], first = group_of(2)
    groups = [first, *(world.make_group(anna, boris) for _ in range(3))]
    keys = keys_of(anna)
    assert {one for one, _ in keys} == set(groups)
    for group_id in groups:
        world.advance(60_000)
        say(anna, group_id, "hello")
        assert keys_of(anna) == keys


def test_members_have_one_key_also_one_who_is_behind() -> None:
    _, [anna, boris], group_id = group_of(2)
    boris.go_offline()
    update(anna, group_id)
    assert anna.conversation().epoch > boris.conversation().epoch
    assert keys_of(anna) == keys_of(boris)


def test_logs_at_two_lent_relays_have_nothing_in_common() -> None:
    _, [anna, _], _ = group_of(2)
    [(_, key)] = keys_of(anna)
    one, other = side_log(key, RelayId(bytes(32))), side_log(key, RelayId(b"r" * 32))
    assert one.log_id != other.log_id
    assert one.access_key != other.access_key


def test_who_is_blocked_shares_no_key() -> None:
    _, anna, boris = friends("hello")
    assert keys_of(anna) == keys_of(boris) != []
    block(boris, anna)
    assert keys_of(boris) == []
