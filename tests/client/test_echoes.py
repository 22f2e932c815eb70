"""Old messages of a device that come back to it as closers: whose they are, nobody can tell."""

import pytest
from msgspec.structs import replace

from skvoz.base.ids import EntryId, GroupId
from skvoz.client import closers, commits, effects, envelope, epochs
from skvoz.client.inputs import Entry, EntryStored
from skvoz.client.records import Alarm, ConversationState, StagedCommit
from skvoz.client.step import Step
from tests.client.fake_relay import Device, World
from tests.client.test_closers import assert_one_epoch, post_closer, relay_of
from tests.client.test_outbox import group_of, say


def echo(author: Device, group_id: GroupId, message: bytes, forger: Device) -> None:
    """Have a member close the segment with a message that names somebody else's leaf."""
    group, entry_id = forger.group(group_id), EntryId(forger.world.random.randbytes(16))
    secret = group.export(envelope.ENVELOPE_LABEL, b"", 32)
    body = envelope.seal_entry(group.suite, secret, entry_id, envelope.CLOSER, closers.pack([], message))
    answer = post_closer(forger, group_id, body, entry_id=entry_id, next_hash=bytes(32), carry=True)
    assert isinstance(answer, EntryStored)
    assert author.conversation(group_id).state is ConversationState.ACTIVE


def test_an_old_message_of_ours_as_a_closer_is_junk() -> None:
    """Any member could else make a chosen other one lost."""
    world, devices, group_id = group_of(3)
    anna, boris, _ = devices
    say(anna, group_id, "hello")
    world.settle()
    [*_, entry] = relay_of(world).store.all_entries(anna.conversation(group_id).log_id)
    group = boris.group(group_id)
    secret = group.export(envelope.ENVELOPE_LABEL, b"", 32)
    message = envelope.open_entry(
        group.suite, secret, EntryId(entry.entry), envelope.APPLICATION, entry.body or b""
    )
    echo(anna, group_id, message, boris)
    world.settle()
    assert [device.conversation(group_id).unfollowed_closers for device in devices] == [1, 1, 1]
    assert {device.conversation(group_id).state for device in devices} == {ConversationState.ACTIVE}
    assert_one_epoch_after_contest(world, devices, group_id)


def assert_one_epoch_after_contest(world: World, devices: list[Device], group_id: GroupId) -> None:
    epoch = devices[0].conversation(group_id).epoch
    world.advance(40_000)
    assert not any(isinstance(one, effects.Knock) for device in devices for one in device.submitted)
    assert assert_one_epoch(world, devices, group_id) == epoch + 1


def spent_commit(device: Device, group_id: GroupId) -> bytes:
    """Use up a key of a device's leaf, and return the commit of a copy that used it too."""
    copy = device.group(group_id).stage_commit(
        proposals=[], path=True, randomness=device.world.random.randbytes
    )

    def spend(step: Step) -> None:
        group = step.group(group_id)
        moved = group.stage_commit(proposals=[], path=True, randomness=step.randomness).group
        step.save_group(moved, group)

    device.act(spend)
    return copy.commit


def test_a_closer_that_may_be_a_copys_is_left_for_others_to_contest() -> None:
    world, devices, group_id = group_of(3)
    anna, boris, vera = devices
    commit = spent_commit(anna, group_id)
    echo(anna, group_id, commit, boris)  # and to others it leads elsewhere than it says
    world.settle()
    assert anna.conversation(group_id).state is ConversationState.ACTIVE
    assert_one_epoch_after_contest(world, devices, group_id)
    contests = {
        device.name
        for device in (anna, boris, vera)
        if any(isinstance(one, effects.Rekey) and one.contest for one in device.submitted)
    }
    assert contests == {"device1"}
    assert not [one for one in anna.all(Alarm) if one.name == epochs.ECHO_ALARM]


def test_a_closer_that_may_be_a_copys_and_is_contested_by_nobody_makes_lost_for_an_hour() -> None:
    world, devices, group_id = group_of(3)
    anna, boris, vera = devices
    echo(anna, group_id, spent_commit(anna, group_id), boris)
    boris.go_offline()
    vera.go_offline()
    world.advance(30_000)
    assert anna.conversation(group_id).state is ConversationState.ACTIVE
    assert not any(isinstance(one, effects.Rekey) and one.contest for one in anna.submitted)
    world.advance(60_000)
    assert anna.conversation(group_id).state is ConversationState.LOST
    world.advance(2 * 3_600_000)
    assert anna.conversation(group_id).state is ConversationState.ACTIVE
    assert any(isinstance(one, effects.Rekey) and one.contest for one in anna.submitted)


@pytest.mark.parametrize("change", ["entry_id", "next_hash", "body"])
def test_only_the_very_closer_that_was_given_up_is_ours(change: str) -> None:
    world, [anna, *_], group_id = group_of(3)
    anna.swallow = lambda fact: isinstance(fact, EntryStored)
    anna.act(lambda step: commits.update(step, group_id))
    [staged] = anna.all(StagedCommit)
    anna.act(lambda step: commits.refuse(step, step.conversation(group_id), "bad"))
    chat = anna.conversation(group_id)
    assert [one[0] for one in chat.given_up_closers] == [staged.entry_id]
    own = Entry(
        position=chat.cursor + 1,
        entry_id=staged.entry_id,
        is_closer=True,
        carry=True,
        body=staged.body,
        segment=chat.segment,
        next_hash=staged.next_hash,
    )
    other: dict[str, object] = {"entry_id": EntryId(bytes(16)), "next_hash": bytes(32), "body": bytes(528)}
    forged = replace(own, **{change: other[change]})
    for entry in (forged, replace(forged, body=None)):
        if entry == own or (change == "body" and entry.body is None):
            continue
        anna.act(lambda step, entry=entry: closers.take(step, step.conversation(group_id), entry))
        assert anna.conversation(group_id).state is ConversationState.ACTIVE
    anna.act(lambda step: closers.take(step, step.conversation(group_id), replace(own, body=None)))
    assert anna.conversation(group_id).state is ConversationState.LOST
    anna.swallow = lambda _: False
    world.advance(60_000)
    assert anna.conversation(group_id).given_up_closers == ()
