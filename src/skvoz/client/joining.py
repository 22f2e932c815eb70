"""A group's link, opened here: what it leads to is shown, one asks to be let in, and the answer is a Welcome.

    OPENING --offer--> SHOWN --asked--> ASKING --our inbox is there--> ASKED --Welcome--> in the group
The request goes out only once the relay holds the inbox for its answer: a Welcome that finds none is lost. It
serves nothing else, and is closed with the answer, or after a month without one. Nobody is told "no".
"""

from typing import Final

import msgspec

from skvoz.base.errors import BadRequest, Conflict, Invalid, NotFound
from skvoz.base.ids import AccountId, GroupId, LogId
from skvoz.client import account as accounts
from skvoz.client import approaches, contacts, inboxes, invitations, relays
from skvoz.client.asking import encode_asking
from skvoz.client.commands import Answer, AskToJoin, CancelJoining, OpenGroupLink, RelayAddress
from skvoz.client.events import JoiningChange, JoiningChanged, LinkFailure
from skvoz.client.group_offers import open_group_offer
from skvoz.client.inbox_mail import JOIN_REQUEST, InboxAddress, parse_inbox_address
from skvoz.client.links import parse_link
from skvoz.client.records import Approach, Delivery, Inbox, InboxKind, Joining, JoiningState
from skvoz.client.step import Step

JOIN: Final = "join"
"""The purpose of an approach that reads what lies beside a group's link."""
OPEN_MAX: Final = 32
"""Links of groups that are kept open here at a time."""


def open_link(step: Step, command: OpenGroupLink) -> Answer:
    """Look where a group's link leads; opening it again begins anew where that came to nothing.

    Raises `BadRequest` for a link that is none, `Conflict` for one's own.
    """
    link = parse_link(command.link)
    if not link.is_group:
        raise BadRequest("this link leads to a person and not into a group")
    if link.account_id == step.account().account_id:
        raise Conflict("this link is your own")
    if contacts.is_blocked(step, link.account_id):
        raise Conflict("this link leads to somebody whom you blocked")
    known = step.transaction.get(Joining, link.inbox_id)
    address = InboxAddress(
        relay_id=link.relay_id,
        addresses=link.addresses,
        inbox_id=link.inbox_id,
        post_key=link.post_key,
        link_secret=link.secret,
    )
    same = known is not None and (known.address, known.admin) == (address.encode(), link.account_id)
    if known is not None and same and known.state is not JoiningState.FAILED:
        return Answer(log_id=link.inbox_id)
    if known is not None:
        _end(step, known)
    if len(step.transaction.select(Joining)) >= OPEN_MAX:
        raise Conflict("too many groups are being asked at once: give some up first")
    relays.give(step, RelayAddress(addresses=link.addresses, ticket=link.ticket, relay_id=link.relay_id))
    joining = Joining(
        log_id=link.inbox_id,
        state=JoiningState.OPENING,
        address=address.encode(),
        admin=link.account_id,
        created_ms=step.now_ms,
    )
    step.transaction.put(joining)
    approaches.begin(step, address, JOIN, link.account_id)
    return Answer(log_id=link.inbox_id)


def met(step: Step, approach: Approach, data: bytes) -> None:
    """Show what lies beside a link; raise a `PeerError` for what is not by whom the link names."""
    joining = step.transaction.get(Joining, approach.log_id)
    step.transaction.delete(Approach, approach.taker)
    if joining is None or joining.state is not JoiningState.OPENING:
        return
    address = parse_inbox_address(joining.address)
    offer = open_group_offer(address.link_secret, address.inbox_id, joining.admin, data)
    offer.card.check_dates(step.now_ms)
    shown = msgspec.structs.replace(
        joining,
        state=JoiningState.SHOWN,
        admin_name=offer.card.name,
        public_key=offer.card.inbox_public_key,
        title=offer.title,
        members=offer.members,
    )
    step.transaction.put(shown)
    _tell(step, shown, "shown")


def failed(step: Step, log_id: LogId, reason: LinkFailure) -> None:
    """Say why nothing comes of a group's link."""
    joining = step.transaction.get(Joining, log_id)
    if joining is None or joining.state is JoiningState.FAILED:
        return
    if joining.inbox_id:
        inboxes.close(step, joining.inbox_id)
    ended = msgspec.structs.replace(
        joining, state=JoiningState.FAILED, failure=reason, inbox_id=LogId(b""), public_key=b""
    )
    step.transaction.put(ended)
    _tell(step, ended, "failed")


def ask(step: Step, command: AskToJoin) -> Answer:
    """Ask to be let in, under our name; raise `NotFound` or `Conflict`."""
    joining = step.transaction.get(Joining, command.log_id)
    if joining is None:
        raise NotFound("there is no such link")
    if joining.state in {JoiningState.OPENING, JoiningState.FAILED}:
        raise Conflict("what is behind this link is not known")
    if joining.state is JoiningState.SHOWN:
        inbox = inboxes.create(step, InboxKind.JOINING)
        asking = msgspec.structs.replace(
            joining, state=JoiningState.ASKING, inbox_id=inbox.log_id, asked_ms=step.now_ms
        )
        step.transaction.put(asking)
        _tell(step, asking, "asked")
    return Answer(log_id=command.log_id)


def inbox_opened(step: Step, inbox: Inbox) -> None:
    """Send the request whose answer can come now, once: the relay may lose the inbox and get it again."""
    for joining in step.transaction.select(Joining, inbox_id=inbox.log_id):
        if joining.state is JoiningState.ASKING:
            _send(step, joining, inbox)


def _send(step: Step, joining: Joining, inbox: Inbox) -> None:
    address = parse_inbox_address(joining.address)
    key_package = inboxes.key_package(step, inbox, is_last_resort=False)
    request = encode_asking(
        inbox_id=joining.log_id,
        admin=joining.admin,
        asked_ms=step.now_ms,
        card=accounts.fresh_card(step, inbox.public_key),
        address=inboxes.address_of(step, inbox),
        key_package=key_package.message(),
        device_private_key=step.account().device_private_key,
    )
    to = invitations.Recipient(address=address, public_key=joining.public_key, account_id=joining.admin)
    invitations.post(step, to, JOIN_REQUEST, [request], GroupId(b""))
    step.transaction.put(msgspec.structs.replace(joining, state=JoiningState.ASKED))


def check_welcome(step: Step, inbox: Inbox, sender: AccountId) -> None:
    """Raise `Invalid` unless a Welcome into an inbox of ours for an answer is by whom we asked."""
    for joining in step.transaction.select(Joining, inbox_id=inbox.log_id):
        if joining.admin == sender:
            return
    raise Invalid("somebody answers a request to join that was not made to them")


def joined(step: Step, inbox: Inbox, chat_id: bytes) -> None:
    """Be in: the link and the inbox for the answer have done their work."""
    for joining in step.transaction.select(Joining, inbox_id=inbox.log_id):
        step.transaction.delete(Joining, joining.log_id)
        _tell(step, joining, "joined", chat_id=chat_id)
    inboxes.close(step, inbox.log_id)


def cancel(step: Step, command: CancelJoining) -> Answer:
    """Think better of it: whoever lets us in now finds nobody. Raises `NotFound`."""
    joining = step.transaction.get(Joining, command.log_id)
    if joining is None:
        raise NotFound("there is no such link")
    _end(step, joining)
    return Answer(log_id=command.log_id)


def inbox_closed(step: Step, log_id: LogId) -> None:
    """Wait no more for an answer whose inbox is closed."""
    for joining in step.transaction.select(Joining, inbox_id=log_id):
        step.transaction.put(msgspec.structs.replace(joining, inbox_id=LogId(b"")))
        failed(step, joining.log_id, "expired")


def _end(step: Step, joining: Joining) -> None:
    step.transaction.delete(Joining, joining.log_id)
    for approach in step.transaction.select(Approach, log_id=joining.log_id):
        if approach.purpose == JOIN:
            step.transaction.delete(Approach, approach.taker)
            step.clear_alarm(approaches.RETRY_ALARM, approach.taker)
    for delivery in step.transaction.select(Delivery):
        if delivery.log_id == joining.log_id and not delivery.group_id:
            step.transaction.delete(Delivery, delivery.entry_id)
            step.clear_alarm(invitations.RETRY_ALARM, delivery.entry_id)
    if joining.inbox_id:
        inboxes.close(step, joining.inbox_id)
    _tell(step, joining, "ended")


def _tell(step: Step, joining: Joining, what: JoiningChange, *, chat_id: bytes = b"") -> None:
    step.tell(JoiningChanged(log_id=joining.log_id, what=what, reason=joining.failure, chat_id=chat_id))
