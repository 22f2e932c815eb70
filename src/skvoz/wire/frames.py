"""Frames: MessagePack arrays that begin with a small number, the tag. One message is an array of frames.

Limits are enforced while parsing, so whatever comes out of `parse_up` or `parse_down` keeps them.
Sizes that an operator may set lower, and so answers with `too_big`, are checked by the rules of the log.

Long, because it is the list of everything that is said between a client and a relay, and is read as one.
"""

from collections.abc import Sequence
from enum import IntEnum, IntFlag
from typing import Annotated, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta

from skvoz.base.errors import Malformed
from skvoz.base.limits import ADDRESS_SIZE_MAX, PART_SIZE_MAX, REKEY_SIZE_MAX
from skvoz.base.value import Value

FRAMES_PER_MESSAGE_MAX: Final = 4096
"""Bounds what one message can ask of a relay."""
ENTRIES_PER_FRAME_MAX: Final = 4096
"""Bounds one `entries` frame; credit bounds its bytes long before."""
PACKAGE_SIZE_MAX: Final = 16 * 1024
"""A package of a pool, bytes: an X-Wing KeyPackage is 2.6 KB."""
PACKAGES_PER_PUT_MAX: Final = 64
"""Packages in one `put`: 1 MiB at most, so it fits a message."""
OFFER_SIZE_MAX: Final = 64 * 1024
"""A sealed offer of a single-use link, bytes: a card with a picture and one KeyPackage."""
KNOCK_SIZE_MAX: Final = 16 * 1024
"""A knock, bytes: a signed KeyPackage with room to spare."""
CAST_SIZE_MAX: Final = 16 * 1024
"""A cast, bytes: several datagrams of a call."""
KNOCKS_PER_LOG_MAX: Final = 64
"""Knocks in one frame, and knocks that one commit can answer."""
TICKET_SIZE_MAX: Final = 1024
"""A ticket, bytes: a token now, a blinded pass later."""
EPHEMERAL_SIZE_MAX: Final = 4096
"""The client's one-time KEM key, bytes: X-Wing has 1,216."""
ADDRESSES_MAX: Final = 8
"""Addresses that a relay says to have."""
PASS_SIZE_MAX: Final = 1280 * 1024 - 2048
"""A message to or from another relay, bytes: what fits a message to this one."""
PASS_WINDOW_BYTES: Final = 1024 * 1024
"""A client waits while so much of what it passes hasn't been taken."""
ENTRY_COST: Final = 64
"""What an entry, knock or cast costs in credit above its body's bytes; also an `entries` or `base` frame."""

Request: TypeAlias = Annotated[int, Meta(ge=0, le=0xFFFF_FFFF)]
"""The client's number for a request, unique in the session while it is pending."""
Position: TypeAlias = Annotated[int, Meta(ge=0, le=2**63 - 1)]
"""A place in a log; the first entry has 1, and 0 stands before it."""
Id: TypeAlias = Annotated[bytes, Meta(min_length=16, max_length=16)]
"""A log, entry, blob, taker or store: 16 bytes."""
Key: TypeAlias = Annotated[bytes, Meta(min_length=32, max_length=32)]
"""A key that a log knows by its SHA-256: 32 bytes."""
Hash: TypeAlias = Annotated[bytes, Meta(min_length=32, max_length=32)]
"""SHA-256 of a key: 32 bytes."""
Token: TypeAlias = Annotated[bytes, Meta(min_length=32, max_length=32)]
"""Names a session for its resumption: 32 random bytes, secret."""
Body: TypeAlias = Annotated[bytes, Meta(max_length=REKEY_SIZE_MAX)]
Package: TypeAlias = Annotated[bytes, Meta(min_length=1, max_length=PACKAGE_SIZE_MAX)]
Address: TypeAlias = Annotated[str, Meta(min_length=1, max_length=ADDRESS_SIZE_MAX, pattern=r"^[!-~]+\Z")]
"""Where a relay is looked for, in ASCII without blanks."""
PassBody: TypeAlias = Annotated[bytes, Meta(min_length=1, max_length=PASS_SIZE_MAX)]
PartBody: TypeAlias = Annotated[bytes, Meta(min_length=1, max_length=PART_SIZE_MAX)]
Knocks: TypeAlias = Annotated[list[Position], Meta(max_length=KNOCKS_PER_LOG_MAX)]

Code: TypeAlias = Literal["superseded", "denied", "gone", "too_big", "full", "slow", "bad", "moved", "used"]
"""Why a relay says no; `docs/protocol/relay.md` says when each is given."""


class Kind(IntEnum):
    """What a log is for; feeds will be 2."""

    ROOM = 0
    INBOX = 1


class Flag(IntFlag):
    """What an entry is."""

    CLOSER = 1
    CARRY = 2


class Frame(
    Value,
    frozen=True,
    array_like=True,
    forbid_unknown_fields=True,
    gc=False,
    repr_omit_defaults=True,
):
    """What all frames share. Their text form names the kind only, since fields are keys, ids and bodies."""


class Hello(Frame, tag=1, frozen=True):
    """Begin a session, or go on with one; the only frame of a connection's first message.

    `ephemeral`: the client's one-time KEM public key for this connection.
    `token`: the session to resume. `received`: how many of its messages have arrived, but welcomes.
    `owed`: what those cost in credit that has not been paid back.
    """

    ephemeral: Annotated[bytes, Meta(min_length=1, max_length=EPHEMERAL_SIZE_MAX)]
    token: Token | None
    received: Position
    owed: Position


class Open(Frame, tag=2, frozen=True):
    """Create a log; an identical repeat is answered alike.

    `key_hash`: SHA-256 of a room's first access key, or of an inbox's post key.
    `owner_hash`: of the key that may trim, drop, put, and read an inbox.
    `door_hash`: of the key that may knock.
    """

    request: Request
    log: Id
    kind: Kind
    key_hash: Hash
    owner_hash: Hash
    door_hash: Hash | None
    ticket: Annotated[bytes, Meta(max_length=TICKET_SIZE_MAX)]
    retention_s: Annotated[int, Meta(ge=1, le=2**31 - 1)] | None


class Attach(Frame, tag=3, frozen=True):
    """Read a log after a position, and on as it grows; replaces an earlier attach to the same log.

    `key`: a room's access key of any segment, or an inbox's owner key.
    """

    request: Request
    log: Id
    key: Key
    after: Position


class Detach(Frame, tag=4, frozen=True):
    """Read no further. Has no answer."""

    log: Id


class Append(Frame, tag=5, frozen=True):
    """Add an entry to the segment of an access key, or to the inbox of a post key.

    `since`: the entry's id is looked for after this position first, so that a repeat is safe.
    """

    request: Request
    log: Id
    key: Key
    entry: Id
    body: Body
    since: Position


class Rekey(Frame, tag=6, frozen=True):
    """Close the segment of an access key with this entry, and open the next one, at once.

    `next_hash`: SHA-256 of the next segment's key. `carry`: holders of `key` read on in the next segment.
    `contest_proof`: the nonce that lets a further closer into a closed segment.
    `door_hash`: the next segment's door, if it changes. `answered`: knocks that this commit settles.
    """

    request: Request
    log: Id
    key: Key
    entry: Id
    body: Body
    since: Position
    next_hash: Hash
    carry: bool
    contest_proof: Annotated[bytes, Meta(min_length=8, max_length=8)] | None
    door_hash: Hash | None
    answered: Knocks


class Knock(Frame, tag=7, frozen=True):
    """Leave bytes for the members of a room whose door key one holds."""

    request: Request
    log: Id
    door_key: Key
    body: Annotated[bytes, Meta(min_length=1, max_length=KNOCK_SIZE_MAX)]


class Cast(Frame, tag=8, frozen=True):
    """Send bytes to whoever is attached to one's open segment now. Has no answer and is stored nowhere."""

    log: Id
    key: Key
    body: Annotated[bytes, Meta(max_length=CAST_SIZE_MAX)]


class Trim(Frame, tag=9, frozen=True):
    """Delete what stands before a position, closers excepted."""

    request: Request
    log: Id
    owner_key: Key
    before: Position


class Drop(Frame, tag=10, frozen=True):
    """Delete a log with everything in it."""

    request: Request
    log: Id
    owner_key: Key


class Put(Frame, tag=11, frozen=True):
    """Add packages to an inbox's pool; replace its last package and its offer where given.

    With a last package the pool is made anew: what nobody took of the old one goes.
    """

    request: Request
    log: Id
    owner_key: Key
    packages: Annotated[list[Package], Meta(max_length=PACKAGES_PER_PUT_MAX)]
    last_package: Package | None
    offer: Annotated[bytes, Meta(min_length=1, max_length=OFFER_SIZE_MAX)] | None


class Take(Frame, tag=12, frozen=True):
    """Ask an inbox for its offer or for one package.

    `taker`: 16 random bytes of who asks; a repeat with the same ones is answered alike.
    """

    request: Request
    log: Id
    post_key: Key
    taker: Id


class Credit(Frame, tag=13, frozen=True):
    """Say that entries of this cost were consumed, so that more may come. Has no answer."""

    cost: Annotated[int, Meta(ge=0, le=2**31 - 1)]


class Ping(Frame, tag=14, frozen=True):
    """Ask for a `Pong` with the same number."""

    number: Request


class Reserve(Frame, tag=15, frozen=True):
    """Make space for a blob, charged to a room by who holds the key of its open segment.

    It will have `chunk_count` chunks of `chunk_size` bytes, one of `CHUNK_SIZES`. A repeat with the same
    hashes and size is answered with how far the blob has come.
    """

    request: Request
    blob: Id
    log: Id
    key: Key
    write_hash: Hash
    read_hash: Hash
    chunk_size: Annotated[int, Meta(ge=1, le=2**31 - 1)]
    chunk_count: Annotated[int, Meta(ge=1, le=2**31 - 1)]
    retention_s: Annotated[int, Meta(ge=1, le=2**31 - 1)] | None


class Fill(Frame, tag=16, frozen=True):
    """Write the next bytes of a blob; what it has already is left as it is, so that a repeat is safe."""

    request: Request
    blob: Id
    write_key: Key
    offset: Position
    body: PartBody


class Fetch(Frame, tag=17, frozen=True):
    """Read bytes `offset … offset + size` of a whole blob."""

    request: Request
    blob: Id
    read_key: Key
    offset: Position
    size: Annotated[int, Meta(ge=1, le=PART_SIZE_MAX)]


class Discard(Frame, tag=18, frozen=True):
    """Delete a blob."""

    request: Request
    blob: Id
    write_key: Key


class Carry(Frame, tag=19, frozen=True):
    """Connect to another relay, and carry messages there and back for as long as this connection lasts.

    `relay`: the other relay's id, which it has to prove to have.
    """

    request: Request
    relay: Hash
    address: Address


class Pass(Frame, tag=20, frozen=True):
    """Hand the other relay one message. Has no answer."""

    body: PassBody


Up: TypeAlias = (
    Hello
    | Open
    | Attach
    | Detach
    | Append
    | Rekey
    | Knock
    | Cast
    | Trim
    | Drop
    | Put
    | Take
    | Credit
    | Ping
    | Reserve
    | Fill
    | Fetch
    | Discard
    | Carry
    | Pass
)
"""What a client says."""


class Limits(Frame, frozen=True):
    """What the relay grants, in bytes, counts and seconds; untagged, inside `Welcome`."""

    entry_size_max: Position
    rekey_size_max: Position
    credit_bytes: Position
    attachments_max: Position
    retention_s: Position
    session_s: Position


class Welcome(Frame, tag=64, frozen=True):
    """Answer to `Hello`.

    `store`: names the relay's store; a restored backup has another.
    `resumed`: whether the session that was asked for goes on.
    `addresses`: where the relay says that it is found now; none: it says nothing about it.
    `carries`: whether it takes `Carry`.
    """

    token: Token
    store: Id
    resumed: bool
    limits: Limits
    addresses: Annotated[list[Address], Meta(max_length=ADDRESSES_MAX)]
    carries: bool


class Taken(Frame, frozen=True):
    """What `Take` got; untagged, inside `Ok`."""

    kind: Literal["package", "last", "offer"]
    body: Annotated[bytes, Meta(max_length=OFFER_SIZE_MAX)]


class Ok(Frame, tag=65, frozen=True):
    """The request was done; `value` is what `Take` got."""

    request: Request
    value: Taken | None


class No(Frame, tag=66, frozen=True):
    """The request was refused; a repeat makes sense after `retry_after_ms` where that isn't 0."""

    request: Request
    code: Code
    retry_after_ms: Position


class Attached(Frame, tag=67, frozen=True):
    """The log will be read from where `Attach` said.

    `head`: everything stored so far has arrived once an `Entries` or `after` itself has reached it.
    """

    request: Request
    log: Id
    segment_open: bool
    head: Position


class Stored(Frame, tag=68, frozen=True):
    """The entry is on stable storage at this position, now or since an earlier request."""

    request: Request
    log: Id
    entry: Id
    position: Position


class Entry(Frame, frozen=True):
    """One entry of `Entries`; untagged.

    `segment`: the position of the closer that opened its segment, 0 for the first.
    `flags`: of `Flag`. `body`: None for what this session itself appended. `next_hash`: of a closer.
    """

    position: Position
    entry: Id
    segment: Position
    flags: Annotated[int, Meta(ge=0, le=255)]
    body: Body | None
    next_hash: Hash | None


class Entries(Frame, tag=69, frozen=True):
    """Entries of a log in order; nothing readable up to `through` is left out. May be empty."""

    log: Id
    entries: Annotated[list[Entry], Meta(max_length=ENTRIES_PER_FRAME_MAX)]
    through: Position


class Base(Frame, tag=70, frozen=True):
    """Everything up to this position except closers is gone."""

    log: Id
    position: Position


class KnockItem(Frame, frozen=True):
    """One knock of `Knocks`; untagged."""

    knock: Position
    body: Annotated[bytes, Meta(max_length=KNOCK_SIZE_MAX)]


class KnocksHeard(Frame, tag=71, frozen=True):
    """Knocks that wait at a room's door; one may come more than once."""

    log: Id
    knocks: Annotated[list[KnockItem], Meta(max_length=KNOCKS_PER_LOG_MAX)]


class CastHeard(Frame, tag=72, frozen=True):
    """Somebody attached to the same open segment cast this."""

    log: Id
    body: Annotated[bytes, Meta(max_length=CAST_SIZE_MAX)]


class Bye(Frame, tag=73, frozen=True):
    """The relay ends the session; the last frame of a connection."""

    code: Code


class Pong(Frame, tag=74, frozen=True):
    """Answer to `Ping`."""

    number: Request


class Filled(Frame, tag=75, frozen=True):
    """The blob's first `written` bytes are on stable storage."""

    request: Request
    blob: Id
    written: Position


class Part(Frame, tag=76, frozen=True):
    """Bytes of a blob that were asked for."""

    request: Request
    body: PartBody


class Passed(Frame, tag=77, frozen=True):
    """The other relay said this."""

    body: PassBody


class Took(Frame, tag=78, frozen=True):
    """So many more bytes of `Pass` have been handed on."""

    size: Position


Down: TypeAlias = (
    Welcome
    | Ok
    | No
    | Attached
    | Stored
    | Entries
    | Base
    | KnocksHeard
    | CastHeard
    | Bye
    | Pong
    | Filled
    | Part
    | Passed
    | Took
)
"""What a relay says."""


def credit_cost(frame: Down) -> int:
    """Return what a frame costs in credit, and what is paid back once it is consumed."""
    match frame:
        case Entries():
            return ENTRY_COST + sum(
                ENTRY_COST + (0 if entry.body is None else len(entry.body)) for entry in frame.entries
            )
        case KnocksHeard():
            return sum(ENTRY_COST + len(knock.body) for knock in frame.knocks)
        case CastHeard():
            return ENTRY_COST + len(frame.body)
        case Base():
            return ENTRY_COST
        case _:
            return 0


_encoder = msgspec.msgpack.Encoder()
_up = msgspec.msgpack.Decoder(Annotated[list[Up], Meta(max_length=FRAMES_PER_MESSAGE_MAX)])
_down = msgspec.msgpack.Decoder(Annotated[list[Down], Meta(max_length=FRAMES_PER_MESSAGE_MAX)])


def encode(frames: Sequence[Up] | Sequence[Down]) -> bytes:
    """Return the bytes of one message; they hold at most `FRAMES_PER_MESSAGE_MAX` frames."""
    return _encoder.encode(frames)


def parse_up(message: bytes | memoryview) -> list[Up]:
    """Parse what a client sent. Raises `Malformed`."""
    try:
        return _up.decode(message)
    except (msgspec.MsgspecError, UnicodeDecodeError):  # a string that isn't UTF-8 raises the latter
        raise Malformed("frames don't parse") from None


def parse_down(message: bytes | memoryview) -> list[Down]:
    """Parse what a relay sent. Raises `Malformed`."""
    try:
        return _down.decode(message)
    except (msgspec.MsgspecError, UnicodeDecodeError):  # a string that isn't UTF-8 raises the latter
        raise Malformed("frames don't parse") from None
