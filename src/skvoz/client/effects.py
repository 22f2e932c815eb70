"""`Effect`: what the driver must do once the step's changes are stored.

Every effect can be made anew from the records (`Started` does so), so that none needs to be stored.
Sending one twice does no harm: the relay knows entry ids, takers and logs again.
"""

from dataclasses import dataclass, field
from enum import Enum

from skvoz.base.ids import EntryId, LogId, RelayId


class Channel(Enum):
    """Which session carries a request: a relay must not see rooms and inboxes in one session."""

    ROOMS = "rooms"
    INBOX = "inbox"
    """Our own inboxes."""
    POST = "post"
    """Other people's inboxes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connect:
    """Keep a session to this relay on this channel."""

    relay_id: RelayId
    channel: Channel
    public_key: bytes
    addresses: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenLog:
    """Create a log: a room under H(key_0), or an inbox under H(post key)."""

    relay_id: RelayId
    channel: Channel
    log_id: LogId
    is_inbox: bool
    key_hash: bytes
    owner_hash: bytes
    door_hash: bytes | None = None
    ticket: bytes = field(default=b"", repr=False)
    retention_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attach:
    """Read a log with the key of a segment (room) or of its owner (inbox), from after `after`."""

    relay_id: RelayId
    channel: Channel
    log_id: LogId
    key: bytes = field(repr=False)
    after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Detach:
    """Stop reading a log."""

    relay_id: RelayId
    channel: Channel
    log_id: LogId


@dataclass(frozen=True, slots=True, kw_only=True)
class Append:
    """Append an entry to a room (segment key) or an inbox (post key)."""

    relay_id: RelayId
    channel: Channel
    log_id: LogId
    key: bytes = field(repr=False)
    entry_id: EntryId
    body: bytes = field(repr=False)
    since: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rekey:
    """Append a closer and open the next segment; the session adds proof of work where `contest`."""

    relay_id: RelayId
    channel: Channel
    log_id: LogId
    key: bytes = field(repr=False)
    entry_id: EntryId
    body: bytes = field(repr=False)
    since: int
    next_hash: bytes
    carry: bool
    contest: bool = False
    door_hash: bytes | None = None
    answered_knocks: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Knock:
    """Put bytes into a room's door queue."""

    relay_id: RelayId
    channel: Channel
    log_id: LogId
    door_key: bytes = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Put:
    """Fill the pool beside an inbox of ours, or lay down its offer."""

    relay_id: RelayId
    channel: Channel
    log_id: LogId
    owner_key: bytes = field(repr=False)
    packages: tuple[bytes, ...] = field(default=(), repr=False)
    last_package: bytes | None = field(default=None, repr=False)
    offer: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Take:
    """Ask for a package or the offer of somebody's inbox; a repeat by one taker gets the same answer."""

    relay_id: RelayId
    channel: Channel
    log_id: LogId
    post_key: bytes = field(repr=False)
    taker: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Trim:
    """Let the relay forget entries of a log of ours up to `before`."""

    relay_id: RelayId
    channel: Channel
    log_id: LogId
    owner_key: bytes = field(repr=False)
    before: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DropLog:
    """Let the relay forget a log of ours."""

    relay_id: RelayId
    channel: Channel
    log_id: LogId
    owner_key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class WakeAt:
    """Hand in `TimePassed` at `time_ms`; replaces the wake-up asked for before."""

    time_ms: int


Effect = Connect | OpenLog | Attach | Detach | Append | Rekey | Knock | Put | Take | Trim | DropLog | WakeAt
