"""Cards inside of direct conversations: who accepted somebody tells them where invitations reach them.

part of type application/vnd.skvoz.card+cbor: CBOR array [card, inbox address], both bytes
"""

from typing import Final

from skvoz.base.errors import Malformed
from skvoz.base.ids import AccountId
from skvoz.client import account as accounts
from skvoz.client import contacts, inboxes, outbox
from skvoz.client.cards import verify_card
from skvoz.client.inbox_mail import parse_inbox_address
from skvoz.client.records import ContactState, Conversation, ConversationKind
from skvoz.client.step import Step
from skvoz.codec import cbor
from skvoz.content import Disposition, MimiContent, SinglePart, encode

CARD_TYPE: Final = "application/vnd.skvoz.card+cbor"


def accept(step: Step, conversation: Conversation) -> None:
    """Make the other side of a direct conversation a contact, and send them our card and address."""
    if conversation.kind is not ConversationKind.DIRECT:
        return
    contacts.accept(step, AccountId(conversation.chat_id))
    send(step, conversation)


def send(step: Step, conversation: Conversation) -> None:
    """Send our card and our contacts' inbox address."""
    inbox = inboxes.contacts_inbox(step)
    card = accounts.fresh_card(step, inbox.public_key)
    content = cbor.encode((card.encoded, inboxes.address_of(step, inbox).encode()))
    body = encode(
        MimiContent(
            salt=step.randomness(16),
            body=SinglePart(disposition=Disposition.PROFILE, content_type=CARD_TYPE, content=content),
        )
    )
    outbox.enqueue(step, conversation.group_id, body, None, quiet=True)


def received(step: Step, conversation: Conversation, author: AccountId, content: MimiContent) -> bool:
    """Take a card; return whether the content was one. Raises a `PeerError` for a bad one."""
    part = content.body
    if not isinstance(part, SinglePart) or part.content_type != CARD_TYPE:
        return False
    value = cbor.decode(part.content)
    if not isinstance(value, tuple) or len(value) != 2:
        raise Malformed("a card's part makes no sense")
    encoded, address = value
    if not isinstance(encoded, bytes) or not isinstance(address, bytes):
        raise Malformed("a card's part makes no sense")
    card = verify_card(encoded)
    parse_inbox_address(address)
    if card.account_id != author or conversation.kind is not ConversationKind.DIRECT:
        raise Malformed("a card is somebody else's")
    contacts.learn_card(step, card, state=ContactState.KNOWN)
    contacts.learn_inbox(step, author, address)
    return True
