"""What changed in a chat stands between its messages: for everybody, in order, and with who did it."""

from skvoz.client import commits
from skvoz.client.commands import (
    DeleteChat,
    LeaveGroup,
    RemoveMember,
    RenameGroup,
    SetMessageExpiry,
    SetRole,
)
from skvoz.client.records import Message, Notice
from tests.client.fake_relay import Device, invitee_of
from tests.client.people_world import friends
from tests.client.test_outbox import group_of, say


def told(device: Device, people: list[Device]) -> list[tuple[str, str, str]]:
    """Return what a device's person is told: what, by whom, of whom."""
    names = {one.account_id: one.name for one in people}
    return [
        (one.what, names[one.actor], names[one.subject] if one.subject else one.title or str(one.expiry_s))
        for one in device.all(Notice)
    ]


def test_everybody_reads_who_came_who_went_and_who_did_it() -> None:
    world, devices, group_id = group_of(4)
    anna, boris, vera, gleb = devices
    for notice in (("member_added", "device0", "device1"), ("member_added", "device0", "device2")):
        assert notice in told(anna, devices)
    assert told(boris, devices)[0] == ("member_added", "device0", "device1")
    before = len(boris.all(Notice))
    anna.do(lambda client_id: RemoveMember(client_id=client_id, chat_id=group_id, member=vera.account_id))
    world.advance(5_000)
    gleb.do(lambda client_id: LeaveGroup(client_id=client_id, chat_id=group_id))
    world.advance(60_000)
    for device in (anna, boris):
        [removed, left] = told(device, devices)[-2:]
        assert removed == ("member_removed", "device0", "device2")
        assert (left[0], left[2]) == ("member_left", "device3")
    assert len(boris.all(Notice)) == before + 2


def test_who_committed_anothers_leaving_has_not_removed_them() -> None:
    world, devices, group_id = group_of(3)
    _, boris, vera = devices
    boris.act(lambda step: commits.update(step, group_id))
    vera.do(lambda client_id: LeaveGroup(client_id=client_id, chat_id=group_id))
    world.advance(60_000)
    for device in devices[:2]:
        whats = [one.what for one in device.all(Notice) if one.subject == vera.account_id]
        assert "member_left" in whats
        assert "member_removed" not in whats


def test_roles_names_and_timers_are_told_among_the_messages() -> None:
    world, devices, group_id = group_of(2)
    anna, boris = devices
    say(anna, group_id, "before")
    world.advance(5_000)
    before = len(boris.all(Notice))
    anna.do(lambda client_id: RenameGroup(client_id=client_id, chat_id=group_id, title="The lake"))
    anna.do(
        lambda client_id: SetRole(client_id=client_id, chat_id=group_id, member=boris.account_id, admin=True)
    )
    anna.do(lambda client_id: SetMessageExpiry(client_id=client_id, chat_id=group_id, expiry_s=3600))
    world.advance(10_000)
    say(anna, group_id, "after")
    world.advance(5_000)
    assert told(boris, devices)[before:] == [
        ("title", "device0", "The lake"),
        ("admin", "device0", "device1"),
        ("expiry", "device0", "3600"),
    ]
    first, last = (message.sequence for message in boris.all(Message))
    assert all(first < notice.sequence < last for notice in boris.all(Notice)[before:])


def test_in_a_chat_of_two_only_the_timer_is_told() -> None:
    world, anna, boris = friends("hello")
    assert not anna.all(Notice)
    assert not boris.all(Notice)
    anna.do(lambda client_id: SetMessageExpiry(client_id=client_id, chat_id=boris.account_id, expiry_s=60))
    world.advance(10_000)
    assert told(boris, [anna, boris]) == [("expiry", "anna", "60")]


def test_they_go_with_the_chat() -> None:
    world, [anna, boris], group_id = group_of(2)
    assert boris.all(Notice)
    anna.do(lambda client_id: RemoveMember(client_id=client_id, chat_id=group_id, member=boris.account_id))
    world.advance(5_000)
    boris.do(lambda client_id: DeleteChat(client_id=client_id, chat_id=group_id))
    assert not boris.all(Notice)


def test_who_is_added_again_is_told_by_whom() -> None:
    world, devices, group_id = group_of(2)
    anna, boris = devices
    anna.do(lambda client_id: RemoveMember(client_id=client_id, chat_id=group_id, member=boris.account_id))
    world.advance(5_000)
    invitee = invitee_of(boris)
    anna.act(lambda step: commits.add(step, group_id, [invitee]))
    world.advance(10_000)
    assert told(anna, devices)[-2:] == [
        ("member_removed", "device0", "device1"),
        ("member_added", "device0", "device1"),
    ]
