"""Opening somebody's link: take their offer, check it, make a conversation and write at once.

It works while they are offline: what is asked of the relay is kept as an `Approach` until it is answered.
Taking KeyPackages of contacts to add them to a group goes the same way.
"""

from typing import Final

import msgspec

from skvoz.base.errors import BadRequest, Conflict, NotFound, PeerError
from skvoz.base.ids import AccountId
from skvoz.client import account as accounts
from skvoz.client import composing, contacts, conversations, groups, invitations
from skvoz.client.commands import AcceptLink, Answer, RelayAddress
from skvoz.client.conversations import Invitee
from skvoz.client.effects import Channel, Take
from skvoz.client.events import LinkFailed
from skvoz.client.inbox_mail import InboxAddress, parse_inbox_address
from skvoz.client.inputs import Taken, TakeRefused
from skvoz.client.links import Link, parse_link
from skvoz.client.offers import Offer, open_offer
from skvoz.client.records import Approach, Contact, ContactState, ConversationKind
from skvoz.client.step import Step

RETRY_ALARM: Final = "approach.retry"
_RETRY_MS: Final = 5_000
_RETRY_SOON_MS: Final = 500
_PATIENCE_MS: Final = 30_000
"""How long a link that leads nowhere is tried again: its maker's node may just be connecting."""
_TEXT_SIZE_MAX: Final = 16_384


class _LinkApproach(msgspec.Struct, frozen=True, array_like=True):
    link: str
    text: str | None


class _AddApproach(msgspec.Struct, frozen=True, array_like=True):
    wish: bytes
    account_id: AccountId
    address: bytes


_encode = msgspec.msgpack.Encoder().encode
_link = msgspec.msgpack.Decoder(_LinkApproach)
_add = msgspec.msgpack.Decoder(_AddApproach)


def accept_link(step: Step, command: AcceptLink) -> Answer:
    """Ask for what lies behind a link; raise `BadRequest` or `Conflict`."""
    link = parse_link(command.link)
    if link.account_id == step.account().account_id:
        raise Conflict("this link is your own")
    if contacts.is_blocked(step, link.account_id):
        raise Conflict("this link leads to somebody whom you blocked")
    if command.text is not None and not 0 < len(command.text.encode()) <= _TEXT_SIZE_MAX:
        raise BadRequest("the text is empty or too long")
    accounts.learn_relay(
        step,
        RelayAddress(public_key=b"", addresses=link.addresses, ticket=link.ticket, relay_id=link.relay_id),
    )
    approach = Approach(
        taker=step.randomness(16),
        relay_id=link.relay_id,
        log_id=link.inbox_id,
        post_key=link.post_key,
        purpose="link",
        body=_encode(_LinkApproach(command.link, command.text)),
        created_ms=step.now_ms,
    )
    _ask(step, approach)
    return Answer(chat_id=link.account_id, account_id=link.account_id)


def _ask(step: Step, approach: Approach) -> None:
    step.transaction.put(approach)
    step.connect(approach.relay_id, Channel.POST)
    step.emit(
        Take(
            relay_id=approach.relay_id,
            channel=Channel.POST,
            log_id=approach.log_id,
            post_key=approach.post_key,
            taker=approach.taker,
        )
    )


def started(step: Step) -> None:
    """Ask again for what was not answered."""
    for approach in step.transaction.select(Approach):
        _ask(step, approach)


def retry(step: Step, taker: bytes) -> None:
    """Ask again for one thing."""
    approach = step.transaction.get(Approach, taker)
    if approach is not None:
        _ask(step, approach)


def refused(step: Step, fact: TakeRefused) -> None:
    """Try again later, or say that the link leads nowhere."""
    approach = step.transaction.get(Approach, fact.taker)
    if approach is None:
        return
    if fact.code in {"slow", "full"}:
        step.set_alarm(RETRY_ALARM, approach.taker, step.now_ms + max(_RETRY_MS, fact.retry_after_ms))
        return
    if fact.code != "used" and step.now_ms < approach.created_ms + _PATIENCE_MS:
        # The link may be quicker here than its inbox, or what lies in it, is at the relay.
        step.set_alarm(RETRY_ALARM, approach.taker, step.now_ms + _RETRY_SOON_MS)
        return
    _give_up(step, approach, "used" if fact.code == "used" else "denied")


def _give_up(step: Step, approach: Approach, reason: str) -> None:
    step.transaction.delete(Approach, approach.taker)
    if approach.purpose == "link":
        step.tell(LinkFailed(log_id=approach.log_id, reason=reason))
    else:
        asked = _add.decode(approach.body)
        groups.package_failed(step, asked.wish, asked.account_id, "not_reachable")


def taken(step: Step, fact: Taken) -> None:
    """Check what a relay handed over against the link's or contact's fingerprint, and go on with it."""
    approach = step.transaction.get(Approach, fact.taker)
    if approach is None:
        return
    try:
        if approach.purpose == "link":
            _meet(step, approach, fact.body)
        else:
            _package(step, approach, fact.body)
    except (PeerError, BadRequest):
        _give_up(step, approach, "invalid")
        return
    step.transaction.delete(Approach, approach.taker)


def _meet(step: Step, approach: Approach, body: bytes) -> None:
    wanted = _link.decode(approach.body)
    link = parse_link(wanted.link)
    offer = open_offer(link.secret, link.inbox_id, link.account_id, body, step.now_ms)
    contacts.learn_card(step, offer.card, state=ContactState.ACCEPTED)
    address = InboxAddress(
        relay_id=link.relay_id,
        addresses=link.addresses,
        inbox_id=link.inbox_id,
        post_key=link.post_key,
        link_secret=link.secret,
    )
    conversation = conversations.create(
        step,
        kind=ConversationKind.DIRECT,
        relay_id=step.account().home_relay_id,
        peer=link.account_id,
        invitees=_invitees(offer, link, address),
    )
    if wanted.text is not None:
        composing.send_text(step, conversation, wanted.text)


def _invitees(offer: Offer, link: Link, address: InboxAddress) -> tuple[Invitee, ...]:
    to = invitations.recipient(address.encode(), offer.card)
    return tuple(
        Invitee(account_id=link.account_id, key_package=package, recipient=to)
        for package in offer.key_packages
    )


# Contacts into groups


def take_package(step: Step, account_id: AccountId, wish: bytes) -> None:
    """Ask for a contact's KeyPackage, for a wish of `groups`; raise `NotFound` or `Conflict`."""
    contact = step.transaction.get(Contact, account_id)
    if contact is None or contact.state is not ContactState.ACCEPTED:
        raise NotFound("only contacts can be added to a group")
    if not contact.inbox:
        raise Conflict("this contact has not answered yet, so they can't be invited")
    address = parse_inbox_address(contact.inbox)
    accounts.learn_relay(step, RelayAddress(addresses=address.addresses, relay_id=address.relay_id))
    _ask(
        step,
        Approach(
            taker=step.randomness(16),
            relay_id=address.relay_id,
            log_id=address.inbox_id,
            post_key=address.post_key,
            purpose="add",
            body=_encode(_AddApproach(wish, account_id, address.encode())),
            created_ms=step.now_ms,
        ),
    )


def _package(step: Step, approach: Approach, body: bytes) -> None:
    asked = _add.decode(approach.body)
    address = parse_inbox_address(asked.address)
    offer = open_offer(address.link_secret, approach.log_id, asked.account_id, body, step.now_ms)
    contacts.learn_card(step, offer.card, state=ContactState.ACCEPTED)
    invitee = Invitee(
        account_id=asked.account_id,
        key_package=offer.key_packages[0],
        recipient=invitations.recipient(asked.address, offer.card),
    )
    groups.package_arrived(step, asked.wish, invitee)
