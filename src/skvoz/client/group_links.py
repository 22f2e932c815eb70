"""Links into groups: an admin makes one, whoever opens it asks, and the admin lets them in or does not.

A link is the admin's own: it leads to an inbox of theirs, and ends when they are an admin no more. Whoever is
let in is added by an ordinary commit of this device (ADR 0072). Requests are bounded, one for each account,
and remembered a while after they were settled, so that a repeat is one.
"""

from typing import Final

import msgspec

from skvoz.base.errors import Conflict, Invalid, NotFound, PeerError
from skvoz.base.ids import AccountId, GroupId
from skvoz.base.limits import ROOM_DEVICES_MAX
from skvoz.client import account as accounts
from skvoz.client import (
    commits,
    composing,
    contacts,
    groups,
    inboxes,
    introductions,
    invitations,
    policy,
    relays,
)
from skvoz.client.asking import ASKED_MS_MAX, check_asking, parse_asking
from skvoz.client.cards import CLOCK_SKEW_MS_MAX, verify_card
from skvoz.client.commands import Answer, ApproveJoin, DeclineJoin, MakeGroupLink, RevokeGroupLink
from skvoz.client.events import GroupAttention
from skvoz.client.group_offers import GroupOffer, seal_group_offer
from skvoz.client.links import link_of
from skvoz.client.offers import Offer, check_offer
from skvoz.client.records import (
    Asker,
    AskerState,
    Conversation,
    Inbox,
    InboxKind,
    Participant,
    Relay,
)
from skvoz.client.step import Step
from skvoz.client.wishes import Invitee

WAITING_MAX: Final = 64
"""Requests of one group that wait; more are dropped and counted."""
REMEMBERED_MAX: Final = 1_024
"""Requests of one group that are kept, settled ones too: more than a room has devices."""
DROPPED_COUNTER: Final = "join_requests_dropped"
KEPT_MS: Final = ASKED_MS_MAX + 3 * CLOCK_SKEW_MS_MAX
"""How long a request is remembered: a day longer than the same one would be taken again."""


def make(step: Step, command: MakeGroupLink) -> Answer:
    """Return the link into a group, made if there is none; raise a `CallerError`."""
    conversation = groups.administered(step, command.chat_id)
    inbox = link_inbox(step, conversation.group_id) or inboxes.create(
        step, InboxKind.GROUP, group_id=conversation.group_id
    )
    relay = step.transaction.get(Relay, inbox.relay_id)
    if relay is None:
        raise NotFound("there is no relay for this link")
    step.tell(GroupAttention(chat_id=conversation.chat_id, what="link"))
    link = link_of(inbox, relay, step.account().account_id)
    return Answer(chat_id=conversation.chat_id, link=link.encode(), log_id=inbox.log_id)


def revoke(step: Step, command: RevokeGroupLink) -> Answer:
    """Let the link of a group lead nowhere, and forget who waits; raise `NotFound`."""
    for conversation in step.transaction.select(Conversation, chat_id=command.chat_id):
        if link_inbox(step, conversation.group_id) is not None:
            end(step, conversation.group_id)
            return Answer(chat_id=command.chat_id)
    raise NotFound("this group has no link of yours")


def link_inbox(step: Step, group_id: GroupId) -> Inbox | None:
    """Return the inbox of a group's link that leads somewhere."""
    for inbox in step.transaction.select(Inbox, kind=InboxKind.GROUP):
        if inbox.group_id == group_id and not inbox.revoked:
            return inbox
    return None


def end(step: Step, group_id: GroupId) -> None:
    """Close the link of a group, if there is one, and forget who waits."""
    inbox = link_inbox(step, group_id)
    if inbox is not None:
        inboxes.close(step, inbox.log_id)
    waiting = [one for one in step.transaction.select(Asker, group_id=group_id) if _waits(one)]
    for one in waiting:
        step.transaction.delete(Asker, *one.key_values())
    if inbox is not None or waiting:
        chat_id = step.conversation(group_id).chat_id
        step.tell(GroupAttention(chat_id=chat_id, what="link"))


def refresh(step: Step, group_id: GroupId) -> None:
    """Follow a change of a group: who is no admin any more has no link; others' say what is so now."""
    inbox = link_inbox(step, group_id)
    if inbox is None:
        return
    if _administered_here(step, group_id):
        inboxes.renew(step, inbox.log_id)
    else:
        end(step, group_id)


def _administered_here(step: Step, group_id: GroupId) -> bool:
    conversation = step.transaction.get(Conversation, group_id)
    if conversation is None or conversation.state not in composing.WRITABLE:
        return False
    return policy.is_admin(step.group(group_id), step.account().account_id)


def offer(step: Step, inbox: Inbox) -> bytes:
    """Return what lies beside the inbox of a group's link."""
    conversation = step.conversation(inbox.group_id)
    said = GroupOffer(
        card=accounts.fresh_card(step, inbox.public_key),
        title=conversation.title,
        members=len(step.transaction.select(Participant, group_id=inbox.group_id)),
    )
    private_key = step.account().account_private_key
    return seal_group_offer(inbox.link_secret, inbox.log_id, said, private_key, step.randomness)


# Who asks


def asked(step: Step, inbox: Inbox, content: bytes) -> None:
    """Take a request up; raise a `PeerError` for one that is none, is repeated, or leads to nothing."""
    group_id = inbox.group_id
    own = step.account().account_id
    if not _administered_here(step, group_id):
        raise Invalid("somebody asks to join a group that is not for us to open")
    asking = parse_asking(content)
    check_asking(asking, step.environment.suite, inbox_id=inbox.log_id, admin=own, now_ms=step.now_ms)
    account_id = asking.card.account_id
    contacts.check_card(step, asking.card)
    if account_id == own or contacts.is_blocked(step, account_id):
        raise Invalid("a request to join is from somebody whom nothing is taken from")
    if step.transaction.get(Participant, group_id, account_id) is not None:
        raise Invalid("somebody asks to join who is in the group")
    relays.check_named(step, asking.address.relay_id, asking.address.addresses)
    forget_old(step, group_id)
    _check_new(step, group_id, account_id, asking.asked_ms)
    step.transaction.put(
        Asker(
            group_id=group_id,
            account_id=account_id,
            state=AskerState.WAITING,
            card=asking.card.encoded,
            key_package=asking.key_package,
            recipient=invitations.recipient(asking.address.encode(), asking.card),
            asked_ms=asking.asked_ms,
            received_ms=step.now_ms,
        )
    )
    step.tell(GroupAttention(chat_id=step.conversation(group_id).chat_id, what="asker"))


def _check_new(step: Step, group_id: GroupId, account_id: AccountId, asked_ms: int) -> None:
    """Raise `Invalid` for a repeat, for who was declined, and where too many wait."""
    kept = step.transaction.select(Asker, group_id=group_id)
    known = step.transaction.get(Asker, group_id, account_id)
    if known is not None:
        if asked_ms <= known.asked_ms:
            raise Invalid("a request to join is a repeat")
        if known.state is AskerState.DECLINED:
            raise Invalid("somebody asks again who was declined")
    elif sum(map(_waits, kept)) >= WAITING_MAX or len(kept) >= REMEMBERED_MAX:
        step.transaction.next_number(DROPPED_COUNTER)
        raise Invalid("too many ask to join")


def _waits(one: Asker) -> bool:
    return one.state is AskerState.WAITING


def forget_old(step: Step, group_id: GroupId | None = None) -> None:
    """Forget requests that nobody could repeat any more."""
    wanted = {} if group_id is None else {"group_id": group_id}
    for one in step.transaction.select(Asker, **wanted):
        if one.received_ms < step.now_ms - KEPT_MS:
            step.transaction.delete(Asker, *one.key_values())


def forget_of(step: Step, group_id: GroupId) -> None:
    """Forget all requests of a group that is deleted here."""
    for one in step.transaction.select(Asker, group_id=group_id):
        step.transaction.delete(Asker, *one.key_values())


def approve(step: Step, command: ApproveJoin) -> Answer:
    """Let somebody in who asked; raise a `CallerError` where that can't be."""
    conversation, asker = _waiting(step, command.chat_id, command.account_id)
    group_id = conversation.group_id
    if contacts.is_blocked(step, asker.account_id):
        raise Conflict("you blocked this person")
    present = step.transaction.select(Participant, group_id=group_id)
    if any(one.account_id == asker.account_id for one in present):
        _settle(step, conversation, asker, AskerState.APPROVED)
        return Answer(chat_id=command.chat_id, account_id=asker.account_id)
    if sum(len(one.leaves) for one in present) >= ROOM_DEVICES_MAX:
        raise Conflict("the group is full")
    card = verify_card(asker.card)
    try:
        contacts.check_card(step, card)
        check_offer(Offer(card=card, key_packages=(asker.key_package,)), step.environment.suite, step.now_ms)
    except PeerError:
        raise Conflict("this request is too old: they have to ask again") from None
    introductions.learn(step, card)
    invitee = Invitee(account_id=asker.account_id, key_package=asker.key_package, recipient=asker.recipient)
    commits.add(step, group_id, [invitee])
    _settle(step, conversation, asker, AskerState.APPROVED)
    return Answer(chat_id=command.chat_id, account_id=asker.account_id)


def decline(step: Step, command: DeclineJoin) -> Answer:
    """Leave a request to join unanswered; the same person is not heard again for a while."""
    conversation, asker = _waiting(step, command.chat_id, command.account_id)
    _settle(step, conversation, asker, AskerState.DECLINED)
    return Answer(chat_id=command.chat_id, account_id=asker.account_id)


def _waiting(step: Step, chat_id: bytes, account_id: AccountId) -> tuple[Conversation, Asker]:
    conversation = groups.administered(step, chat_id)
    asker = step.transaction.get(Asker, conversation.group_id, account_id)
    if asker is None or not _waits(asker):
        raise NotFound("nobody like that asks to join any more")
    return conversation, asker


def _settle(step: Step, conversation: Conversation, asker: Asker, state: AskerState) -> None:
    """Keep of a request only that it was there."""
    settled = msgspec.structs.replace(asker, state=state, card=b"", key_package=b"", recipient=b"")
    step.transaction.put(settled)
    step.tell(GroupAttention(chat_id=conversation.chat_id, what="asker"))
