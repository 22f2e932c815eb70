"""Invitations: a Welcome on its way into somebody's inbox, in parts where it is long.

    part = invitation id (16) ‖ number (2) ‖ count (2) ‖ bytes<V>
    invitation = version ‖ sender's card<V> ‖ sender's inbox address<V> ‖ Welcome<V>

The sender is who signed the GroupInfo; relays and logs are read from the GroupContext again, never from here.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from skvoz.base.errors import Invalid, Malformed, PeerError
from skvoz.base.ids import AccountId, EntryId, LogId
from skvoz.client import account as accounts
from skvoz.client import contacts, conversations, inboxes, policy
from skvoz.client.cards import Card, verify_card
from skvoz.client.effects import Append, Channel
from skvoz.client.events import LinkUsed, RequestFailed
from skvoz.client.inbox_mail import INVITATION, parse_inbox_address, seal_mail
from skvoz.client.inputs import EntryRefused, EntryStored
from skvoz.client.records import (
    Contact,
    ContactState,
    Conversation,
    ConversationKind,
    Delivery,
    Inbox,
    InboxKind,
    KeyPackageSecret,
    MailPart,
    Relay,
)
from skvoz.client.step import Step
from skvoz.codec import Reader, opaque, uint8, uint16
from skvoz.mls import Group, KeyPackageBundle, StagedJoin

VERSION: Final = 1
PART_SIZE: Final = 30_000
"""Bytes of an invitation in one part: with all around it, it is padded to 32 KiB."""
PARTS_MAX: Final = 128
PARTS_KEPT_MAX: Final = 256
RETRY_ALARM: Final = "delivery.retry"
_RETRY_MS: Final = 5_000


class Recipient(msgspec.Struct, frozen=True, array_like=True):
    """Where a Welcome goes: the address as its owner encoded it, the inbox's key, and whose it is."""

    address: bytes
    public_key: bytes
    account_id: AccountId

    def __repr__(self) -> str:
        return "<Recipient>"


_encode = msgspec.msgpack.Encoder().encode
_recipient = msgspec.msgpack.Decoder(Recipient)


def recipient(address: bytes, card: Card) -> bytes:
    """Encode where to deliver to."""
    return _encode(Recipient(address, card.inbox_public_key, card.account_id))


def fresh_key_package(step: Step) -> tuple[bytes, bytes]:
    """Return a KeyPackage of ours, and where its Welcome goes, for a knock."""
    inbox = inboxes.contacts_inbox(step)
    bundle = inboxes.key_package(step, inbox, is_last_resort=False)
    card = accounts.fresh_card(step, inbox.public_key)
    return bundle.message(), recipient(inboxes.address_of(step, inbox).encode(), card)


def deliver(step: Step, conversation: Conversation, welcome: bytes, recipients: Sequence[bytes]) -> None:
    """Queue a Welcome for each recipient, sealed to their inboxes."""
    own = inboxes.contacts_inbox(step)
    card = accounts.fresh_card(step, own.public_key)
    invitation = b"".join(
        (
            uint8(VERSION),
            opaque(card.encoded),
            opaque(inboxes.address_of(step, own).encode()),
            opaque(welcome),
        )
    )
    pieces = [invitation[start : start + PART_SIZE] for start in range(0, len(invitation), PART_SIZE)]
    for encoded in recipients:
        to = _recipient.decode(encoded)
        try:
            _post(step, conversation, to, pieces)
        except PeerError:
            step.tell(RequestFailed(chat_id=conversation.chat_id, reason="not_delivered"))


def _post(step: Step, conversation: Conversation, to: Recipient, pieces: list[bytes]) -> None:
    if len(pieces) > PARTS_MAX:
        raise Malformed("an invitation is too long")
    address = parse_inbox_address(to.address)
    if step.transaction.get(Relay, address.relay_id) is None:
        step.transaction.put(Relay(relay_id=address.relay_id, public_key=b"", addresses=address.addresses))
    step.connect(address.relay_id, Channel.POST)
    identity = step.randomness(16)
    for number, piece in enumerate(pieces):
        part = identity + uint16(number) + uint16(len(pieces)) + opaque(piece)
        delivery = Delivery(
            entry_id=EntryId(step.randomness(16)),
            relay_id=address.relay_id,
            log_id=address.inbox_id,
            post_key=address.post_key,
            body=seal_mail(
                step.environment.suite,
                public_key=to.public_key,
                inbox_id=address.inbox_id,
                recipient=to.account_id,
                kind=INVITATION,
                content=part,
                randomness=step.randomness,
            ),
            group_id=conversation.group_id,
            created_ms=step.now_ms,
        )
        step.transaction.put(delivery)
        _send(step, delivery)


def _send(step: Step, delivery: Delivery) -> None:
    step.emit(
        Append(
            relay_id=delivery.relay_id,
            channel=Channel.POST,
            log_id=delivery.log_id,
            key=delivery.post_key,
            entry_id=delivery.entry_id,
            body=delivery.body,
            since=0,
        )
    )


def started(step: Step) -> None:
    """Send again what has not reached its inbox."""
    for delivery in step.transaction.select(Delivery):
        step.connect(delivery.relay_id, Channel.POST)
        _send(step, delivery)


def stored(step: Step, fact: EntryStored) -> bool:
    """Note that a part lies in its inbox; return whether the entry was one."""
    if step.transaction.get(Delivery, fact.entry_id) is None:
        return False
    step.transaction.delete(Delivery, fact.entry_id)
    return True


def refused(step: Step, fact: EntryRefused) -> bool:
    """Try again later, or tell that it can't be delivered; return whether the entry was a part."""
    delivery = step.transaction.get(Delivery, fact.entry_id)
    if delivery is None:
        return False
    if fact.code in {"slow", "full"}:
        step.set_alarm(RETRY_ALARM, fact.entry_id, step.now_ms + max(_RETRY_MS, fact.retry_after_ms))
        return True
    step.transaction.delete(Delivery, fact.entry_id)
    conversation = step.transaction.get(Conversation, delivery.group_id)
    if conversation is not None:
        step.tell(RequestFailed(chat_id=conversation.chat_id, reason="not_delivered"))
    return True


def retry(step: Step, entry_id: bytes) -> None:
    """Send one part again."""
    delivery = step.transaction.get(Delivery, entry_id)
    if delivery is not None:
        _send(step, delivery)


# The other end


def received(step: Step, inbox_id: LogId, kind: int, content: bytes) -> None:
    """Take a part up; the last one missing makes an invitation. Raises a `PeerError` for what is none."""
    if kind != INVITATION:
        raise Malformed("mail is of an unknown kind")
    reader = Reader(content)
    identity = reader.take(16)
    number, count = reader.uint16(), reader.uint16()
    piece = reader.opaque()
    reader.finish()
    if not number < count <= PARTS_MAX:
        raise Malformed("a part of an invitation has an impossible number")
    if count == 1:
        _invited(step, inbox_id, piece)
        return
    kept = step.transaction.select(MailPart, invitation_id=identity)
    if len(kept) < count - 1:
        if len(step.transaction.select(MailPart)) >= PARTS_KEPT_MAX:
            raise Malformed("too many parts of invitations wait for others")
        step.transaction.put(MailPart(invitation_id=identity, number=number, count=count, body=piece))
        return
    pieces = {part.number: part.body for part in kept} | {number: piece}
    for part in kept:
        step.transaction.delete(MailPart, *part.key_values())
    if sorted(pieces) != list(range(count)):
        raise Malformed("parts of an invitation don't fit together")
    _invited(step, inbox_id, b"".join(pieces[number] for number in range(count)))


def _invited(step: Step, inbox_id: LogId, data: bytes) -> None:
    reader = Reader(data)
    if reader.uint8() != VERSION:
        raise Malformed("an invitation has an unknown version")
    card = verify_card(reader.opaque())
    address = parse_inbox_address(reader.opaque())
    welcome = reader.opaque()
    reader.finish()
    card.check_dates(step.now_ms)
    if card.account_id == step.account().account_id or contacts.is_blocked(step, card.account_id):
        raise Invalid("an invitation from somebody that nothing is taken from")
    known = step.transaction.get(Contact, card.account_id)
    if known is not None and card.account_key.number < known.account_key_number:
        raise Invalid("an invitation under an account key that was replaced")
    staged, secret = _open(step, inbox_id, welcome)
    if policy.account_of(staged.sender_credential) != card.account_id:
        raise Invalid("an invitation is not from who made its Welcome")
    _join(step, inbox_id, card, staged)
    if not secret.is_last_resort:
        step.transaction.delete(KeyPackageSecret, secret.reference)
    contacts.learn_inbox(step, card.account_id, address.encode())


def _open(step: Step, inbox_id: LogId, welcome: bytes) -> tuple[StagedJoin, KeyPackageSecret]:
    for secret in step.transaction.select(KeyPackageSecret, log_id=inbox_id):
        bundle = KeyPackageBundle.parse(secret.bundle, step.environment.suite)
        try:
            return Group.join(welcome, bundle, policy=policy.MEMBERS), secret
        except PeerError:
            continue
    raise Invalid("a Welcome is for none of our KeyPackages")


def _join(step: Step, inbox_id: LogId, card: Card, staged: StagedJoin) -> None:
    inbox = step.transaction.get(Inbox, inbox_id)
    if inbox is None:
        raise Invalid("an invitation came into an inbox that is gone")
    known = step.transaction.get(Contact, card.account_id)
    accepted = known is not None and known.state is ContactState.ACCEPTED
    # Who was given a single-use link is expected; whoever has a lasting one may be anybody.
    welcome = accepted or (inbox.kind is InboxKind.SINGLE_USE and inbox.used_ms is None)
    info = policy.info_of(staged.group)
    direct = info.kind is ConversationKind.DIRECT
    chat_id = card.account_id if direct else staged.group.group_id
    conversations.join(step, staged, chat_id=chat_id, is_request=not welcome)
    contacts.learn_card(step, card, state=ContactState.ACCEPTED if welcome else ContactState.REQUEST)
    if inbox.kind is not InboxKind.CONTACTS:
        step.transaction.put(
            msgspec.structs.replace(step.transaction.get(Inbox, inbox_id) or inbox, used_ms=step.now_ms)
        )
        step.tell(LinkUsed(log_id=inbox_id, account_id=card.account_id))
