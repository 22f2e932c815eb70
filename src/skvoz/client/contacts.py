"""People: met in conversations, accepted, blocked, verified, and told apart when a key changes."""

import msgspec

from skvoz.base.errors import Invalid, NotFound
from skvoz.base.ids import AccountId
from skvoz.client.cards import Card
from skvoz.client.certificates import AccountKey, read_certificate
from skvoz.client.commands import BlockContact, RenameContact, VerifyContact
from skvoz.client.events import ContactChanged
from skvoz.client.records import Contact, ContactState, Conversation
from skvoz.client.step import Step


def met(step: Step, conversation: Conversation, account_id: AccountId, certificate: bytes) -> None:
    """Note a member of a conversation by the certificate of one of their leaves."""
    del conversation
    if account_id == step.account().account_id:
        return
    key = read_certificate(certificate)
    known = step.transaction.get(Contact, account_id)
    # What a valid commit says is never refused for what we happen to know: an older key is passed over.
    if key.account_id == account_id and (known is None or key.number >= known.account_key_number):
        _learn_key(step, key)


def learn_card(step: Step, card: Card, *, state: ContactState) -> Contact:
    """Take a verified card: a new person gets `state`, a known one a newer name and key.

    Raises `Invalid` for a card under an account key that was replaced.
    """
    present = step.transaction.get(Contact, card.account_id)
    if present is not None and card.account_key.number < present.account_key_number:
        raise Invalid("a card is signed by an account key that was replaced")
    _learn_key(step, card.account_key)
    known = _known(step, card.account_id)
    if known.state is ContactState.KNOWN and state is not ContactState.KNOWN:
        known = msgspec.structs.replace(known, state=state)
    if card.sequence >= known.card_sequence:
        known = msgspec.structs.replace(known, name=card.name, card=card.encoded, card_sequence=card.sequence)
    _put(step, known)
    return known


def _learn_key(step: Step, key: AccountKey) -> None:
    known = step.transaction.get(Contact, key.account_id)
    if known is None:
        step.transaction.put(
            Contact(
                account_id=key.account_id,
                state=ContactState.KNOWN,
                name="",
                root_public_key=key.root_public_key,
                account_key_number=key.number,
                account_public_key=key.public_key,
                created_ms=step.now_ms,
            )
        )
        step.tell(ContactChanged(account_id=key.account_id))
    elif key.number > known.account_key_number:
        # A higher number is how a person answers a theft: announced, and to be compared again.
        step.transaction.put(
            msgspec.structs.replace(
                known,
                account_key_number=key.number,
                account_public_key=key.public_key,
                key_changed_ms=step.now_ms,
                verified_ms=None,
            )
        )
        step.tell(ContactChanged(account_id=key.account_id, key_changed=True))


def learn_inbox(step: Step, account_id: AccountId, address: bytes) -> None:
    """Remember where invitations reach a person; `address` was parsed before."""
    _put(step, msgspec.structs.replace(_known(step, account_id), inbox=address))


def is_blocked(step: Step, account_id: AccountId) -> bool:
    """Tell whether nothing more is taken from this person."""
    known = step.transaction.get(Contact, account_id)
    return known is not None and known.state is ContactState.BLOCKED


def accept(step: Step, account_id: AccountId) -> None:
    """Make a person a contact."""
    _put(step, msgspec.structs.replace(_known(step, account_id), state=ContactState.ACCEPTED))


def block(step: Step, command: BlockContact) -> None:
    """Take nothing more from a person, or take it again."""
    state = ContactState.BLOCKED if command.blocked else ContactState.ACCEPTED
    _put(step, msgspec.structs.replace(_known(step, command.account_id), state=state))


def rename(step: Step, command: RenameContact) -> None:
    """Call a person by another name here."""
    name = command.own_name.strip()
    _put(step, msgspec.structs.replace(_known(step, command.account_id), own_name=name))


def verify(step: Step, command: VerifyContact) -> None:
    """Mark a person as compared, which also settles a changed key; or as not compared."""
    known = _known(step, command.account_id)
    if command.verified:
        known = msgspec.structs.replace(known, verified_ms=step.now_ms, key_changed_ms=None)
    else:
        known = msgspec.structs.replace(known, verified_ms=None)
    _put(step, known)


def _known(step: Step, account_id: AccountId) -> Contact:
    known = step.transaction.get(Contact, account_id)
    if known is None:
        raise NotFound("there is no such contact")
    return known


def _put(step: Step, contact: Contact) -> None:
    if step.transaction.get(Contact, contact.account_id) != contact:
        step.transaction.put(contact)
        step.tell(ContactChanged(account_id=contact.account_id))
