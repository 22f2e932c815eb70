"""What a removed member with a changed program tries, once a relay was restored to when they were in."""

import pytest

from skvoz.base.ids import EntryId, GroupId, LogId
from skvoz.client import commits, conversations, invitations
from skvoz.client.commands import DeclineRequest, RemoveMember
from skvoz.client.effects import Append, Channel, Rekey
from skvoz.client.inputs import EntriesRead, EntryStored
from skvoz.client.records import (
    Conversation,
    ConversationKind,
    ConversationState,
    KeptCloser,
    Message,
    MessageState,
    Participant,
)
from skvoz.client.step import Step
from skvoz.mls import Add, parse_key_package
from tests.client.fake_relay import Device, World, invitee_of
from tests.client.test_closers import assert_one_epoch, relay_of
from tests.client.test_outbox import group_of, say

DAY_MS = 24 * 3600 * 1000


def removed_after_a_backup(*, away: int = 0) -> tuple[World, list[Device], GroupId, KeptCloser]:
    """Return an offline group, its relay restored to before the last two closers, and the first of these.

    `away`: how many missed both closers. The last device is that of the removed member.
    """
    world, devices, group_id = group_of(4)
    removed = devices[3]
    relay = relay_of(world)
    world.advance(60_000)
    backup = relay.backup()
    for device in devices[3 - away : 3]:
        device.go_offline()
    devices[1].act(lambda step: commits.update(step, group_id))
    world.advance(5_000)
    known = removed.all(KeptCloser)[-1]
    devices[0].do(
        lambda client_id: RemoveMember(client_id=client_id, chat_id=group_id, member=removed.account_id)
    )
    world.advance(5_000)
    assert removed.conversation(group_id).state is ConversationState.REMOVED
    for device in devices:
        device.go_offline()
    relay.restore(backup)
    return world, devices, group_id, known


def back(world: World, devices: list[Device]) -> None:
    for device in devices:
        device.go_online()
        device.restart()
    world.advance(60_000)


def all_read_each_other(world: World, devices: list[Device], group_id: GroupId) -> None:
    for number, device in enumerate(devices):
        say(device, group_id, f"there again {number}")
        world.advance(60_000)
    assert_one_epoch(world, devices, group_id)
    for device in devices:
        assert {f"there again {number}" for number in range(len(devices))} <= set(device.texts())


@pytest.mark.parametrize("body", [b"", bytes(528)], ids=["copied", "junk"])
def test_an_entry_under_a_closers_id_is_not_taken_for_the_closer(body: bytes) -> None:
    world, devices, group_id, known = removed_after_a_backup()
    relay = relay_of(world)
    answer = relay.submit(
        99,
        Append(
            relay_id=relay.relay_id,
            channel=Channel.ROOMS,
            log_id=devices[0].conversation(group_id).log_id,
            key=known.segment_key,
            entry_id=known.entry_id,
            body=body or known.body,
            since=0,
        ),
        world.now_ms,
    )
    assert isinstance(answer, EntryStored)
    back(world, devices[:3])
    all_read_each_other(world, devices[:3], group_id)


def test_a_closer_that_opens_the_true_segment_under_another_id_parts_nobody() -> None:
    world, devices, group_id, known = removed_after_a_backup(away=1)
    relay = relay_of(world)
    answer = relay.submit(
        99,
        Rekey(
            relay_id=relay.relay_id,
            channel=Channel.ROOMS,
            log_id=devices[0].conversation(group_id).log_id,
            key=known.segment_key,
            entry_id=EntryId(bytes(16)),
            body=bytes(528),
            since=0,
            next_hash=known.next_hash,
            carry=True,
        ),
        world.now_ms,
    )
    assert isinstance(answer, EntryStored)
    back(world, devices[:2])
    back(world, devices[2:3])
    world.advance(3600 * 1000)
    all_read_each_other(world, devices[:3], group_id)


def test_an_entry_under_the_id_of_a_lost_message_swallows_it_nowhere() -> None:
    world, [anna, boris, removed], group_id = group_of(3)
    relay = relay_of(world)
    world.advance(60_000)
    backup = relay.backup()
    anna.swallow = lambda fact: isinstance(fact, EntriesRead | EntryStored)
    boris.go_offline()
    say(anna, group_id, "important")
    removed.turn()
    log_id = anna.conversation(group_id).log_id
    entry = relay.store.all_entries(log_id)[-1]
    anna.go_offline()
    removed.go_offline()
    anna.swallow = lambda _: False
    anna.inbox.clear()
    relay.restore(backup)
    answer = relay.submit(
        99,
        Append(
            relay_id=relay.relay_id,
            channel=Channel.ROOMS,
            log_id=log_id,
            key=removed.conversation(group_id).segment_key,
            entry_id=EntryId(entry.entry),
            body=bytes(528),
            since=0,
        ),
        world.now_ms,
    )
    assert isinstance(answer, EntryStored)
    back(world, [anna, boris])
    assert boris.texts() == ["important"]
    assert [message.state for message in anna.all(Message)] == [MessageState.SENT]


def group_that_names(log_id: LogId, removed: Device, victim: Device) -> None:
    """Invite somebody into a group that names the log of another."""

    def invite(step: Step) -> None:
        made = conversations.create(
            step, kind=ConversationKind.GROUP, relay_id=relay_of(removed.world).relay_id, title="another"
        )
        invitee = invitee_of(victim)
        group = step.group(made.group_id)
        staged = group.stage_commit(
            proposals=[Add(parse_key_package(invitee.key_package))],
            path=True,
            randomness=step.randomness,
        )
        step.change(made.group_id, state=ConversationState.ACTIVE)
        assert staged.welcome is not None
        invitations.deliver(step, step.conversation(made.group_id), staged.welcome, (invitee.recipient,))

    def named(_: bytes) -> LogId:
        return log_id

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(conversations, "LogId", named)
        removed.act(invite)


@pytest.mark.parametrize("declined", [False, True], ids=["asked", "declined"])
def test_a_group_that_names_anothers_log_keeps_nobody_out_of_that(*, declined: bool) -> None:
    world = World()
    relay = world.add_relay()
    anna, removed, victim = (world.add_device(name, relay) for name in ("anna", "removed", "victim"))
    group_id = world.make_group(anna, removed)
    log_id = anna.conversation(group_id).log_id
    anna.do(lambda client_id: RemoveMember(client_id=client_id, chat_id=group_id, member=removed.account_id))
    world.advance(5_000)
    removed.act(lambda step: step.transaction.delete(Conversation, group_id))
    group_that_names(log_id, removed, victim)
    world.advance(5_000)
    [other] = victim.all(Conversation)
    assert other.is_request
    if declined:
        victim.do(lambda client_id: DeclineRequest(client_id=client_id, chat_id=other.chat_id))
    invitee = invitee_of(victim)
    anna.act(lambda step: commits.add(step, group_id, [invitee]))
    world.advance(60_000)
    assert victim.conversation(group_id).state is ConversationState.ACTIVE
    assert victim.conversation(other.group_id).state is ConversationState.LEFT
    say(anna, group_id, "welcome")
    world.advance(5_000)
    assert "welcome" in victim.texts()
    people = {person.account_id for person in anna.all(Participant) if person.group_id == group_id}
    assert people == {anna.account_id, victim.account_id}
