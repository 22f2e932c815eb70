"""Reports: sparing in number, none in large rooms, and believed only about one's own messages."""

import pytest

from skvoz.base.ids import AccountId, GroupId, MessageId
from skvoz.client import commits, reports
from skvoz.client.commands import ChangeProfile, MarkRead, SetRole
from skvoz.client.effects import Append, Channel
from skvoz.client.records import MessageState, Participant, PendingReport
from skvoz.client.step import Step
from tests.client.fake_relay import Device, invitee_of
from tests.client.people_world import friends, message, say
from tests.client.test_outbox import group_of

SEEN = MessageId(b"m" * 32)


def said_in_rooms(device: Device) -> int:
    return sum(isinstance(one, Append) and one.channel is Channel.ROOMS for one in device.submitted)


def people_are(step: Step, group_id: GroupId, count: int) -> None:
    """Let a room have so many people."""
    present = step.transaction.select(Participant, group_id=group_id)
    for number in range(count - len(present)):
        account_id = AccountId(number.to_bytes(32, "big"))
        step.transaction.put(
            Participant(group_id=group_id, account_id=account_id, admin=False, leaves=(100 + number,))
        )
    step.caches.people.clear()


@pytest.mark.parametrize(("people", "expected"), [(20, 1), (21, 0)])
def test_rooms_above_twenty_people_have_no_reports(people: int, expected: int) -> None:
    _, devices, group_id = group_of(3)
    device = devices[0]
    device.act(lambda step: people_are(step, group_id, people))
    device.act(lambda step: reports.due(step, step.conversation(group_id), SEEN))
    assert len(device.all(PendingReport)) == expected
    assert device.act(lambda step: reports.take(step, step.conversation(group_id)) is not None) == expected


def test_a_room_that_has_shrunk_has_reports_again() -> None:
    _, devices, group_id = group_of(3)
    device = devices[0]
    device.act(lambda step: people_are(step, group_id, 30))
    device.act(lambda step: reports.due(step, step.conversation(group_id), SEEN))
    assert not device.all(PendingReport)

    def go(step: Step) -> None:
        for one in step.transaction.select(Participant, group_id=group_id):
            if one.leaves[0] >= 100:
                step.transaction.delete(Participant, *one.key_values())

    device.act(go)
    device.act(lambda step: step.change(group_id, epoch=step.conversation(group_id).epoch + 1))
    device.act(lambda step: reports.due(step, step.conversation(group_id), SEEN))
    assert device.all(PendingReport)


def test_one_report_covers_many_messages_and_comes_after_three_seconds() -> None:
    world, anna, boris = friends("hello")
    sent = [say(anna, boris.account_id, str(number)) for number in range(10)]
    before = said_in_rooms(boris)
    world.advance(reports.INTERVAL_MS - 1_000)
    assert said_in_rooms(boris) == before
    assert {message(anna, one).state for one in sent} == {MessageState.SENT}
    world.advance(2_000)
    assert said_in_rooms(boris) == before + 1
    assert {message(anna, one).state for one in sent} == {MessageState.DELIVERED}


def test_who_does_not_want_to_report_does_not() -> None:
    world, anna, boris = friends("hello")
    boris.do(lambda client_id: ChangeProfile(client_id=client_id, reports_enabled=False))
    sent = say(anna, boris.account_id, "are you there?")
    world.advance(60_000)
    assert message(anna, sent).state is MessageState.SENT
    assert not boris.all(PendingReport)


def newcomer(device: Device, group_id: GroupId) -> Device:
    """Let a device add somebody to its group."""
    vera = device.world.add_device("vera", next(iter(device.world.relays.values())))
    invitee = invitee_of(vera)
    device.act(lambda step: commits.add(step, group_id, [invitee]))
    device.world.advance(30_000)
    assert len([one for one in device.all(Participant) if one.group_id == group_id]) == 3
    return vera


def wait_for(device: Device, group_id: GroupId, message_id: MessageId) -> list[AccountId]:
    """Return who is to report a message before it counts as read by all."""
    people = [one for one in device.all(Participant) if one.group_id == group_id]
    return [one.account_id for one in people if reports.was_told(one, message(device, message_id))]


def test_nobody_waits_for_a_report_of_who_came_later() -> None:
    _, [anna, boris], group_id = group_of(2)
    sent = say(anna, group_id, "before vera")
    vera = newcomer(anna, group_id)
    boris.do(lambda client_id: MarkRead(client_id=client_id, chat_id=group_id, message_id=sent))
    say(boris, group_id, "my report rides on this")
    assert wait_for(anna, group_id, sent) == [boris.account_id]
    assert message(anna, sent).state is MessageState.READ
    later = say(anna, group_id, "after vera")
    assert set(wait_for(anna, group_id, later)) == {boris.account_id, vera.account_id}
    say(boris, group_id, "another")
    assert message(anna, later).state is MessageState.SENT


def test_what_was_written_before_and_taken_after_somebody_came_is_for_them_too() -> None:
    world, [anna, boris], group_id = group_of(2)
    anna.do(
        lambda client_id: SetRole(client_id=client_id, chat_id=group_id, member=boris.account_id, admin=True)
    )
    world.advance(30_000)
    anna.go_offline()
    sent = say(anna, group_id, "on its way for long")
    vera = newcomer(boris, group_id)
    anna.go_online()
    world.advance(30_000)
    assert vera.texts() == ["on its way for long"]
    assert set(wait_for(anna, group_id, sent)) == {boris.account_id, vera.account_id}
