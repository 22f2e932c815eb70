"""`Effect`: what the driver must do once the step's changes are stored.

Every effect can be made anew from the records (`Started` does so), so that none needs to be stored.
Sending one twice does no harm: the relay knows entry ids, takers and logs again.
"""

from enum import Enum

from skvoz.base.ids import EntryId, LogId, RelayId
from skvoz.base.value import Value


class Channel(Enum):
    """Which session carries a request: a relay must not see rooms and inboxes in one session."""

    ROOMS = "rooms"
    INBOX = "inbox"
    """Our own inboxes."""
    POST = "post"
    """Other people's inboxes."""


class Carrier(Value, frozen=True, kw_only=True):
    """A relay that can carry a session to another; `preferred`: rather than going there directly."""

    relay_id: RelayId
    public_key: bytes
    addresses: tuple[str, ...]
    preferred: bool


class Connect(Value, frozen=True, kw_only=True):
    """Keep a session to this relay on this channel."""

    relay_id: RelayId
    channel: Channel
    public_key: bytes
    addresses: tuple[str, ...]
    carriers: tuple[Carrier, ...] = ()


class OpenLog(Value, frozen=True, kw_only=True):
    """Create a log: a room under H(key_0), or an inbox under H(post key)."""

    relay_id: RelayId
    channel: Channel
    log_id: LogId
    is_inbox: bool
    key_hash: bytes
    owner_hash: bytes
    door_hash: bytes | None = None
    ticket: bytes = b""
    retention_s: int | None = None


class Attach(Value, frozen=True, kw_only=True):
    """Read a log with the key of a segment (room) or of its owner (inbox), from after `after`."""

    relay_id: RelayId
    channel: Channel
    log_id: LogId
    key: bytes
    after: int


class Detach(Value, frozen=True, kw_only=True):
    """Stop reading a log."""

    relay_id: RelayId
    channel: Channel
    log_id: LogId


class Withdraw(Value, frozen=True, kw_only=True):
    """Ask no more for an `Append` or `Rekey` that was not answered: it belongs to an epoch that is over.

    A relay that was restored from a backup would take it, and nobody could follow it.
    """

    relay_id: RelayId
    channel: Channel
    log_id: LogId
    entry_id: EntryId


class SayAgain(Value, frozen=True, kw_only=True):
    """Take appends to a room again: all that was under way when one was refused follows, in its order."""

    relay_id: RelayId
    channel: Channel
    log_id: LogId


class Append(Value, frozen=True, kw_only=True):
    """Append an entry to a room (segment key) or an inbox (post key)."""

    relay_id: RelayId
    channel: Channel
    log_id: LogId
    key: bytes
    entry_id: EntryId
    body: bytes
    since: int


class Rekey(Value, frozen=True, kw_only=True):
    """Append a closer and open the next segment; the session adds proof of work where `contest`."""

    relay_id: RelayId
    channel: Channel
    log_id: LogId
    key: bytes
    entry_id: EntryId
    body: bytes
    since: int
    next_hash: bytes
    carry: bool
    contest: bool = False
    door_hash: bytes | None = None
    answered_knocks: tuple[int, ...] = ()


class Knock(Value, frozen=True, kw_only=True):
    """Put bytes into a room's door queue."""

    relay_id: RelayId
    channel: Channel
    log_id: LogId
    door_key: bytes
    body: bytes


class Put(Value, frozen=True, kw_only=True):
    """Fill the pool beside an inbox of ours, or lay down its offer."""

    relay_id: RelayId
    channel: Channel
    log_id: LogId
    owner_key: bytes
    packages: tuple[bytes, ...] = ()
    last_package: bytes | None = None
    offer: bytes | None = None


class Take(Value, frozen=True, kw_only=True):
    """Ask for a package or the offer of somebody's inbox; a repeat by one taker gets the same answer."""

    relay_id: RelayId
    channel: Channel
    log_id: LogId
    post_key: bytes
    taker: bytes


class Trim(Value, frozen=True, kw_only=True):
    """Let the relay forget entries of a log of ours up to `before`."""

    relay_id: RelayId
    channel: Channel
    log_id: LogId
    owner_key: bytes
    before: int


class DropLog(Value, frozen=True, kw_only=True):
    """Let the relay forget a log of ours."""

    relay_id: RelayId
    channel: Channel
    log_id: LogId
    owner_key: bytes


class Upload(Value, frozen=True, kw_only=True):
    """Send a file's sealed bytes to a relay, and tell `UploadDone` or `TransferRefused`; a repeat goes on."""

    relay_id: RelayId
    public_key: bytes
    addresses: tuple[str, ...]
    file_id: bytes
    blob_id: bytes
    log_id: LogId
    segment_key: bytes
    write_key: bytes
    file_key: bytes
    size: int
    chunk_size: int


class Download(Value, frozen=True, kw_only=True):
    """Bring a file's sealed bytes here, check them, and tell `DownloadDone` or `TransferRefused`."""

    relay_id: RelayId
    public_key: bytes
    addresses: tuple[str, ...]
    file_id: bytes
    blob_id: bytes
    file_key: bytes
    size: int
    sha256: bytes
    chunk_size: int


class StopTransfer(Value, frozen=True, kw_only=True):
    """Move a file no further; what is there stays, so that it can go on later."""

    file_id: bytes


class RemoveFile(Value, frozen=True, kw_only=True):
    """Delete a file's bytes here."""

    file_id: bytes


class DiscardBlob(Value, frozen=True, kw_only=True):
    """Let a relay forget a blob of ours."""

    relay_id: RelayId
    public_key: bytes
    addresses: tuple[str, ...]
    blob_id: bytes
    write_key: bytes


FileEffect = Upload | Download | StopTransfer | RemoveFile | DiscardBlob
"""What is done with files and blobs, beside the sessions that carry messages."""


class WakeAt(Value, frozen=True, kw_only=True):
    """Hand in `TimePassed` at `time_ms`; replaces the wake-up asked for before."""

    time_ms: int


Effect = (
    Connect
    | OpenLog
    | Attach
    | Detach
    | Withdraw
    | SayAgain
    | Append
    | Rekey
    | Knock
    | Put
    | Take
    | Trim
    | DropLog
    | FileEffect
    | WakeAt
)
