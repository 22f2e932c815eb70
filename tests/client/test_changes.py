"""Edits and reactions hold as their author said them, in whatever order they come."""

from itertools import permutations

import pytest

from skvoz.base.errors import Conflict
from skvoz.base.ids import AccountId, GroupId, MessageId
from skvoz.client import messages
from skvoz.client.changes import REACTIONS_MAX, WAITING_MAX
from skvoz.client.commands import EditMessage, React
from skvoz.client.records import Conversation, ReactionGiven, WaitingChange
from skvoz.client.step import Step
from skvoz.content import (
    Action,
    Delete,
    Edit,
    Reaction,
    Text,
    Unreact,
    account_uri,
    encode,
    message_id,
    room_uri,
    to_content,
)
from tests.client.fake_relay import Device, World
from tests.client.people_world import friends, message, say

ANNA, VERA = (AccountId(letter * 32) for letter in (b"a", b"v"))


class Sayer:
    """Makes contents of one author in a room, in the order in which they are said."""

    def __init__(self, author: AccountId, group_id: GroupId) -> None:
        self.author = author
        self.group_id = group_id
        self.count = 0

    def say(self, action: Action) -> tuple[MessageId, bytes]:
        self.count += 1
        data = encode(to_content(action, salt=self.count.to_bytes(16), sent_at_ms=1_000 + self.count))
        return message_id(account_uri(self.author), room_uri(self.group_id), data), data

    def heard(self, device: Device, data: bytes) -> None:
        def work(step: Step) -> None:
            messages.receive(step, step.conversation(self.group_id), self.author, data, 1)

        device.act(work)


def room() -> tuple[Device, Sayer]:
    world = World()
    boris = world.add_device("boris", world.add_relay())
    return boris, Sayer(ANNA, world.make_group(boris))


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_last_edit_holds(order: tuple[int, ...]) -> None:
    boris, anna = room()
    said, text = anna.say(Text(text="first"))
    edits = [anna.say(Edit(replaces=said, text=f"edit {number}"))[1] for number in range(2)]
    for number in order:
        anna.heard(boris, [text, *edits][number])
    assert message(boris, said).text == "edit 1"
    assert not boris.all(WaitingChange)


def test_a_later_edit_by_the_author_is_later_though_their_clock_goes_back() -> None:
    world, anna, boris = friends()
    chat = anna.all(Conversation)[-1].chat_id
    said = say(anna, chat, "first")
    world.settle()
    for text in ("second", "third"):
        anna.do(lambda client_id, text=text: EditMessage(client_id=client_id, message_id=said, text=text))
        world.now_ms -= 3_600_000
        world.advance(2_000)
    assert [message(one, said).text for one in (anna, boris)] == ["third", "third"]


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_a_reaction_that_was_taken_back_stays_away(order: tuple[int, ...]) -> None:
    boris, anna = room()
    said, text = anna.say(Text(text="first"))
    given, reaction = anna.say(Reaction(target=said, emoji="👍"))
    _, back = anna.say(Unreact(replaces=given))
    _, again = anna.say(Reaction(target=said, emoji="🎉"))
    for number in order:
        anna.heard(boris, [text, reaction, back, again][number])
    assert message(boris, said).reactions == {"🎉": (ANNA,)}
    assert not boris.all(WaitingChange)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_reaction_that_was_given_again_is_there(order: tuple[int, ...]) -> None:
    boris, anna = room()
    said, text = anna.say(Text(text="first"))
    anna.heard(boris, text)
    given, reaction = anna.say(Reaction(target=said, emoji="👍"))
    changes = [reaction, anna.say(Unreact(replaces=given))[1], anna.say(Reaction(target=said, emoji="👍"))[1]]
    for number in order:
        anna.heard(boris, changes[number])
    assert message(boris, said).reactions == {"👍": (ANNA,)}
    assert len(boris.all(ReactionGiven)) == 1


def test_nobody_takes_back_what_another_gave() -> None:
    boris, anna = room()
    vera = Sayer(VERA, anna.group_id)
    said, text = anna.say(Text(text="first"))
    given, reaction = anna.say(Reaction(target=said, emoji="👍"))
    _, back = vera.say(Unreact(replaces=given))
    anna.heard(boris, text)
    vera.heard(boris, back)
    anna.heard(boris, reaction)
    vera.heard(boris, back)
    assert message(boris, said).reactions == {"👍": (ANNA,)}


def test_who_names_what_never_was_pushes_out_only_their_own() -> None:
    boris, anna = room()
    vera = Sayer(VERA, anna.group_id)
    said, text = anna.say(Text(text="first"))
    anna.heard(boris, anna.say(Edit(replaces=said, text="edited"))[1])
    for number in range(2 * WAITING_MAX):
        vera.heard(boris, vera.say(Delete(replaces=MessageId(number.to_bytes(32))))[1])
    waiting = [one.target for one in boris.all(WaitingChange) if one.author == VERA]
    assert sorted(waiting) == [number.to_bytes(32) for number in range(WAITING_MAX, 2 * WAITING_MAX)]
    anna.heard(boris, text)
    assert message(boris, said).text == "edited"


def test_reactions_of_one_person_are_few() -> None:
    boris, anna = room()
    said, text = anna.say(Text(text="first"))
    anna.heard(boris, text)
    for number in range(3 * REACTIONS_MAX):
        anna.heard(boris, anna.say(Reaction(target=said, emoji=chr(0x1F600 + number)))[1])
    assert len(message(boris, said).reactions) == len(boris.all(ReactionGiven)) == 2 * REACTIONS_MAX


def test_people_give_no_more_reactions_than_others_take() -> None:
    world, anna, boris = friends()
    chat = anna.all(Conversation)[-1].chat_id
    said = say(anna, chat, "first")

    def react(number: int) -> None:
        emoji = chr(0x1F600 + number)
        anna.do(lambda client_id: React(client_id=client_id, message_id=said, emoji=emoji))

    for number in range(REACTIONS_MAX):
        react(number)
    with pytest.raises(Conflict, match="eight reactions"):
        react(REACTIONS_MAX)
    world.settle()
    assert len(message(anna, said).reactions) == REACTIONS_MAX
    assert message(anna, said).reactions == message(boris, said).reactions
