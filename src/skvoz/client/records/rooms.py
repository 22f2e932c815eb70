"""Conversations: their MLS groups, what is on its way into them, and their closers."""

from enum import IntEnum

from skvoz.base.ids import AccountId, EntryId, GroupId, LogId, MessageId, RelayId
from skvoz.client.records.base import Record


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
    HELD = 7
    """A request whose room lies at a relay that we use for nothing else: nobody connects there before it is
    accepted."""


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
    hidden: bool = False
    """The person deleted the chat, or declined the request: shown again once something new is said in it."""
    denied: bool = False
    """Lost because the relay knows no such segment any more, while nothing is wrong with our keys."""
    store_changed: bool = False
    """The relay has another store than when the room was last found there: it may have forgotten the room."""
    pinned_ms: int | None = None
    """When the person put the chat on top of their list, if they did."""
    archived: bool = False
    """The person keeps the chat out of their list."""
    draft: str = ""
    """What the person began to write and did not send."""
    draft_reply_to: MessageId | None = None
    frozen: bool = False
    """This leaf has a twin: whatever the state, nothing is encrypted under it until it is added anew."""
    given_up_closers: tuple[tuple[EntryId, bytes, bytes], ...] = ()
    """Closers of ours in this epoch whose next state is gone: entry id, `next_hash`, SHA-256 of the body."""
    unsure: bool = False
    """The relay forgot something: before we go on, look whether others went on elsewhere."""
    parted: bool = False
    """We went on past another closer that stood before ours: whoever follows that may take us back."""
    alone: bool = False
    """As `parted`, and nobody else has committed here since."""
    knocks_denied: int = 0
    """Knocks in a row that the relay denied: it knows neither our segment nor our door."""


class Participant(Record, frozen=True, array_like=True, kw_only=True):
    """A person in a conversation, as its last followed commit left it."""

    table = "participant"
    key = ("group_id", "account_id")
    group_id: GroupId
    account_id: AccountId
    admin: bool
    leaves: tuple[int, ...]
    """Their devices' leaves."""
    since_epoch: int = 0
    """The first epoch in which we met them here."""


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
    is_update: bool = False
    """Made for the sake of fresh keys: made up for if it is not followed."""
    brings_keys: bool = False
    """Whether it replaces the keys of our leaf."""


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
    passed_over: tuple[bytes, ...] = ()
    """The segments that closers opened which stood before it and did not hold."""


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


class OwnKnock(Record, frozen=True, array_like=True, kw_only=True):
    """Our last knock, which is repeated as it was for a while: a door takes only a few."""

    table = "own_knock"
    key = ("group_id",)
    group_id: GroupId
    body: bytes
    made_ms: int
