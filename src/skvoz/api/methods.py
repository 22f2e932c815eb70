"""The table of all methods, `noun.verb`: wishes that change something, and questions.

A wish's parameters are the fields of a `skvoz.client.commands` struct, its result an `Answer`.
A question has a parameter struct and a function over the stored records. The few others are about the node
itself and are answered by `skvoz.api.service`.
"""

import inspect
from typing import Final

import msgspec

from skvoz.api import (
    attaching,
    beginning,
    bots,
    checkups,
    comparing,
    drops,
    folders,
    group_links,
    locations,
    looking_after,
    notices,
    pins,
    polls,
    proxies,
    receipts,
    showing,
    storage,
    views,
)
from skvoz.api import params as asked
from skvoz.api.acts import ACTS
from skvoz.api.lookups import known_chat, known_contact, known_file, known_link, known_message, own_account
from skvoz.api.question import Method, Question
from skvoz.api.shown_messages import shown
from skvoz.base.errors import BadRequest, NotFound
from skvoz.base.value import Value
from skvoz.client import commands
from skvoz.client.links import link_of
from skvoz.client.records import Account, Inbox, LoggedEvent, Message, Relay
from skvoz.client.recovery_phrase import phrase_of
from skvoz.store.queries import Chat, ChatPlace, Queries

COMMANDS: Final[dict[str, type[commands.Command]]] = {
    "account.create": commands.CreateAccount,
    "account.confirm_phrase": commands.ConfirmRecoveryPhrase,
    "account.change": commands.ChangeProfile,
    "folder.keep": commands.KeepFolders,
    "link.create": commands.CreateLink,
    "link.revoke": commands.RevokeLink,
    "link.accept": commands.AcceptLink,
    "chat.accept": commands.AcceptRequest,
    "chat.decline": commands.DeclineRequest,
    "chat.read": commands.MarkRead,
    "chat.mute": commands.MuteChat,
    "chat.pin": commands.PinChat,
    "chat.archive": commands.ArchiveChat,
    "chat.keep_draft": commands.KeepDraft,
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
    "group.dismiss": commands.DismissComplaints,
    "group.make_link": commands.MakeGroupLink,
    "group.revoke_link": commands.RevokeGroupLink,
    "group.approve": commands.ApproveJoin,
    "group.decline": commands.DeclineJoin,
    "group.open_link": commands.OpenGroupLink,
    "group.ask": commands.AskToJoin,
    "group.cancel": commands.CancelJoining,
    "message.send": commands.SendMessage,
    "message.edit": commands.EditMessage,
    "message.delete": commands.DeleteMessage,
    "message.react": commands.React,
    "message.pin": commands.PinMessage,
    "message.report": commands.ReportMessage,
    "location.send": commands.SendLocation,
    "file.attach": commands.AttachFile,
    "poll.create": commands.AskPoll,
    "poll.vote": commands.VoteInPoll,
    "poll.close": commands.EndPoll,
    "file.fetch": commands.FetchFile,
    "file.pause": commands.PauseFile,
    "file.forget": commands.ForgetFile,
    "bot.create": commands.CreateBot,
    "bot.revoke": commands.RevokeBot,
    "drop.keep": commands.KeepDrop,
    "drop.forget": commands.ForgetDrop,
}


# Account, people, links


def account_get(queries: Queries, _: asked.NoParams) -> views.AccountView:
    """Return the person whose home this is."""
    account = own_account(queries)
    return showing.account_view(account, queries.relay(account.home_relay_id))


def account_phrase(queries: Queries, _: asked.NoParams) -> views.PhraseView:
    """Return the recovery phrase, until it has been confirmed."""
    root_private_key = own_account(queries).root_private_key
    if root_private_key is None:
        raise NotFound("the phrase was confirmed, and is not here any more")
    return views.PhraseView(phrase=phrase_of(root_private_key))


def contact_list(queries: Queries, _: asked.NoParams) -> views.ContactListView:
    """Return people by name."""
    return views.ContactListView(contacts=tuple(map(showing.contact_view, queries.contacts())))


def contact_get(queries: Queries, params: asked.ContactParams) -> views.ContactView:
    """Return one person."""
    return showing.contact_view(known_contact(queries, params.account_id))


def link_list(queries: Queries, _: asked.NoParams) -> views.LinkListView:
    """Return links that were made and not revoked, the latest first."""
    own = own_account(queries)
    return views.LinkListView(links=tuple(_shown_link(own, link) for link in queries.links()))


def link_get(queries: Queries, params: asked.LinkParams) -> views.LinkView:
    """Return one link that was made and not revoked."""
    return _shown_link(own_account(queries), known_link(queries, params.log_id))


def _shown_link(own: Account, link: tuple[Inbox, Relay]) -> views.LinkView:
    inbox, relay = link
    return showing.link_view(inbox, link_of(inbox, relay, own.account_id).encode())


# Chats


def chat_list(queries: Queries, params: asked.ChatPageParams) -> views.ChatListView:
    """Return a page of the chats, the latest first."""
    below = None if params.cursor is None else _place(params.cursor)
    found = queries.chats(below=below, limit=params.limit + 1)
    page = found[: params.limit]
    return views.ChatListView(
        chats=tuple(_shown_chat(queries, chat) for chat in page),
        next_cursor=_cursor(page[-1]) if len(found) > len(page) else None,
    )


def _cursor(chat: Chat) -> str:
    return f"{chat.last_activity_ms}-{chat.chat_id.hex()}"


def _place(cursor: str) -> ChatPlace:
    activity, _, chat_id = cursor.partition("-")
    try:
        return int(activity), bytes.fromhex(chat_id)
    except ValueError:
        raise BadRequest("this cursor is not of an earlier page") from None


def chat_get(queries: Queries, params: asked.ChatParams) -> views.ChatView:
    """Return one chat."""
    return _shown_chat(queries, known_chat(queries, params.chat_id))


def _shown_chat(queries: Queries, chat: Chat) -> views.ChatView:
    last = chat.last_message
    return showing.chat_view(
        chat, own_account(queries), None if last is None else queries.contact(last.author)
    )


def chat_members(queries: Queries, params: asked.ChatParams) -> views.MemberListView:
    """Return who is in a chat: admins first, then by name."""
    own = own_account(queries)
    chat = known_chat(queries, params.chat_id)
    members = [
        showing.member_view(account_id, own, queries.contact(account_id), admin=admin)
        for account_id, admin in queries.members(chat.main.group_id)
    ]
    members.sort(key=lambda member: (not member.admin, member.name.lower(), member.account_id))
    return views.MemberListView(members=tuple(members))


def chat_gaps(queries: Queries, params: asked.ChatParams) -> views.GapListView:
    """Return the messages that may be missing in a chat."""
    chat = known_chat(queries, params.chat_id)
    gaps = [gap for conversation in chat.conversations for gap in queries.gaps(conversation)]
    gaps.sort(key=lambda gap: (gap.noticed_ms, gap.message_id))
    return views.GapListView(
        gaps=tuple(views.GapView(message_id=gap.message_id, noticed_ms=gap.noticed_ms) for gap in gaps)
    )


# Messages


def message_get(queries: Queries, params: asked.MessageParams) -> views.MessageView:
    """Return one message."""
    return shown(queries, known_message(queries, params.message_id))


def message_list(queries: Queries, params: asked.MessagePageParams) -> views.MessagePageView:
    """Return a page of a chat, the latest first."""
    found = _page_of(queries, params)
    chat_id, before, after = params.chat_id, None, None
    if found:
        newest, oldest = found[0].sequence, found[-1].sequence
        before = oldest if queries.messages(chat_id, before=oldest, limit=1) else None
        after = newest if queries.messages_after(chat_id, after=newest, limit=1) else None
    return views.MessagePageView(
        messages=tuple(shown(queries, message) for message in found), next_before=before, next_after=after
    )


def _page_of(queries: Queries, params: asked.MessagePageParams) -> list[Message]:
    """Return the messages of a page, the latest first; raise `BadRequest` for two places at once."""
    places = [place for place in (params.before, params.after, params.around) if place is not None]
    if len(places) > 1:
        raise BadRequest("a page is before, after or around a message, and not two of these")
    chat_id, limit = params.chat_id, params.limit
    if params.after is not None:
        return queries.messages_after(chat_id, after=params.after, limit=limit)[::-1]
    if params.around is not None:
        older = queries.messages(chat_id, before=params.around, limit=limit // 2)
        newer = queries.messages_after(chat_id, after=params.around - 1, limit=limit - len(older))
        return newer[::-1] + older
    return queries.messages(chat_id, before=params.before, limit=limit)


def message_search(queries: Queries, params: asked.SearchParams) -> views.FoundPageView:
    """Return messages with all the words, the latest first; none for no words."""
    text, chat_id, limit = params.text, params.chat_id, params.limit
    if params.after is not None:
        if params.before is not None:
            raise BadRequest("a page is before or after a message, and not both")
        page = queries.search_after(text, chat_id=chat_id, after=params.after, limit=limit)[::-1]
        more = bool(page) and bool(queries.search(text, chat_id=chat_id, before=page[-1].sequence, limit=1))
    else:
        found = queries.search(text, chat_id=chat_id, before=params.before, limit=limit + 1)
        page, more = found[:limit], len(found) > limit
    return views.FoundPageView(
        messages=tuple(shown(queries, message, text) for message in page),
        next_before=page[-1].sequence if more else None,
    )


def file_get(queries: Queries, params: asked.FileParams) -> views.FileView:
    """Return one file of a message, or one that was put here and not sent yet."""
    return showing.file_view(known_file(queries, params.file_id))


# Events, and the node itself


def event_view(event: LoggedEvent) -> views.EventView:
    """Show an event; its body is MessagePack of a `skvoz.client.events` struct."""
    data = msgspec.json.encode(msgspec.msgpack.decode(event.body))
    return views.EventView(
        sequence=event.sequence, kind=event.kind, data=msgspec.Raw(data), created_ms=event.created_ms
    )


def event_list(queries: Queries, params: asked.EventPageParams) -> views.EventPageView:
    """Return events after a sequence, in order; raise `NotFound` where some of them are not kept any more."""
    if not queries.keeps_events_after(params.after):
        raise NotFound("events that old are not kept any more: read everything anew, then listen")
    found, through = queries.event_page(after=params.after, limit=params.limit)
    return views.EventPageView(events=tuple(map(event_view, found)), last_sequence=through)


class StoredStatus(Value, frozen=True, kw_only=True):
    """The part of a node's status that its records know."""

    has_account: bool
    unsent: int
    dropped: dict[str, int]


def stored_status(queries: Queries) -> StoredStatus:
    """Return the part of a node's status that its records know."""
    return StoredStatus(
        has_account=queries.account() is not None,
        unsent=queries.unsent(),
        dropped=queries.dropped(),
    )


QUESTIONS: Final[dict[str, Question]] = {
    "account.get": Question(params=asked.NoParams, result=views.AccountView, read=account_get),
    "account.phrase": Question(params=asked.NoParams, result=views.PhraseView, read=account_phrase),
    "contact.list": Question(params=asked.NoParams, result=views.ContactListView, read=contact_list),
    "contact.get": Question(params=asked.ContactParams, result=views.ContactView, read=contact_get),
    "link.list": Question(params=asked.NoParams, result=views.LinkListView, read=link_list),
    "link.get": Question(params=asked.LinkParams, result=views.LinkView, read=link_get),
    "chat.list": Question(params=asked.ChatPageParams, result=views.ChatListView, read=chat_list),
    "chat.get": Question(params=asked.ChatParams, result=views.ChatView, read=chat_get),
    "chat.members": Question(params=asked.ChatParams, result=views.MemberListView, read=chat_members),
    "chat.gaps": Question(params=asked.ChatParams, result=views.GapListView, read=chat_gaps),
    "message.get": Question(params=asked.MessageParams, result=views.MessageView, read=message_get),
    "message.list": Question(params=asked.MessagePageParams, result=views.MessagePageView, read=message_list),
    "message.search": Question(params=asked.SearchParams, result=views.FoundPageView, read=message_search),
    "file.get": Question(params=asked.FileParams, result=views.FileView, read=file_get),
    "event.list": Question(params=asked.EventPageParams, result=views.EventPageView, read=event_list),
    **attaching.QUESTIONS,
    **beginning.QUESTIONS,
    **comparing.QUESTIONS,
    **bots.QUESTIONS,
    **drops.QUESTIONS,
    **group_links.QUESTIONS,
    **looking_after.QUESTIONS,
    **receipts.QUESTIONS,
    **locations.QUESTIONS,
    **notices.QUESTIONS,
    **pins.QUESTIONS,
    **storage.QUESTIONS,
    **polls.QUESTIONS,
    **folders.QUESTIONS,
}


def about(documented: object) -> str:
    """Return what a docstring says."""
    return inspect.cleandoc(documented.__doc__ or "")


METHODS: Final[dict[str, Method]] = {
    **{
        name: Method(params=command, result=commands.Answer, about=about(command), changes=True)
        for name, command in COMMANDS.items()
    },
    **{
        name: Method(params=question.params, result=question.result, about=about(question.read))
        for name, question in QUESTIONS.items()
    },
    "node.status": Method(
        params=asked.NoParams, result=views.StatusView, about="Return how the node and its relays are."
    ),
    "node.page": Method(
        params=asked.NoParams, result=views.PageView, about="Return an address that opens the page once."
    ),
    **ACTS,
    **checkups.METHODS,
    drops.DROP_LIST: drops.LIST_METHOD,
    **proxies.METHODS,
    "file.address": Method(
        params=asked.FileParams,
        result=views.FileAddressView,
        about="Return a path to a file's bytes for where a page can send no token, as for a film.",
    ),
    "file.progress": Method(
        params=asked.NoParams,
        result=views.ProgressView,
        about="Return how far files have come that move; subscribers are told so too, as `progress`.",
    ),
    "event.subscribe": Method(
        params=asked.Subscribe,
        result=views.SubscriptionView,
        about="Have every event after a sequence told on this WebSocket, in order; replaces an earlier wish.",
    ),
}
"""All methods by name."""
