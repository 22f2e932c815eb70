"""What methods answer: values as JSON shows them. Imports little: callers need these types too."""

import msgspec

from skvoz.base.ids import AccountId, GroupId, LogId, MessageId


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
    dropped: dict[str, int]
    """What strangers sent that made no sense: how much of each kind."""
