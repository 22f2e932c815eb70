"""What shows as missing: said by many, forgotten, or never there."""

from skvoz.base.ids import AccountId, GroupId, MessageId
from skvoz.client import commits, gaps
from skvoz.client.commands import React, RemoveMember, SendMessage
from skvoz.client.gaps import GAPS_MAX, KNOWN_MAX
from skvoz.client.records import Conversation, Gap, LastSeen, Message
from skvoz.client.step import Step
from tests.client.fake_relay import Device, World, invitee_of

DAY_MS = 24 * 3_600_000
ANNA, CARL, LIAR = (AccountId(letter * 32) for letter in (b"a", b"c", b"l"))


def identity(number: int) -> MessageId:
    return MessageId(number.to_bytes(32, "big"))


def room() -> tuple[World, Device, GroupId]:
    world = World()
    boris = world.add_device("boris", world.add_relay())
    return world, boris, world.make_group(boris)


def hear(device: Device, author: AccountId, number: int, *named: int, ago_ms: int = 0) -> None:
    """Take a message that is a change of another one: no record but its id stays of it."""

    def work(step: Step) -> None:
        [conversation] = step.transaction.select(Conversation)
        said_ms = step.now_ms - ago_ms
        named_ids = tuple(map(identity, named))
        gaps.arrived(step, conversation, author, identity(number), named_ids, said_ms=said_ms)

    device.act(work)


def missing(device: Device) -> set[MessageId]:
    return {gap.message_id for gap in device.all(Gap)}


def test_what_never_came_is_missing_until_it_comes() -> None:
    _, boris, _ = room()
    hear(boris, ANNA, 1)
    hear(boris, ANNA, 3, 1, 2)
    assert missing(boris) == {identity(2)}
    hear(boris, CARL, 2)
    assert not missing(boris)


def test_ids_that_never_were_hide_nothing_that_others_miss() -> None:
    world, boris, _ = room()
    hear(boris, LIAR, 1)
    hear(boris, ANNA, 2)
    for number in range(100):
        world.advance(1)
        first = 1000 + 4 * number
        hear(boris, LIAR, 10 + number, *range(first, first + 4))
    hear(boris, ANNA, 500, 2, 499)
    assert identity(499) in missing(boris)
    assert len(missing(boris)) == GAPS_MAX + 1
    assert identity(1000 + 399) in missing(boris)


def test_what_was_forgotten_is_not_missed_when_somebody_comes_back() -> None:
    _, boris, _ = room()
    for author, number in ((ANNA, 1), (CARL, 2), (CARL, 3)):
        hear(boris, author, number)
    for number in range(10, 10 + KNOWN_MAX):
        hear(boris, CARL, number)
    hear(boris, ANNA, 300, 1, 2, 3)
    hear(boris, ANNA, 301, 2, 3, 300)
    assert not missing(boris)
    hear(boris, ANNA, 303, 300, 301, 302)
    assert missing(boris) == {identity(302)}


def test_what_was_written_before_we_came_is_no_first_message() -> None:
    """It comes under the epoch in which we came, and its author may have read since what is older."""
    world, boris, _ = room()
    world.advance(1_000)
    hear(boris, ANNA, 1, ago_ms=DAY_MS)
    hear(boris, ANNA, 2, 1, ago_ms=DAY_MS)
    hear(boris, ANNA, 5, 1, 2, 3, 4)
    assert not missing(boris)
    hear(boris, ANNA, 7, 5, 6)
    assert missing(boris) == {identity(6)}


def test_what_was_excused_is_not_named_as_seen() -> None:
    _, boris, _ = room()
    for number in range(10, 20):
        hear(boris, CARL, number)
    hear(boris, ANNA, 30, 1, 2, 3)
    [seen] = boris.all(LastSeen)
    assert seen.message_ids[-4:] == tuple(map(identity, (17, 18, 19, 30)))


def test_who_is_removed_and_comes_back_does_not_name_what_never_went_out() -> None:
    """Others would miss it for ever."""
    world = World()
    relay = world.add_relay()
    anna, boris = world.add_device("anna", relay), world.add_device("boris", relay)
    group_id = world.make_group(anna, boris)

    def say(device: Device, text: str) -> None:
        device.do(lambda client_id: SendMessage(client_id=client_id, chat_id=group_id, text=text))

    say(boris, "heard")
    say(anna, "answered")
    world.settle()
    boris.go_offline()
    say(boris, "not heard")
    said = {message.text: message.message_id for message in boris.all(Message)}
    boris.do(lambda client_id: React(client_id=client_id, message_id=said["heard"], emoji="+", present=True))
    anna.do(lambda client_id: RemoveMember(client_id=client_id, chat_id=group_id, member=boris.account_id))
    world.settle()
    boris.go_online()
    world.settle()
    [seen] = boris.all(LastSeen)
    assert set(seen.message_ids) == {said["heard"], said["answered"]}
    say(anna, "alone")
    world.settle()
    anna.act(lambda step: commits.add(step, group_id, [invitee_of(boris)]))
    world.settle()
    say(anna, "together")
    world.settle()
    assert boris.texts()[-1] == "together"
    assert not missing(boris)
