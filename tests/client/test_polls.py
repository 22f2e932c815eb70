"""Polls: what everybody chose is the same everywhere, whatever comes first, until the author closes it."""

from itertools import permutations

import pytest

from skvoz.base.errors import BadRequest, Conflict, NotAllowed
from skvoz.base.ids import MessageId
from skvoz.client import polls
from skvoz.client.commands import AskPoll, BlockContact, EditMessage, EndPoll, VoteInPoll
from skvoz.client.events import MessageReceived
from skvoz.client.polls import people_by_option
from skvoz.client.records import Conversation, Unread, Votes, WaitingChange
from skvoz.content import ClosePoll, Delete, Edit, Poll, Text, Vote, poll_text
from tests.client.fake_relay import Device
from tests.client.people_world import events, friends, message
from tests.client.test_changes import ANNA, VERA, Sayer, room

LAKE = Poll(question="When do we meet?", options=("at six", "at seven", "never"))


def asked(device: Device, poll: Poll = LAKE) -> MessageId:
    chat = device.all(Conversation)[-1].chat_id
    answer = device.do(
        lambda client_id: AskPoll(
            client_id=client_id,
            chat_id=chat,
            question=poll.question,
            options=poll.options,
            several=poll.several,
        )
    )
    device.world.settle()
    assert answer.message_id is not None
    return answer.message_id


def vote(device: Device, poll: MessageId, *choices: int) -> None:
    device.do(lambda client_id: VoteInPoll(client_id=client_id, message_id=poll, choices=choices))
    device.world.settle()


def result(device: Device, poll: MessageId) -> list[set[bytes]]:
    votes = [one for one in device.all(Votes) if one.message_id == poll]
    return [set(people) for people in people_by_option(message(device, poll), votes)]


def test_people_vote_change_their_minds_and_take_it_back() -> None:
    world, anna, boris = friends()
    poll = asked(anna)
    assert message(boris, poll).text == poll_text(LAKE)
    vote(anna, poll, 0)
    vote(boris, poll, 0)
    assert result(anna, poll) == result(boris, poll) == [{anna.account_id, boris.account_id}, set(), set()]
    world.now_ms -= 3_600_000  # one's own later vote is later
    vote(boris, poll, 2)
    world.advance(2_000)
    vote(anna, poll)
    assert result(anna, poll) == result(boris, poll) == [set(), set(), {boris.account_id}]


def test_a_poll_is_something_new_and_a_vote_is_not() -> None:
    _, anna, boris = friends()
    before, unread = len(events(boris, MessageReceived)), len(boris.all(Unread))
    poll = asked(anna)
    assert len(events(boris, MessageReceived)) == before + 1
    assert len(boris.all(Unread)) == unread + 1
    here = len(events(anna, MessageReceived)), len(anna.all(Unread))
    vote(boris, poll, 1)
    assert (len(events(anna, MessageReceived)), len(anna.all(Unread))) == here


def test_the_same_vote_again_says_nothing() -> None:
    _, anna, _ = friends()
    poll = asked(anna)
    vote(anna, poll, 1)
    sent = len(anna.submitted)
    vote(anna, poll, 1)
    assert len(anna.submitted) == sent


def test_several_answers_only_where_the_poll_says_so() -> None:
    _, anna, boris = friends()
    one, many = asked(anna), asked(anna, Poll(question="What?", options=("a", "b", "c"), several=True))
    vote(boris, many, 2, 0, 2)
    assert result(anna, many) == [{boris.account_id}, set(), {boris.account_id}]
    for poll, choices in ((one, (0, 1)), (one, (3,)), (many, (3,)), (many, (-1,))):
        with pytest.raises(BadRequest):
            vote(boris, poll, *choices)


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_the_later_vote_holds_in_whatever_order_they_come(order: tuple[int, ...]) -> None:
    boris, anna = room()
    poll, data = anna.say(Text(text="", poll=LAKE))
    votes = [anna.say(Vote(target=poll, choices=choices))[1] for choices in ((0,), (1,), (2,))]
    for number in order:
        anna.heard(boris, [data, *votes][number])
    assert result(boris, poll) == [set(), set(), {ANNA}]
    assert not boris.all(WaitingChange)


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_a_vote_after_the_end_does_not_count_and_the_one_before_does(order: tuple[int, ...]) -> None:
    boris, anna = room()
    vera = Sayer(VERA, anna.group_id)
    poll, data = anna.say(Text(text="", poll=LAKE))
    anna.count = 10
    end = anna.say(ClosePoll(target=poll))[1]
    vera.count = 8
    early = vera.say(Vote(target=poll, choices=(0,)))[1]
    vera.count = 12
    late = vera.say(Vote(target=poll, choices=(1,)))[1]
    for number in order:
        who, what = ((anna, data), (anna, end), (vera, early), (vera, late))[number]
        who.heard(boris, what)
    assert result(boris, poll) == [{VERA}, set(), set()]


def test_only_who_asked_closes_a_poll_and_then_nobody_votes() -> None:
    _, anna, boris = friends()
    poll = asked(anna)

    def end(device: Device) -> None:
        device.do(lambda client_id: EndPoll(client_id=client_id, message_id=poll))
        device.world.settle()

    with pytest.raises(NotAllowed):
        end(boris)
    end(anna)
    end(anna)
    assert message(boris, poll).poll_closed_ms == message(anna, poll).poll_closed_ms is not None
    with pytest.raises(Conflict, match="closed"):
        vote(boris, poll, 1)


def test_another_persons_end_is_passed_over() -> None:
    boris, anna = room()
    vera = Sayer(VERA, anna.group_id)
    poll, data = anna.say(Text(text="", poll=LAKE))
    anna.heard(boris, data)
    vera.heard(boris, vera.say(ClosePoll(target=poll))[1])
    assert message(boris, poll).poll_closed_ms is None


def test_what_does_not_fit_a_poll_is_passed_over() -> None:
    boris, anna = room()
    poll, data = anna.say(Text(text="", poll=LAKE))
    text, words = anna.say(Text(text="no poll"))
    anna.heard(boris, data)
    anna.heard(boris, words)
    for target, choices in ((poll, (3,)), (poll, (0, 1)), (text, (0,))):
        anna.heard(boris, anna.say(Vote(target=target, choices=choices))[1])
    anna.heard(boris, anna.say(Edit(replaces=poll, text="something else"))[1])
    assert not boris.all(Votes)
    assert message(boris, poll).text == poll_text(LAKE)


def test_a_deleted_poll_loses_its_votes() -> None:
    boris, anna = room()
    poll, data = anna.say(Text(text="", poll=LAKE))
    anna.heard(boris, data)
    anna.heard(boris, anna.say(Vote(target=poll, choices=(0,)))[1])
    anna.heard(boris, anna.say(Delete(replaces=poll))[1])
    assert (message(boris, poll).poll, boris.all(Votes)) == (None, [])
    anna.heard(boris, anna.say(Vote(target=poll, choices=(0,)))[1])
    assert not boris.all(Votes)


def test_a_blocked_persons_new_votes_are_not_taken() -> None:
    _, anna, boris = friends()
    poll = asked(anna)
    anna.do(lambda client_id: BlockContact(client_id=client_id, account_id=boris.account_id))
    vote(boris, poll, 1)
    assert result(anna, poll) == [set(), set(), set()]


def test_votes_of_a_poll_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polls, "VOTERS_MAX", 1)
    boris, anna = room()
    vera = Sayer(VERA, anna.group_id)
    poll, data = anna.say(Text(text="", poll=LAKE))
    anna.heard(boris, data)
    for one in (anna, vera):
        for number in range(8):
            one.heard(boris, one.say(Vote(target=poll, choices=(number % 3,)))[1])
    [kept] = boris.all(Votes)
    assert (kept.account_id, len(kept.said), kept.said[0][2]) == (ANNA, 4, (1,))


def test_a_poll_is_not_edited_and_a_bad_one_not_asked() -> None:
    _, anna, _ = friends()
    poll = asked(anna)
    with pytest.raises(Conflict):
        anna.do(lambda client_id: EditMessage(client_id=client_id, message_id=poll, text="else"))
    for bad in (
        Poll(question=" ", options=("a", "b")),
        Poll(question="?", options=("a",)),
        Poll(question="?", options=("a", "a ")),
        Poll(question="?" * 301, options=("a", "b")),
        Poll(question="?", options=("a", "b" * 101)),
        Poll(question="?", options=tuple("abcdefghijklm")),
        Poll(question="two\nlines", options=("a", "b")),
    ):
        with pytest.raises(BadRequest):
            asked(anna, bad)
