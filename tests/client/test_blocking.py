"""Who is blocked knows where our inbox was; contacts are told where it is now."""

from skvoz.client.commands import AcceptRequest, BlockContact, ChangeProfile, CreateGroup
from skvoz.client.effects import DropLog
from skvoz.client.inbox_mail import parse_inbox_address
from skvoz.client.inboxes import REPLACED_LIFETIME_MS, REPLACED_MAX
from skvoz.client.records import Conversation, Inbox, InboxKind
from tests.client.fake_relay import DAY_MS, Device, World
from tests.client.people_world import accept, contact, friends, inbox, link_of, pair, say


def block(device: Device, other: Device, *, blocked: bool = True) -> None:
    account_id = other.account_id
    device.do(lambda client_id: BlockContact(client_id=client_id, account_id=account_id, blocked=blocked))
    device.world.advance(10_000)


def three() -> tuple[World, Device, Device, Device]:
    """Return Anna, Boris and Carl: Boris has the other two as contacts."""
    world, anna, boris = friends("hello")
    carl = world.add_device("carl", next(iter(world.relays.values())))
    accept(carl, link_of(boris), "hello")
    world.advance(10_000)
    return world, anna, boris, carl


def known_inbox(device: Device, other: Device) -> bytes:
    """Return the id of the inbox that a device knows of somebody."""
    return parse_inbox_address(contact(device, other.account_id).inbox).inbox_id


def invited(inviter: Device, guest: Device) -> bytes:
    made = inviter.do(
        lambda client_id: CreateGroup(client_id=client_id, title="us", members=(guest.account_id,))
    )
    inviter.world.advance(60_000)
    assert made.chat_id is not None
    return made.chat_id


def is_in(device: Device, chat_id: bytes) -> bool:
    return any(one.chat_id == chat_id for one in device.all(Conversation))


def test_who_is_blocked_does_not_know_the_inbox_any_more() -> None:
    _, anna, boris, carl = three()
    before = inbox(boris, InboxKind.CONTACTS).log_id
    assert known_inbox(anna, boris) == known_inbox(carl, boris) == before
    block(boris, anna)
    now = inbox(boris, InboxKind.CONTACTS).log_id
    assert now != before
    assert known_inbox(carl, boris) == now
    assert known_inbox(anna, boris) == before
    assert is_in(boris, invited(carl, boris))


def test_who_is_blocked_is_not_told_of_a_new_name_or_inbox() -> None:
    world, anna, boris, carl = three()
    block(boris, anna)
    boris.do(lambda client_id: ChangeProfile(client_id=client_id, name="Boris II"))
    world.advance(10_000)
    assert contact(carl, boris.account_id).name == "Boris II"
    assert contact(anna, boris.account_id).name == "boris"
    assert known_inbox(anna, boris) != inbox(boris, InboxKind.CONTACTS).log_id


def test_an_invitation_to_the_old_inbox_arrives_for_a_month() -> None:
    world, anna, boris, carl = three()
    before = inbox(boris, InboxKind.CONTACTS).log_id
    carl.go_offline()
    block(boris, anna)
    chat_id = carl.do(
        lambda client_id: CreateGroup(client_id=client_id, title="us", members=(boris.account_id,))
    ).chat_id
    assert chat_id is not None
    assert known_inbox(carl, boris) == before
    carl.go_online()
    world.advance(60_000)
    assert is_in(boris, chat_id)
    world.advance(REPLACED_LIFETIME_MS + DAY_MS)
    assert before in [one.log_id for one in boris.submitted if isinstance(one, DropLog)]
    assert is_in(boris, invited(carl, boris))


def test_who_is_not_blocked_any_more_is_told_again() -> None:
    _, anna, boris, _ = three()
    block(boris, anna)
    block(boris, anna, blocked=False)
    assert known_inbox(anna, boris) == inbox(boris, InboxKind.CONTACTS).log_id
    assert is_in(boris, invited(anna, boris))


def test_blocking_somebody_who_never_knew_the_inbox_moves_nothing() -> None:
    world, anna, boris = pair()
    before = inbox(boris, InboxKind.CONTACTS)
    accept(anna, link_of(boris, lasting=True), "let me in")
    world.advance(10_000)
    block(boris, anna)
    block(boris, anna)
    assert inbox(boris, InboxKind.CONTACTS).log_id == before.log_id
    block(boris, anna, blocked=False)
    boris.do(lambda client_id: AcceptRequest(client_id=client_id, chat_id=anna.account_id))
    world.advance(10_000)
    say(boris, anna.account_id, "welcome")
    assert "welcome" in anna.texts()


def test_blocking_again_and_again_leaves_few_inboxes() -> None:
    _, anna, boris, carl = three()
    for _ in range(REPLACED_MAX + 3):
        block(boris, anna)
        block(boris, anna, blocked=False)
    read = [one for one in boris.all(Inbox) if one.kind is InboxKind.CONTACTS and not one.revoked]
    assert len(read) == REPLACED_MAX + 1
    assert known_inbox(carl, boris) == inbox(boris, InboxKind.CONTACTS).log_id
    boris.restart()
    boris.world.settle()
    assert is_in(boris, invited(carl, boris))
