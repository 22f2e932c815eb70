"""Complaints about messages: from a member of a group to those of its admins who are contacts.

They go through the direct conversations, so that nobody else in the group learns of them: not what they say,
nor that there is one (ADR 0071). Every admin has their own list, and takes things off it for themselves.
"""

from typing import Final

import msgspec

from skvoz.base.errors import BadRequest, CallerError, Conflict, Malformed, NotAllowed, NotFound
from skvoz.base.ids import AccountId, GroupId
from skvoz.client import composing, contacts, gaps, outbox
from skvoz.client.commands import Answer, DismissComplaints, ReportMessage
from skvoz.client.events import GroupAttention
from skvoz.client.records import (
    ComplaintHeard,
    Conversation,
    ConversationKind,
    Message,
    Participant,
)
from skvoz.client.step import Step
from skvoz.content import (
    SENT_AT,
    Complaint,
    Disposition,
    MimiContent,
    SinglePart,
    account_uri,
    encode,
    encode_complaint,
    message_id,
    parse_complaint,
    room_uri,
)
from skvoz.content.complaints import DANGER, INSULT, OTHER, SPAM
from skvoz.content.media import COMPLAINT

REASONS: Final[dict[str, int]] = {"spam": SPAM, "insult": INSULT, "danger": DANGER, "other": OTHER}
QUOTE_LENGTH_MAX: Final = 1_000
"""Characters of a message that a complaint repeats."""
OPEN_MAX: Final = 16
"""Complaints by one person that wait here; more push out the oldest."""
DROPPED_COUNTER: Final = "complaints_dropped"


def report(step: Step, command: ReportMessage) -> Answer:
    """Tell admins of a group about a message; raise a `CallerError` where there is nobody to tell."""
    message = step.transaction.get(Message, command.message_id)
    if message is None:
        raise NotFound("there is no such message")
    own = step.account().account_id
    if message.author == own:
        raise BadRequest("this message is your own")
    conversation = step.conversation(message.group_id)
    if conversation.kind is not ConversationKind.GROUP:
        raise BadRequest("here is nobody to report to: block the person instead")
    if conversation.state not in composing.WRITABLE:
        raise Conflict("you are not in this group any more")
    if message.deleted:
        raise Conflict("this message is deleted already")
    told = _admins_within_reach(step, conversation, message)
    if not told:
        raise Conflict("no admin of this group who could be told is a contact of yours")
    complaint = Complaint(
        group_id=conversation.group_id,
        message_id=message.message_id,
        author=message.author,
        reason=REASONS[command.reason],
        note=command.note.strip(),
        # What is to disappear must not stay in a complaint.
        quote=message.text[:QUOTE_LENGTH_MAX] if message.expires_ms is None else "",
    )
    for direct in told:
        _say(step, direct, complaint)
    return Answer(chat_id=conversation.chat_id, message_id=message.message_id)


def _admins_within_reach(step: Step, conversation: Conversation, message: Message) -> list[Conversation]:
    """Return the direct conversations with admins, but for ourselves and who wrote the message."""
    own = step.account().account_id
    people = step.transaction.select(Participant, group_id=conversation.group_id)
    found: list[Conversation] = []
    for one in people:
        apart = one.account_id in {own, message.author}
        if one.admin and not apart and contacts.is_accepted(step, one.account_id):
            try:
                found.append(composing.writable(step, one.account_id))
            except CallerError:
                continue
    return found


def _say(step: Step, direct: Conversation, complaint: Complaint) -> None:
    content = MimiContent(
        salt=step.randomness(16),
        last_seen=gaps.named(step, direct),
        extensions={SENT_AT: step.now_ms},
        body=SinglePart(
            disposition=Disposition.RENDER,
            content_type=COMPLAINT,
            content=encode_complaint(complaint),
        ),
    )
    body = encode(content)
    own = step.account().account_id
    identity = message_id(account_uri(own), room_uri(direct.group_id), body)
    gaps.said(step, direct, identity)
    outbox.enqueue(step, direct.group_id, body, None)


def complaint_in(content: MimiContent) -> Complaint | None:
    """Return the complaint that a content is, if it is one; raise `Malformed` for a bad one."""
    part = content.body
    if not isinstance(part, SinglePart) or part.content_type != COMPLAINT:
        return None
    if content.replaces is not None:
        raise Malformed("a complaint replaces something")
    return parse_complaint(part.content)


def received(step: Step, conversation: Conversation, reporter: AccountId, complaint: Complaint) -> None:
    """Keep a complaint of a contact's about a group that is known here; others are dropped and counted.

    Whether we are an admin there is looked at when it is shown: rooms are not read in one order.
    """
    transaction = step.transaction
    group = transaction.get(Conversation, complaint.group_id)
    message = transaction.get(Message, complaint.message_id)
    if (
        conversation.kind is not ConversationKind.DIRECT
        or conversation.is_request
        or group is None
        or group.kind is not ConversationKind.GROUP
        or reporter in {complaint.author, step.account().account_id}
        or (message is not None and message.group_id != group.group_id)
    ):
        transaction.next_number(DROPPED_COUNTER)
        return
    open_ones = transaction.select(ComplaintHeard, reporter=reporter)
    if len(open_ones) >= OPEN_MAX:
        oldest = min(open_ones, key=lambda one: one.number)
        transaction.delete(ComplaintHeard, *oldest.key_values())
        transaction.next_number(DROPPED_COUNTER)
    transaction.put(
        ComplaintHeard(
            group_id=group.group_id,
            message_id=complaint.message_id,
            reporter=reporter,
            author=complaint.author if message is None else message.author,
            reason=complaint.reason,
            note=complaint.note,
            quote=complaint.quote,
            received_ms=step.now_ms,
            number=transaction.next_number("complaint"),
        )
    )
    step.tell(GroupAttention(chat_id=group.chat_id, what="complaint"))


def dismiss(step: Step, command: DismissComplaints) -> Answer:
    """Take what is said against a message off one's own list; raise `NotFound`, `NotAllowed`."""
    found = [
        one
        for one in step.transaction.select(ComplaintHeard, message_id=command.message_id)
        if step.conversation(one.group_id).chat_id == command.chat_id
    ]
    if not found:
        raise NotFound("nothing is said against this message any more")
    own = step.transaction.get(Participant, found[0].group_id, step.account().account_id)
    if own is None or not own.admin:
        raise NotAllowed("only an admin of the group may do this")
    for one in found:
        step.transaction.delete(ComplaintHeard, *one.key_values())
    step.tell(GroupAttention(chat_id=command.chat_id, what="complaint"))
    return Answer(chat_id=command.chat_id, message_id=command.message_id)


def message_deleted(step: Step, message: Message) -> None:
    """Keep no words of a message that is deleted for everybody."""
    for one in step.transaction.select(ComplaintHeard, message_id=message.message_id):
        step.transaction.put(msgspec.structs.replace(one, quote=""))


def forget_about(step: Step, message: Message) -> None:
    """Keep no complaint about a message of which nothing stays."""
    for one in step.transaction.select(ComplaintHeard, message_id=message.message_id):
        step.transaction.delete(ComplaintHeard, *one.key_values())


def forget_of(step: Step, group_id: GroupId) -> None:
    """Keep no complaint about a group that is deleted here."""
    for one in step.transaction.select(ComplaintHeard, group_id=group_id):
        step.transaction.delete(ComplaintHeard, *one.key_values())
