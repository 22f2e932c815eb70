"""Gaps: messages name the last ids that their author had seen, so a withheld entry shows.

Who sees an id that never came here tells people that a message may be missing; if it comes after all, that is
taken back.
"""

from typing import Final

from skvoz.base.ids import MessageId
from skvoz.client.events import GapNoticed
from skvoz.client.records import Conversation, Gap, LastSeen
from skvoz.client.step import Step

NAMED_MAX: Final = 4
"""Ids that a message names: the latest that its author had seen."""
KNOWN_MAX: Final = 256
"""Ids remembered of a conversation; what somebody names from before them can't be judged."""
GAPS_MAX: Final = 100
"""Gaps kept of a conversation: a member could name ids that never were."""


def named(step: Step, conversation: Conversation) -> tuple[MessageId, ...]:
    """Return the ids that the next message of ours names."""
    seen = step.transaction.get(LastSeen, conversation.group_id)
    return () if seen is None else tuple(MessageId(one) for one in seen.message_ids[-NAMED_MAX:])


def arrived(
    step: Step, conversation: Conversation, identity: MessageId, named_ids: tuple[MessageId, ...]
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
    if known:
        # Somebody who has just joined can't know what was said before.
        missing = [one for one in named_ids if one not in known and one != identity]
        gaps = transaction.select(Gap, group_id=group_id) if missing else []
        for one in missing[: max(0, GAPS_MAX - len(gaps))]:
            if transaction.get(Gap, group_id, one) is None:
                transaction.put(Gap(group_id=group_id, message_id=one, noticed_ms=step.now_ms))
                step.tell(GapNoticed(chat_id=conversation.chat_id, message_id=one, filled=False))
    transaction.put(LastSeen(group_id=group_id, message_ids=(*known, identity)[-KNOWN_MAX:]))
