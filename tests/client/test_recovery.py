"""Being lost, frozen, and found again."""

import ast
from collections.abc import Callable
from pathlib import Path

import pytest

from skvoz.base.errors import Conflict, DecryptFailed
from skvoz.base.ids import EntryId, GroupId
from skvoz.client import closers, commits, recovery
from skvoz.client.commands import LeaveGroup
from skvoz.client.effects import Append, Knock, Rekey
from skvoz.client.inputs import (
    EntriesRead,
    Entry,
    RequestRefused,
)
from skvoz.client.records import (
    Alarm,
    ConversationState,
    KnockHeard,
    Participant,
)
from skvoz.mls import commit_processing
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
