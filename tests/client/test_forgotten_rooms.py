"""A relay that was restored: members put back what it forgot, and look back before they go on."""

from itertools import pairwise

import pytest
from msgspec.structs import replace

from skvoz.base.ids import EntryId, GroupId
from skvoz.client import commits, epochs, forgotten_rooms, recovery
from skvoz.client.commands import DeleteChat, LeaveGroup, RemoveMember
from skvoz.client.effects import Channel, Knock, Rekey
from skvoz.client.envelope import segment_hash
from skvoz.client.events import ChatChanged
from skvoz.client.inputs import (
    Attached,
    EntriesRead,
    Entry,
    EntryRefused,
    EntryStored,
    Input,
    RelayConnected,
    RequestRefused,
)
from skvoz.client.records import (
    ConversationState,
    KeptCloser,
    OwnKnock,
)
from skvoz.client.relay_requests import Wish, refused
from skvoz.wire import frames
from tests.client.fake_relay import Device, World
from tests.client.test_closers import assert_one_epoch, relay_of
from tests.client.test_outbox import group_of, say
from tests.relay.memory_store import Snapshot

HOUR_MS = 3600 * 1000


def test_members_put_back_what_a_restored_relay_lost() -> None:
    world, devices, group_id = group_of(3)
    relay = relay_of(world)
    backup = relay.backup()
    for number in range(3):
        devices[1].act(lambda step: commits.update(step, group_id))
        world.advance(5_000)
        say(devices[0], group_id, f"message {number}")
        world.advance(5_000)
    epoch = devices[0].conversation(group_id).epoch
    relay.restore(backup)
    for device in devices:
        device.restart()
    world.advance(60_000)
    assert {device.conversation(group_id).epoch for device in devices} == {epoch}
    assert_one_epoch(world, devices, group_id)
    assert devices[2].texts()[:3] == ["message 0", "message 1", "message 2"]


def met_again_after_a_restore(*, ahead: int) -> tuple[World, list[Device], GroupId, Snapshot]:
    """Return a group of which one went on from a backup that was older by so many closers of the others."""
    world, devices, group_id = group_of(3)
    anna, boris, vera = devices
    relay = relay_of(world)
    backup = relay.backup()
    vera.go_offline()
    for _ in range(ahead):
        boris.act(lambda step: commits.update(step, group_id))
        world.advance(5_000)
    for device in (anna, boris):
        device.go_offline()
    relay.restore(backup)
    vera.go_online()
    vera.restart()
    world.settle()
    vera.act(lambda step: commits.update(step, group_id))
    world.advance(10_000)
    for device in (anna, boris):
        device.go_online()
        device.restart()
    world.advance(8 * HOUR_MS)
    return world, devices, group_id, backup


def test_members_meet_again_after_a_restored_relay_parted_them() -> None:
    world, devices, group_id, _ = met_again_after_a_restore(ahead=3)
    assert_one_epoch(world, devices, group_id)


def test_junk_in_the_place_of_a_lost_closer_is_contested_after_a_week() -> None:
    world, devices, group_id = group_of(3)
    relay = relay_of(world)
    backup = relay.backup()
    for _ in range(2):
        devices[1].act(lambda step: commits.update(step, group_id))
        world.advance(5_000)
    epoch = assert_one_epoch(world, devices, group_id)
    for device in devices:
        device.go_offline()
    relay.restore(backup)
    lost = devices[0].all(KeptCloser)[-2]
    junk = Rekey(
        relay_id=relay.relay_id,
        channel=Channel.ROOMS,
        log_id=devices[0].conversation(group_id).log_id,
        key=lost.segment_key,
        entry_id=EntryId(bytes(16)),
        body=bytes(528),
        since=0,
        next_hash=bytes(32),
        carry=True,
    )
    assert isinstance(relay.submit(99, junk, world.now_ms), EntryStored)
    for device in devices:
        device.go_online()
        device.restart()
    world.advance(6 * 24 * HOUR_MS)
    assert {one.conversation(group_id).state for one in devices} == {ConversationState.LOST}
    world.advance(24 * HOUR_MS + HOUR_MS)
    assert {one.conversation(group_id).state for one in devices} == {ConversationState.ACTIVE}
    assert any(one.conversation(group_id).alone for one in devices), "who went on is told so"
    say(devices[2], group_id, "there again")
    world.advance(10_000)
    assert "there again" in devices[0].texts()
    assert assert_one_epoch(world, devices, group_id) >= epoch


@pytest.mark.slow
def test_a_relay_that_refuses_contests_too_is_asked_once_a_knock() -> None:
    _, [anna, _], group_id = group_of(2)
    conversation = anna.conversation(group_id)
    kept = anna.all(KeptCloser)[-1]
    anna.act(lambda step: recovery.lose(step, step.change(group_id, denied=True)))
    anna.swallow = lambda _: True
    lie = EntryRefused(
        relay_id=conversation.relay_id,
        log_id=conversation.log_id,
        entry_id=kept.entry_id,
        code="superseded",
        retry_after_ms=0,
    )
    for _ in range(3):
        anna.handle(lie)
    contests = [one for one in anna.submitted if isinstance(one, Rekey) and one.contest]
    assert len(contests) == 1
    anna.act(lambda step: recovery.knock(step, step.conversation(group_id)))
    anna.handle(lie)
    assert len([one for one in anna.submitted if isinstance(one, Rekey) and one.contest]) == 2


def test_members_make_a_forgotten_room_again_whose_maker_left() -> None:
    world = World()
    relay = world.add_relay()
    anna, boris, vera = (world.add_device(name, relay) for name in ("anna", "boris", "vera"))
    backup = relay.backup()
    group_id = world.make_group(anna, boris, vera)
    anna.do(lambda client_id: LeaveGroup(client_id=client_id, chat_id=group_id))
    world.advance(60_000)
    assert anna.conversation(group_id).state is ConversationState.LEFT
    assert not boris.conversation(group_id).owner_key
    relay.restore(backup)
    for device in (boris, vera):
        device.restart()
    world.advance(HOUR_MS)
    say(boris, group_id, "here again")
    world.advance(10_000)
    assert vera.texts() == ["here again"]
    assert_one_epoch(world, [boris, vera], group_id)


def test_a_maker_who_kept_only_the_last_closers_begins_the_room_with_them() -> None:
    world = World()
    relay = world.add_relay()
    anna, boris = (world.add_device(name, relay) for name in ("anna", "boris"))
    backup = relay.backup()
    group_id = world.make_group(anna, boris)
    for _ in range(epochs.KEPT_CLOSERS_MAX + 1):
        boris.act(lambda step: commits.update(step, group_id))
        world.advance(5_000)
    relay.restore(backup)
    for device in (anna, boris):
        device.restart()
    world.advance(10_000)
    assert_one_epoch(world, [anna, boris], group_id)


def test_a_room_begins_with_what_leads_to_the_present_segment() -> None:
    world = World()
    relay = world.add_relay()
    anna, boris = (world.add_device(name, relay) for name in ("anna", "boris"))
    backup = relay.backup()
    group_id = world.make_group(anna, boris)
    boris.act(lambda step: recovery.lose(step, step.conversation(group_id)))
    world.advance(30_000)
    kept = boris.all(KeptCloser)
    assert any(one.next_hash != segment_hash(two.segment_key) for one, two in pairwise(kept))
    anna.go_offline()
    relay.restore(backup)
    boris.restart()
    world.advance(HOUR_MS)
    assert boris.conversation(group_id).state is ConversationState.ACTIVE


def test_who_had_not_read_their_removal_is_told_that_a_dropped_room_is_gone_and_may_leave() -> None:
    world, [anna, boris], group_id = group_of(2)
    boris.go_offline()
    anna.do(lambda client_id: RemoveMember(client_id=client_id, chat_id=group_id, member=boris.account_id))
    world.advance(5_000)
    anna.do(lambda client_id: LeaveGroup(client_id=client_id, chat_id=group_id))
    world.settle()
    boris.go_online()
    boris.restart()
    world.advance(20 * 24 * HOUR_MS)
    assert boris.conversation(group_id).state is ConversationState.LOST
    assert [one.what for one in boris.events if isinstance(one, ChatChanged)][-2:] == ["lost", "gone"]
    knocks = [one for one in boris.submitted if isinstance(one, Knock)]
    world.advance(10 * 24 * HOUR_MS)
    assert len([one for one in boris.submitted if isinstance(one, Knock)]) - len(knocks) <= 10
    boris.do(lambda client_id: LeaveGroup(client_id=client_id, chat_id=group_id))
    assert boris.conversation(group_id).state is ConversationState.LEFT
    assert not boris.all(OwnKnock)
    assert not boris.all(KeptCloser)
    boris.do(lambda client_id: DeleteChat(client_id=client_id, chat_id=group_id))


def test_a_relay_that_says_to_have_lost_a_room_ends_it_for_nobody() -> None:
    world, devices, group_id = group_of(3)
    relay = relay_of(world)
    real = relay.submit

    def denying(session: int, wish: Wish, now_ms: int) -> Input | None:
        answer = frames.No(0, "denied", 0)
        return refused(relay.relay_id, wish, answer) if wish.log_id == log_id else real(session, wish, now_ms)

    log_id = devices[0].conversation(group_id).log_id
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(relay, "submit", denying)
        for device in devices:
            device.restart()
        say(devices[1], group_id, "waits")
        world.advance(21 * 24 * HOUR_MS)
    assert {one.conversation(group_id).state for one in devices} == {ConversationState.LOST}
    world.advance(25 * HOUR_MS)
    assert {one.conversation(group_id).state for one in devices} == {ConversationState.ACTIVE}
    assert not any(one.conversation(group_id).knocks_denied for one in devices)
    assert "waits" in devices[0].texts()
    assert_one_epoch(world, devices, group_id)


def parted_by_a_restore() -> tuple[World, list[Device], GroupId]:
    """Return a world where the second two follow a closer that a relay lost, and the first two another."""
    world, devices, group_id = group_of(4)
    relay = relay_of(world)
    world.advance(60_000)
    backup = relay.backup()
    anna, boris, vera, gleb = devices
    anna.go_offline()
    boris.go_offline()
    vera.act(lambda step: commits.update(step, group_id))
    world.advance(10_000)
    vera.go_offline()
    gleb.go_offline()
    relay.restore(backup)
    for device in (anna, boris):
        device.go_online()
        device.restart()
    world.advance(10_000)
    return world, devices, group_id


@pytest.mark.slow
def test_who_contests_though_removed_draws_in_nobody_who_was_away() -> None:
    world, devices, group_id = parted_by_a_restore()
    anna, _, vera, gleb = devices
    anna.do(lambda client_id: RemoveMember(client_id=client_id, chat_id=group_id, member=vera.account_id))
    world.advance(10_000)
    vera.go_online()
    vera.restart()
    world.advance(8 * 24 * HOUR_MS)
    assert vera.conversation(group_id).state is ConversationState.ACTIVE
    gleb.go_online()
    gleb.restart()
    world.advance(60_000)
    say(gleb, group_id, "I am back")
    world.advance(60_000)
    assert "I am back" in anna.texts()
    assert "I am back" not in vera.texts()


@pytest.mark.slow
def test_who_went_on_past_another_closer_is_taken_back_when_others_come() -> None:
    world, devices, group_id = parted_by_a_restore()
    anna, boris, vera, _ = devices
    anna.act(lambda step: commits.update(step, group_id))
    world.advance(10_000)
    anna.go_offline()
    boris.go_offline()
    vera.go_online()
    vera.restart()
    world.advance(8 * 24 * HOUR_MS)
    assert vera.conversation(group_id).state is ConversationState.ACTIVE
    assert vera.conversation(group_id).parted
    for device in (anna, boris):
        device.go_online()
        device.restart()
    world.advance(60_000)
    assert not vera.conversation(group_id).parted
    assert_one_epoch(world, [anna, boris, vera], group_id)


def test_junk_that_stood_before_a_closer_makes_nobody_wait_after_a_restore() -> None:
    world, devices, group_id = group_of(3)
    relay = relay_of(world)
    conversation = devices[0].conversation(group_id)
    junk = Rekey(
        relay_id=relay.relay_id,
        channel=Channel.ROOMS,
        log_id=conversation.log_id,
        key=conversation.segment_key,
        entry_id=EntryId(bytes(16)),
        body=bytes(528),
        since=0,
        next_hash=bytes(32),
        carry=True,
    )
    assert isinstance(relay.submit(99, junk, world.now_ms), EntryStored)
    world.advance(60_000)
    epoch = assert_one_epoch(world, devices, group_id)
    assert epoch > conversation.epoch
    relay.restore(relay.backup())
    for device in devices:
        device.restart()
    world.advance(10_000)
    assert assert_one_epoch(world, devices, group_id) == epoch


def test_an_answer_to_an_older_attachment_skips_no_look_back() -> None:
    _, [anna, _], group_id = group_of(2)
    conversation = anna.conversation(group_id)
    anna.swallow = lambda _: True
    anna.act(lambda step: forgotten_rooms.restore(step, conversation))
    look = anna.machine.caches.looks[group_id]
    denied = RequestRefused(
        relay_id=conversation.relay_id,
        log_id=conversation.log_id,
        request="Attach",
        code="denied",
        retry_after_ms=0,
        key=conversation.segment_key,
    )
    anna.handle(denied)
    assert anna.machine.caches.looks[group_id] is look
    anna.handle(replace(denied, key=look.reading.key))
    assert anna.machine.caches.looks.get(group_id) is not look


def test_who_was_lost_for_another_reason_makes_a_forgotten_room_again() -> None:
    world = World()
    relay = world.add_relay()
    anna, boris, vera = (world.add_device(name, relay) for name in ("anna", "boris", "vera"))
    backup = relay.backup()
    group_id = world.make_group(anna, boris, vera)
    anna.do(lambda client_id: LeaveGroup(client_id=client_id, chat_id=group_id))
    world.advance(60_000)
    vera.go_offline()
    boris.act(lambda step: recovery.lose(step, step.conversation(group_id)))
    relay.restore(backup)
    boris.restart()
    world.advance(60_000)
    assert boris.conversation(group_id).state is ConversationState.ACTIVE
    vera.go_online()
    vera.restart()
    world.advance(HOUR_MS)
    assert_one_epoch(world, [boris, vera], group_id)


def test_a_session_that_reads_on_by_itself_leaves_no_hole_after_a_restore() -> None:
    world, [anna, boris], group_id = group_of(2)
    relay = relay_of(world)
    boris.go_offline()
    say(anna, group_id, "missed")
    say(anna, group_id, "met")
    conversation = boris.conversation(group_id)
    head = conversation.cursor + 2
    boris.handle(
        RelayConnected(relay_id=relay.relay_id, store_id=b"another store id", public_key=relay.public_key)
    )
    boris.handle(
        Attached(
            relay_id=relay.relay_id,
            log_id=conversation.log_id,
            key=conversation.segment_key,
            segment_open=True,
            head=head,
            after=head - 1,
        )
    )
    last = relay.store.all_entries(conversation.log_id)[-1]
    entry = Entry(
        position=head,
        entry_id=EntryId(last.entry),
        is_closer=False,
        carry=False,
        body=last.body,
        segment=last.segment,
    )
    boris.handle(
        EntriesRead(relay_id=relay.relay_id, log_id=conversation.log_id, entries=(entry,), through=head)
    )
    boris.go_online()
    world.settle()
    assert boris.texts() == ["missed", "met"]


def test_who_was_denied_comes_back_where_the_relay_knows_the_room_again() -> None:
    world, devices, group_id = group_of(2)
    anna, boris = devices
    relay = relay_of(world)
    before = relay.backup()
    for _ in range(epochs.KEPT_CLOSERS_MAX + 2):
        boris.act(lambda step: commits.update(step, group_id))
        world.advance(5_000)
    after = relay.backup()
    relay.restore(before)
    for device in devices:
        device.restart()
    world.advance(600_000)
    assert {one.conversation(group_id).state for one in devices} == {ConversationState.LOST}
    relay.restore(after)
    for device in devices:
        device.restart()
    world.advance(60_000)
    assert_one_epoch(world, devices, group_id)
    say(anna, group_id, "found")
    world.settle()
    assert "found" in boris.texts()


def test_a_room_that_is_gone_is_lost_after_some_patience() -> None:
    world, [anna, boris], group_id = group_of(2)
    conversation = boris.conversation(group_id)
    relay = relay_of(world)
    relay.store.delete_log(conversation.log_id)
    boris.swallow = lambda fact: not isinstance(fact, RequestRefused)
    boris.restart()
    boris.swallow = lambda _: False
    world.settle()
    assert boris.conversation(group_id).state is ConversationState.ACTIVE
    anna.go_offline()
    world.advance(HOUR_MS)
    assert boris.conversation(group_id).state is ConversationState.LOST
