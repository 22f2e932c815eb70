"""What people wish of groups, and what is refused."""

import pytest

from skvoz.base.errors import BadRequest, Conflict, NotAllowed, NotFound
from skvoz.base.ids import AccountId
from skvoz.client import commits, conversations, groups
from skvoz.client.commands import (
    AddMembers,
    CreateGroup,
    LeaveGroup,
    RemoveMember,
    RenameGroup,
    SetMessageExpiry,
    SetRole,
)
from skvoz.client.events import ChatChanged, RequestFailed
from skvoz.client.records import (
    ConversationKind,
    ConversationState,
    Intent,
    Message,
    MessageState,
    Participant,
)
from tests.client.fake_relay import DAY_MS, Device, World, invitee_of
from tests.client.test_closers import assert_one_epoch
from tests.client.test_outbox import group_of, say


def changes(device: Device) -> list[str]:
    return [event.what for event in device.events if isinstance(event, ChatChanged)]


def members(device: Device, group_id: bytes) -> dict[AccountId, bool]:
    found = [one for one in device.all(Participant) if one.group_id == group_id]
    return {one.account_id: one.admin for one in found}


def test_members_are_known_everywhere() -> None:
    _, devices, group_id = group_of(3)
    everybody = {device.account_id: device.name == "device0" for device in devices}
    assert all(members(device, group_id) == everybody for device in devices)


def test_who_is_removed_reads_nothing_more() -> None:
    world, devices, group_id = group_of(3)
    anna, boris, vera = devices
    anna.do(lambda client_id: RemoveMember(client_id=client_id, chat_id=group_id, member=vera.account_id))
    say(anna, group_id, "without vera")
    world.advance(5_000)
    assert vera.conversation(group_id).state is ConversationState.REMOVED
    assert vera.texts() == []
    assert boris.texts() == ["without vera"]
    assert "member_removed" in changes(boris)
    assert "removed" in changes(vera)
    assert_one_epoch(world, [anna, boris], group_id)


def test_who_was_removed_can_be_added_again() -> None:
    world, devices, group_id = group_of(2)
    anna, boris = devices
    anna.do(lambda client_id: RemoveMember(client_id=client_id, chat_id=group_id, member=boris.account_id))
    world.advance(5_000)
    invitee = invitee_of(boris)
    anna.act(lambda step: commits.add(step, group_id, [invitee]))
    world.advance(10_000)
    assert boris.conversation(group_id).state is ConversationState.ACTIVE
    assert_one_epoch(world, devices, group_id)


def test_leaving_is_done_by_whoever_commits_next() -> None:
    world, devices, group_id = group_of(3)
    anna, boris, vera = devices
    for device in (anna, boris):
        device.go_offline()
    say(vera, group_id, "goodbye")
    vera.do(lambda client_id: LeaveGroup(client_id=client_id, chat_id=group_id))
    world.advance(60_000)
    assert vera.conversation(group_id).state is ConversationState.LEAVING
    for device in (anna, boris):
        device.go_online()
    world.advance(60_000)
    assert vera.conversation(group_id).state is ConversationState.LEFT
    assert vera.account_id not in members(anna, group_id)
    assert boris.texts() == ["goodbye"]
    assert_one_epoch(world, [anna, boris], group_id)


def test_leaving_outlasts_a_commit_that_did_not_know_of_it() -> None:
    world, devices, group_id = group_of(3)
    anna, _, vera = devices
    vera.go_offline()
    vera.do(lambda client_id: LeaveGroup(client_id=client_id, chat_id=group_id))
    anna.act(lambda step: commits.update(step, group_id))
    world.settle()
    vera.go_online()
    world.advance(60_000)
    assert vera.conversation(group_id).state is ConversationState.LEFT
    assert vera.account_id not in members(anna, group_id)


def test_when_all_leave_at_once_nobody_waits_for_a_commit() -> None:
    world, devices, group_id = group_of(3)
    for device in devices:
        device.go_offline()
        device.do(lambda client_id: LeaveGroup(client_id=client_id, chat_id=group_id))
    for device in devices:
        device.go_online()
    world.advance(60_000)
    assert {device.conversation(group_id).state for device in devices} == {ConversationState.LEFT}
    assert not any(device.all(Intent) for device in devices)


def test_who_leaves_waits_a_week_for_others_who_may_never_come() -> None:
    world, [anna, boris], group_id = group_of(2)
    boris.go_offline()
    anna.do(lambda client_id: LeaveGroup(client_id=client_id, chat_id=group_id))
    world.advance(6 * DAY_MS)
    assert anna.conversation(group_id).state is ConversationState.LEAVING
    world.advance(2 * DAY_MS)
    assert anna.conversation(group_id).state is ConversationState.LEFT
    assert not anna.all(Intent)
    boris.go_online()
    world.advance(60_000)
    assert set(members(boris, group_id)) == {boris.account_id}


def test_nobody_goes_before_their_wish_is_in_the_log() -> None:
    world, [anna, boris], group_id = group_of(2)
    boris.go_offline()
    anna.go_offline()
    anna.do(lambda client_id: LeaveGroup(client_id=client_id, chat_id=group_id))
    world.advance(9 * DAY_MS)
    assert anna.conversation(group_id).state is ConversationState.LEAVING
    anna.go_online()
    world.advance(6 * DAY_MS)
    assert anna.conversation(group_id).state is ConversationState.LEAVING
    world.advance(2 * DAY_MS)
    assert anna.conversation(group_id).state is ConversationState.LEFT


def test_nobody_goes_before_the_others_can_read_it() -> None:
    world, [anna, boris], group_id = group_of(2)
    anna.go_offline()
    anna.do(lambda client_id: LeaveGroup(client_id=client_id, chat_id=group_id))
    boris.do(lambda client_id: LeaveGroup(client_id=client_id, chat_id=group_id))
    world.settle()
    anna.online = True
    while anna.turn():
        pass
    assert anna.conversation(group_id).state is ConversationState.LEAVING
    anna.go_online()
    world.advance(60_000)
    assert {one.conversation(group_id).state for one in (anna, boris)} == {ConversationState.LEFT}


def test_the_last_one_just_goes() -> None:
    _, [anna], group_id = group_of(1)
    say(anna, group_id, "to myself")
    anna.do(lambda client_id: LeaveGroup(client_id=client_id, chat_id=group_id))
    assert anna.conversation(group_id).state is ConversationState.LEFT
    assert not anna.all(Intent)


def test_what_was_not_sent_fails_when_one_is_removed() -> None:
    world, devices, group_id = group_of(2)
    anna, boris = devices
    boris.go_offline()
    say(boris, group_id, "too late")
    anna.do(lambda client_id: RemoveMember(client_id=client_id, chat_id=group_id, member=boris.account_id))
    world.settle()
    boris.go_online()
    world.settle()
    assert [message.state for message in boris.all(Message)] == [MessageState.FAILED]


def test_title_role_and_expiry_reach_everybody() -> None:
    world, devices, group_id = group_of(3)
    anna, boris, vera = devices
    anna.do(lambda c: RenameGroup(client_id=c, chat_id=group_id, title=" New title "))
    anna.do(lambda c: SetRole(client_id=c, chat_id=group_id, member=boris.account_id, admin=True))
    world.settle()
    boris.do(lambda c: SetMessageExpiry(client_id=c, chat_id=group_id, expiry_s=3600))
    world.settle()
    boris.do(lambda c: SetRole(client_id=c, chat_id=group_id, member=anna.account_id, admin=False))
    world.settle()
    for device in devices:
        conversation = device.conversation(group_id)
        assert (conversation.title, conversation.message_expiry_s) == ("New title", 3600)
        assert members(device, group_id)[boris.account_id]
        assert not members(device, group_id)[anna.account_id]
    assert {"title", "admin", "not_admin", "expiry"} <= set(changes(vera))


def test_what_plain_members_and_outsiders_may_not() -> None:
    world, devices, group_id = group_of(3)
    anna, boris, vera = devices
    stranger = AccountId(bytes(32))
    with pytest.raises(NotAllowed):
        boris.do(lambda c: RenameGroup(client_id=c, chat_id=group_id, title="mine"))
    with pytest.raises(NotAllowed):
        boris.do(lambda c: RemoveMember(client_id=c, chat_id=group_id, member=vera.account_id))
    with pytest.raises(NotAllowed):
        boris.do(lambda c: SetMessageExpiry(client_id=c, chat_id=group_id, expiry_s=1))
    with pytest.raises(NotFound):
        anna.do(lambda c: RemoveMember(client_id=c, chat_id=group_id, member=stranger))
    with pytest.raises(NotFound):
        anna.do(lambda c: RenameGroup(client_id=c, chat_id=bytes(16), title="x"))
    with pytest.raises(BadRequest):
        anna.do(lambda c: RemoveMember(client_id=c, chat_id=group_id, member=anna.account_id))
    with pytest.raises(BadRequest):
        anna.do(lambda c: RenameGroup(client_id=c, chat_id=group_id, title=" "))
    with pytest.raises(BadRequest):
        anna.do(lambda c: SetMessageExpiry(client_id=c, chat_id=group_id, expiry_s=-1))
    with pytest.raises(Conflict):
        anna.do(lambda c: SetRole(client_id=c, chat_id=group_id, member=anna.account_id, admin=False))
    with pytest.raises(NotFound):
        anna.do(lambda c: AddMembers(client_id=c, chat_id=group_id, members=(stranger,)))
    vera.do(lambda c: LeaveGroup(client_id=c, chat_id=group_id))
    world.advance(10_000)
    with pytest.raises(Conflict):
        vera.do(lambda c: RenameGroup(client_id=c, chat_id=group_id, title="gone"))


def test_a_refused_command_changes_nothing_and_a_repeated_one_is_done_once() -> None:
    world, devices, group_id = group_of(2)
    anna = devices[0]
    before = {kind: dict(table) for kind, table in anna.records.tables.items()}
    with pytest.raises(NotFound):
        anna.do(lambda c: CreateGroup(client_id=c, title="x", members=(AccountId(bytes(32)),)))
    assert anna.records.tables == before
    first = anna.do(lambda _: CreateGroup(client_id="once", title="x", members=()))
    again = anna.do(lambda _: CreateGroup(client_id="once", title="x", members=()))
    assert first == again
    with pytest.raises(Conflict):
        anna.do(lambda _: RenameGroup(client_id="once", chat_id=group_id, title="x"))
    assert world.now_ms


def test_messages_wait_for_key_packages_but_not_for_ever() -> None:
    world = World()
    relay = world.add_relay()
    anna, boris, vera = (world.add_device(name, relay) for name in ("anna", "boris", "vera"))
    made = anna.act(
        lambda step: conversations.create(
            step, kind=ConversationKind.GROUP, relay_id=relay.relay_id, title="g"
        )
    )
    group_id = made.group_id
    asked = [boris.account_id, vera.account_id]
    until_ms = world.now_ms + commits.PACKAGES_WAIT_MS
    wish = anna.act(lambda step: groups.add_later(step, group_id, asked, until_ms))
    say(anna, group_id, "to all whom I asked")
    world.settle()
    assert len(anna.all(Intent)) == 2
    late, early = invitee_of(vera), invitee_of(boris)
    anna.act(lambda step: groups.package_arrived(step, wish, early))
    world.advance(commits.PACKAGES_WAIT_MS + 1_000)
    assert boris.texts() == ["to all whom I asked"]
    assert not anna.all(Intent)
    anna.act(lambda step: groups.package_arrived(step, wish, late))
    world.advance(10_000)
    assert vera.conversation(group_id).state is ConversationState.ACTIVE


def test_a_key_package_that_cannot_be_had_holds_nobody_up() -> None:
    world, [anna, boris], group_id = group_of(2)
    missing = AccountId(bytes(32))
    until_ms = world.now_ms + 10_000
    wish = anna.act(lambda step: groups.add_later(step, group_id, [missing], until_ms))
    say(anna, group_id, "hello")
    anna.act(lambda step: groups.package_failed(step, wish, missing, "denied"))
    world.settle()
    assert boris.texts() == ["hello"]
    assert any(isinstance(event, RequestFailed) for event in anna.events)


def test_a_bad_key_package_spoils_nothing_else() -> None:
    world, [anna, boris, vera], group_id = group_of(3)
    anna.do(lambda c: RemoveMember(client_id=c, chat_id=group_id, member=vera.account_id))
    world.advance(5_000)
    good, swapped = invitee_of(vera), invitee_of(boris)
    forged = conversations.Invitee(
        account_id=AccountId(bytes(32)),
        key_package=swapped.key_package,
        recipient=swapped.recipient,
    )
    broken = conversations.Invitee(
        account_id=boris.account_id, key_package=b"\0", recipient=swapped.recipient
    )
    anna.act(lambda step: commits.add(step, group_id, [forged, broken, good]))
    world.advance(10_000)
    assert vera.conversation(group_id).state is ConversationState.ACTIVE
    assert [e.reason for e in anna.events if isinstance(e, RequestFailed)] == ["bad_package"] * 2


def test_wishes_that_went_together_are_refused_once_each() -> None:
    world, [anna, _, vera], group_id = group_of(3)
    broken = conversations.Invitee(account_id=vera.account_id, key_package=b"\0", recipient=b"")
    anna.go_offline()
    anna.do(lambda c: RenameGroup(client_id=c, chat_id=group_id, title="renamed"))
    for _ in range(2):
        anna.act(lambda step: commits.add(step, group_id, [broken]))
    anna.go_online()
    world.advance(10_000)
    assert [e.reason for e in anna.events if isinstance(e, RequestFailed)] == ["bad_package"] * 2
    assert not anna.all(Intent)
