"""Being lost, frozen, and found again; a relay that was restored from a backup."""

import ast
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import cast

import msgspec
import pytest

from skvoz.base.errors import Conflict, DecryptFailed, Invalid, PeerError
from skvoz.base.ids import EntryId, GroupId
from skvoz.base.limits import ADDRESS_SIZE_MAX
from skvoz.client import closers, commits, epochs, invitations, policy, recovery
from skvoz.client.commands import DeleteChat, LeaveGroup, RemoveMember
from skvoz.client.conversation_info import ConversationInfo
from skvoz.client.effects import Append, Channel, Knock, Rekey
from skvoz.client.envelope import segment_hash
from skvoz.client.events import ChatChanged
from skvoz.client.inputs import (
    Attached,
    EntriesRead,
    Entry,
    EntryRefused,
    EntryStored,
    Input,
    KnocksRead,
    RelayConnected,
    RequestRefused,
)
from skvoz.client.records import (
    Alarm,
    ConversationState,
    KeptCloser,
    KeyPackageSecret,
    KnockHeard,
    OwnKnock,
    Participant,
    Relay,
)
from skvoz.client.relay_requests import Wish, refused
from skvoz.client.step import Step
from skvoz.codec import opaque, pad
from skvoz.crypto import DEFAULT_SUITE, SUITES, ZERO_NONCE, hkdf_sha256, seal, sign_labeled
from skvoz.mls import Extensions, Group, Remove, commit_processing
from skvoz.wire import frames
from skvoz.wire.frames import KNOCK_SIZE_MAX
from tests.client.fake_relay import Device, World
from tests.client.test_closers import assert_one_epoch, relay_of
from tests.client.test_outbox import group_of, say

HOUR_MS = 3600 * 1000


def blind(monkeypatch: pytest.MonkeyPatch, victim: Device, act: Callable[[], object]) -> None:
    """Run the world while the victim can't decrypt its part of any commit's path."""
    real = commit_processing.decrypt_path
    handling: list[str] = []
    handle = Device.handle

    def watched(self: Device, fact: object) -> None:
        handling.append(self.name)
        handle(self, fact)  # type: ignore[arg-type] # passed on as it came
        handling.pop()

    def failing(*arguments: object, **named: object) -> object:
        if handling and handling[-1] == victim.name:
            raise DecryptFailed
        return real(*arguments, **named)  # type: ignore[arg-type] # passed on as they came

    with monkeypatch.context() as patch:
        patch.setattr(Device, "handle", watched)
        patch.setattr(commit_processing, "decrypt_path", failing)
        act()
        victim.world.settle()


def test_who_cannot_read_a_path_knocks_and_is_let_in_again(monkeypatch: pytest.MonkeyPatch) -> None:
    world, devices, group_id = group_of(3)
    anna, _, vera = devices
    blind(monkeypatch, vera, lambda: anna.act(lambda step: commits.update(step, group_id)))
    assert vera.conversation(group_id).state is ConversationState.LOST
    say(anna, group_id, "vera misses this")
    say(vera, group_id, "written while lost")
    world.advance(20_000)
    assert vera.conversation(group_id).state is ConversationState.ACTIVE
    assert_one_epoch(world, devices, group_id)
    assert "vera misses this" not in vera.texts()
    assert "written while lost" in anna.texts()
    assert not anna.all(KnockHeard)
    assert len([one for one in anna.all(Participant) if one.group_id == group_id]) == 3


def test_a_commit_that_nobody_can_read_is_contested_in_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world, devices, group_id = group_of(2)
    anna, boris = devices
    anna.go_offline()
    anna.act(lambda step: commits.update(step, group_id))
    blind(monkeypatch, boris, anna.go_online)
    assert boris.conversation(group_id).state is ConversationState.LOST
    anna.go_offline()
    world.advance(2 * HOUR_MS)
    assert boris.conversation(group_id).state is ConversationState.ACTIVE


def freeze_by_twin(world: World, vera: Device, group_id: GroupId) -> None:
    """Have a copy of a device say one thing, and the device read it."""
    twin = Device(world, "twin", world.fresh_session())
    twin.records.tables = {kind: dict(table) for kind, table in vera.records.tables.items()}
    vera.go_offline()
    world.devices.append(twin)
    twin.restart()
    world.settle()
    say(twin, group_id, "from the twin")
    world.settle()
    world.devices.remove(twin)
    twin.go_offline()
    vera.go_online()
    vera.restart()
    vera.turn_until_state(group_id, ConversationState.FROZEN)


def alone_with_twin() -> tuple[World, list[Device], GroupId]:
    """Return a group of three whose last device is frozen, wants to say something, and is alone online."""
    world, devices, group_id = group_of(3)
    anna, boris, vera = devices
    say(vera, group_id, "early")
    world.settle()
    freeze_by_twin(world, vera, group_id)
    anna.go_offline()
    boris.go_offline()
    say(vera, group_id, "waits")
    while vera.turn():
        pass
    vera.submitted.clear()
    return world, devices, group_id


def assert_silent(vera: Device, group_id: GroupId) -> None:
    """Check that a frozen leaf let nothing out that it encrypted, and wants to be added anew."""
    assert not [one for one in vera.submitted if isinstance(one, Append | Rekey)]
    assert vera.conversation(group_id).frozen
    assert any(alarm.name == recovery.KNOCK_ALARM for alarm in vera.all(Alarm))


def assert_added_anew(world: World, devices: list[Device], group_id: GroupId) -> None:
    """Check that a frozen leaf writes again once others have heard its knock."""
    for device in devices:
        device.go_online()
        device.restart()
    world.advance(7 * HOUR_MS)
    assert not devices[-1].conversation(group_id).frozen
    assert all("waits" in device.texts() for device in devices)
    assert_one_epoch(world, devices, group_id)


def test_a_frozen_leaf_stays_frozen_where_a_relay_denies_it_and_lets_it_in_again() -> None:
    """A relay could else have one key encrypt two messages."""
    world, devices, group_id = alone_with_twin()
    vera = devices[-1]
    chat = vera.conversation(group_id)
    denied = RequestRefused(
        relay_id=chat.relay_id, log_id=chat.log_id, request="Attach", code="denied", retry_after_ms=0
    )
    while vera.conversation(group_id).state is not ConversationState.LOST:
        vera.handle(denied)
    vera.submitted.clear()
    looks = vera.machine.caches.looks
    vera.swallow = lambda fact: isinstance(fact, EntriesRead) and group_id not in looks
    world.advance(20_000)
    head = relay_of(world).store.all_entries(chat.log_id)[-1].position
    vera.handle(EntriesRead(relay_id=chat.relay_id, log_id=chat.log_id, entries=(), through=head))
    assert vera.conversation(group_id).state is ConversationState.FROZEN
    assert any(isinstance(one, Knock) for one in vera.submitted)
    vera.swallow = lambda _: False
    assert not [one for one in vera.submitted if isinstance(one, Append)]
    vera.submitted.clear()
    assert_silent(vera, group_id)
    assert_added_anew(world, devices, group_id)


def test_a_frozen_leaf_that_is_lost_too_is_frozen_again_when_it_doubts_the_closer() -> None:
    world, devices, group_id = alone_with_twin()
    vera = devices[-1]
    body = vera.world.random.randbytes(528)
    entry = Entry(
        position=vera.conversation(group_id).cursor + 1,
        entry_id=EntryId(bytes(16)),
        is_closer=True,
        carry=True,
        body=body,
        segment=vera.conversation(group_id).segment,
        next_hash=bytes(32),
    )
    vera.act(lambda step: recovery.suspect(step, step.conversation(group_id), entry))
    assert vera.conversation(group_id).state is ConversationState.LOST
    world.advance(2 * HOUR_MS)
    assert vera.conversation(group_id).state is ConversationState.FROZEN
    assert_silent(vera, group_id)
    assert_added_anew(world, devices, group_id)


def test_nothing_is_encrypted_under_a_frozen_leaf_whatever_its_state() -> None:
    world, [anna, _, vera], group_id = group_of(3)
    say(vera, group_id, "early")
    world.settle()
    vera.submitted.clear()
    vera.act(lambda step: step.change(group_id, frozen=True))
    say(vera, group_id, "waits")
    vera.act(lambda step: commits.update(step, group_id))
    vera.act(lambda step: step.change(group_id, unfollowed_closers=1))
    vera.act(lambda step: closers.contest(step, step.conversation(group_id)))
    vera.do(lambda client_id: LeaveGroup(client_id=client_id, chat_id=group_id))
    world.advance(60_000)
    assert not [one for one in vera.submitted if isinstance(one, Append | Rekey)]
    assert "waits" not in anna.texts()
    with pytest.raises(Conflict):
        vera.act(lambda step: step.writable_group(group_id))


def test_whatever_encrypts_asks_whether_the_leaf_may() -> None:
    for path in Path(closers.__file__).parent.glob("*.py"):
        for function in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(function, ast.FunctionDef):
                continue
            called = {node.attr for node in ast.walk(function) if isinstance(node, ast.Attribute)}
            if called & {"protect", "propose", "stage_commit"}:
                assert "writable_group" in called, (path.name, function.name)


def test_a_twin_freezes_the_leaf_until_it_is_added_anew() -> None:
    world, devices, group_id = group_of(3)
    anna, _, vera = devices
    freeze_by_twin(world, vera, group_id)
    say(vera, group_id, "waits")
    assert "waits" not in anna.texts()
    world.advance(30_000)
    assert vera.conversation(group_id).state is ConversationState.ACTIVE
    assert "waits" in anna.texts()
    assert_one_epoch(world, devices, group_id)


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


def test_members_meet_again_after_a_restored_relay_parted_them() -> None:
    world, devices, group_id = group_of(3)
    anna, boris, vera = devices
    relay = relay_of(world)
    backup = relay.backup()
    vera.go_offline()
    for _ in range(3):
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
    say(devices[2], group_id, "there again")
    world.advance(10_000)
    assert "there again" in devices[0].texts()
    assert assert_one_epoch(world, devices, group_id) >= epoch


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
    anna.act(lambda step: recovery.restore_room(step, conversation))
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


def test_the_same_knock_is_repeated_for_two_days() -> None:
    world, [anna, boris], group_id = group_of(2)
    anna.go_offline()
    boris.act(lambda step: recovery.lose(step, step.conversation(group_id)))
    world.advance(24 * HOUR_MS)
    boris.restart()
    world.advance(23 * HOUR_MS)
    assert len({one.body for one in boris.submitted if isinstance(one, Knock)}) == 1
    world.advance(7 * HOUR_MS)
    assert len({one.body for one in boris.submitted if isinstance(one, Knock)}) == 2


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


def test_only_a_members_own_signed_knock_is_heard() -> None:
    world, devices, group_id = group_of(3)
    anna, _, vera = devices
    group = anna.group(group_id)
    vera.act(lambda step: recovery.lose(step, step.conversation(group_id)))
    [knock] = [one for one in vera.submitted if isinstance(one, Knock)]
    heard = recovery.read_knock(group, 1, knock.body)
    assert heard.leaf == vera.conversation(group_id).own_leaf
    for place in (0, 20, len(knock.body) - 1):
        damaged = bytearray(knock.body)
        damaged[place] ^= 1
        with pytest.raises(PeerError):
            recovery.read_knock(group, 1, bytes(damaged))
    devices[0].do(
        lambda client_id: RemoveMember(client_id=client_id, chat_id=group_id, member=vera.account_id)
    )
    world.advance(5_000)
    with pytest.raises(PeerError):
        recovery.read_knock(anna.group(group_id), 1, knock.body)


def knock_of(
    device: Device,
    group_id: GroupId,
    *,
    extensions: Extensions | None = None,
    recipient: bytes | None = None,
    key_package: bytes | None = None,
) -> bytes:
    """Return a knock as `docs/protocol` has it, signed by a device, with parts of it exchanged."""

    def make(step: Step) -> bytes:
        wanted = policy.return_extensions(group_id) if extensions is None else extensions
        own_package, own_recipient = invitations.fresh_key_package(step, wanted)
        offered, to = key_package or own_package, recipient or own_recipient
        content = opaque(group_id) + opaque(offered) + opaque(to)
        signature = sign_labeled(step.account().device_private_key, "knock", content)
        plain = b"\x01" + opaque(offered) + opaque(to) + signature
        knock_key = policy.info_of(step.group(group_id)).knock_key
        salt = step.randomness(16)
        key = hkdf_sha256(knock_key, salt=salt, info=b"skvoz knock 1" + group_id, length=32)
        return salt + seal(key, ZERO_NONCE, b"", pad(plain))

    return device.act(make)


def hear(device: Device, group_id: GroupId, *bodies: bytes) -> None:
    conversation = device.conversation(group_id)
    knocks = tuple(enumerate(bodies, 1))
    device.handle(KnocksRead(relay_id=conversation.relay_id, log_id=conversation.log_id, knocks=knocks))


def test_a_knock_names_the_group_and_its_own_person() -> None:
    _, devices, group_id = group_of(3)
    anna, boris, vera = devices
    group = anna.group(group_id)
    assert (
        recovery.read_knock(group, 1, knock_of(vera, group_id)).leaf == vera.conversation(group_id).own_leaf
    )
    to_boris = boris.act(invitations.fresh_key_package)[1]
    of_boris = boris.act(
        lambda step: invitations.fresh_key_package(step, policy.return_extensions(group_id))
    )[0]
    for wrong in (
        knock_of(vera, group_id, extensions=()),
        knock_of(vera, group_id, extensions=policy.return_extensions(b"another")),
        knock_of(vera, group_id, recipient=to_boris),
        knock_of(vera, group_id, key_package=of_boris),
    ):
        with pytest.raises(PeerError):
            recovery.read_knock(group, 1, wrong)
    with pytest.raises(Invalid):
        recovery.read_knock(group, 1, knock_of(vera, group_id), now_ms=anna.world.now_ms + 90 * 24 * HOUR_MS)


def test_who_was_taken_in_again_under_another_leaf_is_still_heard() -> None:
    world, devices, group_id = group_of(4)
    anna, boris, _, gleb = devices
    lost = gleb.group(group_id)
    anna.do(lambda client_id: RemoveMember(client_id=client_id, chat_id=group_id, member=boris.account_id))
    world.advance(5_000)
    gleb.go_offline()
    hear(anna, group_id, knock_of(gleb, group_id))
    world.advance(5_000)
    present = anna.group(group_id)
    [leaf] = policy.accounts_of(present)[gleb.account_id]
    assert leaf != lost.own_leaf_index
    assert recovery.read_knock(present, 2, knock_of(gleb, group_id)).leaf == leaf


def test_a_knock_that_was_answered_before_does_not_keep_its_device_out() -> None:
    world, devices, group_id = group_of(3)
    anna, _, vera = devices
    vera.act(lambda step: recovery.lose(step, step.conversation(group_id)))
    [knock] = [one for one in vera.submitted if isinstance(one, Knock)]
    world.advance(30_000)
    assert vera.conversation(group_id).state is ConversationState.ACTIVE
    hear(anna, group_id, knock.body)
    world.advance(60_000)
    assert vera.conversation(group_id).state is ConversationState.ACTIVE
    assert_one_epoch(world, devices, group_id)
    assert len([one for one in vera.submitted if isinstance(one, Knock)]) > 1


def test_one_knock_that_can_not_be_answered_keeps_nobody_else_out(monkeypatch: pytest.MonkeyPatch) -> None:
    world, devices, group_id = group_of(4)
    anna, boris, vera, _ = devices
    real = Group.stage_commit
    spoiled = boris.conversation(group_id).own_leaf

    def staging(self: Group, **named: object) -> object:
        if Remove(spoiled) in cast("list[object]", named["proposals"]):
            raise Invalid("a key is in use already")
        return real(self, **named)  # type: ignore[arg-type] # passed on as they came

    monkeypatch.setattr(Group, "stage_commit", staging)
    vera.go_offline()
    hear(anna, group_id, knock_of(boris, group_id), knock_of(vera, group_id))
    before = anna.conversation(group_id).epoch
    world.advance(5_000)
    assert anna.conversation(group_id).epoch > before
    assert vera.conversation(group_id).own_leaf not in [one.leaf for one in anna.all(KnockHeard)]


def test_the_longest_knock_is_one_that_a_relay_takes() -> None:
    world = World()
    world.environment = replace(world.environment, suite=SUITES[DEFAULT_SUITE])
    relay = world.add_relay()
    anna, boris = world.add_device("anna", relay), world.add_device("boris", relay)
    longest = tuple(f"wss://{'x' * 248}/{number}" for number in range(8))
    assert {len(address) for address in longest} == {ADDRESS_SIZE_MAX}

    def lengthen(step: Step) -> None:
        present = step.transaction.get(Relay, step.account().home_relay_id)
        assert present is not None
        step.transaction.put(msgspec.structs.replace(present, addresses=longest))

    boris.act(lengthen)
    group_id = world.make_group(anna, boris)
    boris.act(lambda step: recovery.lose(step, step.conversation(group_id)))
    [knock] = [one for one in boris.submitted if isinstance(one, Knock)]
    assert len(knock.body) <= KNOCK_SIZE_MAX
    assert recovery.read_knock(anna.group(group_id), 1, knock.body)


def test_knock_and_door_keys_are_different_secrets() -> None:
    info = ConversationInfo.__new__(ConversationInfo)
    object.__setattr__(info, "door_secret", bytes(range(32)))
    assert len({info.door_key, info.knock_key, bytes(range(32))}) == 3


def test_key_packages_of_knocks_are_not_kept_for_ever() -> None:
    world, devices, group_id = group_of(3)
    vera = devices[2]
    before = len(vera.all(KeyPackageSecret))
    vera.act(lambda step: recovery.lose(step, step.conversation(group_id)))
    world.advance(30_000)
    assert vera.conversation(group_id).state is ConversationState.ACTIVE
    assert len(vera.all(KeyPackageSecret)) <= before
