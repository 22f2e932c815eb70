"""Ways on which somebody, or everybody, would stay lost or apart for good."""

import msgspec
import pytest
from msgspec.structs import replace

from skvoz.base.ids import EntryId
from skvoz.client import commits, recovery
from skvoz.client.commands import LeaveGroup, RemoveMember
from skvoz.client.effects import Channel, Rekey
from skvoz.client.inputs import EntriesRead, Entry, EntryStored, Input, RelayConnected
from skvoz.client.records import Alarm, Closer, Contact, ContactState, ConversationState, KeptCloser
from skvoz.client.relay_requests import Wish, refused
from skvoz.wire import frames
from tests.client.fake_relay import invitee_of
from tests.client.test_closers import assert_one_epoch, post_junk, relay_of
from tests.client.test_forgotten_rooms import met_again_after_a_restore
from tests.client.test_outbox import group_of, say
from tests.client.test_recovery import blind

HOUR_MS = 3600 * 1000
DAY_MS = 24 * HOUR_MS


@pytest.mark.slow
def test_who_went_on_after_an_hours_doubt_is_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    world, devices, group_id = group_of(3)
    anna, boris, vera = devices
    anna.go_offline()
    blind(monkeypatch, vera, lambda: boris.act(lambda step: commits.update(step, group_id)))
    boris.go_offline()
    world.advance(8 * HOUR_MS)
    assert vera.conversation(group_id).parted
    say(vera, group_id, "at night")
    for device in (anna, boris):
        device.go_online()
        device.restart()
    world.advance(DAY_MS)
    say(anna, group_id, "in the morning")
    world.advance(60_000)
    assert_one_epoch(world, devices, group_id)
    assert "in the morning" in vera.texts()
    say(vera, group_id, "there again")
    world.advance(60_000)
    assert "there again" in anna.texts()


def test_closers_of_a_branch_that_was_given_up_are_not_put_back() -> None:
    world, devices, group_id, backup = met_again_after_a_restore(ahead=6)
    assert_one_epoch(world, devices, group_id)
    for device in devices:
        epoch = device.conversation(group_id).epoch
        assert all(kept.epoch < epoch for kept in device.all(KeptCloser))
        device.go_offline()
    relay_of(world).restore(backup)
    for device in devices:
        device.go_online()
        device.restart()
        world.advance(10 * 60_000)
    assert_one_epoch(world, devices, group_id)
    assert {device.conversation(group_id).state for device in devices} == {ConversationState.ACTIVE}


def test_who_is_lost_while_a_relay_is_restored_reads_what_comes_after() -> None:
    world, devices, group_id = group_of(3)
    anna, boris, _ = devices
    relay = relay_of(world)
    world.advance(60_000)
    backup = relay.backup()
    for number in range(10):
        say(anna, group_id, f"before {number}")
    world.advance(5_000)
    conversation = boris.conversation(group_id)
    unreadable = Entry(
        position=conversation.cursor + 1,
        entry_id=EntryId(bytes(16)),
        is_closer=True,
        carry=True,
        body=bytes(528),
        next_hash=bytes(32),
        segment=conversation.segment,
    )
    boris.act(
        lambda step: recovery.suspect(step, step.change(group_id, cursor=conversation.cursor + 1), unreadable)
    )
    for device in devices:
        device.go_offline()
    relay.restore(backup)
    for device in devices:
        device.go_online()
        device.connected.clear()
        device.inbox.append(
            RelayConnected(
                relay_id=relay.relay_id, store_id=relay.store.store_id, public_key=relay.public_key
            )
        )
    world.settle()
    for number in range(4):
        say(anna, group_id, f"after {number}")
    world.advance(2 * HOUR_MS)
    say(boris, group_id, "there again")
    world.advance(HOUR_MS)
    assert {f"after {number}" for number in range(4)} <= set(boris.texts())
    assert "there again" in anna.texts()


def test_who_knocks_at_a_door_with_nobody_behind_it_puts_back_what_they_know() -> None:
    world, [anna, boris], group_id = group_of(2)
    relay = relay_of(world)
    backup = relay.backup()
    for _ in range(3):
        boris.act(lambda step: commits.update(step, group_id))
        world.advance(5_000)
    for kept in boris.all(KeptCloser):  # as if a Welcome had brought him in here
        boris.act(lambda step, kept=kept: step.transaction.delete(KeptCloser, *kept.key_values()))
    anna.go_offline()
    boris.act(lambda step: commits.update(step, group_id))
    world.advance(5_000)
    boris.go_offline()
    anna.act(lambda step: recovery.lose(step, step.conversation(group_id)))
    relay.restore(backup)
    for device in (anna, boris):
        device.go_online()
        device.restart()
    world.advance(DAY_MS)
    assert {one.conversation(group_id).state for one in (anna, boris)} == {ConversationState.LOST}
    assert not anna.conversation(group_id).denied
    world.advance(9 * DAY_MS)
    assert_one_epoch(world, [anna, boris], group_id)
    say(anna, group_id, "there again")
    world.advance(60_000)
    assert "there again" in boris.texts()


@pytest.mark.slow
def test_junk_noted_before_a_restore_mutes_nobody_after_the_week() -> None:
    world, devices, group_id = group_of(3)
    relay = relay_of(world)
    backup = relay.backup()
    for _ in range(2):
        devices[1].act(lambda step: commits.update(step, group_id))
        world.advance(5_000)
    post_junk(devices[0], group_id)
    world.settle()
    for device in devices:
        device.go_offline()
    relay.restore(backup)
    lost = devices[0].all(KeptCloser)[-2]
    answer = relay.submit(
        99,
        Rekey(
            relay_id=relay.relay_id,
            channel=Channel.ROOMS,
            log_id=devices[0].conversation(group_id).log_id,
            key=lost.segment_key,
            entry_id=EntryId(bytes(16)),
            body=bytes(528),
            since=0,
            next_hash=bytes(32),
            carry=True,
        ),
        world.now_ms,
    )
    assert isinstance(answer, EntryStored)
    for device in devices:
        device.go_online()
        device.restart()
    world.advance(8 * DAY_MS)
    say(devices[0], group_id, "there again")
    world.advance(DAY_MS)
    assert "there again" in devices[1].texts()


def test_who_was_leaving_when_a_relay_denied_the_room_leaves_in_the_end() -> None:
    world, [anna, boris], group_id = group_of(2)
    relay = relay_of(world)
    log_id = anna.conversation(group_id).log_id
    anna.go_offline()
    boris.do(lambda client_id: LeaveGroup(client_id=client_id, chat_id=group_id))
    world.advance(DAY_MS)
    real = relay.submit

    def deny(session: int, wish: Wish, now_ms: int) -> Input | None:
        if wish.log_id == log_id:
            return refused(relay.relay_id, wish, frames.No(0, "denied", 0))
        return real(session, wish, now_ms)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(relay, "submit", deny)
        boris.restart()
        world.advance(10 * DAY_MS)
        assert boris.conversation(group_id).state is ConversationState.LOST
    world.advance(20 * DAY_MS)
    assert boris.conversation(group_id).state is ConversationState.LEFT


def test_an_answer_to_the_knock_of_somebody_who_left_brings_them_back_nowhere() -> None:
    world, [anna, boris, vera], group_id = group_of(3)
    for other in (anna, vera):
        other.go_offline()
    boris.act(lambda step: recovery.lose(step, step.conversation(group_id)))
    world.advance(1_000)
    boris.do(lambda client_id: LeaveGroup(client_id=client_id, chat_id=group_id))
    for other in (anna, vera):
        other.go_online()
        other.restart()
    world.advance(HOUR_MS)
    assert boris.conversation(group_id).state is ConversationState.LEFT


def test_who_left_while_apart_is_brought_back_by_nobody_whom_they_blocked() -> None:
    world, [anna, _, vera], group_id = group_of(3)
    vera.act(lambda step: step.change(group_id, parted=True, state=ConversationState.LOST))
    vera.do(lambda client_id: LeaveGroup(client_id=client_id, chat_id=group_id))
    world.advance(1_000)
    [contact] = [one for one in vera.all(Contact) if one.account_id == anna.account_id]
    vera.act(lambda step: step.transaction.put(msgspec.structs.replace(contact, state=ContactState.BLOCKED)))
    anna.do(lambda client_id: RemoveMember(client_id=client_id, chat_id=group_id, member=vera.account_id))
    world.advance(5_000)
    invitee = invitee_of(vera)
    anna.act(lambda step: commits.add(step, group_id, [invitee]))
    world.advance(60_000)
    assert vera.conversation(group_id).state is ConversationState.LEFT


@pytest.mark.parametrize("ahead_days", [40, 400])
def test_a_clock_that_was_ahead_for_a_moment_keeps_nobody_out(ahead_days: int) -> None:
    world, [_, boris, _], group_id = group_of(3)
    world.now_ms += ahead_days * DAY_MS
    boris.act(lambda step: recovery.lose(step, step.conversation(group_id)))
    world.now_ms -= ahead_days * DAY_MS
    world.settle()
    boris.restart()
    world.advance(DAY_MS)
    assert boris.conversation(group_id).state is ConversationState.ACTIVE


def test_alarms_that_a_clock_put_far_off_ring_in_time() -> None:
    world, [_, boris], group_id = group_of(2)
    far_ms = world.now_ms + 400 * DAY_MS
    boris.act(lambda step: step.set_alarm(recovery.KNOCK_ALARM, group_id, far_ms))
    boris.act(lambda step: step.set_alarm(recovery.DOUBT_ALARM, group_id, far_ms))
    boris.restart()
    world.settle()
    due = {alarm.name: alarm.due_ms - world.now_ms for alarm in boris.all(Alarm) if alarm.subject == group_id}
    assert due[recovery.KNOCK_ALARM] <= HOUR_MS
    assert 7 * DAY_MS <= due[recovery.DOUBT_ALARM] <= 9 * DAY_MS


def test_of_thousands_of_junk_closers_a_few_are_remembered() -> None:
    world, [anna, _], group_id = group_of(2)
    conversation = anna.conversation(group_id)
    first = Entry(
        position=conversation.cursor + 1,
        entry_id=EntryId(bytes(16)),
        is_closer=True,
        carry=True,
        body=b"",
        next_hash=bytes(32),
        segment=conversation.segment,
    )
    junk = tuple(
        replace(first, position=first.position + number, next_hash=number.to_bytes(32))
        for number in range(200)
    )
    anna.handle(
        EntriesRead(
            relay_id=relay_of(world).relay_id,
            log_id=conversation.log_id,
            entries=junk,
            through=junk[-1].position,
        )
    )
    assert anna.conversation(group_id).unfollowed_closers == 200
    assert len(anna.all(Closer)) == 64
