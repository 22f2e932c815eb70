"""Gaps: messages name the last ids that their author had seen, so a withheld entry shows.

A room has one order for everybody, so whoever names an id that never came here has read something that we
were not given. What can't be told from that is excused: an author's first message since we are here may name
what is older than our membership, and that of somebody who was away for longer than we remember ids may name
what was forgotten. Only what they wrote after we came in counts as a first one: what they wrote before may
have been sent anew since, and what they read in between is older than our membership. That goes by their
clock: while it is behind ours, nothing that they name is missed. If a missing message comes after all, that
is told as well. Reports and introductions are not counted.
"""

from typing import Final

import msgspec

from skvoz.base.ids import AccountId, GroupId, MessageId
from skvoz.client.events import GapNoticed
from skvoz.client.records import Conversation, Gap, Intent, IntentKind, LastSeen, Message, Spoken
from skvoz.client.step import Step
from skvoz.content import account_uri, message_id, room_uri

NAMED_MAX: Final = 4
"""Ids that a message names: the latest that its author had seen, the author's own included."""
KNOWN_MAX: Final = 256
"""Ids remembered of a conversation besides those of messages that are still here."""
GAPS_MAX: Final = 16
"""Gaps kept that one author named in a conversation: who names ids that never were hides nobody else's."""


def named(step: Step, conversation: Conversation) -> tuple[MessageId, ...]:
    """Return the ids that the next message of ours names."""
    seen = step.transaction.get(LastSeen, conversation.group_id)
    return () if seen is None else tuple(MessageId(one) for one in seen.message_ids[-NAMED_MAX:])


def said(step: Step, conversation: Conversation, identity: MessageId) -> None:
    """Note a message of ours."""
    arrived(step, conversation, step.account().account_id, identity, (), said_ms=step.now_ms)


def arrived(
    step: Step,
    conversation: Conversation,
    author: AccountId,
    identity: MessageId,
    named_ids: tuple[MessageId, ...],
    *,
    said_ms: int,
) -> None:
    """Note a message's arrival, and what its author says to have seen before, and when they wrote it."""
    transaction = step.transaction
    group_id = conversation.group_id
    seen = transaction.get(LastSeen, group_id)
    known = () if seen is None else seen.message_ids
    excused = () if seen is None else seen.excused
    if identity in known:
        return
    if transaction.get(Gap, group_id, identity) is not None:
        transaction.delete(Gap, group_id, identity)
        step.tell(GapNoticed(chat_id=conversation.chat_id, message_id=identity, filled=True))
    new = [one for one in named_ids if one not in known and one not in excused and one != identity]
    spoken = transaction.get(Spoken, group_id, author)
    if spoken is None or spoken.message_id not in known:
        excused = (*excused, *new)[-KNOWN_MAX:]
    elif new:
        missing = [one for one in new if transaction.get(Message, one) is None]
        _missing(step, conversation, author, missing)
    if said_ms >= conversation.created_ms:
        transaction.put(Spoken(group_id=group_id, account_id=author, message_id=identity))
    message_ids = (*known, identity)[-KNOWN_MAX:]
    transaction.put(LastSeen(group_id=group_id, message_ids=message_ids, excused=excused))


def begin_anew(step: Step, group_id: GroupId) -> None:
    """Excuse what others name of the time in which we were out."""
    for spoken in step.transaction.select(Spoken, group_id=group_id):
        step.transaction.delete(Spoken, *spoken.key_values())
    step.change(group_id, created_ms=step.now_ms)


def unsaid(step: Step, intent: Intent) -> None:
    """Name what never went out no more: nobody has it, and nobody will."""
    if intent.kind is not IntentKind.CONTENT:
        return
    seen = step.transaction.get(LastSeen, intent.group_id)
    if seen is not None:
        own = account_uri(step.account().account_id)
        identity = message_id(own, room_uri(intent.group_id), intent.body)
        message_ids = tuple(one for one in seen.message_ids if one != identity)
        step.transaction.put(msgspec.structs.replace(seen, message_ids=message_ids))


def _missing(step: Step, conversation: Conversation, author: AccountId, missing: list[MessageId]) -> None:
    transaction = step.transaction
    group_id = conversation.group_id
    gaps = {gap.message_id: gap for gap in transaction.select(Gap, group_id=group_id)}
    for one in missing:
        if one in gaps:
            continue
        named_by_author = [gap for gap in gaps.values() if gap.author == author]
        if len(named_by_author) >= GAPS_MAX:
            oldest = min(named_by_author, key=lambda gap: (gap.noticed_ms, gap.message_id))
            transaction.delete(Gap, group_id, oldest.message_id)
            del gaps[oldest.message_id]
        gaps[one] = Gap(group_id=group_id, message_id=one, author=author, noticed_ms=step.now_ms)
        transaction.put(gaps[one])
        step.tell(GapNoticed(chat_id=conversation.chat_id, message_id=one, filled=False))
