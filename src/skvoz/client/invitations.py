"""Invitations on their way: a Welcome goes into somebody's inbox, in parts where it is long.

    part = invitation id (16) ‖ number (2) ‖ count (2) ‖ bytes<V>, each sealed as inbox mail
    invitation = content ‖ signature (64)
    content = version ‖ sender's card<V> ‖ sender's inbox address<V> ‖ Welcome<V>
              ‖ vector of members' cards<V>
    signed  = inbox id (16) ‖ recipient's account id (32) ‖ content, by the leaf that signed the GroupInfo,
              label "invitation"

The address is empty for whoever is no contact. Without the signature anybody who got the same Welcome could
put another address beside it. `welcomes` is the other end.
"""

from collections.abc import Sequence
from typing import Final

from skvoz.base.errors import Malformed, PeerError
from skvoz.base.ids import AccountId, EntryId, GroupId
from skvoz.base.value import Value
from skvoz.client import account as accounts
from skvoz.client import contacts, inboxes, introductions, joining, relays
from skvoz.client.cards import INBOX_KEY_SIZE_MAX, Card
from skvoz.client.effects import Append, Channel
from skvoz.client.events import RequestFailed
from skvoz.client.inbox_mail import (
    INVITATION,
    INVITATION_LABEL,
    INVITATION_PARTS_MAX,
    INVITATION_VERSION,
    InboxAddress,
    parse_inbox_address,
    seal_mail,
    signed_invitation,
)
from skvoz.client.inputs import EntryRefused, EntryStored
from skvoz.client.records import Conversation, Delivery
from skvoz.client.step import Step
from skvoz.codec import Reader, opaque, uint8, uint16, vector
from skvoz.crypto import sign_labeled
from skvoz.mls import Extensions

PART_SIZE: Final = 30_000
"""Bytes of an invitation in one part: with all around it, it is padded to 32 KiB."""
RETRY_ALARM: Final = "delivery.retry"
GIVE_UP_MS: Final = 30 * 24 * 3600 * 1000
"""An invitation that could not be delivered for so long is nothing that anybody waits for."""
_RETRY_MS: Final = 5_000
_LATER: Final = frozenset({"slow", "full"})


class Recipient(Value, frozen=True, kw_only=True):
    """Where a Welcome goes."""

    address: InboxAddress
    public_key: bytes
    """The inbox's HPKE key."""
    account_id: AccountId


def recipient(address: bytes, card: Card) -> bytes:
    """Encode where to deliver to: an encoded `InboxAddress`, and the card of whose it is."""
    return opaque(address) + opaque(card.inbox_public_key) + card.account_id


def parse_recipient(data: bytes) -> Recipient:
    """Parse what `recipient` wrote, here or at a member who knocked; raise `Malformed`."""
    reader = Reader(data)
    address = parse_inbox_address(reader.opaque())
    public_key = reader.opaque()
    account_id = AccountId(reader.take(32))
    reader.finish()
    if not 0 < len(public_key) <= INBOX_KEY_SIZE_MAX:
        raise Malformed("an inbox key has a wrong size")
    return Recipient(address=address, public_key=public_key, account_id=account_id)


def fresh_key_package(step: Step, extensions: Extensions = ()) -> tuple[bytes, bytes]:
    """Return a KeyPackage of ours, and where its Welcome goes, for a knock."""
    inbox = inboxes.contacts_inbox(step)
    bundle = inboxes.key_package(step, inbox, is_last_resort=False, extensions=extensions)
    card = accounts.fresh_card(step, inbox.public_key)
    return bundle.message(), recipient(inboxes.address_of(step, inbox).encode(), card)


def deliver(step: Step, conversation: Conversation, welcome: bytes, recipients: Sequence[bytes]) -> None:
    """Queue a Welcome for each recipient, sealed to their inboxes; say so where that can't be done."""
    own = inboxes.contacts_inbox(step)
    card = accounts.fresh_card(step, own.public_key)
    address = inboxes.address_of(step, own).encode()
    cards = introductions.cards_of_members(step, conversation)
    for encoded in recipients:
        try:
            to = parse_recipient(encoded)
            told = address if contacts.is_accepted(step, to.account_id) else b""
            content = b"".join(
                (
                    uint8(INVITATION_VERSION),
                    opaque(card.encoded),
                    opaque(told),
                    opaque(welcome),
                    vector(map(opaque, cards)),
                )
            )
            signed = signed_invitation(to.address.inbox_id, to.account_id, content)
            signature = sign_labeled(step.account().device_private_key, INVITATION_LABEL, signed)
            _post(step, conversation, to, content + signature)
        except PeerError:
            step.tell(RequestFailed(chat_id=conversation.chat_id, reason="not_delivered"))


def _post(step: Step, conversation: Conversation, to: Recipient, invitation: bytes) -> None:
    pieces = [invitation[start : start + PART_SIZE] for start in range(0, len(invitation), PART_SIZE)]
    if len(pieces) > INVITATION_PARTS_MAX:
        raise Malformed("an invitation is too long")
    identity = step.randomness(16)
    parts = [
        identity + uint16(number) + uint16(len(pieces)) + opaque(piece) for number, piece in enumerate(pieces)
    ]
    post(step, to, INVITATION, parts, conversation.group_id)


def post(step: Step, to: Recipient, kind: int, contents: Sequence[bytes], group_id: GroupId) -> None:
    """Queue mail for an inbox: all of it is sealed before any is queued. Raises a `PeerError`.

    `group_id` is empty for a request to join, which `joining` is told of where it can't be delivered.
    """
    address = to.address
    mails = [
        seal_mail(
            step.environment.suite,
            public_key=to.public_key,
            inbox_id=address.inbox_id,
            recipient=to.account_id,
            kind=kind,
            content=content,
            randomness=step.randomness,
        )
        for content in contents
    ]
    relays.name(step, address.relay_id, address.addresses)
    step.connect(address.relay_id, Channel.POST)
    for mail in mails:
        delivery = Delivery(
            entry_id=EntryId(step.randomness(16)),
            relay_id=address.relay_id,
            log_id=address.inbox_id,
            post_key=address.post_key,
            body=mail,
            group_id=group_id,
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


def stored(step: Step, fact: EntryStored) -> None:
    """Note that a part lies in its inbox."""
    if step.transaction.get(Delivery, fact.entry_id) is not None:
        step.transaction.delete(Delivery, fact.entry_id)
        step.clear_alarm(RETRY_ALARM, fact.entry_id)


def refused(step: Step, fact: EntryRefused) -> None:
    """Try again later, or tell that it can't be delivered."""
    delivery = step.transaction.get(Delivery, fact.entry_id)
    if delivery is None:
        return
    if fact.code in _LATER and step.now_ms < delivery.created_ms + GIVE_UP_MS:
        pause_ms = max(_RETRY_MS, fact.retry_after_ms)
        step.set_alarm(RETRY_ALARM, fact.entry_id, step.now_ms + pause_ms)
        return
    conversation = step.transaction.get(Conversation, delivery.group_id)
    for other in step.transaction.select(Delivery):
        if other.group_id == delivery.group_id and other.log_id == delivery.log_id:
            step.transaction.delete(Delivery, other.entry_id)
    if not delivery.group_id:
        joining.failed(step, delivery.log_id, "denied")
    if conversation is not None:
        step.tell(RequestFailed(chat_id=conversation.chat_id, reason="not_delivered"))


def retry(step: Step, entry_id: bytes) -> None:
    """Send one part again."""
    delivery = step.transaction.get(Delivery, entry_id)
    if delivery is not None:
        _send(step, delivery)
