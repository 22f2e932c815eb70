"""First contact: somebody's link becomes a conversation at once, and contacts come into groups.

Who opens a link has the chat immediately, can write into it, and can be offline: the conversation is made
here, and adding the other side waits for the answer to an approach. It is checked whole against the
fingerprint in the link before anybody is added.
"""

from typing import Final

import msgspec

from skvoz.base.addresses import is_drop
from skvoz.base.errors import BadRequest, Conflict, Invalid, NotFound
from skvoz.base.ids import AccountId, GroupId
from skvoz.base.value import Value
from skvoz.client import (
    approaches,
    chats,
    composing,
    contacts,
    conversations,
    groups,
    invitations,
    leaving,
    messages,
    relays,
)
from skvoz.client.commands import AcceptLink, Answer, RelayAddress
from skvoz.client.events import LinkFailed, LinkFailure
from skvoz.client.inbox_mail import InboxAddress, parse_inbox_address
from skvoz.client.links import Link, parse_link
from skvoz.client.offers import Offer
from skvoz.client.records import (
    Approach,
    Contact,
    ContactState,
    Conversation,
    ConversationKind,
    ConversationState,
    Message,
)
from skvoz.client.step import Step
from skvoz.client.wishes import Invitee

LINK: Final = "link"
ADD: Final = "add"
ANSWER_WAIT_MS: Final = 400 * 24 * 3600 * 1000
"""What is written to somebody whose link was opened waits for them as long as relays keep logs."""
_ALIVE: Final = (ConversationState.CREATING, ConversationState.ACTIVE)


class _Wanted(Value, frozen=True, array_like=True):
    """Whom an approach is about, and what waits for them."""

    account_id: AccountId
    address: bytes
    """An encoded `InboxAddress`."""
    wish: bytes
    """For `groups.package_arrived`."""
    group_id: GroupId = GroupId(b"")
    """The conversation that a link was opened for."""


_encode = msgspec.msgpack.Encoder().encode
_decoder = msgspec.msgpack.Decoder(_Wanted)


def accept_link(step: Step, command: AcceptLink) -> Answer:
    """Make the chat with a link's maker; opening the same link again leads to it.

    Raises `BadRequest` for a damaged link or an impossible text, `Conflict` for one's own link or that of
    somebody who is blocked.
    """
    link = parse_link(command.link)
    if link.is_group:
        raise BadRequest("this link leads into a group: ask to join it")
    account = step.account()
    if link.account_id == account.account_id:
        raise Conflict("this link is your own")
    if contacts.is_blocked(step, link.account_id):
        raise Conflict("this link leads to somebody whom you blocked")
    conversation = _opened_before(step, link)
    if conversation is None:
        conversation = _open(step, link)
    if command.text is not None:
        composing.send_text(step, conversation, command.text)
    return Answer(chat_id=link.account_id, account_id=link.account_id)


def _opened_before(step: Step, link: Link) -> Conversation | None:
    """Return the conversation that this very link was opened for: a forged one may differ in any field."""
    for approach in step.transaction.select(Approach, log_id=link.inbox_id):
        wanted_one = _decoder.decode(approach.body)
        same = wanted_one.account_id == link.account_id and wanted_one.address == _address(link).encode()
        if same and wanted_one.group_id:
            conversation = step.transaction.get(Conversation, wanted_one.group_id)
            if conversation is not None and conversation.state in _ALIVE:
                return conversation
    return None


def _address(link: Link) -> InboxAddress:
    return InboxAddress(
        relay_id=link.relay_id,
        addresses=link.addresses,
        inbox_id=link.inbox_id,
        post_key=link.post_key,
        link_secret=link.secret,
    )


def _open(step: Step, link: Link) -> Conversation:
    relays.give(step, RelayAddress(addresses=link.addresses, ticket=link.ticket, relay_id=link.relay_id))
    address = _address(link)
    contacts.expect(step, link.account_id)
    chats.accept_from(step, link.account_id)
    conversation = conversations.create(
        step,
        kind=ConversationKind.DIRECT,
        # Who gives a link into a dead drop wants to talk there.
        relay_id=link.relay_id if _leads_into_drop(link) else step.account().home_relay_id,
        peer=link.account_id,
    )
    group_id = conversation.group_id
    wish = groups.add_later(step, group_id, (link.account_id,), step.now_ms + ANSWER_WAIT_MS)
    approaches.begin(step, address, LINK, _encode(_Wanted(link.account_id, address.encode(), wish, group_id)))
    return conversation


def _leads_into_drop(link: Link) -> bool:
    return any(is_drop(address) for address in link.addresses)


def take_package(step: Step, account_id: AccountId, wish: bytes) -> None:
    """Ask for a contact's KeyPackage, for a wish of `groups`; raise `NotFound` or `Conflict`."""
    contact = step.transaction.get(Contact, account_id)
    if contact is None or contact.state is not ContactState.ACCEPTED:
        raise NotFound("only contacts can be added to a group")
    if not contact.inbox:
        raise Conflict("this contact has not answered yet, so they can't be invited")
    address = parse_inbox_address(contact.inbox)
    try:
        relays.name(step, address.relay_id, address.addresses)
    except Invalid:
        raise Conflict("this contact's relay is in a local network, out of reach from here") from None
    approaches.begin(step, address, ADD, _encode(_Wanted(account_id, contact.inbox, wish)))


# What comes of an approach


def wanted(approach: Approach) -> tuple[InboxAddress, AccountId]:
    """Return which inbox an approach is about, and whose it has to be."""
    about = _decoder.decode(approach.body)
    return parse_inbox_address(about.address), about.account_id


def met(step: Step, approach: Approach, offer: Offer) -> None:
    """Go on with an offer that was checked; raise `Invalid` for a card under a replaced account key."""
    about = _decoder.decode(approach.body)
    contacts.learn_card(step, offer.card, state=ContactState.ACCEPTED)
    recipient = invitations.recipient(about.address, offer.card)
    if approach.purpose == LINK:
        step.transaction.put(msgspec.structs.replace(approach, purpose=approaches.OPENED))
    else:
        step.transaction.delete(Approach, approach.taker)
    for key_package in offer.key_packages:
        invitee = Invitee(account_id=about.account_id, key_package=key_package, recipient=recipient)
        groups.package_arrived(step, about.wish, invitee)


def failed(step: Step, approach: Approach, reason: LinkFailure) -> None:
    """Say why nothing comes of an approach: `used`, `invalid`, `expired` or `denied`."""
    step.transaction.delete(Approach, approach.taker)
    step.clear_alarm(approaches.RETRY_ALARM, approach.taker)
    about = _decoder.decode(approach.body)
    if approach.purpose == ADD:
        groups.package_failed(step, about.wish, about.account_id, "not_reachable")
        return
    step.tell(LinkFailed(log_id=approach.log_id, reason=reason))
    conversation = step.transaction.get(Conversation, about.group_id)
    if conversation is None:
        return
    said = step.transaction.select(Message, group_id=about.group_id)
    for message in said:
        messages.failed(step, message.message_id, reason)
    leaving.forget(step, about.group_id)
    leaving.drop_log(step, conversation)
    if not said:
        step.change(about.group_id, hidden=True)
    contacts.forget_expected(step, about.account_id)
