"""Messages as people see them: what arrives is applied to the records, what is said becomes an intent.

A message that is edited, deleted or reacted to is named by the id of its first version. Repeats are
dropped by that id. The author may edit and delete; an admin of a group may delete.
"""

from typing import Final, assert_never

import msgspec

from skvoz.base.errors import PeerError
from skvoz.base.ids import AccountId, MessageId
from skvoz.client import cards_sent, contacts, gaps, reports
from skvoz.client.events import MessageChanged, MessageReceived
from skvoz.client.records import (
    Conversation,
    Message,
    MessageState,
    Participant,
    ReactionGiven,
)
from skvoz.client.step import Step
from skvoz.content import (
    Delete,
    Edit,
    Expiration,
    Reaction,
    Report,
    Text,
    Unknown,
    Unreact,
    account_uri,
    check_addresses,
    from_content,
    message_id,
    parse,
    report_in,
    room_uri,
)

EXPIRE_ALARM: Final = "message.expire"
REACTIONS_MAX: Final = 8
"""Emoji of one person on one message."""
REQUEST_DROPPED_COUNTER: Final = "request_messages_dropped"
CLOCK_SKEW_MS_MAX: Final = 24 * 3600 * 1000


def receive(step: Step, conversation: Conversation, author: AccountId, data: bytes, position: int) -> None:
    """Apply somebody's content; raise a `PeerError` for what can't be read, and then nothing has changed."""
    del position  # messages are ordered by their arrival here
    content = parse(data)
    sender, room = account_uri(author), room_uri(conversation.group_id)
    check_addresses(content, sender, room)
    identity = message_id(sender, room, data)
    action = from_content(content)
    own = author == step.account().account_id
    if contacts.is_blocked(step, author):
        return
    if cards_sent.received(step, conversation, author, content):
        return
    gaps.arrived(step, conversation, identity, content.last_seen)
    report = report_in(content)
    if report is not None:
        reports.received(step, conversation, author, report)
    sent_ms = min(content.sent_at_ms or step.now_ms, step.now_ms + CLOCK_SKEW_MS_MAX)
    match action:
        case Text() | Unknown():
            _receive_text(
                step, conversation, author, identity=identity, action=action, sent_ms=sent_ms, own=own
            )
        case Edit():
            _edit(step, author, identity, action)
        case Delete():
            _delete(step, conversation, author, action.replaces)
        case Reaction():
            _react(step, author, identity, action)
        case Unreact():
            _unreact(step, author, action.replaces)
        case Report():
            pass
        case _:
            assert_never(action)


def _receive_text(
    step: Step,
    conversation: Conversation,
    author: AccountId,
    *,
    identity: MessageId,
    action: Text | Unknown,
    sent_ms: int,
    own: bool,
) -> None:
    transaction = step.transaction
    if transaction.get(Message, identity) is not None:
        return
    if conversation.is_request and transaction.select(Message, group_id=conversation.group_id):
        # A stranger gets one text until somebody accepts them.
        transaction.next_number(REQUEST_DROPPED_COUNTER)
        return
    message = message_of(
        conversation,
        author,
        identity,
        action,
        sequence=transaction.next_number("message"),
        sent_ms=sent_ms,
        now_ms=step.now_ms,
        state=MessageState.SENT if own else MessageState.RECEIVED,
    )
    transaction.put(message)
    expire_later(step, message)
    if not own:
        step.change(conversation.group_id, last_activity_ms=step.now_ms, unread=conversation.unread + 1)
        reports.due(step, conversation, identity)
    step.tell(MessageReceived(chat_id=message.chat_id, message_id=identity, sequence=message.sequence))


def message_of(
    conversation: Conversation,
    author: AccountId,
    identity: MessageId,
    action: Text | Unknown,
    *,
    sequence: int,
    sent_ms: int,
    now_ms: int,
    state: MessageState,
) -> Message:
    """Return the record of a new message."""
    is_text = isinstance(action, Text)
    return Message(
        message_id=identity,
        chat_id=conversation.chat_id,
        group_id=conversation.group_id,
        sequence=sequence,
        author=author,
        sent_ms=sent_ms,
        received_ms=now_ms,
        state=state,
        text=action.text,
        unsupported="" if is_text else action.kind or "?",
        reply_to=action.reply_to if is_text else None,
        mentions=_spans(action) if is_text else (),
        expires_ms=_expiry_ms(action.expires, now_ms) if is_text else None,
    )


def _spans(action: Text | Edit) -> tuple[tuple[bytes, int, int], ...]:
    return tuple((mention.account_id, mention.start, mention.length) for mention in action.mentions)


def _expiry_ms(expires: Expiration | None, now_ms: int) -> int | None:
    if expires is None or expires.time_s == 0:
        return None
    return now_ms + expires.time_s * 1000 if expires.relative else expires.time_s * 1000


def expire_later(step: Step, message: Message) -> None:
    """Have a message disappear when its time comes."""
    if message.expires_ms is not None:
        step.set_alarm(EXPIRE_ALARM, message.message_id, message.expires_ms)


def expire(step: Step, identity: MessageId) -> None:
    """Let a message disappear: nothing of it stays."""
    message = step.transaction.get(Message, identity)
    if message is not None:
        step.transaction.delete(Message, identity)
        _changed(step, message, "expired")


def _editable(step: Step, author: AccountId, identity: MessageId) -> Message | None:
    message = step.transaction.get(Message, identity)
    if message is None or message.author != author or message.deleted or message.unsupported:
        return None
    return message


def _edit(step: Step, author: AccountId, identity: MessageId, action: Edit) -> None:
    message = _editable(step, author, action.replaces)
    if message is None or message.last_edit == identity:
        return
    step.transaction.put(
        msgspec.structs.replace(
            message,
            text=action.text,
            mentions=_spans(action),
            edited_ms=step.now_ms,
            last_edit=identity,
        )
    )
    _changed(step, message, "edited")


def _delete(step: Step, conversation: Conversation, author: AccountId, identity: MessageId) -> None:
    message = step.transaction.get(Message, identity)
    if message is None or message.deleted or message.group_id != conversation.group_id:
        return
    if message.author != author and not _is_admin(step, conversation, author):
        return
    mark_deleted(step, message)


def mark_deleted(step: Step, message: Message) -> None:
    """Take a message's words away and leave a mark."""
    step.transaction.put(msgspec.structs.replace(message, text="", mentions=(), reactions={}, deleted=True))
    _changed(step, message, "deleted")


def _is_admin(step: Step, conversation: Conversation, account_id: AccountId) -> bool:
    found = step.transaction.get(Participant, conversation.group_id, account_id)
    return conversation.chat_id == conversation.group_id and found is not None and found.admin


def _react(step: Step, author: AccountId, identity: MessageId, action: Reaction) -> None:
    message = step.transaction.get(Message, action.target)
    if message is None or message.deleted or step.transaction.get(ReactionGiven, identity) is not None:
        return
    given = sum(author in accounts for accounts in message.reactions.values())
    accounts = message.reactions.get(action.emoji, ())
    if author in accounts or given >= REACTIONS_MAX:
        return
    step.transaction.put(
        ReactionGiven(reaction_id=identity, message_id=action.target, account_id=author, emoji=action.emoji)
    )
    reactions = {**message.reactions, action.emoji: (*accounts, author)}
    step.transaction.put(msgspec.structs.replace(message, reactions=reactions))
    _changed(step, message, "reaction")


def _unreact(step: Step, author: AccountId, identity: MessageId) -> None:
    given = step.transaction.get(ReactionGiven, identity)
    if given is None or given.account_id != author:
        return
    step.transaction.delete(ReactionGiven, identity)
    message = step.transaction.get(Message, given.message_id)
    if message is None:
        return
    left = tuple(one for one in message.reactions.get(given.emoji, ()) if one != author)
    reactions = {**message.reactions, given.emoji: left}
    if not left:
        del reactions[given.emoji]
    step.transaction.put(msgspec.structs.replace(message, reactions=reactions))
    _changed(step, message, "reaction")


def apply_own(step: Step, conversation: Conversation, data: bytes) -> None:
    """Apply an edit, deletion or reaction of ours at once, as others will when it arrives."""
    own = step.account().account_id
    content = parse(data)
    identity = message_id(account_uri(own), room_uri(conversation.group_id), data)
    match from_content(content):
        case Edit() as action:
            _edit(step, own, identity, action)
        case Delete() as action:
            _delete(step, conversation, own, action.replaces)
        case Reaction() as action:
            _react(step, own, identity, action)
        case Unreact() as action:
            _unreact(step, own, action.replaces)
        case _:
            raise PeerError("this is not a change of a message")


def sent(step: Step, identity: MessageId) -> None:
    """Note that the relay has a message of ours."""
    _advance(step, identity, MessageState.SENT, "sent")


def failed(step: Step, identity: MessageId, reason: str) -> None:
    """Note that a message of ours can't be sent; `reason` is a word of the catalogue."""
    message = step.transaction.get(Message, identity)
    if message is not None and message.state is MessageState.QUEUED:
        step.transaction.put(msgspec.structs.replace(message, state=MessageState.FAILED, failure=reason))
        _changed(step, message, "failed")


def _advance(step: Step, identity: MessageId, state: MessageState, what: str) -> None:
    message = step.transaction.get(Message, identity)
    if message is None or message.state in {MessageState.RECEIVED, MessageState.FAILED}:
        return
    if message.state < state:
        step.transaction.put(msgspec.structs.replace(message, state=state))
        _changed(step, message, what)


def reported(step: Step, identity: MessageId, *, read: bool) -> None:
    """Note that somebody has, or has read, a message of ours."""
    if read:
        _advance(step, identity, MessageState.READ, "read")
    else:
        _advance(step, identity, MessageState.DELIVERED, "delivered")


def _changed(step: Step, message: Message, what: str) -> None:
    step.tell(MessageChanged(chat_id=message.chat_id, message_id=message.message_id, what=what))
