"""People: met in conversations, accepted, blocked, verified, and told apart when a key changes."""

import msgspec

from skvoz.base.errors import BadRequest, Conflict, Invalid, NotFound
from skvoz.base.ids import AccountId
from skvoz.client.cards import NAME_SIZE_MAX, Card
from skvoz.client.certificates import AccountKey, read_certificate
from skvoz.client.commands import Answer, BlockContact, RenameContact, VerifyContact
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
    check_card(step, card)
    _learn_key(step, card.account_key)
    known = _known(step, card.account_id)
    if known.state is not ContactState.BLOCKED and state > known.state:
        known = msgspec.structs.replace(known, state=state)
    if card.sequence >= known.card_sequence:
        known = msgspec.structs.replace(known, name=card.name, card=card.encoded, card_sequence=card.sequence)
    _put(step, known)
    return known


def check_card(step: Step, card: Card) -> None:
    """Raise `Invalid` for a card under an account key that we know to be replaced."""
    present = step.transaction.get(Contact, card.account_id)
    if present is not None and card.account_key.number < present.account_key_number:
        raise Invalid("a card is signed by an account key that was replaced")


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
    elif not known.root_public_key:
        _put(
            step,
            msgspec.structs.replace(
                known,
                root_public_key=key.root_public_key,
                account_key_number=key.number,
                account_public_key=key.public_key,
            ),
        )
    elif key.number > known.account_key_number or key.public_key != known.account_public_key:
        # A higher number is how a person answers a theft: announced, and to be compared again.
        step.transaction.put(
            msgspec.structs.replace(
                known,
                account_key_number=key.number,
                account_public_key=key.public_key,
                # Whoever had the old key may have used up the numbers of its cards.
                card_sequence=0,
                key_changed_ms=step.now_ms,
                verified_ms=None,
            )
        )
        step.tell(ContactChanged(account_id=key.account_id, key_changed=True))


def learn_inbox(step: Step, account_id: AccountId, address: bytes) -> None:
    """Remember where invitations reach a person who is known; `address` was parsed before."""
    known = step.transaction.get(Contact, account_id)
    if known is not None:
        _put(step, msgspec.structs.replace(known, inbox=address))


def expect(step: Step, account_id: AccountId) -> None:
    """Note somebody whose link was opened: all that is known of them is the fingerprint."""
    known = step.transaction.get(Contact, account_id)
    if known is None:
        known = Contact(
            account_id=account_id,
            state=ContactState.ACCEPTED,
            name="",
            root_public_key=b"",
            account_key_number=0,
            account_public_key=b"",
            created_ms=step.now_ms,
        )
    _put(step, msgspec.structs.replace(known, state=ContactState.ACCEPTED))


def forget_expected(step: Step, account_id: AccountId) -> None:
    """Forget somebody whose link led nowhere, unless something else is known of them."""
    known = step.transaction.get(Contact, account_id)
    if known is not None and not known.root_public_key and not known.own_name:
        step.transaction.delete(Contact, account_id)
        step.tell(ContactChanged(account_id=account_id))


def is_blocked(step: Step, account_id: AccountId) -> bool:
    """Tell whether nothing more is taken from this person."""
    known = step.transaction.get(Contact, account_id)
    return known is not None and known.state is ContactState.BLOCKED


def is_accepted(step: Step, account_id: AccountId) -> bool:
    """Tell whether this person is a contact."""
    known = step.transaction.get(Contact, account_id)
    return known is not None and known.state is ContactState.ACCEPTED


def accept(step: Step, account_id: AccountId) -> None:
    """Make a person a contact."""
    known = step.transaction.get(Contact, account_id)
    if known is not None:
        _put(step, msgspec.structs.replace(known, state=ContactState.ACCEPTED))


def decline(step: Step, account_id: AccountId) -> None:
    """Let somebody whose request is declined be a stranger again, whatever they called themselves."""
    known = step.transaction.get(Contact, account_id)
    if known is not None and known.state is ContactState.REQUEST:
        _put(step, msgspec.structs.replace(known, state=ContactState.KNOWN, inbox=b""))


def block(step: Step, command: BlockContact) -> Answer:
    """Take nothing more from a person, or take it again."""
    known = _known(step, command.account_id)
    if command.blocked != (known.state is ContactState.BLOCKED):
        state = ContactState.BLOCKED if command.blocked else _state_by_chats(step, command.account_id)
        _put(step, msgspec.structs.replace(known, state=state))
    return Answer(account_id=command.account_id)


def _state_by_chats(step: Step, account_id: AccountId) -> ContactState:
    """Return how far a person has come who is not blocked any more."""
    chats = step.transaction.select(Conversation, chat_id=account_id)
    if not chats:
        return ContactState.KNOWN
    return ContactState.REQUEST if all(chat.is_request for chat in chats) else ContactState.ACCEPTED


def rename(step: Step, command: RenameContact) -> Answer:
    """Call a person by another name here."""
    name = command.own_name.strip()
    if len(name.encode(errors="replace")) > NAME_SIZE_MAX:
        raise BadRequest("a name has at most 256 bytes")
    _put(step, msgspec.structs.replace(_known(step, command.account_id), own_name=name))
    return Answer(account_id=command.account_id)


def verify(step: Step, command: VerifyContact) -> Answer:
    """Mark a person as compared, which also settles a changed key; or as not compared."""
    known = _known(step, command.account_id)
    if command.verified and not known.root_public_key:
        raise Conflict("this person has not been met yet, so there is nothing to compare")
    if command.verified:
        known = msgspec.structs.replace(known, verified_ms=step.now_ms, key_changed_ms=None)
    else:
        known = msgspec.structs.replace(known, verified_ms=None)
    _put(step, known)
    return Answer(account_id=command.account_id)


def _known(step: Step, account_id: AccountId) -> Contact:
    known = step.transaction.get(Contact, account_id)
    if known is None:
        raise NotFound("there is no such contact")
    return known


def _put(step: Step, contact: Contact) -> None:
    if step.transaction.get(Contact, contact.account_id) != contact:
        step.transaction.put(contact)
        step.tell(ContactChanged(account_id=contact.account_id))
