"""Fuzz what a dead drop holds: objects, records, states, and a drop's key as people paste it."""

from typing import Final

from fuzz.target import Part, Target, one_of
from fuzz.wire_frames import UP
from skvoz.base.errors import BadRequest
from skvoz.transports.deaddrop.handing import DropKey, parse_drop_key
from skvoz.transports.deaddrop.names import ObjectKind, Place, drop_keys
from skvoz.transports.deaddrop.objects import open_object, seal_object
from skvoz.transports.deaddrop.places import parse_place
from skvoz.transports.deaddrop.records import NO_CHAIN, Noted, Record, Written, chain, parse_record
from skvoz.transports.deaddrop.replica import Replica
from skvoz.transports.deaddrop.states import open_state, seal_state
from skvoz.wire.frames import Append, Kind, Open, Reserve, Take

_ID: Final = bytes(16)
_KEYS: Final = drop_keys(bytes(32))
_PLACE: Final = Place(ObjectKind.RECORD, 1)
_KEY: Final = DropKey(1, "file:///drop", "", bytes(32)).encode()


def _record() -> bytes:
    asked: tuple[Written, ...] = tuple(
        frame for frame in UP if isinstance(frame, Open | Append | Reserve | Take)
    )
    return Record(before=NO_CHAIN, time_ms=1, requests=asked, noted=(Noted(_ID, 1),), expired_hour=1).encode()


def try_object(data: bytes) -> None:
    """Open an object that a provider gave back."""
    open_object(_KEYS, _PLACE, data)


def try_record(data: bytes) -> None:
    """Take a record of somebody who has the drop's key, twice: both come to the same."""
    record = parse_record(data)
    states: list[bytes] = []
    for _ in range(2):
        replica = Replica(lambda _: None)
        replica.take(1, chain(NO_CHAIN, data), record)
        states.append(replica.export_state())
    if states[0] != states[1]:
        raise AssertionError("two who read the same come to something else")


def try_state(data: bytes) -> None:
    """Begin from a state, which then is what it was."""
    replica = Replica(lambda _: None)
    replica.restore_state(data)
    replica.export_state()


def try_state_objects(data: bytes) -> None:
    """Open a state whose every part is what a provider gave back."""
    open_state(_KEYS, 1, lambda _: data)


def try_place(data: bytes) -> None:
    """Parse a storage's URL."""
    try:
        parse_place(data.decode(errors="replace"))
    except BadRequest:
        return


def try_key(data: bytes) -> None:
    """Parse a drop's key."""
    try:
        parse_drop_key(data.decode(errors="replace"))
    except BadRequest:
        return


def make() -> Target:
    """Return the target."""
    replica = Replica(lambda _: None)
    opened = Open(1, _ID, Kind.ROOM, bytes(32), bytes(32), None, b"", None)
    replica.take(1, NO_CHAIN, Record(before=NO_CHAIN, time_ms=1, requests=(opened,)))
    whole = seal_object(_KEYS, _PLACE, _record(), bytes)
    [(_, state)] = seal_state(_KEYS, 1, replica.export_state(), bytes)
    return one_of(
        (
            Part(try_object, [whole, whole[:100]]),
            Part(try_record, [_record()]),
            Part(try_state, [replica.export_state()]),
            Part(try_state_objects, [state]),
            Part(try_place, [b"sftp://anna@[::1]:22/drop?hostkey=SHA256%3Ax&create=new", b"file:///a%20b"]),
            Part(try_key, [_KEY.encode()]),
        )
    )
