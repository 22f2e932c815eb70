"""Messages as people see them: what arrives in a conversation is applied to the records.

Repeats are dropped by the message id. A stranger gets one text until somebody accepts them, and whoever is
blocked gets none.
"""

from typing import Final

import msgspec

from skvoz.base.ids import AccountId, MessageId
from skvoz.client import (
    carrying,
    changes,
    complaints,
    contacts,
    files,
    gaps,
    introductions,
    pins,
    polls,
    reports,
    whereabouts,
)
from skvoz.client.events import MessageChange, MessageChanged, MessageReceived
from skvoz.client.file_names import harmless_name
from skvoz.client.records import (
    Conversation,
    ConversationKind,
    Message,
    MessageState,
    ReactionGiven,
    Receipt,
    Unread,
)
from skvoz.client.said import Said
from skvoz.client.step import Step
from skvoz.content import (
    Edit,
    Expiration,
    Location,
    Poll,
    Report,
    Text,
    Unknown,
    account_uri,
    check_addresses,
    from_content,
    message_id,
    parse,
    report_in,
    room_uri,
)

EXPIRE_ALARM: Final = "message.expire"
REQUEST_DROPPED_COUNTER: Final = "request_messages_dropped"
CLOCK_SKEW_MS_MAX: Final = 24 * 3600 * 1000


def receive(step: Step, conversation: Conversation, author: AccountId, data: bytes, position: int) -> None:
    """Apply somebody's content; raise a `PeerError` for what can't be read, and then nothing has changed."""
    del position  # messages are ordered by their arrival here
    content = parse(data)
    sender, room = account_uri(author), room_uri(conversation.group_id)
    check_addresses(content, sender, room)
    identity = message_id(sender, room, data)
    if not carrying.is_first(step, conversation, identity):
        return
    introduction = introductions.introduction_in(content, author)
    complaint = complaints.complaint_in(content)
    action = from_content(content)
    counted = introduction is None and not isinstance(action, Report)
    if counted:
        said_ms = content.sent_at_ms or step.now_ms
        gaps.arrived(step, conversation, author, identity, content.last_seen, said_ms=said_ms)
    if contacts.is_blocked(step, author):
        return
    if introduction is not None:
        is_direct = conversation.kind is ConversationKind.DIRECT
        introductions.received(step, conversation, introduction)
        if introduction.address and is_direct and contacts.is_accepted(step, author):
            whereabouts.hinted(step, introduction.address)
        return
    if complaint is not None:
        complaints.received(step, conversation, author, complaint)
        return
    report = report_in(content)
    if report is not None:
        reports.received(step, conversation, author, report)
    match action:
        case Text() | Unknown():
            sent_ms = content.sent_at_ms or step.now_ms
            _receive_text(step, conversation, action, author=author, identity=identity, sent_ms=sent_ms)
        case Report():
            pass
        case _:
            said = Said(author, identity, content.sent_at_ms or step.now_ms)
            changes.take(step, conversation, action, said=said, data=data)


def _receive_text(
    step: Step,
    conversation: Conversation,
    action: Text | Unknown,
    *,
    author: AccountId,
    identity: MessageId,
    sent_ms: int,
) -> None:
    transaction = step.transaction
    if transaction.get(Message, identity) is not None:
        return
    if conversation.is_request and transaction.select(Message, group_id=conversation.group_id):
        # A stranger gets one text until somebody accepts them.
        transaction.next_number(REQUEST_DROPPED_COUNTER)
        return
    own = author == step.account().account_id
    message = message_of(
        conversation,
        author,
        identity,
        action,
        sequence=transaction.next_number("message"),
        sent_ms=min(sent_ms, step.now_ms + CLOCK_SKEW_MS_MAX),
        now_ms=step.now_ms,
        state=MessageState.SENT if own else MessageState.RECEIVED,
    )
    transaction.put(message)
    if isinstance(action, Text):
        files.received(step, message, action.files)
    expire_later(step, message)
    present = step.conversation(conversation.group_id)
    step.change(
        conversation.group_id,
        last_activity_ms=step.now_ms,
        unread=present.unread + (not own),
        hidden=False,
    )
    if not own:
        transaction.put(
            Unread(group_id=conversation.group_id, sequence=message.sequence, message_id=identity)
        )
        reports.due(step, conversation, identity)
    step.tell(MessageReceived(chat_id=message.chat_id, message_id=identity, sequence=message.sequence))
    changes.catch_up(step, conversation, message)


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
        mentions=spans(action) if is_text else (),
        expires_ms=_expiry_ms(action.expires, now_ms) if is_text else None,
        file_count=len(action.files) if is_text else 0,
        file_names=tuple(harmless_name(file.name) for file in action.files) if is_text else (),
        forwarded=is_text and action.forwarded,
        location=_place(action.location) if is_text else None,
        poll=_asked(action.poll) if is_text else None,
    )


def _place(location: Location | None) -> tuple[int, int, str] | None:
    return None if location is None else (location.latitude_e7, location.longitude_e7, location.label)


def _asked(poll: Poll | None) -> tuple[str, tuple[str, ...], bool] | None:
    return None if poll is None else (poll.question, poll.options, poll.several)


def spans(action: Text | Edit) -> tuple[tuple[bytes, int, int], ...]:
    """Return who is mentioned where, as records keep it."""
    return tuple((mention.account_id, mention.start, mention.length) for mention in action.mentions)


def _expiry_ms(expires: Expiration | None, now_ms: int) -> int | None:
    if expires is None or expires.time_s == 0:
        return None
    return now_ms + expires.time_s * 1000 if expires.relative else expires.time_s * 1000


def is_editable(message: Message) -> bool:
    """Tell whether a message is words, which its author may change."""
    return not (message.deleted or message.unsupported or message.location or message.poll)


def expire_later(step: Step, message: Message) -> None:
    """Have a message disappear when its time comes."""
    if message.expires_ms is not None:
        step.set_alarm(EXPIRE_ALARM, message.message_id, message.expires_ms)


def expire(step: Step, identity: MessageId) -> None:
    """Let a message disappear: nothing of it stays."""
    message = step.transaction.get(Message, identity)
    if message is not None:
        remove(step, message)
        changed(step, message, "expired")


def remove(step: Step, message: Message) -> None:
    """Take a message out of the records, with all that hangs on it."""
    transaction = step.transaction
    files.drop_of(step, message)
    carrying.drop_words(step, message.group_id, message.message_id)
    pins.drop(step, message.message_id)
    polls.drop(step, message.message_id)
    complaints.forget_about(step, message)
    transaction.delete(Message, message.message_id)
    if message.expires_ms is not None:
        step.clear_alarm(EXPIRE_ALARM, message.message_id)
    for given in transaction.select(ReactionGiven, message_id=message.message_id):
        transaction.delete(ReactionGiven, given.reaction_id)
    for receipt in transaction.select(Receipt, message_id=message.message_id):
        transaction.delete(Receipt, *receipt.key_values())
    if transaction.get(Unread, message.group_id, message.sequence) is not None:
        transaction.delete(Unread, message.group_id, message.sequence)
        present = step.conversation(message.group_id)
        step.change(message.group_id, unread=max(0, present.unread - 1))


def sent(step: Step, identity: MessageId, epoch: int) -> None:
    """Note that the relay has a message of ours, which it took in this epoch."""
    message = step.transaction.get(Message, identity)
    if message is not None and message.said_epoch != epoch:
        step.transaction.put(msgspec.structs.replace(message, said_epoch=epoch))
    _advance(step, identity, MessageState.SENT, "sent")


def failed(step: Step, identity: MessageId, reason: str, *, was_claimed: bool = False) -> None:
    """Note that a message of ours can't be sent; `reason` is a word of the catalogue.

    `was_claimed`: also one that a relay said to have, where all of its log was read and it is not there.
    """
    message = step.transaction.get(Message, identity)
    undone = (MessageState.QUEUED, MessageState.SENT) if was_claimed else (MessageState.QUEUED,)
    if message is not None and message.state in undone:
        step.transaction.put(msgspec.structs.replace(message, state=MessageState.FAILED, failure=reason))
        changed(step, message, "failed")


def _advance(step: Step, identity: MessageId, state: MessageState, what: MessageChange) -> None:
    message = step.transaction.get(Message, identity)
    if message is None or message.state in {MessageState.RECEIVED, MessageState.FAILED}:
        return
    if message.state < state:
        step.transaction.put(msgspec.structs.replace(message, state=state))
        changed(step, message, what)


def reported(step: Step, identity: MessageId, *, read: bool) -> None:
    """Note that everybody has, or has read, a message of ours."""
    carrying.drop(step, identity)
    if read:
        _advance(step, identity, MessageState.READ, "read")
    else:
        _advance(step, identity, MessageState.DELIVERED, "delivered")


def changed(step: Step, message: Message, what: MessageChange) -> None:
    """Tell that something about a message changed."""
    step.tell(MessageChanged(chat_id=message.chat_id, message_id=message.message_id, what=what))
