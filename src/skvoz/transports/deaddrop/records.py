"""A record: what stands in one slot of a drop's journal.

Who writes one says by `before` what all slots before it come to, as far as it read them: whoever read
something else there learns from the next record that the provider shows them different things.
"""

from collections.abc import Sequence
from typing import Annotated, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta

from skvoz.base.errors import Malformed
from skvoz.base.value import Value
from skvoz.crypto import sha256
from skvoz.transports.deaddrop.objects import CONTENT_SIZE_MAX
from skvoz.wire.frames import (
    Append,
    Discard,
    Drop,
    Hash,
    Id,
    Knock,
    Open,
    Position,
    Put,
    Rekey,
    Reserve,
    Take,
    Trim,
    encode,
    parse_up,
)

Written: TypeAlias = Open | Append | Rekey | Knock | Trim | Drop | Put | Take | Reserve | Discard
"""Requests that change what a drop holds; who only reads writes nothing."""
_WRITTEN: Final = (Open, Append, Rekey, Knock, Trim, Drop, Put, Take, Reserve, Discard)
FRAMES_SIZE_MAX: Final = CONTENT_SIZE_MAX - 4096
"""Bytes of one record's frames: an object holds them and what else a record says."""
NOTED_MAX: Final = 256
NO_CHAIN: Final = bytes(32)
"""What the slots before the first come to."""


class Noted(Value, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """The next piece of a blob lies in the drop: the first `written` bytes are there now."""

    blob: Id
    written: Position


class _Record(Value, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    version: Literal[1]
    before: Hash
    time_ms: Annotated[int, Meta(ge=0, le=2**53)]
    frames: Annotated[bytes, Meta(max_length=FRAMES_SIZE_MAX)]
    noted: Annotated[list[Noted], Meta(max_length=NOTED_MAX)]
    expired_hour: Annotated[int, Meta(ge=0, le=2**40)]


class Record(Value, frozen=True, kw_only=True, gc=False):
    """One slot's content.

    `before`: what its author knows of the slots before, 32 bytes. `time_ms`: the author's clock.
    `expired_hour`: what has come to its hour is let go first, 0: nothing is.
    """

    before: bytes
    time_ms: int
    requests: tuple[Written, ...] = ()
    noted: tuple[Noted, ...] = ()
    expired_hour: int = 0

    def encode(self) -> bytes:
        """Return its bytes."""
        return _encoder.encode(
            _Record(1, self.before, self.time_ms, encode(self.requests), list(self.noted), self.expired_hour)
        )


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Record)


def parse_record(content: bytes) -> Record:
    """Parse what an object of the journal holds; raise `Malformed`."""
    try:
        found = _decoder.decode(content)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise Malformed("a record doesn't parse") from None
    requests: list[Written] = []
    for frame in parse_up(found.frames):
        if not isinstance(frame, _WRITTEN):
            raise Malformed("a record holds a request that changes nothing")
        requests.append(frame)
    return Record(
        before=found.before,
        time_ms=found.time_ms,
        requests=tuple(requests),
        noted=tuple(found.noted),
        expired_hour=found.expired_hour,
    )


def chain(before: bytes, data: bytes) -> bytes:
    """Return what the slots up to an object of these bytes come to."""
    return sha256(before + sha256(data))


def size_of(requests: Sequence[Written]) -> int:
    """Return how many bytes requests take in a record."""
    return len(encode(requests))
