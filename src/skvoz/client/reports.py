"""Reports of delivery and reading: sparing in number, and never to strangers.

In direct chats one report covers many messages, at most every 3 s. In rooms of up to 20 people reports ride
on the next own message. Larger rooms have none: 600 devices would cost 184 MB a message.
"""

from typing import Final

import msgspec

from skvoz.base.ids import AccountId, MessageId
from skvoz.client import messages, outbox
from skvoz.client.records import (
    Conversation,
    ConversationKind,
    ConversationState,
    Message,
    Participant,
    PendingReport,
    Receipt,
)
from skvoz.client.step import Step
from skvoz.content import REPORT_IDS_MAX, Report, encode, to_content

REPORT_ALARM: Final = "reports.send"
INTERVAL_MS: Final = 3_000
PEOPLE_MAX: Final = 20
_WRITING: Final = (ConversationState.CREATING, ConversationState.ACTIVE)


def due(step: Step, conversation: Conversation, identity: MessageId, *, is_read: bool = False) -> None:
    """Note that a message was delivered here, or read."""
    if conversation.is_request or not step.account().reports_enabled:
        return
    if conversation.kind is ConversationKind.GROUP and _people(step, conversation) > PEOPLE_MAX:
        return
    step.transaction.put(PendingReport(group_id=conversation.group_id, message_id=identity, is_read=is_read))
    if conversation.kind is ConversationKind.DIRECT:
        step.hasten_alarm(REPORT_ALARM, conversation.group_id, step.now_ms + INTERVAL_MS)


def was_told(person: Participant, message: Message) -> bool:
    """Tell whether a message of ours was for somebody: not for its author, or for who came later."""
    is_late = message.said_epoch is not None and person.since_epoch > message.said_epoch
    return person.account_id != message.author and not is_late


def _people(step: Step, conversation: Conversation) -> int:
    """Count a group's people, once in an epoch."""
    counts = step.caches.people
    known = counts.get(conversation.group_id)
    if known is None or known[0] != conversation.epoch:
        count = len(step.transaction.select(Participant, group_id=conversation.group_id))
        known = counts[conversation.group_id] = (conversation.epoch, count)
    return known[1]


def take(step: Step, conversation: Conversation) -> Report | None:
    """Return what is due, to ride on a message; it counts as said."""
    pending = step.transaction.select(PendingReport, group_id=conversation.group_id)[:REPORT_IDS_MAX]
    return _of(step, pending) if pending else None


def send(step: Step, conversation: Conversation) -> None:
    """Say what is due in messages of their own: one, but after a long absence."""
    if conversation.state not in _WRITING or conversation.is_request:
        return
    pending = step.transaction.select(PendingReport, group_id=conversation.group_id)
    for start in range(0, len(pending), REPORT_IDS_MAX):
        report = _of(step, pending[start : start + REPORT_IDS_MAX])
        content = to_content(report, salt=step.randomness(16), sent_at_ms=step.now_ms)
        outbox.enqueue(step, conversation.group_id, encode(content), None, quiet=True)


def _of(step: Step, pending: list[PendingReport]) -> Report:
    for one in pending:
        step.transaction.delete(PendingReport, *one.key_values())
    return Report(
        delivered=tuple(one.message_id for one in pending if not one.is_read),
        read=tuple(one.message_id for one in pending if one.is_read),
    )


def received(step: Step, conversation: Conversation, author: AccountId, report: Report) -> None:
    """Take somebody's report about messages of ours in this conversation."""
    own = step.account().account_id
    for identity, is_read in (
        *((one, False) for one in report.delivered),
        *((one, True) for one in report.read),
    ):
        message = step.transaction.get(Message, identity)
        if message is None or message.author != own or message.group_id != conversation.group_id:
            continue
        known = step.transaction.get(Receipt, identity, author) or Receipt(
            message_id=identity, account_id=author
        )
        step.transaction.put(
            msgspec.structs.replace(
                known,
                delivered_ms=known.delivered_ms or step.now_ms,
                read_ms=known.read_ms or (step.now_ms if is_read else None),
            )
        )
        _come_further(step, conversation, message, is_read=is_read)


def _come_further(step: Step, conversation: Conversation, message: Message, *, is_read: bool) -> None:
    """In a group a message is delivered, or read, once all others say so who were there when it was said."""
    identity = message.message_id
    if conversation.kind is not ConversationKind.GROUP:
        messages.reported(step, identity, read=is_read)
        return
    people = step.transaction.select(Participant, group_id=conversation.group_id)
    others = {person.account_id for person in people if was_told(person, message)}
    receipts = step.transaction.select(Receipt, message_id=identity)
    if others <= {receipt.account_id for receipt in receipts}:
        read = others <= {receipt.account_id for receipt in receipts if receipt.read_ms is not None}
        messages.reported(step, identity, read=read)
