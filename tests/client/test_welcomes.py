"""Invitations that must not be followed: bound to others, forged, replayed, cut into pieces, junk."""

import pytest
from msgspec.structs import replace

from skvoz.base.errors import Malformed, PeerError
from skvoz.base.ids import AccountId, LogId
from skvoz.client import account as accounts
from skvoz.client import conversations, inboxes, invitations, leaving, policy
from skvoz.client.cards import Card
from skvoz.client.commands import BlockContact, CreateGroup
from skvoz.client.conversations import Invitee
from skvoz.client.events import LinkUsed
from skvoz.client.invitations import PART_SIZE, parse_recipient
from skvoz.client.records import (
    Contact,
    ContactState,
    Conversation,
    ConversationKind,
    Inbox,
    InboxKind,
    KeyPackageSecret,
    MailPart,
)
from skvoz.client.step import Step
from skvoz.client.welcomes import PARTS_KEPT_MAX, Invitation, parse_invitation
from skvoz.codec import Reader, opaque, uint8, uint16, vector
from skvoz.crypto import KeyPair, sign_labeled
from skvoz.mls import Add, Group, Lifetime, parse_key_package
from tests.client.fake_relay import Device, World
from tests.client.people_world import (
    accept,
    contact,
    dropped,
    events,
    friends,
    inbox,
    intercepted,
    link_of,
    opened,
    pair,
    posted,
    put_in,
    sealed,
)


def part(data: bytes, *, identity: bytes = b"i" * 16, number: int = 0, count: int = 1) -> bytes:
    return identity + uint16(number) + uint16(count) + opaque(data)


def whole(content: bytes) -> bytes:
    """Return the invitation in a mail that holds all of it."""
    reader = Reader(content)
    reader.take(18)
    assert reader.uint16() == 1
    return reader.opaque()


def encoded(
    invitation: Invitation,
    *,
    by: Device,
    to: tuple[Device, Inbox],
    card: bytes | None = None,
    address: bytes | None = None,
) -> bytes:
    """Return an invitation with parts of it exchanged, as `by` would sign it."""
    content = b"".join(
        (
            uint8(1),
            opaque(invitation.card.encoded if card is None else card),
            opaque(invitation.address if address is None else address),
            opaque(invitation.welcome),
            vector(opaque(one.encoded) for one in invitation.members),
        )
    )
    private_key = by.act(lambda step: step.account().device_private_key)
    device, box = to
    return content + sign_labeled(private_key, "invitation", box.log_id + device.account_id + content)


def invited() -> tuple[World, Device, Device, Inbox, bytes]:
    """Return Anna, who opened Boris's single-use link, and the mail that has not reached his inbox."""
    world, anna, boris = pair()
    link = link_of(boris)
    box = inbox(boris, InboxKind.SINGLE_USE)
    [mail] = intercepted(anna, boris, lambda: accept(anna, link, "hello"))
    boris.machine.forget()
    return world, anna, boris, box, mail


def card_of(device: Device) -> Card:
    return device.act(lambda step: accounts.fresh_card(step, inboxes.contacts_inbox(step).public_key))


def assert_nothing(boris: Device, *, count: int = 1) -> None:
    assert not boris.all(Conversation)
    assert not boris.all(Contact)
    assert dropped(boris) == count


def test_mail_as_it_was_sent_is_followed() -> None:
    _, anna, boris, box, mail = invited()
    put_in(boris, box, mail)
    assert contact(boris, anna.account_id).state is ContactState.ACCEPTED
    assert len(boris.all(Conversation)) == 1
    assert dropped(boris) == 0


def test_mail_for_another_inbox_or_person_is_dropped() -> None:
    _, anna, boris, box, mail = invited()
    content = opened(boris, box, mail)
    put_in(
        boris,
        box,
        sealed(boris, box, content, inbox_id=LogId(b"x" * 16)),
        sealed(boris, box, content, recipient=anna.account_id),
        sealed(boris, box, content, kind=7),
        mail[:-1] + bytes([mail[-1] ^ 1]),
        b"",
        b"junk" * 300,
    )
    assert_nothing(boris, count=6)
    put_in(boris, box, mail)
    assert len(boris.all(Conversation)) == 1


def test_a_welcome_for_a_key_package_of_another_inbox_is_dropped() -> None:
    _, _, boris, box, mail = invited()
    other = inbox(boris, InboxKind.CONTACTS)
    put_in(boris, other, sealed(boris, other, opened(boris, box, mail)))
    assert_nothing(boris)


def test_a_welcome_for_somebody_else_is_dropped() -> None:
    world, _, boris, box, mail = invited()
    vera = world.add_device("vera", next(iter(world.relays.values())))
    theirs = inbox(vera, InboxKind.CONTACTS)
    put_in(vera, theirs, sealed(vera, theirs, opened(boris, box, mail)))
    assert not vera.all(Conversation)
    assert dropped(vera) == 1


def test_a_card_of_somebody_else_than_the_signer_is_refused() -> None:
    world, anna, boris, box, mail = invited()
    vera = world.add_device("vera", next(iter(world.relays.values())))
    invitation = parse_invitation(whole(opened(boris, box, mail)))
    to = (boris, box)
    forged = encoded(invitation, by=anna, to=to, card=card_of(vera).encoded)
    own = encoded(invitation, by=anna, to=to, card=card_of(boris).encoded)
    put_in(boris, box, sealed(boris, box, part(forged)), sealed(boris, box, part(own)))
    assert_nothing(boris, count=2)


def test_what_lies_beside_a_welcome_is_signed_by_who_made_it() -> None:
    world, anna, boris, box, mail = invited()
    vera = world.add_device("vera", next(iter(world.relays.values())))
    invitation = parse_invitation(whole(opened(boris, box, mail)))
    theirs = vera.act(lambda step: inboxes.address_of(step, inboxes.contacts_inbox(step)).encode())
    other_box = inbox(boris, InboxKind.CONTACTS)
    wrong = (
        encoded(invitation, by=vera, to=(boris, box), address=theirs),
        encoded(invitation, by=anna, to=(vera, box), address=theirs),
        encoded(invitation, by=anna, to=(boris, other_box), address=theirs),
    )
    put_in(boris, box, *(sealed(boris, box, part(data)) for data in wrong))
    assert_nothing(boris, count=3)
    put_in(boris, box, sealed(boris, box, part(encoded(invitation, by=anna, to=(boris, box)))))
    assert contact(boris, anna.account_id).state is ContactState.ACCEPTED


def test_an_invitation_under_a_changed_or_expired_card_is_refused() -> None:
    world, anna, boris, box, mail = invited()
    invitation = parse_invitation(whole(opened(boris, box, mail)))
    changed = bytearray(invitation.card.encoded)
    changed[-1] ^= 1
    forged = encoded(invitation, by=anna, to=(boris, box), card=bytes(changed))
    put_in(boris, box, sealed(boris, box, part(forged)))
    assert_nothing(boris)
    world.now_ms += 40 * 24 * 3600 * 1000
    put_in(boris, box, mail)
    assert_nothing(boris, count=2)


def test_a_replayed_invitation_changes_nothing() -> None:
    _, anna, boris, box, mail = invited()
    put_in(boris, box, mail)
    before = boris.all(Conversation)
    put_in(boris, box, mail)
    assert [one.group_id for one in boris.all(Conversation)] == [one.group_id for one in before]
    assert dropped(boris) == 1
    assert len(events(boris, LinkUsed)) == 1
    del anna


def test_a_replay_by_the_last_package_can_not_bring_a_declined_request_back() -> None:
    world, anna, boris = pair()
    link = link_of(boris, lasting=True)
    box = inbox(boris, InboxKind.LASTING)
    last = [one for one in boris.all(KeyPackageSecret) if one.log_id == box.log_id and one.is_last_resort]
    [mail] = intercepted(anna, boris, lambda: accept(anna, link, "hello"))
    assert len(last) == 1
    boris.go_online()
    world.settle()
    group_id = boris.conversation().group_id
    boris.act(lambda step: leaving.forget(step, group_id))
    put_in(boris, box, mail)
    assert dropped(boris) == 1


def test_the_second_who_uses_a_single_use_link_is_told_of() -> None:
    world, anna, boris, box, mail = invited()
    content = opened(boris, box, mail)
    put_in(boris, box, mail)
    vera = world.add_device("vera", next(iter(world.relays.values())))
    first = parse_invitation(whole(content))
    late = encoded(first, by=vera, to=(boris, box), card=card_of(vera).encoded)
    put_in(boris, box, sealed(boris, box, part(late)), sealed(boris, box, part(late)))
    assert [event.account_id for event in events(boris, LinkUsed)] == [anna.account_id, vera.account_id]
    assert not [one for one in boris.all(Contact) if one.account_id == vera.account_id]


def test_who_is_blocked_can_not_invite() -> None:
    world, anna, boris = friends()
    boris.do(lambda client_id: BlockContact(client_id=client_id, account_id=anna.account_id))
    anna.do(lambda client_id: CreateGroup(client_id=client_id, title="us", members=(boris.account_id,)))
    world.advance(30_000)
    assert len(boris.all(Conversation)) == 1
    assert dropped(boris) == 1


def test_parts_come_in_any_order_and_more_than_once() -> None:
    _, anna, boris, box, mail = invited()
    data = whole(opened(boris, box, mail))
    size = len(data) // 3 + 1
    pieces = [data[start : start + size] for start in range(0, len(data), size)]
    mails = [
        sealed(boris, box, part(piece, number=number, count=len(pieces)))
        for number, piece in enumerate(pieces)
    ]
    put_in(boris, box, mails[2], mails[0], mails[0])
    assert not boris.all(Conversation)
    assert len(boris.all(MailPart)) == 2
    put_in(boris, box, mails[1])
    assert contact(boris, anna.account_id).state is ContactState.ACCEPTED
    assert not boris.all(MailPart)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"i" * 16,
        part(b"x", number=1),
        part(b"x", count=0),
        part(b"x", count=500),
        part(b"x") + b"\x00",
        part(b""),
        part(b"\x02"),
        part(b"\x01" + bytes(40)),
    ],
)
def test_parts_that_make_no_sense_are_dropped(content: bytes) -> None:
    _, _, boris, box, _ = invited()
    put_in(boris, box, sealed(boris, box, content))
    assert_nothing(boris)
    assert not boris.all(MailPart)


def test_parts_of_different_invitations_are_not_mixed() -> None:
    _, _, boris, box, _ = invited()
    other = inbox(boris, InboxKind.CONTACTS)
    put_in(boris, box, sealed(boris, box, part(b"one", count=2)))
    put_in(boris, box, sealed(boris, box, part(b"two", number=1, count=3)))
    put_in(boris, other, sealed(boris, other, part(b"two", number=1, count=2)))
    assert_nothing(boris, count=2)


def test_the_oldest_parts_make_room() -> None:
    world, _, boris, box, _ = invited()
    for number in range(PARTS_KEPT_MAX + 3):
        world.now_ms += 1
        identity = number.to_bytes(16, "big")
        put_in(boris, box, sealed(boris, box, part(b"x", identity=identity, count=2)))
    kept = [one.invitation_id for one in boris.all(MailPart)]
    assert len(kept) == PARTS_KEPT_MAX
    assert (0).to_bytes(16, "big") not in kept
    assert (PARTS_KEPT_MAX + 2).to_bytes(16, "big") in kept


def test_a_long_invitation_goes_in_parts() -> None:
    world, anna, boris = friends()
    anna.act(
        lambda step: invitations.deliver(
            step, anna.conversation(), b"w" * (2 * PART_SIZE), [_recipient(boris)]
        )
    )
    before = len(posted(anna))
    world.settle()
    assert before >= 3
    assert dropped(boris) == 1
    assert not boris.all(MailPart)


def _recipient(device: Device) -> bytes:
    return device.act(lambda step: invitations.fresh_key_package(step)[1])


def test_a_recipient_that_makes_no_sense_is_refused() -> None:
    _, _, boris = pair()
    data = _recipient(boris)
    assert parse_recipient(data).account_id == boris.account_id
    for changed in (data[:-1], data + b"\x00", b"", b"\x40" + data):
        with pytest.raises(Malformed):
            parse_recipient(changed)


def made_by_hand(
    step: Step, key_packages: list[bytes], *, kind: ConversationKind, peer: AccountId | None = None
) -> tuple[Conversation, bytes]:
    """Return a conversation of Anna's, and a Welcome into it that no rule of ours was asked about."""
    relay_id = step.account().home_relay_id
    conversation = conversations.create(step, kind=kind, relay_id=relay_id, peer=peer, title="")
    group = step.group(conversation.group_id)
    pending = group.stage_commit(
        proposals=[Add(parse_key_package(one)) for one in key_packages], randomness=step.randomness
    )
    assert pending.welcome is not None
    return conversation, pending.welcome


def test_a_third_person_in_a_conversation_of_two_is_refused() -> None:
    world, anna, boris = friends()
    vera = world.add_device("vera", next(iter(world.relays.values())))
    theirs, other = (one.act(invitations.fresh_key_package) for one in (boris, vera))

    def send(step: Step) -> None:
        conversation, welcome = made_by_hand(
            step, [theirs[0], other[0]], kind=ConversationKind.DIRECT, peer=boris.account_id
        )
        invitations.deliver(step, conversation, welcome, [theirs[1]])

    anna.act(send)
    world.settle()
    assert len(boris.all(Conversation)) == 1
    assert dropped(boris) == 1


def test_a_conversation_of_two_others_is_refused() -> None:
    world, anna, boris = friends()
    theirs = boris.act(invitations.fresh_key_package)

    def send(step: Step) -> None:
        conversation, welcome = made_by_hand(
            step, [theirs[0]], kind=ConversationKind.DIRECT, peer=AccountId(b"v" * 32)
        )
        invitations.deliver(step, conversation, welcome, [theirs[1]])

    anna.act(send)
    world.settle()
    assert len(boris.all(Conversation)) == 1
    assert dropped(boris) == 1


def test_a_group_that_is_no_conversation_is_refused() -> None:
    world, anna, boris = friends()
    theirs = boris.act(invitations.fresh_key_package)

    def send(step: Step) -> None:
        account = step.account()
        group = Group.create(
            step.environment.suite,
            b"g" * 16,
            account.device_certificate,
            KeyPair(private_key=account.device_private_key, public_key=account.device_public_key),
            lifetime=Lifetime(not_before=0, not_after=2**40),
            capabilities=policy.capabilities(step.environment.suite),
            randomness=step.randomness,
        )
        proposals = [Add(parse_key_package(theirs[0]))]
        pending = group.stage_commit(proposals=proposals, randomness=step.randomness)
        assert pending.welcome is not None
        invitations.deliver(step, anna.conversation(), pending.welcome, [theirs[1]])

    anna.act(send)
    world.settle()
    assert len(boris.all(Conversation)) == 1
    assert dropped(boris) == 1


def test_a_link_does_not_lead_into_a_group() -> None:
    world, anna, boris = pair()
    link_of(boris, lasting=True)
    box = inbox(boris, InboxKind.LASTING)
    theirs = boris.act(lambda step: inboxes.key_package(step, box, is_last_resort=False).message())
    to = boris.act(
        lambda step: invitations.recipient(
            inboxes.address_of(step, box).encode(), accounts.fresh_card(step, box.public_key)
        )
    )

    def send(step: Step) -> None:
        conversation, welcome = made_by_hand(step, [theirs], kind=ConversationKind.GROUP)
        invitations.deliver(step, conversation, welcome, [to])

    anna.act(send)
    world.settle()
    assert_nothing(boris)


def test_who_is_no_contact_invites_into_a_group_as_a_request() -> None:
    world, anna, boris = pair()
    theirs = boris.act(invitations.fresh_key_package)

    def send(step: Step) -> None:
        invitee = Invitee(account_id=boris.account_id, key_package=theirs[0], recipient=theirs[1])
        conversations.create(
            step,
            kind=ConversationKind.GROUP,
            relay_id=step.account().home_relay_id,
            title="us",
            invitees=(invitee,),
        )

    anna.act(send)
    world.advance(10_000)
    assert boris.conversation().is_request
    assert contact(boris, anna.account_id).state is ContactState.KNOWN
    assert contact(boris, anna.account_id).inbox == b""
    assert contact(boris, anna.account_id).name == "anna"


def test_an_invitation_with_too_many_cards_is_refused() -> None:
    _, anna, boris, box, mail = invited()
    invitation = parse_invitation(whole(opened(boris, box, mail)))
    for count in (64, 65):
        crowd = replace(invitation, members=(card_of(anna),) * count)
        data = encoded(crowd, by=anna, to=(boris, box))
        if count == 64:
            assert len(parse_invitation(data).members) == count
            continue
        with pytest.raises(PeerError):
            parse_invitation(data)
