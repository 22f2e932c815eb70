"""Pinned messages: kept at hand for everybody in a chat.

In a direct chat both pin; in a group admins, and where it is small, everybody. Of two changes about one
message the one that was said later holds, whoever said it and whichever comes first: who changes what another
pinned says it later than they did.
"""

from typing import Final

from skvoz.base.errors import Conflict, NotAllowed
from skvoz.base.ids import AccountId, MessageId
from skvoz.client import messages
from skvoz.client.records import Conversation, ConversationKind, Message, MessageState, Participant, PinChange
from skvoz.client.said import Said
from skvoz.client.step import Step

PINS_MAX: Final = 50
"""Pinned messages of a chat; more push out those that were pinned first. As many others are remembered."""
SMALL_GROUP_PEOPLE_MAX: Final = 20
"""Where everybody knows everybody; in larger groups only admins pin."""


def apply(step: Step, conversation: Conversation, message: Message, said: Said, *, pinned: bool) -> None:
    """Take what somebody said of whether a message is pinned."""
    if not may_pin(step, conversation, said.author):
        return
    known = step.transaction.get(PinChange, message.message_id)
    # Whose clock is far ahead is the latest now; others can still be later.
    ahead_ms = step.now_ms + messages.CLOCK_SKEW_MS_MAX
    changed_ms = min(said.sent_ms, ahead_ms if known is None else max(ahead_ms, known.changed_ms + 1))
    if known is not None and (changed_ms, said.identity) <= (known.changed_ms, known.change_id):
        return
    step.transaction.put(
        PinChange(
            message_id=message.message_id,
            chat_id=message.chat_id,
            pinned=pinned,
            account_id=said.author,
            changed_ms=changed_ms,
            change_id=said.identity,
        )
    )
    if pinned != (known is not None and known.pinned):
        messages.changed(step, message, "pinned")
    _keep_few(step, message.chat_id, pinned=pinned)


def _keep_few(step: Step, chat_id: bytes, *, pinned: bool) -> None:
    found = [one for one in step.transaction.select(PinChange, chat_id=chat_id) if one.pinned == pinned]
    found.sort(key=lambda one: (one.changed_ms, one.change_id))
    for one in found[:-PINS_MAX]:
        step.transaction.delete(PinChange, one.message_id)
        message = step.transaction.get(Message, one.message_id)
        if message is not None and pinned:
            messages.changed(step, message, "pinned")


def may_pin(step: Step, conversation: Conversation, account_id: AccountId) -> bool:
    """Tell whether somebody may pin in a conversation, as its members are now."""
    if conversation.kind is not ConversationKind.GROUP:
        return True
    people = step.transaction.select(Participant, group_id=conversation.group_id)
    if len(people) <= SMALL_GROUP_PEOPLE_MAX or not any(one.admin for one in people):
        return any(one.account_id == account_id for one in people)
    return any(one.account_id == account_id and one.admin for one in people)


def check(step: Step, conversation: Conversation, message: Message, *, pinned: bool) -> int | None:
    """Return what a change of ours has to be later than, None where nothing would change.

    Milliseconds since 1970 UTC. Raises `Conflict` or `NotAllowed` for what others would pass over.
    """
    known = step.transaction.get(PinChange, message.message_id)
    if pinned == (known is not None and known.pinned):
        return None
    if not may_pin(step, conversation, step.account().account_id):
        raise NotAllowed("in a big group only its admins pin messages")
    if pinned:
        if message.deleted or message.state is MessageState.FAILED:
            raise Conflict("this message can't be pinned")
        others = step.transaction.select(PinChange, chat_id=message.chat_id)
        if sum(one.pinned for one in others) >= PINS_MAX:
            raise Conflict("a chat has fifty pinned messages at most")
    return 0 if known is None else known.changed_ms


def drop(step: Step, message_id: MessageId) -> None:
    """Forget that a message was pinned: it is not there any more."""
    if step.transaction.get(PinChange, message_id) is not None:
        step.transaction.delete(PinChange, message_id)
