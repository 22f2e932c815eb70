"""What people wish of groups: make, add, remove, rename, roles, disappearing messages, leave, complain."""

from collections.abc import Sequence
from typing import Final

import msgspec

from skvoz.base.errors import BadRequest, Conflict, NotAllowed, NotFound
from skvoz.base.ids import AccountId, GroupId
from skvoz.base.limits import ROOM_DEVICES_MAX
from skvoz.base.value import Value
from skvoz.client import (
    commits,
    complaints,
    conversations,
    first_contact,
    group_links,
    joining,
    leaving,
    policy,
)
from skvoz.client.commands import (
    AddMembers,
    Answer,
    ApproveJoin,
    AskToJoin,
    CancelJoining,
    CommandBase,
    CreateGroup,
    DeclineJoin,
    DismissComplaints,
    LeaveGroup,
    MakeGroupLink,
    OpenGroupLink,
    RemoveMember,
    RenameGroup,
    ReportMessage,
    RevokeGroupLink,
    SetMessageExpiry,
    SetRole,
)
from skvoz.client.conversation_info import EXPIRY_S_MAX, check_title
from skvoz.client.events import RequestFailed
from skvoz.client.records import (
    Conversation,
    ConversationKind,
    ConversationState,
    Intent,
    IntentKind,
    Participant,
)
from skvoz.client.step import Step
from skvoz.client.wishes import Adding, AddWish, InfoWish, Invitee, RemoveWish

_GOING_ON: Final = (ConversationState.CREATING, ConversationState.ACTIVE)


class _Awaited(Value, frozen=True, array_like=True):
    """For which wish a KeyPackage is fetched."""

    group_id: GroupId
    intent_id: int


def add_later(step: Step, group_id: GroupId, members: Sequence[AccountId], until_ms: int) -> bytes:
    """Queue adding people whose KeyPackages are not here; return what to hand to `package_arrived`.

    What is said meanwhile waits for them, `until_ms` at most.
    """
    adding = tuple(Adding(member) for member in members)
    intent_id = commits.wish(step, group_id, AddWish(adding, until_ms))
    return msgspec.msgpack.encode(_Awaited(group_id, intent_id))


def command(step: Step, wished: CommandBase) -> Answer | None:
    """Do what a command asks for; None where it is about something else. Raises `CallerError`."""
    match wished:
        case CreateGroup():
            return _create(step, wished)
        case AddMembers():
            return _add(step, wished)
        case RemoveMember():
            return _remove(step, wished)
        case RenameGroup():
            return _rename(step, wished)
        case SetRole():
            return _set_role(step, wished)
        case SetMessageExpiry():
            return _set_expiry(step, wished)
        case ReportMessage():
            return complaints.report(step, wished)
        case DismissComplaints():
            return complaints.dismiss(step, wished)
        case MakeGroupLink():
            return group_links.make(step, wished)
        case RevokeGroupLink():
            return group_links.revoke(step, wished)
        case ApproveJoin():
            return group_links.approve(step, wished)
        case DeclineJoin():
            return group_links.decline(step, wished)
        case OpenGroupLink():
            return joining.open_link(step, wished)
        case AskToJoin():
            return joining.ask(step, wished)
        case CancelJoining():
            return joining.cancel(step, wished)
        case LeaveGroup():
            conversation = _group(step, wished.chat_id)
            leaving.leave(step, conversation.group_id)
            return Answer(chat_id=wished.chat_id)
        case _:
            return None


def _create(step: Step, wished: CreateGroup) -> Answer:
    account = step.account()
    members = _people(step, wished.members)
    conversation = conversations.create(
        step,
        kind=ConversationKind.GROUP,
        relay_id=account.home_relay_id,
        title=check_title(wished.title),
    )
    _invite(step, conversation, members)
    return Answer(chat_id=conversation.chat_id)


def _add(step: Step, wished: AddMembers) -> Answer:
    conversation = administered(step, wished.chat_id)
    present = step.transaction.select(Participant, group_id=conversation.group_id)
    known = {participant.account_id for participant in present}
    members = [member for member in _people(step, wished.members) if member not in known]
    if sum(len(one.leaves) for one in present) + len(members) > ROOM_DEVICES_MAX:
        raise Conflict("the group is full")
    _invite(step, conversation, members)
    return Answer(chat_id=wished.chat_id)


def _people(step: Step, members: tuple[AccountId, ...]) -> list[AccountId]:
    own = step.account().account_id
    return [member for member in dict.fromkeys(members) if member != own]


def _invite(step: Step, conversation: Conversation, members: list[AccountId]) -> None:
    """Queue adding people, and fetch their KeyPackages; what is said meanwhile waits a little for them."""
    if not members:
        return
    awaited = add_later(step, conversation.group_id, members, step.now_ms + commits.PACKAGES_WAIT_MS)
    for member in members:
        first_contact.take_package(step, member, awaited)


def package_arrived(step: Step, wish: bytes, invitee: Invitee) -> None:
    """Take a KeyPackage that `take_package` was asked for; it belongs to whom it should."""
    awaited = msgspec.msgpack.decode(wish, type=_Awaited)
    conversation = step.transaction.get(Conversation, awaited.group_id)
    if conversation is None or conversation.state not in _GOING_ON:
        return
    came = Adding(invitee.account_id, invitee.key_package, invitee.recipient)
    intent = step.transaction.get(Intent, awaited.intent_id)
    pending = None if intent is None else _pending(intent)
    if intent is None or pending is None or Adding(came.account_id) not in pending.adding:
        commits.add(step, awaited.group_id, [invitee])
        return
    adding = tuple(came if one.account_id == came.account_id else one for one in pending.adding)
    commits.change_wish(step, intent, AddWish(adding, pending.until_ms))


def package_failed(step: Step, wish: bytes, account_id: AccountId, reason: str) -> None:
    """Somebody's KeyPackage can't be had: the others are added without them."""
    awaited = msgspec.msgpack.decode(wish, type=_Awaited)
    conversation = step.transaction.get(Conversation, awaited.group_id)
    if conversation is None:
        return
    step.tell(RequestFailed(chat_id=conversation.chat_id, reason=reason))
    intent = step.transaction.get(Intent, awaited.intent_id)
    pending = None if intent is None else _pending(intent)
    if intent is not None and pending is not None:
        rest = tuple(one for one in pending.adding if one.account_id != account_id)
        commits.change_wish(step, intent, AddWish(rest, pending.until_ms))


def _pending(intent: Intent) -> AddWish | None:
    if intent.kind is not IntentKind.COMMIT:
        return None
    wished = commits.read_wish(intent)
    return wished if isinstance(wished, AddWish) else None


def _remove(step: Step, wished: RemoveMember) -> Answer:
    conversation = administered(step, wished.chat_id)
    if wished.member == step.account().account_id:
        raise BadRequest("who wants to go leaves the group")
    _participant(step, conversation, wished.member)
    commits.wish(step, conversation.group_id, RemoveWish(wished.member))
    return Answer(chat_id=wished.chat_id)


def _rename(step: Step, wished: RenameGroup) -> Answer:
    conversation = administered(step, wished.chat_id)
    commits.wish(step, conversation.group_id, InfoWish(title=check_title(wished.title)))
    return Answer(chat_id=wished.chat_id)


def _set_role(step: Step, wished: SetRole) -> Answer:
    conversation = administered(step, wished.chat_id)
    _participant(step, conversation, wished.member)
    others = [
        one
        for one in step.transaction.select(Participant, group_id=conversation.group_id)
        if one.admin and one.account_id != wished.member
    ]
    if not wished.admin and not others:
        raise Conflict("a group keeps at least one admin")
    wish = InfoWish(member=wished.member, admin=wished.admin)
    commits.wish(step, conversation.group_id, wish)
    return Answer(chat_id=wished.chat_id)


def _set_expiry(step: Step, wished: SetMessageExpiry) -> Answer:
    expiry_s = wished.expiry_s or 0
    if not 0 <= expiry_s <= EXPIRY_S_MAX:
        raise BadRequest("messages disappear after a year at most")
    conversation = _going_on(step, wished.chat_id)
    if conversation.kind is ConversationKind.GROUP:
        conversation = administered(step, wished.chat_id)
    commits.wish(step, conversation.group_id, InfoWish(expiry_s=expiry_s))
    return Answer(chat_id=wished.chat_id)


def _going_on(step: Step, chat_id: bytes) -> Conversation:
    """Return the conversation of a chat that is written to."""
    found = [
        conversation
        for conversation in step.transaction.select(Conversation, chat_id=chat_id)
        if conversation.state in _GOING_ON
    ]
    if not found:
        raise NotFound("there is no such chat, or you are not in it any more")
    return found[0]


def _group(step: Step, chat_id: bytes) -> Conversation:
    found = step.transaction.select(Conversation, chat_id=chat_id)
    if not found:
        raise NotFound("there is no such chat")
    if found[0].kind is not ConversationKind.GROUP:
        raise BadRequest("this chat is not a group")
    return found[0]


def administered(step: Step, chat_id: bytes) -> Conversation:
    """Return a group that we may change; raise a `CallerError` where we may not, or there is none."""
    conversation = _group(step, chat_id)
    if conversation.state not in _GOING_ON:
        raise Conflict("you are not in this group any more")
    if not policy.is_admin(step.group(conversation.group_id), step.account().account_id):
        raise NotAllowed("only an admin of the group may do this")
    return conversation


def _participant(step: Step, conversation: Conversation, account_id: AccountId) -> Participant:
    found = step.transaction.get(Participant, conversation.group_id, account_id)
    if found is None:
        raise NotFound("this person is not in the group")
    return found
