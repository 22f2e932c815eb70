"""Chats as people see them: requests accepted or declined, kept quiet, deleted here."""

from skvoz.base.errors import Conflict, NotFound
from skvoz.base.ids import AccountId
from skvoz.client import (
    complaints,
    composing,
    contacts,
    conversations,
    group_links,
    inboxes,
    introductions,
    leaving,
    messages,
    notices,
    reports,
)
from skvoz.client.commands import (
    AcceptRequest,
    Answer,
    ArchiveChat,
    BlockContact,
    DeclineRequest,
    DeleteChat,
    KeepDraft,
    MuteChat,
    PinChat,
)
from skvoz.client.events import ChatChange, ChatChanged
from skvoz.client.records import Conversation, ConversationKind, Message, Unread
from skvoz.client.step import Step


def _chat(step: Step, chat_id: bytes) -> list[Conversation]:
    found = step.transaction.select(Conversation, chat_id=chat_id)
    if not found:
        raise NotFound("there is no such chat")
    return found


def _requests(step: Step, chat_id: bytes) -> list[Conversation]:
    found = [one for one in _chat(step, chat_id) if one.is_request and not one.hidden]
    if not found:
        raise NotFound("there is no such request")
    return found


def accept(step: Step, command: AcceptRequest) -> Answer:
    """Let a stranger be a contact, or take part in a group that one was invited to."""
    for conversation in _requests(step, command.chat_id):
        accept_one(step, conversation)
    return Answer(chat_id=command.chat_id)


def accept_from(step: Step, account_id: AccountId) -> None:
    """Accept what somebody had asked before we turned to them ourselves."""
    for conversation in step.transaction.select(Conversation, chat_id=account_id):
        if conversation.is_request:
            accept_one(step, conversation)


def accept_one(step: Step, conversation: Conversation) -> None:
    """Accept one request: from now on reports are sent, and who we are is told."""
    changed = step.change(conversation.group_id, is_request=False, hidden=False)
    changed = conversations.let_in(step, changed)
    if changed.kind is ConversationKind.DIRECT:
        contacts.accept(step, AccountId(changed.chat_id))
    for unread in step.transaction.select(Unread, group_id=changed.group_id):
        reports.due(step, changed, unread.message_id)
    if changed.state in composing.WRITABLE:
        introductions.introduce(step, changed)
    _tell(step, changed, "accepted")


def decline(step: Step, command: DeclineRequest) -> Answer:
    """Leave a request without a word, and forget it."""
    for conversation in _requests(step, command.chat_id):
        leaving.forget(step, conversation.group_id)
        _hide(step, conversation)
        if conversation.kind is ConversationKind.DIRECT:
            contacts.decline(step, AccountId(conversation.chat_id))
    return Answer(chat_id=command.chat_id)


def block(step: Step, command: BlockContact) -> Answer:
    """Take nothing more from a person, or take it again; who was a contact knows our inbox, so it moves."""
    account_id = command.account_id
    was_accepted = contacts.is_accepted(step, account_id)
    answer = contacts.block(step, command)
    is_accepted = contacts.is_accepted(step, account_id)
    if was_accepted and not is_accepted:
        inboxes.replace_for_contacts(step)
        introductions.introduce_to_contacts(step)
    elif is_accepted and not was_accepted:
        introductions.introduce_to_contacts(step, account_id)
    return answer


def mute(step: Step, command: MuteChat) -> Answer:
    """Keep a chat quiet, or not."""
    for conversation in _chat(step, command.chat_id):
        if conversation.muted != command.muted:
            _tell(step, step.change(conversation.group_id, muted=command.muted), "muted")
    return Answer(chat_id=command.chat_id)


def pin(step: Step, command: PinChat) -> Answer:
    """Put a chat on top of the list, or not."""
    for conversation in _chat(step, command.chat_id):
        if (conversation.pinned_ms is not None) != command.pinned:
            pinned_ms = step.now_ms if command.pinned else None
            _tell(step, step.change(conversation.group_id, pinned_ms=pinned_ms), "pinned")
    return Answer(chat_id=command.chat_id)


def archive(step: Step, command: ArchiveChat) -> Answer:
    """Keep a chat out of the list, or not."""
    for conversation in _chat(step, command.chat_id):
        if conversation.archived != command.archived:
            _tell(step, step.change(conversation.group_id, archived=command.archived), "archived")
    return Answer(chat_id=command.chat_id)


def keep_draft(step: Step, command: KeepDraft) -> Answer:
    """Keep what was begun in a chat; no event tells of it, since it changes with every few letters."""
    reply_to = command.reply_to if command.text else None
    for conversation in _chat(step, command.chat_id):
        step.change(conversation.group_id, draft=command.text, draft_reply_to=reply_to)
    return Answer(chat_id=command.chat_id)


def delete(step: Step, command: DeleteChat) -> Answer:
    """Forget the messages of a chat here; raise `Conflict` for a group that was not left."""
    found = _chat(step, command.chat_id)
    for conversation in found:
        if conversation.kind is ConversationKind.GROUP and conversation.state in composing.WRITABLE:
            raise Conflict("leave the group before you delete it")
    for conversation in found:
        _hide(step, conversation)
    return Answer(chat_id=command.chat_id)


def _hide(step: Step, conversation: Conversation) -> None:
    for message in step.transaction.select(Message, group_id=conversation.group_id):
        messages.remove(step, message)
    complaints.forget_of(step, conversation.group_id)
    notices.forget_of(step, conversation)
    group_links.forget_of(step, conversation.group_id)
    forgotten = step.change(
        conversation.group_id,
        hidden=True,
        unread=0,
        pinned_ms=None,
        archived=False,
        draft="",
        draft_reply_to=None,
    )
    _tell(step, forgotten, "deleted")


def _tell(step: Step, conversation: Conversation, what: ChatChange) -> None:
    step.tell(ChatChanged(chat_id=conversation.chat_id, group_id=conversation.group_id, what=what))
