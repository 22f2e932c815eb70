"""What is done to messages that are there: edits, deletions, reactions.

A message is named by the id of its first version, however often it was edited. The author edits and deletes,
an admin of a group deletes; a reaction is taken back by whoever gave it. A change that comes before its
message, which two conversations of one pair of people make possible, waits for it.
"""

from typing import Final, TypeAlias, assert_never

import msgspec

from skvoz.base.ids import AccountId, MessageId
from skvoz.client import messages
from skvoz.client.records import (
    Conversation,
    ConversationKind,
    LastSeen,
    Message,
    Participant,
    ReactionGiven,
    WaitingChange,
)
from skvoz.client.step import Step
from skvoz.content import (
    Delete,
    Edit,
    Reaction,
    Report,
    Text,
    Unknown,
    Unreact,
    account_uri,
    from_content,
    message_id,
    parse,
    room_uri,
)

Change: TypeAlias = Edit | Delete | Reaction | Unreact
REACTIONS_MAX: Final = 8
"""Emoji of one person on one message."""
WAITING_MAX: Final = 64
"""Changes of a conversation that wait for messages: somebody could name messages that never were."""


def take(
    step: Step,
    conversation: Conversation,
    change: Change,
    *,
    author: AccountId,
    identity: MessageId,
    data: bytes,
) -> None:
    """Apply somebody's change, or keep its content `data` until the message comes."""
    target = _target(step, change)
    if target is None:
        _take_back_waiting(step, conversation, author, change)
        return
    message = step.transaction.get(Message, target)
    if message is not None:
        _apply(step, conversation, message, change, author=author, identity=identity)
        return
    seen = step.transaction.get(LastSeen, conversation.group_id)
    if seen is not None and target in seen.message_ids:
        return  # it was here and has disappeared: nothing of it comes back
    waiting = step.transaction.select(WaitingChange, group_id=conversation.group_id)
    if len(waiting) < WAITING_MAX:
        step.transaction.put(
            WaitingChange(
                target=target,
                message_id=identity,
                group_id=conversation.group_id,
                author=author,
                body=data,
            )
        )


def _target(step: Step, change: Change) -> MessageId | None:
    match change:
        case Edit() | Delete():
            return change.replaces
        case Reaction():
            return change.target
        case Unreact():
            given = step.transaction.get(ReactionGiven, change.replaces)
            return None if given is None else given.message_id
        case _:
            assert_never(change)


def _take_back_waiting(step: Step, conversation: Conversation, author: AccountId, change: Change) -> None:
    if not isinstance(change, Unreact):
        return
    for waiting in step.transaction.select(WaitingChange, group_id=conversation.group_id):
        if waiting.message_id == change.replaces and waiting.author == author:
            step.transaction.delete(WaitingChange, *waiting.key_values())


def catch_up(step: Step, conversation: Conversation, message: Message) -> None:
    """Apply what waited for a message that has just come."""
    for waiting in step.transaction.select(WaitingChange, target=message.message_id):
        step.transaction.delete(WaitingChange, *waiting.key_values())
        change = from_content(parse(waiting.body))
        present = step.transaction.get(Message, message.message_id)
        if present is not None and not isinstance(change, Text | Unknown | Report):
            _apply(
                step,
                conversation,
                present,
                change,
                author=waiting.author,
                identity=waiting.message_id,
            )


def apply_own(step: Step, conversation: Conversation, data: bytes) -> None:
    """Apply a change of ours at once, as others will when it arrives."""
    own = step.account().account_id
    change = from_content(parse(data))
    if not isinstance(change, Text | Unknown | Report):
        identity = message_id(account_uri(own), room_uri(conversation.group_id), data)
        take(step, conversation, change, author=own, identity=identity, data=data)


def _apply(
    step: Step,
    conversation: Conversation,
    message: Message,
    change: Change,
    *,
    author: AccountId,
    identity: MessageId,
) -> None:
    if message.chat_id != conversation.chat_id or message.deleted:
        return
    match change:
        case Edit():
            _edit(step, message, author, identity, change)
        case Delete():
            if message.author == author or _is_admin(step, conversation, author):
                _delete(step, message)
        case Reaction():
            _react(step, message, author, identity, change.emoji)
        case Unreact():
            _unreact(step, message, author, change.replaces)
        case _:
            assert_never(change)


def _edit(step: Step, message: Message, author: AccountId, identity: MessageId, change: Edit) -> None:
    if message.author != author or message.unsupported or message.last_edit == identity:
        return
    step.transaction.put(
        msgspec.structs.replace(
            message,
            text=change.text,
            mentions=messages.spans(change),
            edited_ms=step.now_ms,
            last_edit=identity,
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
    step.transaction.put(
        msgspec.structs.replace(
            message, text="", unsupported="", mentions=(), reply_to=None, reactions={}, deleted=True
        )
    )
    messages.changed(step, message, "deleted")


def _react(step: Step, message: Message, author: AccountId, identity: MessageId, emoji: str) -> None:
    accounts = message.reactions.get(emoji, ())
    given = sum(author in others for others in message.reactions.values())
    if author in accounts or given >= REACTIONS_MAX:
        return
    step.transaction.put(
        ReactionGiven(reaction_id=identity, message_id=message.message_id, account_id=author, emoji=emoji)
    )
    reactions = {**message.reactions, emoji: (*accounts, author)}
    step.transaction.put(msgspec.structs.replace(message, reactions=reactions))
    messages.changed(step, message, "reaction")


def _unreact(step: Step, message: Message, author: AccountId, reaction_id: MessageId) -> None:
    given = step.transaction.get(ReactionGiven, reaction_id)
    if given is None or given.account_id != author:
        return
    step.transaction.delete(ReactionGiven, reaction_id)
    left = tuple(one for one in message.reactions.get(given.emoji, ()) if one != author)
    reactions = {**message.reactions, given.emoji: left}
    if not left:
        del reactions[given.emoji]
    step.transaction.put(msgspec.structs.replace(message, reactions=reactions))
    messages.changed(step, message, "reaction")
