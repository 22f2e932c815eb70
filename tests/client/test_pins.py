"""Pinned messages: the same at both ends, whatever comes first, and only by who may."""

from itertools import permutations

import pytest

from skvoz.base.errors import Conflict, NotAllowed
from skvoz.base.ids import AccountId, MessageId
from skvoz.client import pins
from skvoz.client.commands import DeleteMessage, PinMessage, SetMessageExpiry
from skvoz.client.events import MessageChanged
from skvoz.client.messages import CLOCK_SKEW_MS_MAX
from skvoz.client.pins import PINS_MAX, SMALL_GROUP_PEOPLE_MAX
from skvoz.client.records import (
    Conversation,
    ConversationKind,
    Message,
    Participant,
    PinChange,
    Unread,
    WaitingChange,
)
from skvoz.client.said import Said
from skvoz.client.step import Step
from skvoz.content import Delete, Pin, Text
from tests.client.fake_relay import Device
from tests.client.people_world import events, friends, message, say
from tests.client.test_changes import ANNA, VERA, Sayer, room


def pin(device: Device, message_id: MessageId, *, pinned: bool = True) -> None:
    device.do(lambda client_id: PinMessage(client_id=client_id, message_id=message_id, pinned=pinned))
    device.world.settle()


def pinned(device: Device) -> set[MessageId]:
    return {one.message_id for one in device.all(PinChange) if one.pinned}


def direct_room() -> tuple[Device, Sayer]:
    """Return Boris and what makes Anna's words in a conversation of two."""
    boris, anna = room()
    boris.act(lambda step: step.change(anna.group_id, kind=ConversationKind.DIRECT))
    return boris, anna


def test_a_pin_is_the_same_at_both_ends_and_nothing_new_to_read() -> None:
    world, anna, boris = friends()
    chat = anna.all(Conversation)[-1].chat_id
    said = say(anna, chat, "at the lake, at six")
    unread = len(boris.all(Unread))
    pin(boris, said)
    assert pinned(anna) == pinned(boris) == {said}
    assert [one.what for one in events(anna, MessageChanged) if one.what == "pinned"] == ["pinned"]
    assert len(boris.all(Unread)) == unread
    assert not anna.all(Unread)
    pin(anna, said, pinned=False)
    assert pinned(anna) == pinned(boris) == set()
    world.now_ms -= 3_600_000  # whoever says it later is later, whatever their clock says
    pin(boris, said)
    world.advance(2_000)
    assert pinned(anna) == pinned(boris) == {said}


def test_pinning_what_is_pinned_says_nothing() -> None:
    _, anna, _ = friends()
    said = say(anna, anna.all(Conversation)[-1].chat_id, "once")
    pin(anna, said)
    sent = len(anna.submitted)
    pin(anna, said)
    assert len(anna.submitted) == sent


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_the_last_change_holds_in_whatever_order_they_come(order: tuple[int, ...]) -> None:
    boris, anna = direct_room()
    said, text = anna.say(Text(text="first"))
    changes = [anna.say(Pin(target=said, pinned=number != 1))[1] for number in range(3)]
    for number in order:
        anna.heard(boris, [text, *changes][number])
    assert pinned(boris) == {said}
    assert not boris.all(WaitingChange)


def test_a_deleted_message_is_pinned_no_more_and_never_again() -> None:
    boris, anna = direct_room()
    said, text = anna.say(Text(text="first"))
    anna.heard(boris, text)
    anna.heard(boris, anna.say(Pin(target=said))[1])
    anna.heard(boris, anna.say(Delete(replaces=said))[1])
    assert not boris.all(PinChange)
    anna.heard(boris, anna.say(Pin(target=said))[1])
    assert not boris.all(PinChange)


def test_what_disappears_or_is_deleted_here_is_pinned_no_more() -> None:
    world, anna, boris = friends()
    chat = anna.all(Conversation)[-1].chat_id
    anna.do(lambda client_id: SetMessageExpiry(client_id=client_id, chat_id=chat, expiry_s=60))
    world.settle()
    said = say(anna, chat, "for a minute")
    pin(anna, said)
    boris.do(lambda client_id: DeleteMessage(client_id=client_id, message_id=said, for_everyone=False))
    assert (pinned(anna), pinned(boris)) == ({said}, set())
    world.advance(120_000)
    assert not anna.all(PinChange)


def test_a_clock_far_ahead_does_not_keep_others_from_unpinning() -> None:
    world, anna, boris = friends()
    said = say(anna, anna.all(Conversation)[-1].chat_id, "first")
    conversation = anna.all(Conversation)[-1]
    ahead = Said(boris.account_id, MessageId(b"\xff" * 32), 2**53 - 1)
    known = message(anna, said)
    anna.act(lambda step: pins.apply(step, conversation, known, ahead, pinned=True))
    assert [one.changed_ms for one in anna.all(PinChange)] == [world.now_ms + CLOCK_SKEW_MS_MAX]
    pin(anna, said, pinned=False)
    assert pinned(anna) == pinned(boris) == set()


def people(device: Device, sayer: Sayer, number: int, *, admins: tuple[AccountId, ...]) -> None:
    """Have so many people in the group, its owner among them, who is no admin any more."""
    own = device.account_id
    accounts = [own, sayer.author, *admins, *(AccountId(bytes([one]) * 32) for one in range(1, number))]

    def work(step: Step) -> None:
        for account_id in list(dict.fromkeys(accounts))[:number]:
            step.transaction.put(
                Participant(
                    group_id=sayer.group_id, account_id=account_id, admin=account_id in admins, leaves=(1,)
                )
            )

    device.act(work)


@pytest.mark.parametrize(
    ("number", "admins", "may"),
    [
        (SMALL_GROUP_PEOPLE_MAX, (VERA,), True),
        (SMALL_GROUP_PEOPLE_MAX + 1, (VERA,), False),
        (SMALL_GROUP_PEOPLE_MAX + 1, (ANNA,), True),
        (SMALL_GROUP_PEOPLE_MAX + 1, (), True),
    ],
)
def test_in_a_big_group_only_admins_pin(number: int, admins: tuple[AccountId, ...], *, may: bool) -> None:
    boris, anna = room()
    people(boris, anna, number, admins=admins)
    said, text = anna.say(Text(text="first"))
    anna.heard(boris, text)
    anna.heard(boris, anna.say(Pin(target=said))[1])
    assert (pinned(boris) == {said}) is may


def test_who_is_not_in_the_group_any_more_does_not_pin() -> None:
    boris, anna = room()
    said, text = anna.say(Text(text="first"))
    anna.heard(boris, text)
    anna.heard(boris, anna.say(Pin(target=said))[1])
    assert not boris.all(PinChange)


def test_our_own_pin_in_a_big_group_is_refused() -> None:
    boris, anna = room()
    said, text = anna.say(Text(text="first"))
    anna.heard(boris, text)
    people(boris, anna, SMALL_GROUP_PEOPLE_MAX + 1, admins=(VERA,))
    with pytest.raises(NotAllowed):
        pin(boris, said)


def test_pins_of_a_chat_are_few_and_the_first_go() -> None:
    boris, anna = direct_room()
    said: list[MessageId] = []
    for number in range(PINS_MAX + 3):
        identity, text = anna.say(Text(text=f"line {number}"))
        said.append(identity)
        anna.heard(boris, text)
        anna.heard(boris, anna.say(Pin(target=identity))[1])
    assert pinned(boris) == set(said[3:])
    with pytest.raises(Conflict, match="fifty"):
        pin(boris, said[0])


def test_what_a_stranger_pinned_is_pinned_once_they_are_accepted() -> None:
    boris, anna = direct_room()
    boris.act(lambda step: step.change(anna.group_id, is_request=True))
    said, text = anna.say(Text(text="first"))
    anna.heard(boris, text)
    anna.heard(boris, anna.say(Pin(target=said))[1])
    assert [one.text for one in boris.all(Message)] == ["first"]
    boris.act(lambda step: step.change(anna.group_id, is_request=False))
    assert pinned(boris) == {said}
