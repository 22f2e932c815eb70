"""Links: opened on and off line, used, forged, expired, revoked; requests of strangers."""

import pytest
from msgspec.structs import replace

from skvoz.base.errors import BadRequest, Conflict, NotFound
from skvoz.base.ids import AccountId, LogId
from skvoz.client import inboxes
from skvoz.client.commands import (
    AcceptRequest,
    AddMembers,
    BlockContact,
    CreateGroup,
    DeclineRequest,
    React,
    RevokeLink,
)
from skvoz.client.effects import Append, Put, Rekey, Take
from skvoz.client.events import ChatCreated, LinkCreated, LinkFailed, LinkUsed, RequestFailed
from skvoz.client.inboxes import POOL_LOW, POOL_SIZE, RENEW_MS
from skvoz.client.links import parse_link
from skvoz.client.records import (
    Approach,
    Contact,
    ContactState,
    Conversation,
    ConversationState,
    Inbox,
    InboxKind,
    KeyPackageSecret,
    Message,
    MessageState,
    PendingReport,
)
from tests.client.fake_relay import DAY_MS, Device, World
from tests.client.people_world import (
    accept,
    contact,
    events,
    friends,
    inbox,
    link_of,
    message,
    pair,
    say,
)


def failures(device: Device) -> list[str]:
    return [event.reason for event in events(device, LinkFailed)]


def test_who_opens_a_single_use_link_is_a_contact_at_once_on_both_sides() -> None:
    world, anna, boris = friends("hello")
    assert boris.texts() == ["hello"]
    for device, other in ((anna, boris), (boris, anna)):
        known = contact(device, other.account_id)
        assert known.state is ContactState.ACCEPTED
        assert known.name == other.name
        assert known.inbox
    assert not boris.conversation().is_request
    assert [event.account_id for event in events(boris, LinkUsed)] == [anna.account_id]
    assert [event.ready for event in events(boris, LinkCreated)] == [False, True]
    say(boris, anna.account_id, "hi")
    assert anna.texts() == ["hello", "hi"]
    del world


def test_a_link_works_while_its_maker_is_away() -> None:
    world, anna, boris = pair()
    link = link_of(boris)
    boris.go_offline()
    accept(anna, link, "hello")
    say(anna, boris.account_id, "are you there?")
    boris.go_online()
    world.settle()
    assert boris.texts() == ["hello", "are you there?"]


def test_a_link_is_opened_and_written_to_without_a_connection() -> None:
    world, anna, boris = pair()
    link = link_of(boris)
    anna.go_offline()
    chat_id = accept(anna, link, "hello")
    assert chat_id == boris.account_id
    assert [event.chat_id for event in events(anna, ChatCreated)] == [chat_id]
    assert anna.texts() == ["hello"]
    say(anna, chat_id, "more")
    anna.go_online()
    world.settle()
    assert boris.texts() == ["hello", "more"]


def test_a_crash_before_the_question_leaves_does_not_lose_it() -> None:
    world, anna, boris = pair()
    link = link_of(boris)
    anna.crash_before_effects = True
    accept(anna, link, "hello")
    world.settle()
    assert boris.texts() == ["hello"]


def test_a_link_that_was_used_before_says_so() -> None:
    world, anna, boris = pair()
    link = link_of(boris)
    accept(anna, link, "hello")
    vera = world.add_device("vera", next(iter(world.relays.values())))
    accept(vera, link, "me too")
    assert failures(vera) == ["used"]
    assert vera.texts() == ["me too"]
    assert vera.conversation().state is ConversationState.LEFT
    assert not [one for one in vera.all(Contact) if one.account_id == boris.account_id]
    assert boris.texts() == ["hello"]
    with pytest.raises(Conflict):
        say(vera, boris.account_id, "again")


def test_what_was_written_to_a_used_link_is_marked_as_failed() -> None:
    world, anna, boris = pair()
    link = link_of(boris)
    accept(anna, link)
    vera = world.add_device("vera", next(iter(world.relays.values())))
    vera.go_offline()
    accept(vera, link)
    written = say(vera, boris.account_id, "hello")
    vera.go_online()
    world.settle()
    assert message(vera, written).state is MessageState.FAILED
    assert message(vera, written).failure == "used"


def test_opening_the_same_link_again_leads_to_the_same_chat() -> None:
    world, anna, boris = pair()
    link = link_of(boris)
    accept(anna, link, "one")
    accept(anna, link, "two")
    assert boris.texts() == ["one", "two"]
    assert not failures(anna)
    assert len(anna.all(Conversation)) == 1
    del world


def test_a_forged_link_leads_nowhere() -> None:
    world, anna, boris = pair()
    vera = world.add_device("vera", next(iter(world.relays.values())))
    link = parse_link(link_of(boris, lasting=True))
    swapped = replace(link, account_id=vera.account_id)
    accept(anna, swapped.encode(), "hello")
    assert failures(anna) == ["invalid"]
    accept(anna, replace(link, secret=b"x" * 32).encode(), "hello")
    assert failures(anna) == ["invalid", "invalid"]
    for dead in (replace(link, post_key=b"x" * 32), replace(link, inbox_id=LogId(b"x" * 16))):
        accept(anna, dead.encode())
        world.advance(40_000)
    assert failures(anna)[2:] == ["denied", "denied"]
    assert not [one for one in anna.all(Approach) if one.purpose != "opened"]
    assert not [one for one in anna.all(Conversation) if one.state is not ConversationState.LEFT]
    assert boris.texts() == []
    assert vera.texts() == []


def test_links_that_can_not_be_opened_are_refused_at_once() -> None:
    _, anna, boris = pair()
    with pytest.raises(BadRequest):
        accept(anna, "skvoz:nonsense")
    with pytest.raises(Conflict, match="your own"):
        accept(anna, link_of(anna))
    link = link_of(boris)
    with pytest.raises(BadRequest):
        accept(anna, link, " ")
    accept(anna, link, "hello")
    anna.do(lambda client_id: BlockContact(client_id=client_id, account_id=boris.account_id))
    with pytest.raises(Conflict, match="blocked"):
        accept(anna, link_of(boris))


def test_a_single_use_link_closes_after_a_month() -> None:
    world, anna, boris = pair()
    link = link_of(boris)
    world.advance(32 * DAY_MS)
    assert inbox(boris, InboxKind.SINGLE_USE).revoked
    assert not [one for one in boris.all(KeyPackageSecret) if one.log_id == parse_link(link).inbox_id]
    accept(anna, link)
    world.advance(40_000)
    assert failures(anna) == ["denied"]
    world.advance(31 * DAY_MS)
    assert not [one for one in boris.all(Inbox) if one.kind is InboxKind.SINGLE_USE]


def test_an_offer_with_an_expired_card_is_refused() -> None:
    world, anna, boris = pair()
    link = link_of(boris)
    boris.go_offline()
    boris.wake_at_ms = None
    world.advance(40 * DAY_MS)
    accept(anna, link)
    assert failures(anna) == ["expired"]


def test_expired_packages_of_a_pool_are_passed_over() -> None:
    world, anna, boris = pair()
    link = link_of(boris, lasting=True)
    relay = next(iter(world.relays.values()))
    world.advance(15 * DAY_MS)
    for number in range(POOL_SIZE - POOL_LOW):
        accept(world.add_device(f"guest{number}", relay), link)
    boris.go_offline()
    boris.wake_at_ms = None
    world.advance(17 * DAY_MS)  # the first packages have expired, those of the refill have not
    accept(anna, link, "hello")
    asked = [one for one in anna.submitted if isinstance(one, Take)]
    assert len(asked) == POOL_LOW + 1
    assert not failures(anna)
    boris.go_online()
    world.settle()
    assert boris.texts() == ["hello"]


def test_a_lasting_link_that_nobody_opened_for_long_still_works() -> None:
    """Whatever packages expired meanwhile do not stand before the fresh ones, nor fill the pool."""
    world, anna, boris = pair()
    link = link_of(boris, lasting=True)
    for _ in range(10):
        world.advance(RENEW_MS)
    accept(anna, link, "hello")
    assert boris.texts() == ["hello"]
    assert not failures(anna)


@pytest.mark.parametrize("lasting", [False, True])
def test_a_link_is_not_ready_before_a_full_relay_has_what_lies_behind_it(*, lasting: bool) -> None:
    world, anna, boris = pair()
    relay = next(iter(world.relays.values()))
    boris.swallow = lambda fact: type(fact).__name__ == "LogOpened"
    link = link_of(boris, lasting=lasting)
    relay.disk_full = True
    boris.swallow = lambda _: False
    boris.restart()
    world.settle()
    assert [event.ready for event in events(boris, LinkCreated)] == [False]
    relay.disk_full = False
    world.advance(20 * 60_000)
    assert [event.ready for event in events(boris, LinkCreated)] == [False, True]
    accept(anna, link, "hello")
    assert boris.texts() == ["hello"]


def test_a_revoked_link_leads_nowhere() -> None:
    world, anna, boris = pair()
    link = link_of(boris, lasting=True)
    log_id = parse_link(link).inbox_id
    boris.do(lambda client_id: RevokeLink(client_id=client_id, log_id=log_id))
    world.settle()
    accept(anna, link)
    world.advance(40_000)
    assert failures(anna) == ["denied"]
    contacts_log = inbox(boris, InboxKind.CONTACTS).log_id
    with pytest.raises(NotFound):
        boris.do(lambda client_id: RevokeLink(client_id=client_id, log_id=contacts_log))


def test_a_pool_is_refilled_and_its_last_package_serves_many() -> None:
    world, _, boris = pair()
    link = link_of(boris, lasting=True)
    relay = next(iter(world.relays.values()))
    boris.go_offline()
    guests = [world.add_device(f"guest{number}", relay) for number in range(POOL_SIZE + 2)]
    for guest in guests:
        world.advance(60_000)
        accept(guest, link, f"I am {guest.name}")
    assert not [one for guest in guests for one in failures(guest)]
    boris.go_online()
    world.settle()
    assert sorted(boris.texts()) == sorted(f"I am {guest.name}" for guest in guests)
    puts = [
        one for one in boris.submitted if isinstance(one, Put) and one.log_id == parse_link(link).inbox_id
    ]
    assert len(puts) >= 2
    assert puts[-1].packages


def test_an_offer_is_laid_down_again_byte_for_byte_until_it_is_there() -> None:
    world, anna, boris = pair()
    boris.go_offline()
    link = link_of(boris)
    log_id = parse_link(link).inbox_id
    boris.go_online()
    boris.swallow = lambda fact: type(fact).__name__ == "PackagesStored"
    world.settle()
    boris.restart()
    boris.swallow = lambda _: False
    world.settle()
    offers = [one.offer for one in boris.submitted if isinstance(one, Put) and one.log_id == log_id]
    assert len(offers) == 2
    assert offers[0] == offers[1]
    assert inbox(boris, InboxKind.SINGLE_USE).stocked
    assert not inbox(boris, InboxKind.SINGLE_USE).offer
    accept(anna, link, "hello")
    assert boris.texts() == ["hello"]


# Requests


def stranger() -> tuple[World, Device, Device]:
    """Return Anna, who wrote to Boris through a lasting link, and Boris."""
    world, anna, boris = pair()
    accept(anna, link_of(boris, lasting=True), "let me in")
    world.advance(10_000)
    return world, anna, boris


def test_a_stranger_gets_one_text_and_learns_nothing() -> None:
    world, anna, boris = stranger()
    say(anna, boris.account_id, "please")
    world.advance(60_000)
    assert boris.texts() == ["let me in"]
    assert contact(boris, anna.account_id).state is ContactState.REQUEST
    assert boris.conversation().is_request
    assert not boris.all(PendingReport)
    assert {one.state for one in anna.all(Message)} == {MessageState.SENT}
    assert contact(anna, boris.account_id).inbox == b""
    with pytest.raises(Conflict, match="accept"):
        say(boris, anna.account_id, "who are you?")
    first = boris.all(Message)[0].message_id
    with pytest.raises(Conflict, match="accept"):
        boris.do(lambda client_id: React(client_id=client_id, message_id=first, emoji="+"))
    with pytest.raises(Conflict, match="not answered"):
        anna.do(lambda client_id: CreateGroup(client_id=client_id, title="us", members=(boris.account_id,)))


def test_an_accepted_request_is_a_contact_like_any_other() -> None:
    world, anna, boris = stranger()
    boris.do(lambda client_id: AcceptRequest(client_id=client_id, chat_id=anna.account_id))
    world.advance(10_000)
    assert [one.state for one in anna.all(Message)] == [MessageState.DELIVERED]
    assert contact(boris, anna.account_id).state is ContactState.ACCEPTED
    assert contact(anna, boris.account_id).inbox
    say(boris, anna.account_id, "welcome")
    say(anna, boris.account_id, "thanks")
    assert boris.texts() == ["let me in", "welcome", "thanks"]
    with pytest.raises(NotFound):
        boris.do(lambda client_id: AcceptRequest(client_id=client_id, chat_id=anna.account_id))


def test_a_declined_request_is_forgotten_without_a_word() -> None:
    world, anna, boris = stranger()
    before = len(boris.submitted)
    boris.do(lambda client_id: DeclineRequest(client_id=client_id, chat_id=anna.account_id))
    world.advance(10_000)
    assert boris.texts() == []
    assert boris.conversation().hidden
    assert contact(boris, anna.account_id).state is ContactState.KNOWN
    assert not [one for one in boris.submitted[before:] if isinstance(one, Append | Rekey)]
    say(anna, boris.account_id, "hello?")
    world.advance(10_000)
    assert boris.texts() == []
    with pytest.raises(NotFound):
        boris.do(lambda client_id: DeclineRequest(client_id=client_id, chat_id=anna.account_id))


def test_turning_to_a_stranger_oneself_accepts_them() -> None:
    world, anna, boris = stranger()
    accept(boris, link_of(anna), "so it is you")
    world.advance(10_000)
    assert contact(boris, anna.account_id).state is ContactState.ACCEPTED
    assert not any(one.is_request for one in boris.all(Conversation))
    assert "so it is you" in anna.texts()


def test_who_is_blocked_is_not_heard_and_can_be_heard_again() -> None:
    world, anna, boris = friends("hello")
    block(boris, anna, blocked=True)
    say(anna, boris.account_id, "one")
    world.advance(10_000)
    accept(anna, link_of(boris, lasting=True), "two")
    world.advance(10_000)
    assert boris.texts() == ["hello"]
    assert {one.state for one in anna.all(Message) if one.text != "hello"} == {MessageState.SENT}
    block(boris, anna, blocked=False)
    assert contact(boris, anna.account_id).state is ContactState.ACCEPTED
    say(anna, boris.account_id, "three")
    assert boris.texts() == ["hello", "three"]


def block(device: Device, other: Device, *, blocked: bool) -> None:
    account_id = other.account_id
    device.do(lambda client_id: BlockContact(client_id=client_id, account_id=account_id, blocked=blocked))


def test_two_who_invite_each_other_at_once_have_one_chat() -> None:
    world, anna, boris = pair()
    to_boris, to_anna = link_of(boris), link_of(anna)
    anna.go_offline()
    boris.go_offline()
    accept(anna, to_boris, "from anna")
    accept(boris, to_anna, "from boris")
    anna.go_online()
    boris.go_online()
    world.advance(20_000)
    for device, other in ((anna, boris), (boris, anna)):
        assert len(device.all(Conversation)) == 2
        assert {one.chat_id for one in device.all(Conversation)} == {other.account_id}
        assert sorted(device.texts()) == ["from anna", "from boris"]
    lowest = min(one.group_id for one in anna.all(Conversation))
    for device, other in ((anna, boris), (boris, anna)):
        written = say(device, other.account_id, f"more from {device.name}")
        assert message(device, written).group_id == lowest
    assert sorted(anna.texts()) == sorted(boris.texts())


def test_contacts_come_into_groups_and_bring_their_names() -> None:
    world, anna, boris = friends()
    vera = world.add_device("vera", next(iter(world.relays.values())))
    accept(vera, link_of(anna))
    world.advance(10_000)
    members = (boris.account_id, vera.account_id)
    anna.do(lambda client_id: CreateGroup(client_id=client_id, title="us", members=members))
    world.advance(30_000)
    assert contact(vera, boris.account_id).name == "boris"
    assert contact(boris, vera.account_id).name == "vera"
    assert contact(vera, boris.account_id).state is ContactState.KNOWN
    assert contact(vera, boris.account_id).inbox == b""


def test_only_contacts_come_into_groups() -> None:
    world, anna, _ = friends()
    anna.do(lambda client_id: CreateGroup(client_id=client_id, title="us", members=()))
    [group] = [one for one in anna.all(Conversation) if one.chat_id == one.group_id]
    with pytest.raises(NotFound):
        anna.do(
            lambda client_id: AddMembers(
                client_id=client_id, chat_id=group.chat_id, members=(AccountId(b"x" * 32),)
            )
        )
    del world


def test_a_contact_whose_inbox_is_gone_is_not_waited_for() -> None:
    world, anna, boris = friends()
    box = inbox(boris, InboxKind.CONTACTS)
    boris.act(lambda step: inboxes.close(step, box.log_id))
    world.settle()
    anna.do(lambda client_id: CreateGroup(client_id=client_id, title="us", members=(boris.account_id,)))
    world.advance(60_000)
    assert [event.reason for event in events(anna, RequestFailed)] == ["not_reachable"]
