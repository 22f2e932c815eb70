"""What is done to messages that are there: edits, deletions, reactions, pins, votes.

A message is named by the id of its first version, however often it was edited. The author edits and deletes,
an admin of a group deletes; a reaction is taken back by whoever gave it. A change that comes before what it
is about, which a relay or two conversations of one pair of people can bring about, waits for it. Of two
edits the one that was said later holds, whichever comes first: each has a later send time than the last.
"""

from typing import Final, TypeAlias, assert_never

import msgspec

from skvoz.base.ids import AccountId, GroupId, MessageId
from skvoz.client import carrying, complaints, files, messages, pins, polls
from skvoz.client.records import (
    Conversation,
    ConversationKind,
    LastSeen,
    Message,
    Participant,
    ReactionGiven,
    WaitingChange,
)
from skvoz.client.said import Said
from skvoz.client.step import Step
from skvoz.content import (
    ClosePoll,
    Delete,
    Edit,
    Pin,
    Reaction,
    Report,
    Text,
    Unknown,
    Unreact,
    Vote,
    account_uri,
    from_content,
    message_id,
    parse,
    room_uri,
)

Change: TypeAlias = Edit | Delete | Reaction | Unreact | Pin | Vote | ClosePoll
REACTIONS_MAX: Final = 8
"""Emoji of one person on one message."""
_REACTIONS_TAKEN_MAX: Final = 2 * REACTIONS_MAX
WAITING_MAX: Final = 16
"""Changes by one person in a conversation that wait; more push out the oldest: anybody could name messages
that never were."""


def take(
    step: Step,
    conversation: Conversation,
    change: Change,
    *,
    said: Said,
    data: bytes,
) -> None:
    """Apply somebody's change, or keep its content `data` until that comes which it is about."""
    transaction, group_id = step.transaction, conversation.group_id
    if isinstance(change, Reaction) and _was_taken_back(step, said):
        return
    if isinstance(change, Unreact) and _take_back_waiting(step, group_id, said.author, change):
        return
    target = _target(step, change)
    message = transaction.get(Message, target)
    if message is not None:
        _apply(step, conversation, message, change, said)
        return
    seen = transaction.get(LastSeen, group_id)
    if seen is not None and target in seen.message_ids:
        return  # it was here and has disappeared: nothing of it comes back
    others = transaction.select(WaitingChange, group_id=group_id)
    waiting = [one for one in others if one.author == said.author]
    if len(waiting) >= WAITING_MAX:
        oldest = min(waiting, key=lambda one: one.number)
        transaction.delete(WaitingChange, *oldest.key_values())
    transaction.put(
        WaitingChange(
            target=target,
            message_id=said.identity,
            group_id=group_id,
            author=said.author,
            body=data,
            number=transaction.next_number("waiting_change"),
        )
    )


def _target(step: Step, change: Change) -> MessageId:
    """Return the message that a change is about, or the reaction itself where that is not known."""
    match change:
        case Edit() | Delete():
            return change.replaces
        case Reaction() | Pin() | Vote() | ClosePoll():
            return change.target
        case Unreact():
            given = step.transaction.get(ReactionGiven, change.replaces)
            return change.replaces if given is None else given.message_id
        case _:
            assert_never(change)


def _was_taken_back(step: Step, said: Said) -> bool:
    """Tell whether a reaction comes after its author took it back: then both are done with."""
    for waiting in step.transaction.select(WaitingChange, target=said.identity):
        if waiting.author == said.author:
            step.transaction.delete(WaitingChange, *waiting.key_values())
            return True
    return False


def _take_back_waiting(step: Step, group_id: GroupId, author: AccountId, change: Unreact) -> bool:
    """Forget a reaction that waits for its message; False where none does."""
    for waiting in step.transaction.select(WaitingChange, group_id=group_id):
        if waiting.message_id == change.replaces and waiting.author == author:
            step.transaction.delete(WaitingChange, *waiting.key_values())
            return True
    return False


def catch_up(step: Step, conversation: Conversation, message: Message) -> None:
    """Apply what waited for a message that has just come."""
    waiting = step.transaction.select(WaitingChange, target=message.message_id)
    for one in sorted(waiting, key=lambda one: one.number):
        step.transaction.delete(WaitingChange, *one.key_values())
        content = parse(one.body)
        change = from_content(content)
        present = step.transaction.get(Message, message.message_id)
        if present is not None and not isinstance(change, Text | Unknown | Report):
            said = Said(one.author, one.message_id, content.sent_at_ms or step.now_ms)
            _apply(step, conversation, present, change, said)


def apply_own(step: Step, conversation: Conversation, data: bytes) -> None:
    """Apply a change of ours at once, as others will when it arrives."""
    own = step.account().account_id
    content = parse(data)
    change = from_content(content)
    if not isinstance(change, Text | Unknown | Report):
        identity = message_id(account_uri(own), room_uri(conversation.group_id), data)
        said = Said(own, identity, content.sent_at_ms or step.now_ms)
        take(step, conversation, change, said=said, data=data)


def _apply(
    step: Step,
    conversation: Conversation,
    message: Message,
    change: Change,
    said: Said,
) -> None:
    if message.chat_id != conversation.chat_id or message.deleted:
        return
    match change:
        case Edit():
            _edit(step, message, said, change)
        case Delete():
            if message.author == said.author or _is_admin(step, conversation, said.author):
                _delete(step, message)
        case Reaction():
            _react(step, message, said, change.emoji)
        case Unreact():
            _unreact(step, message, said.author, change.replaces)
        case Pin():
            pins.apply(step, conversation, message, said, pinned=change.pinned)
        case Vote():
            polls.vote(step, message, said, change.choices)
        case ClosePoll():
            polls.close(step, message, said)
        case _:
            assert_never(change)


def _edit(step: Step, message: Message, said: Said, change: Edit) -> None:
    if message.author != said.author or not messages.is_editable(message):
        return
    if (said.sent_ms, said.identity) <= (message.edited_ms or 0, message.last_edit):
        return
    step.transaction.put(
        msgspec.structs.replace(
            message,
            text=change.text,
            mentions=messages.spans(change),
            edited_ms=said.sent_ms,
            last_edit=said.identity,
        )
    )
    messages.changed(step, message, "edited")


def _is_admin(step: Step, conversation: Conversation, account_id: AccountId) -> bool:
    found = step.transaction.get(Participant, conversation.group_id, account_id)
    return conversation.kind is ConversationKind.GROUP and found is not None and found.admin


def _delete(step: Step, message: Message) -> None:
    """Take a message's words away and leave a mark."""
    for given in step.transaction.select(ReactionGiven, message_id=message.message_id):
        step.transaction.delete(ReactionGiven, given.reaction_id)
    files.drop_of(step, message, everywhere=True)
    carrying.drop_words(step, message.group_id, message.message_id)
    pins.drop(step, message.message_id)
    polls.drop(step, message.message_id)
    complaints.message_deleted(step, message)
    left = msgspec.structs.replace(message, text="", unsupported="", mentions=(), reply_to=None, reactions={})
    step.transaction.put(
        msgspec.structs.replace(left, deleted=True, file_count=0, file_names=(), location=None, poll=None)
    )
    messages.changed(step, message, "deleted")


def _react(step: Step, message: Message, said: Said, emoji: str) -> None:
    given = [
        one
        for one in step.transaction.select(ReactionGiven, message_id=message.message_id)
        if one.account_id == said.author
    ]
    # The author took some of them back where the relay gives us that later, so more are taken than said.
    if len(given) >= _REACTIONS_TAKEN_MAX or any(one.reaction_id == said.identity for one in given):
        return
    step.transaction.put(
        ReactionGiven(
            reaction_id=said.identity, message_id=message.message_id, account_id=said.author, emoji=emoji
        )
    )
    if any(one.emoji == emoji for one in given):
        return
    reactions = {**message.reactions, emoji: (*message.reactions.get(emoji, ()), said.author)}
    step.transaction.put(msgspec.structs.replace(message, reactions=reactions))
    messages.changed(step, message, "reaction")


def _unreact(step: Step, message: Message, author: AccountId, reaction_id: MessageId) -> None:
    given = step.transaction.get(ReactionGiven, reaction_id)
    if given is None or given.account_id != author:
        return
    step.transaction.delete(ReactionGiven, reaction_id)
    others = step.transaction.select(ReactionGiven, message_id=message.message_id)
    if any(one.account_id == author and one.emoji == given.emoji for one in others):
        return
    left = tuple(one for one in message.reactions.get(given.emoji, ()) if one != author)
    reactions = {**message.reactions, given.emoji: left}
    if not left:
        del reactions[given.emoji]
    step.transaction.put(msgspec.structs.replace(message, reactions=reactions))
    messages.changed(step, message, "reaction")
