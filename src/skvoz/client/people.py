"""The door to everything that is about people and not about one room: account, links, contacts, messages."""

import msgspec

from skvoz.base.errors import Conflict, NotFound
from skvoz.base.ids import GroupId, LogId, MessageId
from skvoz.client import (
    account,
    cards_sent,
    composing,
    contacts,
    conversations,
    first_contact,
    inboxes,
    invitations,
    messages,
    reports,
)
from skvoz.client.commands import (
    AcceptLink,
    AcceptRequest,
    Answer,
    BlockContact,
    ChangeProfile,
    Command,
    ConfirmRecoveryPhrase,
    CreateAccount,
    CreateLink,
    DeclineRequest,
    DeleteChat,
    DeleteMessage,
    EditMessage,
    MarkRead,
    MuteChat,
    React,
    RenameContact,
    RevokeLink,
    SendMessage,
    VerifyContact,
)
from skvoz.client.events import ChatChanged
from skvoz.client.inputs import (
    EntriesRead,
    EntryRefused,
    EntryStored,
    Input,
    LogOpened,
    RelayConnected,
    Taken,
    TakeRefused,
)
from skvoz.client.records import Account, Conversation, Inbox, Relay
from skvoz.client.step import Step


def command(step: Step, wished: Command) -> Answer:
    """Do what a command asks for; raise a `CallerError`."""
    match wished:
        case CreateAccount():
            return account.create(step, wished)
        case ConfirmRecoveryPhrase():
            return account.confirm_phrase(step, wished)
        case ChangeProfile():
            return account.change_profile(step, wished)
        case CreateLink():
            return inboxes.create_link(step, wished)
        case RevokeLink():
            return inboxes.revoke_link(step, wished)
        case AcceptLink():
            return first_contact.accept_link(step, wished)
        case AcceptRequest() | DeclineRequest():
            return _answer_request(step, wished)
        case BlockContact():
            contacts.block(step, wished)
            return Answer(account_id=wished.account_id)
        case RenameContact():
            contacts.rename(step, wished)
            return Answer(account_id=wished.account_id)
        case VerifyContact():
            contacts.verify(step, wished)
            return Answer(account_id=wished.account_id)
        case MuteChat():
            return _mute(step, wished)
        case DeleteChat():
            return composing.forget_chat(step, wished.chat_id)
        case SendMessage():
            return composing.send(step, wished)
        case EditMessage():
            return composing.edit(step, wished)
        case DeleteMessage():
            return composing.delete(step, wished)
        case React():
            return composing.react(step, wished)
        case MarkRead():
            return composing.mark_read(step, wished)
        case _:
            raise AssertionError("commands about groups go to `groups`")


def started(step: Step) -> None:
    """Take up everything about people that is unfinished."""
    if step.transaction.get(Account, 0) is None:
        return
    inboxes.started(step)
    invitations.started(step)
    first_contact.started(step)


def handle_input(step: Step, fact: Input) -> None:
    """Take a fact that is not about a room of ours."""
    match fact:
        case RelayConnected():
            _learn_relay_key(step, fact)
        case Taken():
            first_contact.taken(step, fact)
        case TakeRefused():
            first_contact.refused(step, fact)
        case EntryStored():
            invitations.stored(step, fact)
        case EntryRefused():
            invitations.refused(step, fact)
        case LogOpened() | EntriesRead():
            inbox = step.transaction.get(Inbox, fact.log_id)
            if inbox is not None and inbox.relay_id == fact.relay_id:
                if isinstance(fact, LogOpened):
                    inboxes.opened(step, inbox)
                else:
                    inboxes.read(step, inbox, fact)
        case _:
            pass


def alarm(step: Step, name: str, subject: bytes) -> None:
    """Do what is due."""
    match name:
        case messages.EXPIRE_ALARM:
            messages.expire(step, MessageId(subject))
        case reports.REPORT_ALARM:
            conversation = step.transaction.get(Conversation, GroupId(subject))
            if conversation is not None:
                reports.send(step, conversation)
        case inboxes.RENEW_ALARM:
            inboxes.renew(step, LogId(subject))
        case invitations.RETRY_ALARM:
            invitations.retry(step, subject)
        case first_contact.RETRY_ALARM:
            first_contact.retry(step, subject)
        case _:
            pass


def _learn_relay_key(step: Step, fact: RelayConnected) -> None:
    relay = step.transaction.get(Relay, fact.relay_id)
    if relay is not None and not relay.public_key and fact.public_key:
        step.transaction.put(msgspec.structs.replace(relay, public_key=fact.public_key))


def _answer_request(step: Step, wished: AcceptRequest | DeclineRequest) -> Answer:
    found = step.transaction.select(Conversation, chat_id=wished.chat_id)
    requests = [conversation for conversation in found if conversation.is_request]
    if not requests:
        raise NotFound("there is no such request")
    for conversation in requests:
        if isinstance(wished, DeclineRequest):
            conversations.forget(step, conversation.group_id)
            composing.forget_messages(step, conversation)
            continue
        changed = step.change(conversation.group_id, is_request=False)
        cards_sent.accept(step, changed)
        step.tell(ChatChanged(chat_id=wished.chat_id, group_id=conversation.group_id, what="accepted"))
    return Answer(chat_id=wished.chat_id)


def _mute(step: Step, wished: MuteChat) -> Answer:
    found = step.transaction.select(Conversation, chat_id=wished.chat_id)
    if not found:
        raise Conflict("there is no such chat")
    for conversation in found:
        step.change(conversation.group_id, muted=wished.muted)
        step.tell(ChatChanged(chat_id=wished.chat_id, group_id=conversation.group_id, what="muted"))
    return Answer(chat_id=wished.chat_id)
