"""What methods answer: values as JSON shows them, and how they are made from records."""

import msgspec

from skvoz.base.ids import AccountId, GroupId, LogId, MessageId
from skvoz.client.records import Account, Contact, ContactState, Inbox, InboxKind, Message, MessageState
from skvoz.store.queries import Chat
from skvoz.store.search import highlights


class View(msgspec.Struct, frozen=True, kw_only=True):
    """The base of all answers; its `repr` tells nothing of what people wrote."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class AccountView(View, frozen=True, kw_only=True):
    """The person whose home this is."""

    account_id: AccountId
    name: str
    phrase_confirmed: bool
    reports_enabled: bool
    created_ms: int


class PhraseView(View, frozen=True, kw_only=True):
    """The recovery phrase, 24 English words."""

    phrase: str


class ContactView(View, frozen=True, kw_only=True):
    """A person; `name` is what to show."""

    account_id: AccountId
    name: str
    card_name: str
    state: str
    verified: bool
    key_changed: bool


class SafetyNumberView(View, frozen=True, kw_only=True):
    """60 digits in groups of five, the same on both sides."""

    digits: str
    verified: bool


class MentionView(View, frozen=True, kw_only=True):
    """Characters `start … start + length` name a person."""

    account_id: AccountId
    start: int
    length: int


class ReactionView(View, frozen=True, kw_only=True):
    """An emoji and who put it there."""

    emoji: str
    account_ids: tuple[bytes, ...]


class MessageView(View, frozen=True, kw_only=True):
    """A message after edits and deletions; `sequence` orders messages in this home."""

    message_id: MessageId
    chat_id: bytes
    sequence: int
    author: AccountId
    author_name: str
    own: bool
    sent_ms: int
    received_ms: int
    state: str
    text: str
    unsupported: str
    reply_to: MessageId | None
    mentions: tuple[MentionView, ...]
    reactions: tuple[ReactionView, ...]
    edited: bool
    deleted: bool
    expires_ms: int | None
    failure: str
    highlights: tuple[tuple[int, int], ...] = ()


class MemberView(View, frozen=True, kw_only=True):
    """A member of a chat."""

    account_id: AccountId
    name: str
    admin: bool
    own: bool


class ChatView(View, frozen=True, kw_only=True):
    """A chat in the list."""

    chat_id: bytes
    group_id: GroupId
    kind: str
    state: str
    title: str
    is_request: bool
    unread: int
    muted: bool
    gaps: int
    expiry_s: int | None
    last_activity_ms: int
    last_message: MessageView | None


class ChatListView(View, frozen=True, kw_only=True):
    """All chats, the latest first."""

    chats: tuple[ChatView, ...]


class MemberListView(View, frozen=True, kw_only=True):
    """All members of a chat."""

    members: tuple[MemberView, ...]


class ContactListView(View, frozen=True, kw_only=True):
    """People by name."""

    contacts: tuple[ContactView, ...]


class LinkView(View, frozen=True, kw_only=True):
    """A link of ours; `link` may be shown as a QR code."""

    log_id: LogId
    link: str
    lasting: bool
    ready: bool
    used: bool
    created_ms: int


class LinkListView(View, frozen=True, kw_only=True):
    """Links that were made and not revoked."""

    links: tuple[LinkView, ...]


class MessagePageView(View, frozen=True, kw_only=True):
    """A page of messages; `next_before` goes on where it ends, None at the end."""

    messages: tuple[MessageView, ...]
    next_before: int | None


class EventView(View, frozen=True, kw_only=True):
    """An event of the durable log."""

    sequence: int
    kind: str
    data: msgspec.Raw
    created_ms: int


class EventPageView(View, frozen=True, kw_only=True):
    """Events in order; ask again after the last one's sequence."""

    events: tuple[EventView, ...]
    last_sequence: int


class RelayStatusView(View, frozen=True, kw_only=True):
    """How it goes with one relay; `state` is `connected`, `connecting` or `waiting`."""

    relay_id: bytes
    channel: str
    address: str
    state: str
    problem: str


class StatusView(View, frozen=True, kw_only=True):
    """How the node is."""

    version: str
    has_account: bool
    relays: tuple[RelayStatusView, ...]
    last_event: int
    key_protection: str
    store_problem: str


_STATES = {
    MessageState.QUEUED: "queued",
    MessageState.SENT: "sent",
    MessageState.DELIVERED: "delivered",
    MessageState.READ: "read",
    MessageState.FAILED: "failed",
    MessageState.RECEIVED: "received",
}


def shown_name(contact: Contact | None) -> str:
    """Return what to call a person: our own name for them, else theirs."""
    return "" if contact is None else contact.own_name or contact.name


def account_view(account: Account) -> AccountView:
    """Show the account."""
    return AccountView(
        account_id=account.account_id,
        name=account.name,
        phrase_confirmed=account.root_private_key is None,
        reports_enabled=account.reports_enabled,
        created_ms=account.created_ms,
    )


def contact_view(contact: Contact) -> ContactView:
    """Show a person."""
    return ContactView(
        account_id=contact.account_id,
        name=shown_name(contact),
        card_name=contact.name,
        state=ContactState(contact.state).name.lower(),
        verified=contact.verified_ms is not None,
        key_changed=contact.key_changed_ms is not None,
    )


def message_view(message: Message, own: Account, author: Contact | None, query: str = "") -> MessageView:
    """Show a message; with a `query`, say where its words are."""
    is_own = message.author == own.account_id
    return MessageView(
        message_id=message.message_id,
        chat_id=message.chat_id,
        sequence=message.sequence,
        author=message.author,
        author_name=own.name if is_own else shown_name(author),
        own=is_own,
        sent_ms=message.sent_ms,
        received_ms=message.received_ms,
        state=_STATES[message.state],
        text=message.text,
        unsupported=message.unsupported,
        reply_to=message.reply_to,
        mentions=tuple(
            MentionView(account_id=AccountId(account_id), start=start, length=length)
            for account_id, start, length in message.mentions
        ),
        reactions=tuple(
            ReactionView(emoji=emoji, account_ids=accounts)
            for emoji, accounts in sorted(message.reactions.items())
            if accounts
        ),
        edited=message.edited_ms is not None,
        deleted=message.deleted,
        expires_ms=message.expires_ms,
        failure=message.failure,
        highlights=tuple(highlights(message.text, query)) if query else (),
    )


def chat_view(chat: Chat, own: Account, last_author: Contact | None) -> ChatView:
    """Show a chat in the list."""
    main = chat.main
    last = chat.last_message
    return ChatView(
        chat_id=chat.chat_id,
        group_id=main.group_id,
        kind=main.kind.name.lower(),
        state=main.state.name.lower(),
        title=main.title or shown_name(chat.contact),
        is_request=main.is_request,
        unread=chat.unread,
        muted=main.muted,
        gaps=chat.gaps,
        expiry_s=main.message_expiry_s,
        last_activity_ms=chat.last_activity_ms,
        last_message=None if last is None else message_view(last, own, last_author),
    )


def link_view(inbox: Inbox, link: str) -> LinkView:
    """Show a link of ours."""
    return LinkView(
        log_id=inbox.log_id,
        link=link,
        lasting=inbox.kind is InboxKind.LASTING,
        ready=inbox.opened,
        used=inbox.used_ms is not None,
        created_ms=inbox.created_ms,
    )
