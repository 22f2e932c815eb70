"""What this home's person says: commands about messages become content, shown at once and sent as intents."""

from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from skvoz.base.errors import BadRequest, Conflict, NotAllowed, NotFound
from skvoz.base.ids import MessageId
from skvoz.client import changes, chosen_files, files, gaps, messages, outbox, pins, polls, reports
from skvoz.client.commands import (
    Answer,
    AskPoll,
    CommandBase,
    DeleteMessage,
    EditMessage,
    EndPoll,
    MarkRead,
    MentionSpan,
    PinMessage,
    React,
    SendLocation,
    SendMessage,
    VoteInPoll,
)
from skvoz.client.events import ChatChanged, MessageQueued
from skvoz.client.records import (
    Conversation,
    ConversationKind,
    ConversationState,
    File,
    Message,
    MessageState,
    Participant,
    ReactionGiven,
    Unread,
)
from skvoz.client.step import Step
from skvoz.content import (
    Action,
    ClosePoll,
    Delete,
    Edit,
    Expiration,
    Location,
    Mention,
    Pin,
    Poll,
    Reaction,
    Text,
    Unreact,
    Vote,
    account_uri,
    encode,
    location_text,
    message_id,
    poll_text,
    room_uri,
    to_content,
)

TEXT_CHARACTERS_MAX: Final = 4_096
WRITABLE: Final = (
    ConversationState.CREATING,
    ConversationState.ACTIVE,
    ConversationState.LOST,
    ConversationState.FROZEN,
)


def command(step: Step, wished: CommandBase) -> Answer | None:
    """Do what a command asks for; None where it is about something else. Raises `CallerError`."""
    match wished:
        case SendMessage():
            return send(step, wished)
        case SendLocation():
            return send_location(step, wished)
        case AskPoll():
            return ask_poll(step, wished)
        case VoteInPoll():
            return vote(step, wished)
        case EndPoll():
            return end_poll(step, wished)
        case EditMessage():
            return edit(step, wished)
        case DeleteMessage():
            return delete(step, wished)
        case React():
            return react(step, wished)
        case PinMessage():
            return pin(step, wished)
        case MarkRead():
            return mark_read(step, wished)
        case _:
            return None


def writable(step: Step, chat_id: bytes) -> Conversation:
    """Return the conversation of a chat that is written to: of several that go on, the lowest group id."""
    found = step.transaction.select(Conversation, chat_id=chat_id)
    if not found:
        raise NotFound("there is no such chat")
    going_on = [one for one in found if one.state in WRITABLE]
    if not going_on and not any(one.state is ConversationState.HELD for one in found):
        raise Conflict("this chat is over")
    accepted = [one for one in going_on if not one.is_request]
    if not accepted:
        raise Conflict("accept the request before you answer")
    return min(accepted, key=lambda one: _order(step, one))


def _order(step: Step, conversation: Conversation) -> tuple[bool, bool, bytes]:
    """Two people with two conversations choose the same one, unless it can't reach the other side now."""
    alone = conversation.kind is ConversationKind.DIRECT and not step.transaction.get(
        Participant, conversation.group_id, conversation.chat_id
    )
    stuck = conversation.state in {ConversationState.LOST, ConversationState.FROZEN}
    return alone, stuck, conversation.group_id


def send(step: Step, command: SendMessage) -> Answer:
    """Write to a chat."""
    conversation = writable(step, command.chat_id)
    return Answer(
        chat_id=command.chat_id,
        message_id=send_text(
            step,
            conversation,
            command.text,
            reply_to=command.reply_to,
            mentions=command.mentions,
            chosen=chosen_files.chosen(step, conversation, command.files),
            forwarded=command.forwarded,
        ),
    )


def send_text(
    step: Step,
    conversation: Conversation,
    text: str,
    *,
    reply_to: MessageId | None = None,
    mentions: tuple[MentionSpan, ...] = (),
    chosen: Sequence[File] = (),
    forwarded: bool = False,
) -> MessageId:
    """Show a text of ours, perhaps with files, and queue it."""
    action = Text(
        text="" if chosen and not text.strip() else _checked(text),
        reply_to=reply_to,
        mentions=_mentions(text, mentions),
        files=tuple(files.said(file) for file in chosen),
        forwarded=forwarded,
    )
    return _queue(step, conversation, action, chosen)


def send_location(step: Step, command: SendLocation) -> Answer:
    """Send a place to a chat."""
    conversation = writable(step, command.chat_id)
    location = Location(
        latitude_e7=command.latitude_e7, longitude_e7=command.longitude_e7, label=command.label.strip()
    )
    action = Text(
        text=location_text(location),
        plain=True,
        location=location,
        reply_to=command.reply_to,
        forwarded=command.forwarded,
    )
    return Answer(chat_id=command.chat_id, message_id=_queue(step, conversation, action))


def ask_poll(step: Step, command: AskPoll) -> Answer:
    """Ask a chat a question with answers to choose from."""
    conversation = writable(step, command.chat_id)
    poll = Poll(
        question=command.question.strip(),
        options=tuple(option.strip() for option in command.options),
        several=command.several,
    )
    action = Text(text=poll_text(poll), plain=True, poll=poll)
    return Answer(chat_id=command.chat_id, message_id=_queue(step, conversation, action))


def vote(step: Step, command: VoteInPoll) -> Answer:
    """Choose answers of a poll, or take a vote back."""
    message = _message(step, command.message_id)
    choices = tuple(sorted(set(command.choices)))
    later_than = polls.check_vote(step, message, choices)
    if later_than is not None:
        action = Vote(target=message.message_id, choices=choices)
        _change(step, _conversation_of(step, message), action, after_ms=later_than)
    return Answer(chat_id=message.chat_id, message_id=message.message_id)


def end_poll(step: Step, command: EndPoll) -> Answer:
    """Take no more votes in a poll of one's own."""
    message = _message(step, command.message_id)
    if polls.check_close(step, message):
        _change(step, _conversation_of(step, message), ClosePoll(target=message.message_id))
    return Answer(chat_id=message.chat_id, message_id=message.message_id)


def _queue(step: Step, conversation: Conversation, action: Text, chosen: Sequence[File] = ()) -> MessageId:
    """Show a message of ours, which disappears as the chat has it, and queue it."""
    expiry_s = conversation.message_expiry_s
    action = replace(action, expires=Expiration(relative=True, time_s=expiry_s) if expiry_s else None)
    # A report would wait with the files, so it doesn't ride along.
    body, identity = _content(step, conversation, action, with_report=not chosen)
    message = messages.message_of(
        conversation,
        step.account().account_id,
        identity,
        action,
        sequence=step.transaction.next_number("message"),
        sent_ms=step.now_ms,
        now_ms=step.now_ms,
        state=MessageState.QUEUED,
    )
    step.transaction.put(message)
    messages.expire_later(step, message)
    step.change(conversation.group_id, last_activity_ms=step.now_ms, hidden=False)
    step.tell(MessageQueued(chat_id=message.chat_id, message_id=identity, sequence=message.sequence))
    if chosen:
        files.hold(step, message, body, chosen)
        return identity
    gaps.said(step, conversation, identity)
    outbox.enqueue(step, conversation.group_id, body, identity)
    return identity


def _content(
    step: Step, conversation: Conversation, action: Action, *, after_ms: int = 0, with_report: bool = True
) -> tuple[bytes, MessageId]:
    """Return the content that says an action now, in any case later than `after_ms`, and its message id."""
    with_report = with_report and conversation.kind is not ConversationKind.SELF
    report = reports.take(step, conversation) if with_report else None
    content = to_content(
        action,
        salt=step.randomness(16),
        sent_at_ms=max(step.now_ms, after_ms + 1),
        last_seen=gaps.named(step, conversation),
        report=report,
    )
    body = encode(content)
    own = account_uri(step.account().account_id)
    return body, message_id(own, room_uri(conversation.group_id), body)


def _checked(text: str) -> str:
    if not text.strip() or len(text) > TEXT_CHARACTERS_MAX:
        raise BadRequest("a message has 1 to 4,096 characters")
    return text


def _mentions(text: str, spans: tuple[MentionSpan, ...]) -> tuple[Mention, ...]:
    for span in spans:
        if span.start < 0 or span.length < 1 or span.start + span.length > len(text):
            raise BadRequest("a mention points outside of the text")
    return tuple(Mention(account_id=span.account_id, start=span.start, length=span.length) for span in spans)


def edit(step: Step, command: EditMessage) -> Answer:
    """Put another text in place of one's own message's."""
    message, conversation = _own(step, command.message_id)
    action = Edit(
        replaces=message.message_id,
        text=_checked(command.text),
        mentions=_mentions(command.text, command.mentions),
    )
    _change(step, conversation, action, after_ms=message.edited_ms or 0)
    return Answer(chat_id=message.chat_id, message_id=message.message_id)


def delete(step: Step, command: DeleteMessage) -> Answer:
    """Delete a message for everybody, or only here."""
    message = _message(step, command.message_id)
    answer = Answer(chat_id=message.chat_id, message_id=message.message_id)
    unsent = files.is_held(step, message.message_id)
    if unsent:
        files.drop_of(step, message, everywhere=True)
    if unsent or not command.for_everyone:
        messages.remove(step, message)
        messages.changed(step, message, "deleted")
        return answer
    own = step.account().account_id
    conversation = _conversation_of(step, message)
    member = step.transaction.get(Participant, conversation.group_id, own)
    is_admin = conversation.kind is ConversationKind.GROUP and member is not None and member.admin
    if message.author != own and not is_admin:
        raise NotAllowed("only the author or an admin deletes a message for everybody")
    _change(step, conversation, Delete(replaces=message.message_id))
    return answer


def react(step: Step, command: React) -> Answer:
    """Put an emoji on a message, or take it off."""
    message = _message(step, command.message_id)
    own = step.account().account_id
    conversation = _conversation_of(step, message)
    present = own in message.reactions.get(command.emoji, ())
    answer = Answer(chat_id=message.chat_id, message_id=message.message_id)
    if command.present == present:
        return answer
    if command.present:
        if sum(own in others for others in message.reactions.values()) >= changes.REACTIONS_MAX:
            raise Conflict("a message takes eight reactions of one person")
        _change(step, conversation, Reaction(target=message.message_id, emoji=command.emoji))
        return answer
    for given in step.transaction.select(ReactionGiven, message_id=message.message_id):
        if given.account_id == own and given.emoji == command.emoji:
            _change(step, conversation, Unreact(replaces=given.reaction_id))
    return answer


def pin(step: Step, command: PinMessage) -> Answer:
    """Keep a message at hand for everybody in its chat, or not any more."""
    message = _message(step, command.message_id)
    conversation = _conversation_of(step, message)
    later_than = pins.check(step, conversation, message, pinned=command.pinned)
    if later_than is not None:
        action = Pin(target=message.message_id, pinned=command.pinned)
        _change(step, conversation, action, after_ms=later_than)
    return Answer(chat_id=message.chat_id, message_id=message.message_id)


def _change(step: Step, conversation: Conversation, action: Action, *, after_ms: int = 0) -> None:
    if conversation.is_request:
        raise Conflict("accept the request before you answer")
    body, identity = _content(step, conversation, action, after_ms=after_ms)
    gaps.said(step, conversation, identity)
    changes.apply_own(step, conversation, body)
    outbox.enqueue(step, conversation.group_id, body, None)


def mark_read(step: Step, command: MarkRead) -> Answer:
    """Note that everything up to a message was read, and report it where reports are sent."""
    upto = _message(step, command.message_id)
    if upto.chat_id != command.chat_id:
        raise NotFound("there is no such message in this chat")
    for conversation in step.transaction.select(Conversation, chat_id=command.chat_id):
        if upto.sequence <= conversation.read_sequence:
            continue
        unread = step.transaction.select(Unread, group_id=conversation.group_id)
        read = [one for one in unread if one.sequence <= upto.sequence]
        for one in read:
            step.transaction.delete(Unread, *one.key_values())
            reports.due(step, conversation, one.message_id, is_read=True)
        step.change(conversation.group_id, read_sequence=upto.sequence, unread=len(unread) - len(read))
        step.tell(ChatChanged(chat_id=command.chat_id, group_id=conversation.group_id, what="read"))
    return Answer(chat_id=command.chat_id)


def _message(step: Step, identity: MessageId) -> Message:
    message = step.transaction.get(Message, identity)
    if message is None:
        raise NotFound("there is no such message")
    return message


def _own(step: Step, identity: MessageId) -> tuple[Message, Conversation]:
    message = _message(step, identity)
    if message.author != step.account().account_id:
        raise NotAllowed("only the author edits a message")
    if not messages.is_editable(message):
        raise Conflict("this message can't be edited")
    return message, _conversation_of(step, message)


def _conversation_of(step: Step, message: Message) -> Conversation:
    """Return where changes of a message are said: where it was, or where its chat goes on."""
    conversation = step.conversation(message.group_id)
    return conversation if conversation.state in WRITABLE else writable(step, message.chat_id)
