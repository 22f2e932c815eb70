"""Changes of a chat that stand between its messages: nobody comes in, goes or takes charge without a word."""

from typing import Final

from skvoz.base.ids import AccountId
from skvoz.client.records import Conversation, ConversationKind, Notice, NoticeKind
from skvoz.client.step import Step

_OF_TWO: Final[tuple[NoticeKind, ...]] = ("expiry",)
"""In a chat of two nothing else is for people: who comes back there was never gone for them."""


def keep(
    step: Step,
    conversation: Conversation,
    what: NoticeKind,
    actor: AccountId,
    subject: AccountId | None = None,
) -> None:
    """Keep a change that `actor` made, to `subject` where it is about a person."""
    if conversation.kind is not ConversationKind.GROUP and what not in _OF_TWO:
        return
    step.transaction.put(
        Notice(
            sequence=step.transaction.next_number("message"),
            chat_id=conversation.chat_id,
            group_id=conversation.group_id,
            what=what,
            actor=actor,
            subject=subject,
            title=conversation.title if what == "title" else "",
            expiry_s=conversation.message_expiry_s if what == "expiry" else None,
            noticed_ms=step.now_ms,
        )
    )


def forget_of(step: Step, conversation: Conversation) -> None:
    """Forget what was kept of a conversation."""
    for notice in step.transaction.select(Notice, group_id=conversation.group_id):
        step.transaction.delete(Notice, notice.sequence)
