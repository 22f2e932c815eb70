"""Invitations that arrive: checked whole, and only then joined.

The sender is who signed the GroupInfo, and the card is theirs; the KeyPackage is one that we laid beside this
very inbox; relays and logs are those of the GroupContext. Who comes through a lasting link, or invites
without being a contact, is a request.
"""

from typing import Final

from skvoz.base.errors import Invalid, Malformed
from skvoz.base.ids import GroupId
from skvoz.base.value import Value
from skvoz.client import contacts, conversations, group_links, inboxes, introductions, joining, policy
from skvoz.client.cards import Card, verify_card
from skvoz.client.certificates import read_certificate
from skvoz.client.events import LinkUsed
from skvoz.client.inbox_mail import (
    INVITATION,
    INVITATION_LABEL,
    INVITATION_PARTS_MAX,
    INVITATION_VERSION,
    JOIN_REQUEST,
    parse_inbox_address,
    signed_invitation,
)
from skvoz.client.records import (
    Contact,
    ContactState,
    Conversation,
    ConversationKind,
    ConversationState,
    Inbox,
    InboxKind,
    KeyPackageSecret,
    MailPart,
    Participant,
)
from skvoz.client.step import Step
from skvoz.codec import Reader
from skvoz.crypto import verify_labeled
from skvoz.mls import Group, KeyPackage, KeyPackageBundle, StagedJoin, parse_welcome

PARTS_KEPT_MAX: Final = 256
"""Parts that wait for others: 8 MB. The oldest invitation makes room."""
_OVER: Final = (ConversationState.LEFT, ConversationState.REMOVED)
_AWAY: Final = (ConversationState.LOST, ConversationState.FROZEN)


class Invitation(Value, frozen=True, kw_only=True):
    """An invitation whose cards are verified; the Welcome in it is not opened yet."""

    card: Card
    address: bytes
    welcome: bytes
    members: tuple[Card, ...]
    content: bytes
    """All that the signature covers of the invitation itself."""
    signature: bytes


def parse_invitation(data: bytes) -> Invitation:
    """Parse an invitation; raise a `PeerError`."""
    reader = Reader(data)
    if reader.uint8() != INVITATION_VERSION:
        raise Malformed("an invitation has an unknown version")
    card = verify_card(reader.opaque())
    address = reader.opaque()
    if address:
        parse_inbox_address(address)
    welcome = reader.opaque()
    cards = reader.vector(Reader.opaque)
    content = data[: reader.position]
    signature = reader.take(64)
    reader.finish()
    if len(cards) > introductions.PEOPLE_MAX:
        raise Malformed("an invitation introduces too many")
    members = tuple(verify_card(encoded) for encoded in cards)
    return Invitation(
        card=card,
        address=address,
        welcome=welcome,
        members=members,
        content=content,
        signature=signature,
    )


def received(step: Step, inbox: Inbox, kind: int, content: bytes) -> None:
    """Take a part up; the last one missing makes an invitation. Raises a `PeerError` for what is none."""
    if kind == JOIN_REQUEST and inbox.kind is InboxKind.GROUP:
        group_links.asked(step, inbox, content)
        return
    if kind != INVITATION or inbox.kind is InboxKind.GROUP:
        raise Malformed("mail is of a kind that does not belong here")
    reader = Reader(content)
    identity = reader.take(16)
    number, count = reader.uint16(), reader.uint16()
    piece = reader.opaque()
    reader.finish()
    if not number < count <= INVITATION_PARTS_MAX:
        raise Malformed("a part of an invitation has an impossible number")
    pieces = {number: piece}
    if count > 1:
        kept = step.transaction.select(MailPart, invitation_id=identity)
        if any(part.count != count or part.log_id != inbox.log_id for part in kept):
            raise Malformed("parts of an invitation don't fit together")
        pieces |= {part.number: part.body for part in kept}
        if len(pieces) < count:
            _keep(
                step,
                MailPart(
                    invitation_id=identity,
                    number=number,
                    count=count,
                    body=piece,
                    log_id=inbox.log_id,
                    received_ms=step.now_ms,
                ),
            )
            return
        for part in kept:
            step.transaction.delete(MailPart, *part.key_values())
    _invited(step, inbox, parse_invitation(b"".join(pieces[place] for place in range(count))))


def _keep(step: Step, part: MailPart) -> None:
    kept = step.transaction.select(MailPart)
    if len(kept) >= PARTS_KEPT_MAX:
        oldest = min(kept, key=lambda other: other.received_ms).invitation_id
        for other in kept:
            if other.invitation_id == oldest:
                step.transaction.delete(MailPart, *other.key_values())
    step.transaction.put(part)


def _invited(step: Step, inbox: Inbox, invitation: Invitation) -> None:
    """Check everything, then change everything: whatever raises does so before the first change."""
    card = invitation.card
    card.check_dates(step.now_ms)
    if card.account_id == step.account().account_id:
        raise Invalid("an invitation comes from ourselves")
    contacts.check_card(step, card)
    secret = _secret(step, inbox, invitation)
    bundle = KeyPackageBundle.parse(secret.bundle, step.environment.suite)
    staged = Group.join(invitation.welcome, bundle, policy=policy.MEMBERS)
    if policy.account_of(staged.sender_credential) != card.account_id:
        raise Invalid("an invitation is not from who made its Welcome")
    if read_certificate(staged.sender_credential.content).number < card.account_key.number:
        raise Invalid("an invitation is from a device under an account key that was replaced")
    signer = staged.group.state.members.signatory(staged.sender)
    signed = signed_invitation(inbox.log_id, step.account().account_id, invitation.content)
    verify_labeled(signer.signature_key, INVITATION_LABEL, signed, invitation.signature)
    kind = policy.info_of(staged.group).kind
    if inbox.kind is InboxKind.JOINING:
        joining.check_welcome(step, inbox, card.account_id)
    known = step.transaction.get(Conversation, GroupId(staged.group.group_id))
    if known is not None and (known.state in _AWAY or (known.parted and known.state not in _OVER)):
        _come_back(step, known, staged, bundle.key_package)
    else:
        _come_in(step, inbox, invitation, staged, kind)
    for member in (card, *invitation.members):
        if member.account_id in policy.accounts_of(staged.group):
            introductions.learn(step, member)
    if not secret.is_last_resort:
        step.transaction.delete(KeyPackageSecret, secret.reference)
    if invitation.address and contacts.is_accepted(step, card.account_id):
        contacts.learn_inbox(step, card.account_id, invitation.address)
    inboxes.package_used(step, inbox.log_id)
    if inbox.kind is InboxKind.JOINING:
        joining.joined(step, inbox, step.conversation(GroupId(staged.group.group_id)).chat_id)


def _secret(step: Step, inbox: Inbox, invitation: Invitation) -> KeyPackageSecret:
    """Return the KeyPackage that a Welcome is for; it must have lain beside this inbox."""
    for item in parse_welcome(invitation.welcome).secrets:
        secret = step.transaction.get(KeyPackageSecret, item.new_member)
        if secret is not None and secret.log_id == inbox.log_id:
            return secret
    _note_second_use(step, inbox, invitation.card)
    raise Invalid("a Welcome is for none of our KeyPackages")


def _note_second_use(step: Step, inbox: Inbox, card: Card) -> None:
    """Tell once that a single-use link was used again: somebody else may have seen it."""
    again = inbox.used_by and inbox.used_by != card.account_id and not inbox.used_again
    if inbox.kind is InboxKind.SINGLE_USE and again:
        inboxes.change(step, inbox.log_id, used_again=True)
        step.tell(LinkUsed(log_id=inbox.log_id, account_id=card.account_id))


def _come_back(step: Step, known: Conversation, staged: StagedJoin, key_package: KeyPackage) -> None:
    """Be in again after we had knocked: nothing else about the conversation changes.

    Raises `Invalid` where the Welcome comes neither by our knock nor from a member, or leads elsewhere: it
    would put another group in the place of the one that we lost.
    """
    place = policy.info_of(staged.group).places[0]
    sender = policy.account_of(staged.sender_credential)
    knocked = policy.leads_back(key_package, known.group_id)
    if not knocked and step.transaction.get(Participant, known.group_id, sender) is None:
        raise Invalid("a stranger's welcome leads into a conversation that was lost")
    if (place.relay_id, place.log_id) != (known.relay_id, known.log_id):
        raise Invalid("a welcome leads to another log than that of the conversation that was lost")
    conversations.join(step, staged, chat_id=known.chat_id, is_request=known.is_request)


def _come_in(
    step: Step, inbox: Inbox, invitation: Invitation, staged: StagedJoin, kind: ConversationKind
) -> None:
    card = invitation.card
    contact = step.transaction.get(Contact, card.account_id)
    state = ContactState.KNOWN if contact is None else contact.state
    if state is ContactState.BLOCKED:
        raise Invalid("an invitation from somebody whom nothing is taken from")
    # Who was given a single-use link is expected; whoever holds a lasting one may be anybody.
    expected = inbox.kind is InboxKind.SINGLE_USE and not inbox.used_by
    direct = kind is ConversationKind.DIRECT
    asked = inbox.kind is InboxKind.JOINING
    accepted = state is ContactState.ACCEPTED or (expected and direct) or asked
    if inbox.kind in inboxes.LINKS and not direct:
        raise Invalid("a link leads to two people talking, not into a group")
    if asked and kind is not ConversationKind.GROUP:
        raise Invalid("who asked to join a group is led elsewhere")
    chat_id = card.account_id if direct else staged.group.group_id
    known = step.transaction.get(Conversation, GroupId(staged.group.group_id))
    conversation = conversations.join(step, staged, chat_id=chat_id, is_request=not accepted)
    if known is not None:
        conversation = step.change(conversation.group_id, is_request=not accepted, hidden=False)
    if direct:
        wanted = ContactState.ACCEPTED if accepted else ContactState.REQUEST
        contacts.learn_card(step, card, state=wanted)
    if inbox.kind in inboxes.LINKS:
        inboxes.used(step, inbox.log_id, card.account_id)
    if accepted:
        introductions.introduce(step, conversation)
