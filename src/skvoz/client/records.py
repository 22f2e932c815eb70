"""What a home keeps: one record kind per table.

A record is stored under its key fields; `columns` are further fields that can be selected by. Fields
are only ever appended, with defaults; any other change is a new schema version with a migration.
A record's `repr` names its kind and nothing else: records hold keys and people's words.
"""

from enum import IntEnum
from typing import Any, ClassVar

import msgspec

from skvoz.base.ids import AccountId, EntryId, GroupId, LogId, MessageId, RelayId


class Record(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """The base of all records."""

    table: ClassVar[str]
    key: ClassVar[tuple[str, ...]]
    columns: ClassVar[tuple[str, ...]] = ()

    def key_values(self) -> tuple[Any, ...]:
        """Return the values of the key fields."""
        return tuple(getattr(self, name) for name in self.key)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class Counter(Record, frozen=True, array_like=True, kw_only=True):
    """A number that only grows: message sequence, event sequence, intents."""

    table = "counter"
    key = ("name",)
    name: str
    value: int


class Account(Record, frozen=True, array_like=True, kw_only=True):
    """The person whose home this is; there is one, under the key 0."""

    table = "account"
    key = ("number",)
    number: int = 0
    account_id: AccountId
    name: str
    root_public_key: bytes
    root_private_key: bytes | None
    """None once the recovery phrase is confirmed."""
    account_key_number: int
    account_public_key: bytes
    account_private_key: bytes
    account_key_statement: bytes
    """The root key's signature over number and account key."""
    device_public_key: bytes
    device_private_key: bytes
    device_certificate: bytes
    card_sequence: int
    home_relay_id: RelayId
    created_ms: int
    reports_enabled: bool = True


class Relay(Record, frozen=True, array_like=True, kw_only=True):
    """A relay that some log of ours lives at."""

    table = "relay"
    key = ("relay_id",)
    relay_id: RelayId
    public_key: bytes
    """X-Wing, 1216 bytes; `relay_id` is its SHA-256."""
    addresses: tuple[str, ...]
    ticket: bytes = b""
    store_id: bytes = b""


class ContactState(IntEnum):
    """How far a person has come."""

    KNOWN = 0
    """A member of a common group; nothing agreed with them."""
    REQUEST = 1
    """They wrote first and wait to be accepted."""
    ACCEPTED = 2
    BLOCKED = 3


class Contact(Record, frozen=True, array_like=True, kw_only=True):
    """Another person."""

    table = "contact"
    key = ("account_id",)
    columns = ("state",)
    account_id: AccountId
    state: ContactState
    name: str
    """As their card says; a person's own text, never trusted."""
    own_name: str = ""
    """As this home's person calls them."""
    root_public_key: bytes
    account_key_number: int
    account_public_key: bytes
    card: bytes = b""
    card_sequence: int = 0
    inbox: bytes = b""
    """Their contacts' inbox, encoded as `InboxAddress`: where invitations to groups go."""
    verified_ms: int | None = None
    key_changed_ms: int | None = None
    created_ms: int


class ConversationKind(IntEnum):
    """What a group is for."""

    SELF = 0
    DIRECT = 1
    GROUP = 2


class ConversationState(IntEnum):
    """Where this device stands in a conversation."""

    CREATING = 0
    """Its log is not open at the relay yet; writing is possible and queued."""
    ACTIVE = 1
    LEAVING = 2
    """Our self-remove is on its way."""
    LEFT = 3
    REMOVED = 4
    LOST = 5
    """Can't follow; knocking."""
    FROZEN = 6
    """The log holds an entry of ours that we never sent: this leaf writes nothing until re-added."""


class Conversation(Record, frozen=True, array_like=True, kw_only=True):
    """An MLS group in a room log, and this device's place in it."""

    table = "conversation"
    key = ("group_id",)
    columns = ("log_id", "chat_id", "state")
    group_id: GroupId
    chat_id: bytes
    """What people see as one chat: the peer's account id for direct conversations, else the group id."""
    kind: ConversationKind
    state: ConversationState
    relay_id: RelayId
    log_id: LogId
    owner_key: bytes = b""
    """The key to trim or drop the log; only who opened it holds it."""
    title: str = ""
    epoch: int
    segment_key: bytes
    """key_n of the current epoch."""
    cursor: int = 0
    """Every entry up to this position of the log has been handled."""
    own_leaf: int
    last_update_ms: int
    entries_since_update: int = 0
    message_expiry_s: int | None = None
    is_request: bool = False
    created_ms: int
    last_activity_ms: int
    muted: bool = False
    read_sequence: int = 0
    """Messages with a sequence up to this one have been read by this home's person."""
    unread: int = 0
    segment: int = -1
    """The position of the closer that opened the current segment; 0 for the first, -1: not known."""
    key_hash: bytes = b""
    """SHA-256 of key_0, for who creates the log."""
    door_hash: bytes = b""
    unfollowed_closers: int = 0
    """Closers of the current segment that were read and did not hold: it is closed, and stuck."""


class Participant(Record, frozen=True, array_like=True, kw_only=True):
    """A person in a conversation, as its last followed commit left it."""

    table = "participant"
    key = ("group_id", "account_id")
    group_id: GroupId
    account_id: AccountId
    admin: bool
    leaves: tuple[int, ...]
    """Their devices' leaves."""


class GroupPart(Record, frozen=True, array_like=True, kw_only=True):
    """A part of an MLS group's state: `tree`, `epoch`, `members`, `secrets`, or `ratchet` of one leaf."""

    table = "group_part"
    key = ("group_id", "part", "leaf")
    group_id: GroupId
    part: str
    leaf: int = 0
    body: bytes


class IntentKind(IntEnum):
    """What an intent becomes on the wire."""

    CONTENT = 0
    COMMIT = 1
    LEAVE = 2


class Intent(Record, frozen=True, array_like=True, kw_only=True):
    """Something to be said or done in a conversation, saved before anything else happens to it."""

    table = "intent"
    key = ("intent_id",)
    columns = ("group_id", "entry_id")
    intent_id: int
    group_id: GroupId
    kind: IntentKind
    body: bytes
    """The exact MIMI content, or an encoded wish for a commit."""
    message_id: MessageId | None = None
    created_ms: int
    entry_id: EntryId | None = None
    """Set, with `ciphertext`, once encrypted; the same bytes go out until they are superseded."""
    ciphertext: bytes = b""
    epoch: int = 0
    since: int = 0
    quiet: bool = False
    """Nothing that a person waits for (reports, cards)."""


class SentEntry(Record, frozen=True, array_like=True, kw_only=True):
    """An entry that this leaf let out: one in the log from our leaf that is not here means a fork."""

    table = "sent_entry"
    key = ("group_id", "entry_id")
    group_id: GroupId
    entry_id: EntryId
    epoch: int
    position: int = 0


class StagedCommit(Record, frozen=True, array_like=True, kw_only=True):
    """A commit of ours on its way: merged when it is the followed closer, else discarded."""

    table = "staged_commit"
    key = ("group_id",)
    group_id: GroupId
    entry_id: EntryId
    body: bytes
    """The closer's sealed bytes."""
    since: int
    next_hash: bytes
    next_parts: dict[str, bytes]
    """The successor state, as `GroupPart`s by name (`ratchet` parts start empty)."""
    carry: bool
    is_contest: bool = False
    door_hash: bytes | None = None
    answered_knocks: tuple[int, ...] = ()
    welcome: bytes = b""
    recipients: tuple[bytes, ...] = ()
    """Where the Welcome goes after the merge; the bytes are those of `Invitee.recipient`."""
    intent_ids: tuple[int, ...] = ()
    """The intents that this commit fulfils; none for an update or an answer to others."""


class Closer(Record, frozen=True, array_like=True, kw_only=True):
    """A closer of the current segment that was read but not followed (it did not verify)."""

    table = "closer"
    key = ("group_id", "position")
    group_id: GroupId
    position: int
    next_hash: bytes


class KeptCloser(Record, frozen=True, array_like=True, kw_only=True):
    """A closer that was followed: put back where a relay lost it by restoring a backup."""

    table = "kept_closer"
    key = ("group_id", "epoch")
    group_id: GroupId
    epoch: int
    """Of the segment that it closed."""
    segment_key: bytes
    entry_id: EntryId
    body: bytes
    next_hash: bytes
    carry: bool
    door_hash: bytes | None = None


class KnockHeard(Record, frozen=True, array_like=True, kw_only=True):
    """Somebody lost knocks: their leaf, and the KeyPackage by which they come back."""

    table = "knock_heard"
    key = ("group_id", "leaf")
    group_id: GroupId
    leaf: int
    knock: int
    """The relay's number of it."""
    key_package: bytes
    recipient: bytes


class Delivery(Record, frozen=True, array_like=True, kw_only=True):
    """An invitation that has to reach somebody's inbox."""

    table = "delivery"
    key = ("entry_id",)
    entry_id: EntryId
    relay_id: RelayId
    log_id: LogId
    post_key: bytes
    body: bytes
    group_id: GroupId
    created_ms: int


class InboxKind(IntEnum):
    """Who is given an inbox's post key."""

    SINGLE_USE = 0
    LASTING = 1
    CONTACTS = 2
    """Given to contacts inside of conversations, for invitations to groups."""


class Inbox(Record, frozen=True, array_like=True, kw_only=True):
    """An inbox of this account's."""

    table = "inbox"
    key = ("log_id",)
    columns = ("kind",)
    log_id: LogId
    kind: InboxKind
    relay_id: RelayId
    owner_key: bytes
    post_key: bytes
    link_secret: bytes
    private_key: bytes
    public_key: bytes
    created_ms: int
    opened: bool = False
    cursor: int = 0
    used_ms: int | None = None
    revoked: bool = False
    packages_left: int = 0
    """Packages believed to be in the pool."""


class MailPart(Record, frozen=True, array_like=True, kw_only=True):
    """A part of an invitation that waits for the others."""

    table = "mail_part"
    key = ("invitation_id", "number")
    invitation_id: bytes
    number: int
    count: int
    body: bytes


class KeyPackageSecret(Record, frozen=True, array_like=True, kw_only=True):
    """The private side of a KeyPackage that somebody may use."""

    table = "key_package_secret"
    key = ("reference",)
    columns = ("log_id",)
    reference: bytes
    log_id: LogId
    bundle: bytes
    is_last_resort: bool = False
    expires_ms: int


class Approach(Record, frozen=True, array_like=True, kw_only=True):
    """A step of ours towards somebody that waits for a relay's answer (a link opened, packages taken)."""

    table = "approach"
    key = ("taker",)
    taker: bytes
    """The 16 random bytes of the `take`."""
    relay_id: RelayId
    log_id: LogId
    post_key: bytes
    purpose: str
    """`link` or `add`."""
    body: bytes
    """What goes on after the answer, encoded by the module that asked."""
    created_ms: int


class MessageState(IntEnum):
    """How far a message of ours has come; others' are `RECEIVED`."""

    QUEUED = 0
    SENT = 1
    DELIVERED = 2
    READ = 3
    FAILED = 4
    RECEIVED = 5


class Message(Record, frozen=True, array_like=True, kw_only=True):
    """A message as people see it, after edits and deletions."""

    table = "message"
    key = ("message_id",)
    columns = ("chat_id", "sequence", "group_id", "expires_ms")
    message_id: MessageId
    chat_id: bytes
    group_id: GroupId
    sequence: int
    """Order in this home, over all chats."""
    author: AccountId
    sent_ms: int
    """As the author's clock said."""
    received_ms: int
    state: MessageState
    text: str
    unsupported: str = ""
    """The kind of a content that this version can't show."""
    reply_to: MessageId | None = None
    mentions: tuple[tuple[bytes, int, int], ...] = ()
    """Account id, start and length in characters."""
    edited_ms: int | None = None
    last_edit: bytes = b""
    """The id of the edit that made the text what it is."""
    deleted: bool = False
    expires_ms: int | None = None
    reactions: dict[str, tuple[bytes, ...]] = {}
    """Emoji to account ids."""
    failure: str = ""


class ReactionGiven(Record, frozen=True, array_like=True, kw_only=True):
    """A reaction by its own message id, which is what takes it back."""

    table = "reaction_given"
    key = ("reaction_id",)
    columns = ("message_id",)
    reaction_id: MessageId
    message_id: MessageId
    account_id: AccountId
    emoji: str


class LastSeen(Record, frozen=True, array_like=True, kw_only=True):
    """The latest message ids that arrived in a conversation, oldest first."""

    table = "last_seen"
    key = ("group_id",)
    group_id: GroupId
    message_ids: tuple[bytes, ...]


class Receipt(Record, frozen=True, array_like=True, kw_only=True):
    """What one person reported about one message of ours."""

    table = "receipt"
    key = ("message_id", "account_id")
    message_id: MessageId
    account_id: AccountId
    delivered_ms: int | None = None
    read_ms: int | None = None


class PendingReport(Record, frozen=True, array_like=True, kw_only=True):
    """A message about which a report is due."""

    table = "pending_report"
    key = ("group_id", "message_id")
    group_id: GroupId
    message_id: MessageId
    is_read: bool = False


class Gap(Record, frozen=True, array_like=True, kw_only=True):
    """A message that somebody had seen and we have not: it may be missing."""

    table = "gap"
    key = ("group_id", "message_id")
    group_id: GroupId
    message_id: MessageId
    noticed_ms: int


class Alarm(Record, frozen=True, array_like=True, kw_only=True):
    """Something to do at a time; found by the earliest `due_ms`."""

    table = "alarm"
    key = ("name", "subject")
    columns = ("due_ms",)
    name: str
    subject: bytes
    due_ms: int


class Answered(Record, frozen=True, array_like=True, kw_only=True):
    """The answer to a command, so that a repeat with the same client id does nothing again."""

    table = "answered"
    key = ("client_id",)
    client_id: str
    command: str
    answer: bytes
    created_ms: int


class LoggedEvent(Record, frozen=True, array_like=True, kw_only=True):
    """An event in the durable log that programs replay."""

    table = "event"
    key = ("sequence",)
    sequence: int
    kind: str
    body: bytes
    """The event, encoded; ids only, never people's words."""
    created_ms: int


RECORDS: tuple[type[Record], ...] = (
    Counter,
    Account,
    Relay,
    Contact,
    Conversation,
    Participant,
    GroupPart,
    Intent,
    SentEntry,
    StagedCommit,
    Closer,
    KeptCloser,
    KnockHeard,
    Delivery,
    Inbox,
    MailPart,
    KeyPackageSecret,
    Approach,
    Message,
    ReactionGiven,
    LastSeen,
    Receipt,
    PendingReport,
    Gap,
    Alarm,
    Answered,
    LoggedEvent,
)
