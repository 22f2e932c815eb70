"""`Input`: facts that the driver tells the machine. Any of them may come twice."""

from skvoz.base.ids import EntryId, GroupId, LogId, RelayId
from skvoz.base.value import Value


class Started(Value, frozen=True, kw_only=True):
    """The home was opened; nothing is connected. Everything unfinished is taken up again."""


class RelayConnected(Value, frozen=True, kw_only=True):
    """A session is up; `store_id` names the relay's store (it changes when a backup is restored)."""

    relay_id: RelayId
    store_id: bytes
    public_key: bytes = b""
    """The relay's key, which matches its id; the session asked for it where it was not known."""
    addresses: tuple[str, ...] = ()
    """Where the relay says that it is found."""
    carries: bool = False
    """Whether it carries sessions to other relays."""


class RelayLost(Value, frozen=True, kw_only=True):
    """The session is gone for now; pending requests are kept by it and sent again."""

    relay_id: RelayId


class LogOpened(Value, frozen=True, kw_only=True):
    """The relay holds the log."""

    relay_id: RelayId
    log_id: LogId


class Attached(Value, frozen=True, kw_only=True):
    """The relay reads the log to us; all there is has come once an `EntriesRead.through` reaches `head`."""

    relay_id: RelayId
    log_id: LogId
    key: bytes
    segment_open: bool
    head: int
    after: int = 0
    """The position that it reads on from."""


class Entry(Value, frozen=True, kw_only=True):
    """An entry as the relay handed it over; nothing in it is verified."""

    position: int
    entry_id: EntryId
    is_closer: bool
    carry: bool
    body: bytes | None
    """None for an entry that this very session appended."""
    next_hash: bytes | None = None
    segment: int = 0
    """The position of the closer that opened the entry's segment; 0 for the first."""


class EntriesRead(Value, frozen=True, kw_only=True):
    """Entries of a log in order; nothing that we may read up to `through` is left out. May be empty."""

    relay_id: RelayId
    log_id: LogId
    entries: tuple[Entry, ...]
    through: int = 0


class BaseMoved(Value, frozen=True, kw_only=True):
    """Everything up to `position` is gone at the relay."""

    relay_id: RelayId
    log_id: LogId
    position: int


class EntryStored(Value, frozen=True, kw_only=True):
    """An `Append` or `Rekey` of ours is on stable storage at `position`."""

    relay_id: RelayId
    log_id: LogId
    entry_id: EntryId
    position: int


class EntryRefused(Value, frozen=True, kw_only=True):
    """An `Append` or `Rekey` of ours was refused with a code of the wire."""

    relay_id: RelayId
    log_id: LogId
    entry_id: EntryId
    code: str
    retry_after_ms: int


class RequestRefused(Value, frozen=True, kw_only=True):
    """`OpenLog`, `Attach`, `Put`, `Knock`, `Trim` or `DropLog` (named by `request`) was refused."""

    relay_id: RelayId
    log_id: LogId
    request: str
    code: str
    retry_after_ms: int
    key: bytes = b""
    """The key of an `Attach`."""


class Knocked(Value, frozen=True, kw_only=True):
    """Our knock lies in the log's queue."""

    relay_id: RelayId
    log_id: LogId


class KnocksRead(Value, frozen=True, kw_only=True):
    """Somebody knocks at a room of ours."""

    relay_id: RelayId
    log_id: LogId
    knocks: tuple[tuple[int, bytes], ...]


class PackagesStored(Value, frozen=True, kw_only=True):
    """Our `Put` is done."""

    relay_id: RelayId
    log_id: LogId


class Taken(Value, frozen=True, kw_only=True):
    """The answer to a `Take`: `kind` is `package`, `last` or `offer`."""

    relay_id: RelayId
    log_id: LogId
    taker: bytes
    kind: str
    body: bytes


class TakeRefused(Value, frozen=True, kw_only=True):
    """A `Take` was refused; `used` means that another taker had the offer."""

    relay_id: RelayId
    log_id: LogId
    taker: bytes
    code: str
    retry_after_ms: int


class TimePassed(Value, frozen=True, kw_only=True):
    """The time that was asked for with `WakeAt` has come."""


class UploadDone(Value, frozen=True, kw_only=True):
    """The relay has all of a file."""

    file_id: bytes


class DownloadDone(Value, frozen=True, kw_only=True):
    """A file is here, whole, and it is what its message says."""

    file_id: bytes


class TransferRefused(Value, frozen=True, kw_only=True):
    """A file can't go on its way: a code of the wire, or `damaged` or `disk_full` on this side."""

    file_id: bytes
    code: str
    retry_after_ms: int


class CarriedRead(Value, frozen=True, kw_only=True):
    """Entries of the log beside a conversation, at a relay that somebody near lends; nothing is verified."""

    group_id: GroupId
    entries: tuple[tuple[EntryId, bytes], ...]


class BotUsed(Value, frozen=True, kw_only=True):
    """A program with a token was at work."""

    bot_id: bytes


Input = (
    Started
    | RelayConnected
    | RelayLost
    | LogOpened
    | Attached
    | EntriesRead
    | BaseMoved
    | EntryStored
    | EntryRefused
    | RequestRefused
    | Knocked
    | KnocksRead
    | PackagesStored
    | Taken
    | TakeRefused
    | UploadDone
    | DownloadDone
    | TransferRefused
    | CarriedRead
    | TimePassed
    | BotUsed
)
