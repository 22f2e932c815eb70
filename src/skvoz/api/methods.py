"""The table of all methods, `noun.verb`: wishes that change something, and questions.

A wish's parameters are the fields of a `skvoz.client.commands` struct, its result an `Answer`.
A question has a parameter struct here and a function over the stored records.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from skvoz.api.params import (
    ChatParams,
    ContactParams,
    EventPageParams,
    MessagePageParams,
    MessageParams,
    NoParams,
    Params,
    SearchParams,
)
from skvoz.api.showing import account_view, chat_view, contact_view, link_view, message_view, shown_name
from skvoz.api.views import (
    AccountView,
    ChatListView,
    ChatView,
    ContactListView,
    ContactView,
    EventPageView,
    EventView,
    LinkListView,
    MemberListView,
    MemberView,
    MessagePageView,
    MessageView,
    PhraseView,
    SafetyNumberView,
)
from skvoz.base.errors import NotFound
from skvoz.client import commands
from skvoz.client.links import link_of
from skvoz.client.records import Account, LoggedEvent, Message
from skvoz.client.recovery_phrase import phrase_of
from skvoz.client.safety_numbers import grouped, safety_number
from skvoz.store.queries import Chat, Queries

COMMANDS: Final[dict[str, type[commands.Command]]] = {
    "account.create": commands.CreateAccount,
    "account.confirm_phrase": commands.ConfirmRecoveryPhrase,
    "account.change": commands.ChangeProfile,
    "link.create": commands.CreateLink,
    "link.revoke": commands.RevokeLink,
    "link.accept": commands.AcceptLink,
    "chat.accept": commands.AcceptRequest,
    "chat.decline": commands.DeclineRequest,
    "chat.read": commands.MarkRead,
    "chat.mute": commands.MuteChat,
    "chat.set_expiry": commands.SetMessageExpiry,
    "chat.delete": commands.DeleteChat,
    "contact.block": commands.BlockContact,
    "contact.rename": commands.RenameContact,
    "contact.verify": commands.VerifyContact,
    "group.create": commands.CreateGroup,
    "group.add": commands.AddMembers,
    "group.remove": commands.RemoveMember,
    "group.rename": commands.RenameGroup,
    "group.set_role": commands.SetRole,
    "group.leave": commands.LeaveGroup,
    "message.send": commands.SendMessage,
    "message.edit": commands.EditMessage,
    "message.delete": commands.DeleteMessage,
    "message.react": commands.React,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A method that changes nothing."""

    params: type[Params]
    result: type[msgspec.Struct]
    read: Callable[[Queries, Any], msgspec.Struct]


def _account(queries: Queries) -> Account:
    account = queries.account()
    if account is None:
        raise NotFound("this home has no account yet")
    return account


def _shown(queries: Queries, message: Message, query: str = "") -> MessageView:
    return message_view(message, _account(queries), queries.contact(message.author), query)


def _shown_chat(queries: Queries, chat: Chat) -> ChatView:
    last = chat.last_message
    return chat_view(chat, _account(queries), None if last is None else queries.contact(last.author))


def account_get(queries: Queries, _: NoParams) -> AccountView:
    """Return the person whose home this is."""
    return account_view(_account(queries))


def chat_list(queries: Queries, _: NoParams) -> ChatListView:
    """Return all chats, the latest first."""
    return ChatListView(chats=tuple(_shown_chat(queries, chat) for chat in queries.chats()))


def chat_get(queries: Queries, params: ChatParams) -> ChatView:
    """Return one chat."""
    chat = queries.chat(params.chat_id)
    if chat is None:
        raise NotFound("there is no such chat")
    return _shown_chat(queries, chat)


def account_phrase(queries: Queries, _: NoParams) -> PhraseView:
    """Return the recovery phrase, until it has been confirmed."""
    root_private_key = _account(queries).root_private_key
    if root_private_key is None:
        raise NotFound("the phrase was confirmed, and is not here any more")
    return PhraseView(phrase=phrase_of(root_private_key))


def chat_members(queries: Queries, params: ChatParams) -> MemberListView:
    """Return who is in a chat."""
    own = _account(queries)
    chat = queries.chat(params.chat_id)
    if chat is None:
        raise NotFound("there is no such chat")
    return MemberListView(
        members=tuple(
            MemberView(
                account_id=account_id,
                name=own.name if account_id == own.account_id else shown_name(queries.contact(account_id)),
                admin=admin,
                own=account_id == own.account_id,
            )
            for account_id, admin in queries.members(chat.main.group_id)
        )
    )


def contact_safety_number(queries: Queries, params: ContactParams) -> SafetyNumberView:
    """Return the digits to compare with a person."""
    contact = queries.contact(params.account_id)
    if contact is None:
        raise NotFound("there is no such contact")
    digits = safety_number(_account(queries).root_public_key, contact.root_public_key)
    return SafetyNumberView(digits=grouped(digits), verified=contact.verified_ms is not None)


def link_list(queries: Queries, _: NoParams) -> LinkListView:
    """Return links that were made and not revoked."""
    own = _account(queries)
    found = [
        link_view(inbox, link_of(inbox, relay, own.account_id).encode()) for inbox, relay in queries.links()
    ]
    return LinkListView(links=tuple(found))


def contact_list(queries: Queries, _: NoParams) -> ContactListView:
    """Return people by name."""
    return ContactListView(contacts=tuple(map(contact_view, queries.contacts())))


def contact_get(queries: Queries, params: ContactParams) -> ContactView:
    """Return one person."""
    contact = queries.contact(params.account_id)
    if contact is None:
        raise NotFound("there is no such contact")
    return contact_view(contact)


def message_get(queries: Queries, params: MessageParams) -> MessageView:
    """Return one message."""
    message = queries.message(params.message_id)
    if message is None:
        raise NotFound("there is no such message")
    return _shown(queries, message)


def _page(messages: list[MessageView], limit: int) -> MessagePageView:
    more = len(messages) >= max(limit, 1)
    return MessagePageView(messages=tuple(messages), next_before=messages[-1].sequence if more else None)


def message_list(queries: Queries, params: MessagePageParams) -> MessagePageView:
    """Return a page of a chat, the latest first."""
    found = queries.messages(params.chat_id, before=params.before, limit=max(params.limit, 1))
    return _page([_shown(queries, message) for message in found], params.limit)


def message_search(queries: Queries, params: SearchParams) -> MessagePageView:
    """Return messages with all the words, the latest first."""
    found = queries.search(
        params.text, chat_id=params.chat_id, before=params.before, limit=max(params.limit, 1)
    )
    return _page([_shown(queries, message, params.text) for message in found], params.limit)


def event_view(event: LoggedEvent) -> EventView:
    """Show an event; its body is MessagePack of a `skvoz.client.events` struct."""
    data = msgspec.json.encode(msgspec.msgpack.decode(event.body))
    return EventView(
        sequence=event.sequence, kind=event.kind, data=msgspec.Raw(data), created_ms=event.created_ms
    )


def event_list(queries: Queries, params: EventPageParams) -> EventPageView:
    """Return events after a sequence, in order."""
    found = queries.events(after=params.after, limit=max(params.limit, 1))
    return EventPageView(
        events=tuple(map(event_view, found)),
        last_sequence=found[-1].sequence if found else max(params.after, 0),
    )


QUESTIONS: Final[dict[str, Question]] = {
    "account.get": Question(params=NoParams, result=AccountView, read=account_get),
    "account.phrase": Question(params=NoParams, result=PhraseView, read=account_phrase),
    "chat.members": Question(params=ChatParams, result=MemberListView, read=chat_members),
    "contact.safety_number": Question(
        params=ContactParams, result=SafetyNumberView, read=contact_safety_number
    ),
    "link.list": Question(params=NoParams, result=LinkListView, read=link_list),
    "chat.list": Question(params=NoParams, result=ChatListView, read=chat_list),
    "chat.get": Question(params=ChatParams, result=ChatView, read=chat_get),
    "contact.list": Question(params=NoParams, result=ContactListView, read=contact_list),
    "contact.get": Question(params=ContactParams, result=ContactView, read=contact_get),
    "message.get": Question(params=MessageParams, result=MessageView, read=message_get),
    "message.list": Question(params=MessagePageParams, result=MessagePageView, read=message_list),
    "message.search": Question(params=SearchParams, result=MessagePageView, read=message_search),
    "event.list": Question(params=EventPageParams, result=EventPageView, read=event_list),
}
