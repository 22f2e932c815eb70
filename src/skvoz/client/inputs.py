"""`Input`: facts that the driver tells the machine. Any of them may come twice."""

from dataclasses import dataclass

from skvoz.base.ids import EntryId, GroupId, LogId, RelayId


class _Fact:
    """Keeps ids, keys and bodies out of texts: an input's `repr` is its name."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Started(_Fact):
    """The home was opened; nothing is connected. Everything unfinished is taken up again."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class RelayConnected(_Fact):
    """A session is up; `store_id` names the relay's store (it changes when a backup is restored)."""

    relay_id: RelayId
    store_id: bytes
    public_key: bytes = b""
    """The relay's key, which matches its id; the session asked for it where it was not known."""
    addresses: tuple[str, ...] = ()
    """Where the relay says that it is found."""
    carries: bool = False
    """Whether it carries sessions to other relays."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class RelayLost(_Fact):
    """The session is gone for now; pending requests are kept by it and sent again."""

    relay_id: RelayId


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class LogOpened(_Fact):
    """The relay holds the log."""

    relay_id: RelayId
    log_id: LogId


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Attached(_Fact):
    """The relay reads the log to us; all there is has come once an `EntriesRead.through` reaches `head`."""

    relay_id: RelayId
    log_id: LogId
    key: bytes
    segment_open: bool
    head: int
    after: int = 0
    """The position that it reads on from."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Entry(_Fact):
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


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class EntriesRead(_Fact):
    """Entries of a log in order; nothing that we may read up to `through` is left out. May be empty."""

    relay_id: RelayId
    log_id: LogId
    entries: tuple[Entry, ...]
    through: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class BaseMoved(_Fact):
    """Everything up to `position` is gone at the relay."""

    relay_id: RelayId
    log_id: LogId
    position: int


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class EntryStored(_Fact):
    """An `Append` or `Rekey` of ours is on stable storage at `position`."""

    relay_id: RelayId
    log_id: LogId
    entry_id: EntryId
    position: int


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class EntryRefused(_Fact):
    """An `Append` or `Rekey` of ours was refused with a code of the wire."""

    relay_id: RelayId
    log_id: LogId
    entry_id: EntryId
    code: str
    retry_after_ms: int


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class RequestRefused(_Fact):
    """`OpenLog`, `Attach`, `Put`, `Knock`, `Trim` or `DropLog` (named by `request`) was refused."""

    relay_id: RelayId
    log_id: LogId
    request: str
    code: str
    retry_after_ms: int
    key: bytes = b""
    """The key of an `Attach`."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Knocked(_Fact):
    """Our knock lies in the log's queue."""

    relay_id: RelayId
    log_id: LogId


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class KnocksRead(_Fact):
    """Somebody knocks at a room of ours."""

    relay_id: RelayId
    log_id: LogId
    knocks: tuple[tuple[int, bytes], ...]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class PackagesStored(_Fact):
    """Our `Put` is done."""

    relay_id: RelayId
    log_id: LogId


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Taken(_Fact):
    """The answer to a `Take`: `kind` is `package`, `last` or `offer`."""

    relay_id: RelayId
    log_id: LogId
    taker: bytes
    kind: str
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class TakeRefused(_Fact):
    """A `Take` was refused; `used` means that another taker had the offer."""

    relay_id: RelayId
    log_id: LogId
    taker: bytes
    code: str
    retry_after_ms: int


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class TimePassed(_Fact):
    """The time that was asked for with `WakeAt` has come."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class UploadDone(_Fact):
    """The relay has all of a file."""

    file_id: bytes


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class DownloadDone(_Fact):
    """A file is here, whole, and it is what its message says."""

    file_id: bytes


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class TransferRefused(_Fact):
    """A file can't go on its way: a code of the wire, or `damaged` or `disk_full` on this side."""

    file_id: bytes
    code: str
    retry_after_ms: int


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class CarriedRead(_Fact):
    """Entries of the log beside a conversation, at a relay that somebody near lends; nothing is verified."""

    group_id: GroupId
    entries: tuple[tuple[EntryId, bytes], ...]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class BotUsed(_Fact):
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
