"""Fuzz the frames of both directions: what parses encodes, and parses again to the same."""

from dataclasses import replace
from typing import Final

from fuzz.target import Part, Target, one_of
from skvoz.wire import frames
from skvoz.wire.frames import (
    Append,
    Attach,
    Attached,
    Base,
    Bye,
    Cast,
    CastHeard,
    Credit,
    Detach,
    Discard,
    Down,
    Drop,
    Entries,
    Entry,
    Fetch,
    Fill,
    Filled,
    Hello,
    Kind,
    Knock,
    KnockItem,
    KnocksHeard,
    Limits,
    No,
    Ok,
    Open,
    Ping,
    Pong,
    Put,
    Rekey,
    Reserve,
    Stored,
    Take,
    Taken,
    Trim,
    Up,
    Welcome,
    credit_cost,
    encode,
    parse_down,
    parse_up,
)

_ID: Final = bytes(range(16))
_KEY: Final = bytes(range(32))
UP: Final[tuple[Up, ...]] = (
    Hello(_KEY, None, 0, 0),
    Hello(_KEY, _KEY, 5, 7),
    Open(1, _ID, Kind.ROOM, _KEY, _KEY, _KEY, b"ticket", 3600),
    Open(2, _ID, Kind.INBOX, _KEY, _KEY, None, b"", None),
    Attach(3, _ID, _KEY, 1),
    Detach(_ID),
    Append(4, _ID, _KEY, _ID, b"body", 0),
    Rekey(5, _ID, _KEY, _ID, b"", 1, _KEY, carry=True, contest_proof=bytes(8), door_hash=_KEY, answered=[1]),
    Rekey(6, _ID, _KEY, _ID, b"", 1, _KEY, carry=False, contest_proof=None, door_hash=None, answered=[]),
    Knock(7, _ID, _KEY, b"knock"),
    Cast(_ID, _KEY, b"cast"),
    Trim(8, _ID, _KEY, 1),
    Drop(9, _ID, _KEY),
    Put(10, _ID, _KEY, [b"package"], b"last", b"offer"),
    Take(11, _ID, _KEY, _ID),
    Credit(64),
    Ping(12),
    Reserve(13, _ID, _ID, _KEY, _KEY, _KEY, 65_552, 3, 3600),
    Reserve(13, _ID, _ID, _KEY, _KEY, _KEY, 65_552, 3, None),
    Fill(14, _ID, _KEY, 9, b"part"),
    Fetch(15, _ID, _KEY, 9, 4),
    Discard(16, _ID, _KEY),
    frames.Carry(17, _KEY, "wss://a.example/"),
    frames.Pass(b"sealed"),
)
DOWN: Final[tuple[Down, ...]] = (
    Welcome(
        _KEY, _ID, resumed=True, limits=Limits(1, 2, 3, 4, 5, 6), addresses=["wss://a.example/"], carries=True
    ),
    Ok(1, Taken("offer", b"offer")),
    Ok(2, None),
    No(3, "superseded", 1),
    Attached(4, _ID, segment_open=True, head=2),
    Stored(5, _ID, _ID, 6),
    Entries(_ID, [Entry(1, _ID, 0, 3, b"body", _KEY), Entry(2, _ID, 1, 0, None, None)], 2),
    Base(_ID, 1),
    KnocksHeard(_ID, [KnockItem(1, b"knock")]),
    CastHeard(_ID, b"cast"),
    Bye("bad"),
    Pong(7),
    Filled(8, _ID, 9),
    frames.Part(9, b"part"),
    frames.Passed(b"sealed"),
    frames.Took(6),
)


def try_up(data: bytes) -> None:
    """Parse what a client might send."""
    parsed = parse_up(data)
    if parse_up(encode(parsed)) != parsed:
        raise AssertionError("frames change when they are encoded again")


def try_down(data: bytes) -> None:
    """Parse what a relay might send, and say what it costs."""
    parsed = parse_down(data)
    if parse_down(encode(parsed)) != parsed:
        raise AssertionError("frames change when they are encoded again")
    for frame in parsed:
        credit_cost(frame)


def make() -> Target:
    """Return the target."""
    up = [encode([frame]) for frame in UP] + [encode(UP)]
    down = [encode([frame]) for frame in DOWN] + [encode(DOWN)]
    # The parser is C, of which coverage sees nothing: what is taken is what further inputs are made of.
    return replace(one_of((Part(try_up, up), Part(try_down, down))), guided=False)
