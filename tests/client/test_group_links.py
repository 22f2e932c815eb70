"""Links into groups: asking, letting in, and what floods, forgers, repeats and the impatient get."""

from dataclasses import dataclass

import msgspec
import pytest

from skvoz.base.errors import BadRequest, CallerError, Conflict, NotAllowed, NotFound
from skvoz.base.ids import GroupId, LogId
from skvoz.client import account, group_links, inboxes, invitations
from skvoz.client.asking import encode_asking, parse_asking
from skvoz.client.commands import (
    AcceptLink,
    ApproveJoin,
    AskToJoin,
    BlockContact,
    CancelJoining,
    CreateGroup,
    DeclineJoin,
    LeaveGroup,
    MakeGroupLink,
    OpenGroupLink,
    RemoveMember,
    RenameGroup,
    RevokeGroupLink,
    SetRole,
)
from skvoz.client.effects import Append, Channel
from skvoz.client.events import GroupAttention, JoiningChanged
from skvoz.client.inbox_mail import JOIN_REQUEST
from skvoz.client.links import parse_link
from skvoz.client.records import (
    Asker,
    AskerState,
    Contact,
    Conversation,
    ConversationState,
    Counter,
    Delivery,
    Inbox,
    InboxKind,
    Joining,
    JoiningState,
    Participant,
)
from skvoz.client.step import Step
from tests.client.fake_relay import DAY_MS, Device, World
from tests.client.people_world import accept, dropped, events, link_of, say


@dataclass
class Lake:
    """Anna looks after a group with Boris; Vera knows nobody."""

    world: World
    anna: Device
    boris: Device
    vera: Device
    group_id: GroupId

    def link(self, who: Device | None = None) -> str:
        made = (who or self.anna).do(
            lambda client_id: MakeGroupLink(client_id=client_id, chat_id=self.group_id)
        )
        self.world.settle()
        assert made.link is not None
        return made.link

    def open(self, who: Device, link: str) -> LogId:
        opened = who.do(lambda client_id: OpenGroupLink(client_id=client_id, link=link))
        self.world.settle()
        assert opened.log_id is not None
        return opened.log_id

    def ask(self, who: Device, link: str) -> LogId:
        log_id = self.open(who, link)
        who.do(lambda client_id: AskToJoin(client_id=client_id, log_id=log_id))
        self.world.advance(1_000)
        return log_id

    def approve(self, who: Device, by: Device | None = None) -> None:
        approve = by or self.anna
        approve.do(
            lambda client_id: ApproveJoin(
                client_id=client_id, chat_id=self.group_id, account_id=who.account_id
            )
        )
        self.world.advance(60_000)

    def members(self, device: Device) -> set[bytes]:
        return {one.account_id for one in device.all(Participant) if one.group_id == self.group_id}

    def waiting(self, device: Device | None = None) -> list[bytes]:
        found = (device or self.anna).all(Asker)
        return [one.account_id for one in found if one.state is AskerState.WAITING]

    def box(self) -> Inbox:
        [found] = [one for one in self.anna.all(Inbox) if one.kind is InboxKind.GROUP and not one.revoked]
        return found

    def newcomer(self, name: str) -> Device:
        return self.world.add_device(name, next(iter(self.world.relays.values())))


@pytest.fixture
def lake() -> Lake:
    world = World()
    relay = world.add_relay()
    anna, boris, vera = (world.add_device(name, relay) for name in ("anna", "boris", "vera"))
    accept(boris, link_of(anna), "hello")
    world.advance(10_000)
    members = (boris.account_id,)
    made = anna.do(lambda client_id: CreateGroup(client_id=client_id, title="Lake", members=members))
    world.advance(60_000)
    assert made.chat_id is not None
    return Lake(world, anna, boris, vera, GroupId(made.chat_id))


def joinings(device: Device) -> list[tuple[JoiningState, str]]:
    return [(one.state, one.failure) for one in device.all(Joining)]


def request_of(lake: Lake, asker: Device, link: str) -> bytes:
    """Return the content of a request as somebody's program writes it, without it being sent."""
    target = parse_link(link)

    def write(step: Step) -> bytes:
        inbox = inboxes.create(step, InboxKind.JOINING)
        return encode_asking(
            inbox_id=target.inbox_id,
            admin=target.account_id,
            asked_ms=step.now_ms,
            card=account.fresh_card(step, inbox.public_key),
            address=inboxes.address_of(step, inbox),
            key_package=inboxes.key_package(step, inbox, is_last_resort=False).message(),
            device_private_key=step.account().device_private_key,
        )

    request = asker.act(write)
    lake.world.settle()
    return request


def post(lake: Lake, *requests: bytes) -> None:
    """Put requests into the inbox of Anna's link."""
    box = lake.box()
    address = lake.anna.act(lambda step: inboxes.address_of(step, box))
    to = invitations.Recipient(address=address, public_key=box.public_key, account_id=lake.anna.account_id)
    lake.vera.act(lambda step: invitations.post(step, to, JOIN_REQUEST, requests, GroupId(b"")))
    lake.world.advance(1_000)


def dropped_for_many(device: Device) -> int:
    return sum(one.value for one in device.all(Counter) if one.name == group_links.DROPPED_COUNTER)


def test_somebody_asks_and_is_let_in(lake: Lake) -> None:
    link = lake.link()
    assert lake.link() == link
    log_id = lake.open(lake.vera, link)
    [shown] = lake.vera.all(Joining)
    assert (shown.state, shown.title, shown.members) == (JoiningState.SHOWN, "Lake", 2)
    assert shown.admin_name == "anna"
    assert lake.waiting() == []  # looking tells nobody anything
    lake.vera.do(lambda client_id: AskToJoin(client_id=client_id, log_id=log_id))
    lake.world.advance(1_000)
    assert joinings(lake.vera) == [(JoiningState.ASKED, "")]
    assert lake.waiting() == [lake.vera.account_id]
    assert [one.what for one in events(lake.anna, GroupAttention)][-1] == "asker"
    assert lake.members(lake.anna) == {lake.anna.account_id, lake.boris.account_id}
    lake.approve(lake.vera)
    for device in (lake.anna, lake.boris, lake.vera):
        assert len(lake.members(device)) == 3
    conversation = lake.vera.conversation(lake.group_id)
    assert (conversation.state, conversation.is_request) == (ConversationState.ACTIVE, False)
    assert joinings(lake.vera) == []
    assert events(lake.vera, JoiningChanged)[-1].chat_id == lake.group_id
    assert all(one.revoked for one in lake.vera.all(Inbox) if one.kind is InboxKind.JOINING)
    assert {one.name for one in lake.anna.all(Contact)} == {"boris", "vera"}
    said = say(lake.vera, lake.group_id, "here I am")
    assert said
    assert "here I am" in lake.boris.texts()
    assert lake.waiting() == []


def test_a_crash_at_any_step_is_made_up_for(lake: Lake) -> None:
    link = lake.link()
    lake.vera.crash_before_effects = True
    log_id = lake.open(lake.vera, link)
    lake.vera.restart()
    lake.world.settle()
    lake.vera.crash_before_effects = True
    lake.vera.do(lambda client_id: AskToJoin(client_id=client_id, log_id=log_id))
    lake.vera.restart()
    lake.world.advance(10_000)
    lake.anna.restart()
    lake.world.settle()
    assert lake.waiting() == [lake.vera.account_id]
    lake.anna.crash_before_effects = True
    lake.approve(lake.vera)
    lake.anna.restart()
    lake.world.advance(60_000)
    lake.vera.restart()
    lake.world.advance(60_000)
    assert len(lake.members(lake.vera)) == 3


def test_the_request_waits_for_the_inbox_of_its_answer(lake: Lake) -> None:
    log_id = lake.open(lake.vera, lake.link())
    lake.vera.go_offline()
    lake.vera.do(lambda client_id: AskToJoin(client_id=client_id, log_id=log_id))
    lake.world.advance(60_000)
    assert joinings(lake.vera) == [(JoiningState.ASKING, "")]
    assert not lake.vera.all(Delivery)
    lake.vera.go_online()
    lake.world.advance(10_000)
    assert lake.waiting() == [lake.vera.account_id]


def test_a_link_into_a_group_is_no_link_to_a_person(lake: Lake) -> None:
    link = lake.link()
    with pytest.raises(BadRequest, match="leads into a group"):
        accept(lake.vera, link)
    with pytest.raises(BadRequest, match="leads to a person"):
        lake.open(lake.vera, link_of(lake.anna))
    with pytest.raises(Conflict, match="your own"):
        lake.open(lake.anna, link)
    lake.vera.do(lambda client_id: AcceptLink(client_id=client_id, link=link_of(lake.anna)))
    with pytest.raises(CallerError):
        lake.link(lake.boris)  # no admin


def test_the_link_says_how_the_group_is_now(lake: Lake) -> None:
    link = lake.link()
    lake.anna.do(lambda client_id: RenameGroup(client_id=client_id, chat_id=lake.group_id, title="Sea"))
    lake.world.advance(60_000)
    lake.open(lake.vera, link)
    assert [one.title for one in lake.vera.all(Joining)] == ["Sea"]
    lake.world.advance(60 * DAY_MS)
    carl = lake.newcomer("carl")
    lake.open(carl, link)
    assert joinings(carl) == [(JoiningState.SHOWN, "")]  # its card was renewed


def test_a_revoked_link_and_one_whose_maker_is_no_admin_lead_nowhere(lake: Lake) -> None:
    link = lake.link()
    log_id = lake.open(lake.vera, link)
    carl = lake.newcomer("carl")
    lake.ask(carl, link)
    lake.vera.do(lambda client_id: AskToJoin(client_id=client_id, log_id=log_id))
    lake.anna.do(lambda client_id: RevokeGroupLink(client_id=client_id, chat_id=lake.group_id))
    lake.world.advance(60_000)
    assert lake.waiting() == []
    assert joinings(lake.vera) == [(JoiningState.FAILED, "denied")]
    with pytest.raises(NotFound):
        lake.approve(carl)
    with pytest.raises(NotFound):
        lake.anna.do(lambda client_id: RevokeGroupLink(client_id=client_id, chat_id=lake.group_id))
    again = lake.link()
    assert again != link
    make = SetRole(client_id="make", chat_id=lake.group_id, member=lake.boris.account_id, admin=True)
    lake.anna.do(lambda _: make)
    lake.world.advance(60_000)
    lake.ask(lake.vera, again)
    take = SetRole(client_id="take", chat_id=lake.group_id, member=lake.anna.account_id, admin=False)
    lake.boris.do(lambda _: take)
    lake.world.advance(60_000)
    assert lake.waiting() == []
    with pytest.raises(NotAllowed):
        lake.approve(lake.vera)
    assert all(one.revoked for one in lake.anna.all(Inbox) if one.kind is InboxKind.GROUP)
    dasha = lake.newcomer("dasha")
    lake.open(dasha, again)
    lake.world.advance(60_000)
    assert joinings(dasha) == [(JoiningState.FAILED, "denied")]


def test_who_leaves_the_group_has_no_link(lake: Lake) -> None:
    link = lake.link()
    lake.ask(lake.vera, link)
    lake.anna.do(lambda client_id: LeaveGroup(client_id=client_id, chat_id=lake.group_id))
    lake.world.advance(60_000)
    assert lake.anna.conversation(lake.group_id).state is ConversationState.LEFT
    assert lake.waiting() == []
    assert all(one.revoked for one in lake.anna.all(Inbox) if one.kind is InboxKind.GROUP)


def test_repeats_and_old_requests_are_dropped(lake: Lake) -> None:
    request = request_of(lake, lake.vera, lake.link())
    post(lake, request, request)
    assert lake.waiting() == [lake.vera.account_id]
    assert dropped(lake.anna) == 1
    decline = DeclineJoin(client_id="no", chat_id=lake.group_id, account_id=lake.vera.account_id)
    lake.anna.do(lambda _: decline)
    assert lake.waiting() == []
    lake.world.advance(1_000)
    post(lake, request, request_of(lake, lake.vera, lake.link()))
    assert lake.waiting() == []
    assert dropped(lake.anna) == 3
    lake.anna.restart()
    lake.world.advance(40 * DAY_MS)
    assert not lake.anna.all(Asker)
    post(lake, request)  # as old as it is, it is not taken though nobody remembers it
    assert lake.waiting() == []
    post(lake, request_of(lake, lake.vera, lake.link()))
    assert lake.waiting() == [lake.vera.account_id]


def test_a_used_request_lets_nobody_in_again(lake: Lake) -> None:
    request = request_of(lake, lake.vera, lake.link())
    post(lake, request)
    lake.approve(lake.vera)
    assert len(lake.members(lake.anna)) == 3
    remove = RemoveMember(client_id="out", chat_id=lake.group_id, member=lake.vera.account_id)
    lake.anna.do(lambda _: remove)
    lake.world.advance(60_000)
    post(lake, request)
    assert lake.waiting() == []
    # Who was removed may ask anew, and the admin decides.
    lake.ask(lake.vera, lake.link())
    assert lake.waiting() == [lake.vera.account_id]
    lake.approve(lake.vera)
    assert lake.vera.conversation(lake.group_id).state is ConversationState.ACTIVE
    lake.world.advance(1_000)
    post(lake, request_of(lake, lake.vera, lake.link()))
    assert lake.waiting() == []  # a member asks for nothing


def test_who_is_blocked_is_not_heard(lake: Lake) -> None:
    accept(lake.vera, link_of(lake.anna), "hello")
    lake.world.advance(10_000)
    link = lake.link()
    lake.ask(lake.vera, link)
    lake.anna.do(lambda client_id: BlockContact(client_id=client_id, account_id=lake.vera.account_id))
    with pytest.raises(Conflict, match="blocked"):
        lake.approve(lake.vera)
    post(lake, request_of(lake, lake.vera, link))
    assert dropped(lake.anna) == 1


def test_forged_requests_are_dropped(lake: Lake) -> None:
    link = lake.link()
    request = request_of(lake, lake.vera, link)
    carls = request_of(lake, lake.newcomer("carl"), link)
    asking, other = parse_asking(request), parse_asking(carls)
    content = asking.content
    swapped = content.replace(asking.key_package, other.key_package)
    resized = content.replace(asking.address.encode(), other.address.encode())
    post(
        lake,
        b"",
        b"\x02" + request[1:],
        request[:-1],
        request + b"\0",
        request[:-64] + bytes(64),
        content + other.signature,
        swapped + asking.signature,
        swapped + other.signature,
        resized + asking.signature,
        content.replace(asking.card.encoded, other.card.encoded) + asking.signature,
        request_of(lake, lake.anna, link),
    )
    assert lake.waiting() == []
    assert dropped(lake.anna) == 11


def test_a_request_to_one_admin_is_none_to_another(lake: Lake) -> None:
    make = SetRole(client_id="make", chat_id=lake.group_id, member=lake.boris.account_id, admin=True)
    lake.anna.do(lambda _: make)
    lake.world.advance(60_000)
    to_boris = request_of(lake, lake.vera, lake.link(lake.boris))
    lake.link()
    post(lake, to_boris)
    assert lake.waiting() == []
    # Who asks both is let in once.
    lake.ask(lake.vera, lake.link())
    lake.ask(lake.vera, lake.link(lake.boris))
    assert lake.waiting() == lake.waiting(lake.boris) == [lake.vera.account_id]
    lake.approve(lake.vera)
    lake.approve(lake.vera, lake.boris)
    assert len(lake.members(lake.anna)) == 3
    assert lake.waiting(lake.boris) == []


def test_a_flood_is_bounded_and_counted(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_links, "WAITING_MAX", 2)
    link = lake.link()
    askers = [lake.newcomer(f"asker{number}") for number in range(4)]
    post(lake, *(request_of(lake, one, link) for one in askers))
    assert len(lake.waiting()) == 2
    assert dropped_for_many(lake.anna) == 2
    decline = DeclineJoin(client_id="no", chat_id=lake.group_id, account_id=askers[0].account_id)
    lake.anna.do(lambda _: decline)
    post(lake, request_of(lake, askers[3], link))
    assert set(lake.waiting()) == {askers[1].account_id, askers[3].account_id}


def test_a_request_that_has_aged_lets_nobody_in(lake: Lake) -> None:
    lake.ask(lake.vera, lake.link())
    lake.world.advance(32 * DAY_MS)
    with pytest.raises((Conflict, NotFound)):
        lake.approve(lake.vera)
    assert joinings(lake.vera) == [(JoiningState.FAILED, "expired")]
    assert len(lake.members(lake.anna)) == 2


def test_who_thinks_better_of_it_is_gone(lake: Lake) -> None:
    log_id = lake.ask(lake.vera, lake.link())
    lake.vera.do(lambda client_id: CancelJoining(client_id=client_id, log_id=log_id))
    lake.world.settle()
    assert not lake.vera.all(Joining)
    lake.approve(lake.vera)
    assert not [one for one in lake.vera.all(Conversation) if one.group_id == lake.group_id]
    with pytest.raises(NotFound):
        lake.vera.do(lambda client_id: AskToJoin(client_id=client_id, log_id=log_id))


def test_only_who_was_asked_may_answer(lake: Lake) -> None:
    lake.ask(lake.vera, lake.link())
    carl = lake.newcomer("carl")
    accept(lake.boris, link_of(carl), "hello")
    lake.world.advance(10_000)
    made = carl.do(lambda client_id: CreateGroup(client_id=client_id, title="trap", members=()))
    lake.world.settle()
    [asker] = lake.anna.all(Asker)
    stolen = msgspec.structs.replace(asker, group_id=GroupId(made.chat_id or b""))
    carl.act(lambda step: step.transaction.put(stolen))
    approve = ApproveJoin(client_id="let", chat_id=stolen.group_id, account_id=lake.vera.account_id)
    carl.do(lambda _: approve)
    lake.world.advance(60_000)
    assert [one.title for one in lake.vera.all(Conversation)] == []
    assert joinings(lake.vera) == [(JoiningState.ASKED, "")]
    lake.approve(lake.vera)
    assert [one.title for one in lake.vera.all(Conversation)] == ["Lake"]


def test_the_group_knows_nothing_of_who_asks(lake: Lake) -> None:
    def said() -> int:
        rooms = [one for one in lake.anna.submitted if isinstance(one, Append)]
        return sum(one.channel is Channel.ROOMS for one in rooms)

    before = said()
    lake.ask(lake.vera, lake.link())
    assert said() == before
    assert not lake.boris.all(Asker)
