"""Reports of delivery and reading: sparing in number, and never to strangers.

In direct chats one report covers many messages, at most every 3 s. In rooms of up to 20 people reports ride
on the next own message. Larger rooms have none: 600 devices would cost 184 MB a message.
"""

from typing import Final

import msgspec

from skvoz.base.ids import AccountId, MessageId
from skvoz.client import messages, outbox
from skvoz.client.records import Conversation, ConversationKind, Message, Participant, PendingReport, Receipt
from skvoz.client.step import Step
from skvoz.content import REPORT_IDS_MAX, Report, encode, to_content

REPORT_ALARM: Final = "reports.send"
INTERVAL_MS: Final = 3_000
PEOPLE_MAX: Final = 20


def due(step: Step, conversation: Conversation, identity: MessageId, *, is_read: bool = False) -> None:
    """Note that a message was delivered here, or read."""
    if conversation.is_request or not step.account().reports_enabled:
        return
    people = step.transaction.select(Participant, group_id=conversation.group_id)
    if len(people) > PEOPLE_MAX:
        return
    step.transaction.put(PendingReport(group_id=conversation.group_id, message_id=identity, is_read=is_read))
    if conversation.kind is ConversationKind.DIRECT:
        step.hasten_alarm(REPORT_ALARM, conversation.group_id, step.now_ms + INTERVAL_MS)


def take(step: Step, conversation: Conversation) -> Report | None:
    """Return what is due, to ride on a message; it counts as said."""
    pending = step.transaction.select(PendingReport, group_id=conversation.group_id)[:REPORT_IDS_MAX]
    for one in pending:
        step.transaction.delete(PendingReport, *one.key_values())
    if not pending:
        return None
    return Report(
        delivered=tuple(one.message_id for one in pending if not one.is_read),
        read=tuple(one.message_id for one in pending if one.is_read),
    )


def send(step: Step, conversation: Conversation) -> None:
    """Say what is due in a message of its own."""
    report = take(step, conversation)
    if report is None:
        return
    content = to_content(report, salt=step.randomness(16), sent_at_ms=step.now_ms)
    outbox.enqueue(step, conversation.group_id, encode(content), None, quiet=True)
    if step.transaction.select(PendingReport, group_id=conversation.group_id):
        step.hasten_alarm(REPORT_ALARM, conversation.group_id, step.now_ms + INTERVAL_MS)


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
        messages.reported(step, identity, read=is_read)
