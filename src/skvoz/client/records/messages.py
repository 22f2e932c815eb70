"""Messages as people see them, and what hangs on them."""

from enum import IntEnum

import msgspec

from skvoz.base.ids import AccountId, GroupId, MessageId
from skvoz.client.records.base import Record


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
    """As the author's clock said, and later than the edit before."""
    last_edit: bytes = b""
    """The id of the edit that made the text what it is."""
    deleted: bool = False
    expires_ms: int | None = None
    reactions: dict[str, tuple[bytes, ...]] = msgspec.field(default_factory=dict[str, tuple[bytes, ...]])
    """Emoji to account ids."""
    failure: str = ""
    file_count: int = 0
    """How many `File`s belong to it."""
    forwarded: bool = False
    """Its author passes on what somebody else said."""
    said_epoch: int | None = None
    """For ours: the epoch in which a relay took it. Who came in a later one does not have it."""
    location: tuple[int, int, str] | None = None
    """A place: latitude and longitude in 1e-7 degrees, and its name; `text` says the same in words."""
    poll: tuple[str, tuple[str, ...], bool] | None = None
    """A poll: question, answers, whether several may be chosen; `text` says the same in words."""
    poll_closed_ms: int | None = None
    """When its author closed the poll, as their clock said."""
    file_names: tuple[str, ...] = ()
    """As their author named the files, to be found by; empty in what came before this was kept."""


class ReactionGiven(Record, frozen=True, array_like=True, kw_only=True):
    """A reaction by its own message id, which is what takes it back."""

    table = "reaction_given"
    key = ("reaction_id",)
    columns = ("message_id",)
    reaction_id: MessageId
    message_id: MessageId
    account_id: AccountId
    emoji: str


class Votes(Record, frozen=True, array_like=True, kw_only=True):
    """What one person chose in a poll, the latest first: when by their own clock, the vote's id, the answers.

    Those before the latest count where the poll was closed between them.
    """

    table = "votes"
    key = ("message_id", "account_id")
    message_id: MessageId
    account_id: AccountId
    said: tuple[tuple[int, bytes, tuple[int, ...]], ...]


class PinChange(Record, frozen=True, array_like=True, kw_only=True):
    """What was said last of whether a message is pinned; kept where it is not, to know what is later."""

    table = "pin_change"
    key = ("message_id",)
    columns = ("chat_id",)
    message_id: MessageId
    chat_id: bytes
    pinned: bool
    account_id: AccountId
    """Who said it."""
    changed_ms: int
    """As their clock said, and later than the change before."""
    change_id: MessageId


class LastSeen(Record, frozen=True, array_like=True, kw_only=True):
    """The latest message ids that arrived in a conversation, oldest first."""

    table = "last_seen"
    key = ("group_id",)
    group_id: GroupId
    message_ids: tuple[bytes, ...]
    excused: tuple[bytes, ...] = ()
    """Named by who spoke for the first time, and perhaps older than our membership: did not arrive here."""


class Spoken(Record, frozen=True, array_like=True, kw_only=True):
    """What somebody said last in a conversation since this device is in it."""

    table = "spoken"
    key = ("group_id", "account_id")
    group_id: GroupId
    account_id: AccountId
    message_id: MessageId


class Unread(Record, frozen=True, array_like=True, kw_only=True):
    """A message of somebody else's that this home's person has not read."""

    table = "unread"
    key = ("group_id", "sequence")
    group_id: GroupId
    sequence: int
    message_id: MessageId


class WaitingChange(Record, frozen=True, array_like=True, kw_only=True):
    """An edit, deletion or reaction that came before what it is about.

    `target`: the message, or the reaction that is taken back. `number`: the order in which they came.
    """

    table = "waiting_change"
    key = ("target", "message_id")
    columns = ("group_id",)
    target: MessageId
    message_id: MessageId
    group_id: GroupId
    author: AccountId
    body: bytes
    number: int = 0


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
    author: AccountId
    """Who named it first."""
    noticed_ms: int
