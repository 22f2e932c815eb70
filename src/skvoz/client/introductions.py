"""Cards inside of conversations: members tell their names, and contacts where invitations reach them.

    a part of type application/vnd.skvoz.card+cbor, disposition "profile": CBOR array [card, address], two
    byte strings; the address is an encoded `InboxAddress`, and empty but in direct conversations

Who joins a group introduces themselves to it; an invitation brings the cards of those who are there already.
Whoever is not accepted is told nothing.
"""

from typing import Final

from skvoz.base.errors import Invalid, Malformed
from skvoz.base.ids import AccountId
from skvoz.base.value import Value
from skvoz.client import account as accounts
from skvoz.client import contacts, inboxes, outbox
from skvoz.client.cards import Card, verify_card
from skvoz.client.inbox_mail import parse_inbox_address
from skvoz.client.records import (
    Contact,
    ContactState,
    Conversation,
    ConversationKind,
    ConversationState,
    Participant,
)
from skvoz.client.step import Step
from skvoz.codec import cbor
from skvoz.content import Disposition, MimiContent, SinglePart, encode

CARD_TYPE: Final = "application/vnd.skvoz.card+cbor"
PEOPLE_MAX: Final = 64
"""In larger groups nobody tells a changed name, and an invitation brings no more cards than this."""


class Introduction(Value, frozen=True, kw_only=True):
    """A verified card, and an inbox address that parses, or nothing."""

    card: Card
    address: bytes


def introduce(step: Step, conversation: Conversation) -> None:
    """Send our card to a conversation, and in a direct one the address of the inbox for contacts."""
    direct = conversation.kind is ConversationKind.DIRECT
    if conversation.is_request or (direct and contacts.is_blocked(step, AccountId(conversation.chat_id))):
        return
    inbox = inboxes.contacts_inbox(step)
    card = accounts.fresh_card(step, inbox.public_key)
    address = inboxes.address_of(step, inbox).encode() if direct else b""
    content = MimiContent(
        salt=step.randomness(16),
        body=SinglePart(
            disposition=Disposition.PROFILE,
            content_type=CARD_TYPE,
            content=cbor.encode((card.encoded, address)),
        ),
    )
    outbox.enqueue(step, conversation.group_id, encode(content), None, quiet=True)


def introduce_everywhere(step: Step) -> None:
    """Tell a changed name to everybody who knows us."""
    for conversation in step.transaction.select(Conversation, state=ConversationState.ACTIVE):
        people = step.transaction.select(Participant, group_id=conversation.group_id)
        if len(people) <= PEOPLE_MAX:
            introduce(step, conversation)


def introduce_to_contacts(step: Step, account_id: AccountId | None = None) -> None:
    """Tell contacts, or one of them, where invitations reach us now."""
    for conversation in step.transaction.select(Conversation, state=ConversationState.ACTIVE):
        wanted = account_id is None or conversation.chat_id == account_id
        direct = conversation.kind is ConversationKind.DIRECT
        if wanted and direct and contacts.is_accepted(step, AccountId(conversation.chat_id)):
            introduce(step, conversation)


def introduction_in(content: MimiContent, author: AccountId) -> Introduction | None:
    """Return the introduction that a content is, if it is one; raise a `PeerError` for a bad one."""
    part = content.body
    if not isinstance(part, SinglePart) or part.content_type != CARD_TYPE:
        return None
    match cbor.decode(part.content):
        case (bytes() as encoded, bytes() as address):
            card = verify_card(encoded)
        case _:
            raise Malformed("an introduction is not a pair of byte strings")
    if card.account_id != author:
        raise Invalid("an introduction is of somebody else")
    if address:
        parse_inbox_address(address)
    return Introduction(card=card, address=address)


def learn(step: Step, card: Card) -> None:
    """Take a member's name and key; a card under a key that is known to be replaced is passed over."""
    if card.account_id == step.account().account_id:
        return
    try:
        contacts.learn_card(step, card, state=ContactState.KNOWN)
    except Invalid:
        return


def received(step: Step, conversation: Conversation, introduction: Introduction) -> None:
    """Take a name, and in a direct conversation the address for invitations."""
    learn(step, introduction.card)
    if introduction.address and conversation.kind is ConversationKind.DIRECT:
        contacts.learn_inbox(step, introduction.card.account_id, introduction.address)


def cards_of_members(step: Step, conversation: Conversation) -> list[bytes]:
    """Return the cards that we know of a group's other members, for somebody who comes in."""
    if conversation.kind is not ConversationKind.GROUP:
        return []
    people = step.transaction.select(Participant, group_id=conversation.group_id)[:PEOPLE_MAX]
    found = [step.transaction.get(Contact, person.account_id) for person in people]
    return [contact.card for contact in found if contact is not None and contact.card]
