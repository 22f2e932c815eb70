"""Complaints: they reach the admins who are contacts, and nobody else; strangers and floods get nowhere."""

from dataclasses import dataclass

import pytest
from msgspec.structs import replace

from skvoz.base.errors import BadRequest, Conflict, NotAllowed, NotFound
from skvoz.base.ids import AccountId, GroupId, MessageId
from skvoz.client import complaints, outbox
from skvoz.client.commands import (
    BlockContact,
    CreateGroup,
    DeleteChat,
    DeleteMessage,
    DismissComplaints,
    LeaveGroup,
    RemoveMember,
    ReportMessage,
    SetMessageExpiry,
    SetRole,
)
from skvoz.client.events import GroupAttention
from skvoz.client.records import ComplaintHeard, Conversation, Counter
from skvoz.client.step import Step
from skvoz.content import Complaint, Disposition, MimiContent, SinglePart, encode, encode_complaint
from skvoz.content.media import COMPLAINT
from tests.client.fake_relay import Device, World
from tests.client.people_world import accept, events, link_of, say
from tests.client.test_outbox import bodies


@dataclass
class Lake:
    """Anna looks after a group with Boris and Vera, who know her and not each other."""

    world: World
    anna: Device
    boris: Device
    vera: Device
    group_id: GroupId

    def report(self, who: Device, message_id: MessageId, note: str = "") -> None:
        who.do(
            lambda client_id: ReportMessage(
                client_id=client_id, message_id=message_id, reason="insult", note=note
            )
        )
        self.world.advance(10_000)

    def make_admin(self, who: Device, *, admin: bool = True) -> None:
        self.anna.do(
            lambda client_id: SetRole(
                client_id=client_id, chat_id=self.group_id, member=who.account_id, admin=admin
            )
        )
        self.world.advance(30_000)


@pytest.fixture
def lake() -> Lake:
    world = World()
    relay = world.add_relay()
    anna, boris, vera = (world.add_device(name, relay) for name in ("anna", "boris", "vera"))
    for guest in (boris, vera):
        accept(guest, link_of(anna), "hello")
    world.advance(10_000)
    members = (boris.account_id, vera.account_id)
    made = anna.do(lambda client_id: CreateGroup(client_id=client_id, title="Lake", members=members))
    world.advance(60_000)
    assert made.chat_id is not None
    return Lake(world, anna, boris, vera, GroupId(made.chat_id))


def dropped(device: Device) -> int:
    return sum(one.value for one in device.all(Counter) if one.name == complaints.DROPPED_COUNTER)


def complain(device: Device, chat_id: bytes, complaint: Complaint | bytes) -> None:
    """Say a complaint in a conversation as a changed program can."""
    data = complaint if isinstance(complaint, bytes) else encode_complaint(complaint)

    def enqueue(step: Step) -> None:
        [conversation] = step.transaction.select(Conversation, chat_id=chat_id)
        part = SinglePart(disposition=Disposition.RENDER, content_type=COMPLAINT, content=data)
        content = MimiContent(salt=step.randomness(16), body=part)
        outbox.enqueue(step, conversation.group_id, encode(content), None)

    device.act(enqueue)
    device.world.advance(10_000)


def test_a_complaint_reaches_the_admin_and_nobody_else(lake: Lake) -> None:
    said = say(lake.boris, lake.group_id, "an insult")
    before = len(bodies(lake.world, lake.vera, lake.group_id))
    lake.report(lake.vera, said, " he does that always ")
    [heard] = lake.anna.all(ComplaintHeard)
    assert (heard.reporter, heard.author) == (lake.vera.account_id, lake.boris.account_id)
    assert (heard.note, heard.quote) == ("he does that always", "an insult")
    assert heard.reason == complaints.REASONS["insult"]
    assert events(lake.anna, GroupAttention)[-1].chat_id == lake.group_id
    assert not lake.boris.all(ComplaintHeard)
    assert not lake.vera.all(ComplaintHeard)
    assert len(bodies(lake.world, lake.vera, lake.group_id)) == before
    assert "an insult" in lake.anna.texts()
    assert len(lake.anna.texts()) == 3  # no message of it in a chat


def test_a_crash_on_the_way_neither_loses_nor_repeats_it(lake: Lake) -> None:
    said = say(lake.boris, lake.group_id, "an insult")
    lake.vera.crash_before_effects = True
    lake.report(lake.vera, said)
    lake.anna.restart()
    lake.world.advance(10_000)
    assert len(lake.anna.all(ComplaintHeard)) == 1
    lake.report(lake.vera, said, "again")
    assert [one.note for one in lake.anna.all(ComplaintHeard)] == ["again"]


def test_an_admin_who_wrote_it_is_not_told(lake: Lake) -> None:
    accept(lake.vera, link_of(lake.boris), "hello")
    lake.make_admin(lake.boris)
    said = say(lake.boris, lake.group_id, "an insult")
    lake.report(lake.vera, said)
    assert len(lake.anna.all(ComplaintHeard)) == 1
    assert not lake.boris.all(ComplaintHeard)
    by_anna = say(lake.anna, lake.group_id, "another")
    lake.report(lake.vera, by_anna)
    assert len(lake.anna.all(ComplaintHeard)) == 1
    assert len(lake.boris.all(ComplaintHeard)) == 1


def test_with_no_admin_within_reach_it_is_refused_plainly(lake: Lake) -> None:
    said = say(lake.boris, lake.group_id, "an insult")
    by_anna = say(lake.anna, lake.group_id, "of the only admin")
    with pytest.raises(Conflict, match="no admin"):
        lake.report(lake.vera, by_anna)
    lake.vera.do(lambda client_id: BlockContact(client_id=client_id, account_id=lake.anna.account_id))
    with pytest.raises(Conflict, match="no admin"):
        lake.report(lake.vera, said)
    assert not lake.anna.all(ComplaintHeard)


def test_what_cannot_be_reported(lake: Lake) -> None:
    own = say(lake.vera, lake.group_id, "mine")
    said = say(lake.boris, lake.group_id, "a slip")
    direct = say(lake.anna, lake.vera.account_id, "between us")
    with pytest.raises(BadRequest, match="your own"):
        lake.report(lake.vera, own)
    with pytest.raises(BadRequest, match="block"):
        lake.report(lake.vera, direct)
    with pytest.raises(NotFound):
        lake.report(lake.vera, MessageId(b"?" * 32))
    lake.boris.do(lambda client_id: DeleteMessage(client_id=client_id, message_id=said))
    lake.world.advance(10_000)
    with pytest.raises(Conflict, match="deleted"):
        lake.report(lake.vera, said)
    second = say(lake.boris, lake.group_id, "another")
    remove = RemoveMember(client_id="remove", chat_id=lake.group_id, member=lake.vera.account_id)
    lake.anna.do(lambda _: remove)
    lake.world.advance(30_000)
    with pytest.raises(Conflict, match="not in this group"):
        lake.report(lake.vera, second)


def test_junk_and_what_is_about_no_group_of_ours_is_dropped(lake: Lake) -> None:
    said = say(lake.boris, lake.group_id, "an insult")
    good = Complaint(group_id=lake.group_id, message_id=said, author=lake.boris.account_id)
    to_anna = lake.anna.account_id
    complain(lake.vera, to_anna, b"junk")
    complain(lake.vera, lake.group_id, good)  # before everybody
    complain(lake.vera, to_anna, replace(good, group_id=GroupId(b"?" * 16)))
    complain(lake.vera, to_anna, replace(good, message_id=MessageId(b"?" * 32), author=lake.vera.account_id))
    [direct] = [one for one in lake.anna.all(Conversation) if one.chat_id == lake.vera.account_id]
    complain(lake.vera, to_anna, replace(good, group_id=direct.group_id))
    between = say(lake.vera, to_anna, "not said in the group")
    complain(lake.vera, to_anna, replace(good, message_id=between, author=lake.boris.account_id))
    assert not lake.anna.all(ComplaintHeard)
    assert not lake.boris.all(ComplaintHeard)
    assert dropped(lake.anna) == 5
    # Who wrote a message that is here is known better than a complaint says.
    complain(lake.vera, to_anna, replace(good, author=lake.anna.account_id))
    assert [one.author for one in lake.anna.all(ComplaintHeard)] == [lake.boris.account_id]


def test_a_stranger_gets_no_complaint_through(lake: Lake) -> None:
    carl = lake.world.add_device("carl", next(iter(lake.world.relays.values())))
    accept(carl, link_of(lake.anna, lasting=True), "may I?")
    lake.world.advance(10_000)
    said = say(lake.boris, lake.group_id, "an insult")
    complaint = Complaint(group_id=lake.group_id, message_id=said, author=lake.boris.account_id)
    complain(carl, lake.anna.account_id, complaint)
    assert not lake.anna.all(ComplaintHeard)


def test_one_person_has_a_bounded_number_open(lake: Lake) -> None:
    for number in range(complaints.OPEN_MAX + 3):
        complain(
            lake.vera,
            lake.anna.account_id,
            Complaint(
                group_id=lake.group_id,
                message_id=MessageId(bytes([number]) * 32),
                author=lake.boris.account_id,
            ),
        )
    kept = sorted(one.message_id[0] for one in lake.anna.all(ComplaintHeard))
    assert kept == list(range(3, complaints.OPEN_MAX + 3))
    assert dropped(lake.anna) == 3


def test_what_disappears_stays_in_no_complaint(lake: Lake) -> None:
    expire = SetMessageExpiry(client_id="expiry", chat_id=lake.group_id, expiry_s=3600)
    lake.anna.do(lambda _: expire)
    lake.world.advance(30_000)
    said = say(lake.boris, lake.group_id, "gone soon")
    lake.report(lake.vera, said)
    [heard] = lake.anna.all(ComplaintHeard)
    assert heard.quote == ""
    lake.world.advance(4_000_000)
    assert not lake.anna.all(ComplaintHeard)


def test_words_deleted_for_everybody_stay_in_no_complaint(lake: Lake) -> None:
    said = say(lake.boris, lake.group_id, "said and regretted")
    lake.report(lake.vera, said)
    lake.boris.do(lambda client_id: DeleteMessage(client_id=client_id, message_id=said))
    lake.world.advance(10_000)
    [heard] = lake.anna.all(ComplaintHeard)
    assert heard.quote == ""


def test_admins_dismiss_for_themselves_and_members_do_not(lake: Lake) -> None:
    said = say(lake.boris, lake.group_id, "an insult")
    lake.report(lake.vera, said)

    def dismiss(device: Device, message_id: MessageId = said) -> None:
        device.do(
            lambda client_id: DismissComplaints(
                client_id=client_id, chat_id=lake.group_id, message_id=message_id
            )
        )

    with pytest.raises(NotFound):
        dismiss(lake.boris)
    with pytest.raises(NotFound):
        dismiss(lake.anna, MessageId(b"?" * 32))
    lake.make_admin(lake.boris)
    lake.make_admin(lake.anna, admin=False)
    with pytest.raises(NotAllowed):
        dismiss(lake.anna)
    boris_makes = SetRole(client_id="back", chat_id=lake.group_id, member=lake.anna.account_id, admin=True)
    lake.boris.do(lambda _: boris_makes)
    lake.world.advance(30_000)
    dismiss(lake.anna)
    assert not lake.anna.all(ComplaintHeard)


def test_a_deleted_group_leaves_no_complaint(lake: Lake) -> None:
    complaint = Complaint(
        group_id=lake.group_id, message_id=MessageId(b"?" * 32), author=AccountId(b"?" * 32)
    )
    complain(lake.vera, lake.anna.account_id, complaint)
    assert lake.anna.all(ComplaintHeard)
    lake.anna.do(lambda client_id: LeaveGroup(client_id=client_id, chat_id=lake.group_id))
    lake.world.advance(60_000)
    lake.anna.do(lambda client_id: DeleteChat(client_id=client_id, chat_id=lake.group_id))
    assert not lake.anna.all(ComplaintHeard)
