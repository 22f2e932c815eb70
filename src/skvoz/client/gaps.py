"""Gaps: messages name the last ids that their author had seen, so a withheld entry shows.

A room has one order for everybody, so whoever names an id that never came here has read something that we
were not given. What an author names in their first message since we are here is excused: it may be older than
our membership. If a missing message comes after all, that is told as well. Reports and introductions are not
counted.
"""

from typing import Final

from skvoz.base.ids import AccountId, MessageId
from skvoz.client.events import GapNoticed
from skvoz.client.records import Conversation, Gap, LastSeen, Message, Spoken
from skvoz.client.step import Step

NAMED_MAX: Final = 4
"""Ids that a message names: the latest that its author had seen, the author's own included."""
KNOWN_MAX: Final = 256
"""Ids remembered of a conversation besides those of messages that are still here."""
GAPS_MAX: Final = 100
"""Gaps kept of a conversation: a member could name ids that never were."""


def named(step: Step, conversation: Conversation) -> tuple[MessageId, ...]:
    """Return the ids that the next message of ours names."""
    seen = step.transaction.get(LastSeen, conversation.group_id)
    return () if seen is None else tuple(MessageId(one) for one in seen.message_ids[-NAMED_MAX:])


def arrived(
    step: Step,
    conversation: Conversation,
    author: AccountId,
    identity: MessageId,
    named_ids: tuple[MessageId, ...],
) -> None:
    """Note a message's arrival, and what its author says to have seen before."""
    transaction = step.transaction
    group_id = conversation.group_id
    seen = transaction.get(LastSeen, group_id)
    known = () if seen is None else seen.message_ids
    if identity in known:
        return
    if transaction.get(Gap, group_id, identity) is not None:
        transaction.delete(Gap, group_id, identity)
        step.tell(GapNoticed(chat_id=conversation.chat_id, message_id=identity, filled=True))
    new = [one for one in named_ids if one not in known and one != identity]
    if transaction.get(Spoken, group_id, author) is None:
        transaction.put(Spoken(group_id=group_id, account_id=author))
        known = (*new, *known)
    elif new:
        _missing(step, conversation, [one for one in new if transaction.get(Message, one) is None])
    transaction.put(LastSeen(group_id=group_id, message_ids=(*known, identity)[-KNOWN_MAX:]))


def _missing(step: Step, conversation: Conversation, missing: list[MessageId]) -> None:
    transaction = step.transaction
    group_id = conversation.group_id
    gaps = {gap.message_id for gap in transaction.select(Gap, group_id=group_id)}
    for one in missing:
        if one not in gaps and len(gaps) < GAPS_MAX:
            gaps.add(one)
            transaction.put(Gap(group_id=group_id, message_id=one, noticed_ms=step.now_ms))
            step.tell(GapNoticed(chat_id=conversation.chat_id, message_id=one, filled=False))
