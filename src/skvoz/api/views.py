"""What methods answer: values as JSON shows them. Imports little: callers need these types too."""

from typing import Literal

import msgspec

from skvoz.base.ids import AccountId, GroupId, LogId, MessageId, RelayId
from skvoz.base.value import Value

ContactWord = Literal["known", "request", "accepted", "blocked"]
MessageWord = Literal["queued", "sent", "delivered", "read", "failed", "received"]
ChatKindWord = Literal["self", "direct", "group"]
ChatWord = Literal["creating", "active", "leaving", "left", "removed", "lost", "gone", "frozen", "held"]
FileWord = Literal["awaited", "staged", "uploading", "remote", "downloading", "here"]
ComparedWord = Literal["same", "own", "different", "unknown"]
RelayWord = Literal["connected", "connecting", "waiting"]


class View(Value, frozen=True, kw_only=True):
    """The base of all answers; its `repr` tells nothing of what people wrote."""


class AccountView(View, frozen=True, kw_only=True):
    """The person whose home this is, and where the relay is that they can be written to at."""

    account_id: AccountId
    name: str
    relay_addresses: tuple[str, ...]
    phrase_confirmed: bool
    reports_enabled: bool
    created_ms: int
    lock_after_minutes: int = 0
    """Minutes without use of the page until the home is locked, if it has a passphrase; 0: never."""
    lan_enabled: bool = False
    """Conversations go on over the network around, where no relay can be reached."""


class PhraseView(View, frozen=True, kw_only=True):
    """The recovery phrase, 24 English words."""

    phrase: str


class ContactView(View, frozen=True, kw_only=True):
    """A person; `name` is what to show."""

    account_id: AccountId
    name: str
    card_name: str
    state: ContactWord
    verified: bool
    key_changed: bool


class SafetyNumberView(View, frozen=True, kw_only=True):
    """60 digits in groups of five, the same on both sides; `code` is for them to scan as a QR code."""

    digits: str
    code: str
    verified: bool


class ComparedView(View, frozen=True, kw_only=True):
    """What a scanned code says: `own` is the one shown here, `unknown` is none for comparing."""

    outcome: ComparedWord


class MentionView(View, frozen=True, kw_only=True):
    """Characters (Unicode code points) `start … start + length` of the text name a person."""

    account_id: AccountId
    start: int
    length: int


class ReactionView(View, frozen=True, kw_only=True):
    """An emoji and who put it there."""

    emoji: str
    account_ids: tuple[bytes, ...]


class FileView(View, frozen=True, kw_only=True):
    """A file of a message; sizes in bytes and pixels, 0 or empty: not known.

    `name` and `media_type` are the author's, made harmless. The bytes of what is `here` are had from
    `GET /files/FILE_ID`. `failure` says why the last try to move it came to nothing.
    """

    file_id: bytes
    state: FileWord
    paused: bool
    name: str
    media_type: str
    size: int
    description: str
    thumbnail: bytes
    thumbnail_type: str
    width: int
    height: int
    duration_ms: int
    waveform: bytes
    failure: str


class FileListView(View, frozen=True, kw_only=True):
    """Files in their order."""

    files: tuple[FileView, ...]


class FileAddressView(View, frozen=True, kw_only=True):
    """A path at the page's address that gives a file's bytes without a token, for some hours."""

    path: str


class DraftView(View, frozen=True, kw_only=True):
    """What was begun in a chat."""

    chat_id: bytes
    text: str


class FileProgressView(View, frozen=True, kw_only=True):
    """How far a file has come; bytes as they travel, padding included."""

    file_id: bytes
    done: int
    total: int


class ProgressView(View, frozen=True, kw_only=True):
    """How far each file has come that moves now, or did until lately."""

    files: tuple[FileProgressView, ...]


class QuotedView(View, frozen=True, kw_only=True):
    """The beginning of a message that another one answers; `sequence` leads to it."""

    message_id: MessageId
    sequence: int
    author_name: str
    own: bool
    text: str
    deleted: bool


class LocationView(View, frozen=True, kw_only=True):
    """A place: coordinates in 1e-7 degrees (WGS 84, north and east are positive), and what is there."""

    latitude_e7: int
    longitude_e7: int
    label: str


class PollOptionView(View, frozen=True, kw_only=True):
    """An answer of a poll and who chose it."""

    text: str
    account_ids: tuple[AccountId, ...]


class PollView(View, frozen=True, kw_only=True):
    """A poll as far as votes have come; with `several`, a person may choose more than one answer.

    `voters` counts the people who chose something.
    """

    question: str
    options: tuple[PollOptionView, ...]
    several: bool
    closed: bool
    voters: int


class MessageView(View, frozen=True, kw_only=True):
    """A message after edits and deletions; `sequence` orders messages in this home.

    `highlights` are start and length, in Unicode code points, of what a search found. `quoted` is the message
    that `reply_to` names, where that is here. Of a `location` or `poll` the text says the same in words.
    """

    message_id: MessageId
    chat_id: bytes
    sequence: int
    author: AccountId
    author_name: str
    own: bool
    sent_ms: int
    received_ms: int
    state: MessageWord
    text: str
    unsupported: str
    reply_to: MessageId | None
    quoted: QuotedView | None
    mentions: tuple[MentionView, ...]
    reactions: tuple[ReactionView, ...]
    edited: bool
    deleted: bool
    expires_ms: int | None
    failure: str
    files: tuple[FileView, ...]
    forwarded: bool
    location: LocationView | None
    poll: PollView | None
    highlights: tuple[tuple[int, int], ...] = ()


class MemberView(View, frozen=True, kw_only=True):
    """A member of a chat; of oneself (`own`) there is no `state`."""

    account_id: AccountId
    name: str
    admin: bool
    own: bool
    state: ContactWord | None
    verified: bool


class ChatView(View, frozen=True, kw_only=True):
    """A chat in the list; a direct one's `chat_id` is the other person's account id.

    Messages up to `read_sequence` have been read here. `hidden`: deleted, or declined; not in the list.
    `pinned` and `archived` are the person's own order, `draft` what they began to write. `alone`: its relay
    lost the thread, nobody showed the way for a week, and perhaps the others go on elsewhere.
    """

    chat_id: bytes
    group_id: GroupId
    kind: ChatKindWord
    state: ChatWord
    title: str
    is_request: bool
    alone: bool
    hidden: bool
    unread: int
    read_sequence: int
    muted: bool
    pinned: bool
    archived: bool
    draft: str
    draft_reply_to: MessageId | None
    gaps: int
    expiry_s: int | None
    last_activity_ms: int
    last_message: MessageView | None


class ChatListView(View, frozen=True, kw_only=True):
    """Chats, the latest first; `next_cursor` goes on where the page ends, None at the end."""

    chats: tuple[ChatView, ...]
    next_cursor: str | None


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
    """A page of messages, the latest first.

    `next_before` goes on to older ones, `next_after` to newer ones; None where there are none.
    """

    messages: tuple[MessageView, ...]
    next_before: int | None
    next_after: int | None


class FoundPageView(View, frozen=True, kw_only=True):
    """A page of messages that a search found, the latest first; `next_before` goes on, None at the end."""

    messages: tuple[MessageView, ...]
    next_before: int | None


class GapView(View, frozen=True, kw_only=True):
    """A message that somebody in a chat had seen and that never came here."""

    message_id: MessageId
    noticed_ms: int


class GapListView(View, frozen=True, kw_only=True):
    """The messages that may be missing in a chat, in the order in which that was noticed."""

    gaps: tuple[GapView, ...]


class EventView(View, frozen=True, kw_only=True):
    """An event of the durable log."""

    sequence: int
    kind: str
    data: msgspec.Raw
    created_ms: int


class ThroughView(View, frozen=True, kw_only=True):
    """Everything up to this event was told, or is not the subscriber's to know."""

    sequence: int


class SubscriptionView(View, frozen=True, kw_only=True):
    """Events above `after` will be told; `last_event` is the newest one there is."""

    after: int
    last_event: int


class EventPageView(View, frozen=True, kw_only=True):
    """Events in order; ask again after the last one's sequence."""

    events: tuple[EventView, ...]
    last_sequence: int


class RelayStatusView(View, frozen=True, kw_only=True):
    """How it goes with one session to a relay."""

    relay_id: bytes
    channel: str
    address: str
    state: RelayWord
    problem: str


class StatusView(View, frozen=True, kw_only=True):
    """How the node is.

    `unsent` counts what its person said or wished and no relay has taken yet; `store_problem` is empty
    unless the disk took nothing lately; `key_protection` is `file`, `passphrase` or `keyring`;
    `suggested_relay` is the address of a relay that a new account may live at, empty if none is known;
    `dropped` counts by kind what strangers and broken senders sent, and nobody was told of. While the home is
    `locked`, only `version` and `key_protection` mean anything.
    """

    version: str
    has_account: bool
    relays: tuple[RelayStatusView, ...]
    suggested_relay: str
    last_event: int
    unsent: int
    key_protection: str
    store_problem: str
    dropped: dict[str, int]
    locked: bool = False
    lan_relays: int = 0
    """Relays that others lend on the network around."""
    lan_problem: str = ""
    """Why the network around can't be used, where it is to be."""


class HomeView(View, frozen=True, kw_only=True):
    """A home of this machine, by its folder's name; `own` is the one that answers."""

    name: str
    own: bool


class HomeListView(View, frozen=True, kw_only=True):
    """The homes beside this one, and itself."""

    homes: tuple[HomeView, ...]


class DoneView(View, frozen=True, kw_only=True):
    """It is done; there is nothing to say."""


class PageView(View, frozen=True, kw_only=True):
    """An address that opens the page in a browser: once, within a minute."""

    address: str


class RelayAddressView(View, frozen=True, kw_only=True):
    """Where a relay is, as `account.create` wants it; `shown` is a host's name for people."""

    addresses: tuple[str, ...]
    relay_id: RelayId
    ticket: bytes
    shown: str


class BotView(View, frozen=True, kw_only=True):
    """A program that has a token; `chats` are those that it reaches, None for all.

    `used_ms` is when it was last at work, to the hour; None where it never was.
    """

    bot_id: bytes
    name: str
    can_write: bool
    chats: tuple[bytes, ...] | None
    created_ms: int
    used_ms: int | None


class BotListView(View, frozen=True, kw_only=True):
    """Programs that have a token, by name."""

    bots: tuple[BotView, ...]


class BotSelfView(View, frozen=True, kw_only=True):
    """What the caller is and may do, and the account that it acts as.

    The owner, who needs no token, is a bot without a name that may do everything. `last_event` is the newest.
    """

    name: str
    can_write: bool
    chats: tuple[bytes, ...] | None
    account_id: AccountId
    account_name: str
    version: str
    last_event: int


class PictureView(View, frozen=True, kw_only=True):
    """A QR code: rows of `0` (light) and `1` (dark), without the quiet zone of four modules around it."""

    rows: tuple[str, ...]
