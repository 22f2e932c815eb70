"""What goes into the relay machine, what comes out, and what passes between it and the store.

`Input`s are facts, `Effect`s what the driver must do. A connection is a number that the driver never reuses.
"""

from dataclasses import dataclass, field
from typing import TypeAlias

import msgspec

from skvoz.wire.frames import (
    Append,
    Attach,
    Attached,
    Drop,
    Entry,
    Knock,
    KnockItem,
    No,
    Ok,
    Open,
    Put,
    Rekey,
    Stored,
    Take,
    Trim,
)

LogRequest: TypeAlias = Open | Attach | Append | Rekey | Knock | Trim | Drop | Put | Take
"""Frames that the store's writer decides."""


class Job(msgspec.Struct, frozen=True, gc=False):
    """A request of a session, by the machine's number for it."""

    session: int
    request: LogRequest


class Appended(msgspec.Struct, frozen=True, gc=False):
    """A log has a new entry."""

    log: bytes
    entry: Entry


class Granted(msgspec.Struct, frozen=True, gc=False):
    """A session may read a log up to `head` now; `segments` are key hashes by number, `closed` numbers."""

    log: bytes
    after: int
    head: int
    segments: dict[int, bytes]
    closed: tuple[int, ...]


class Knocked(msgspec.Struct, frozen=True, gc=False):
    """A log has a new knock."""

    log: bytes


class Dropped(msgspec.Struct, frozen=True, gc=False):
    """A log is gone."""

    log: bytes


Notice: TypeAlias = Appended | Granted | Knocked | Dropped


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """What became of a job: the answer to its session, and what others are told."""

    session: int
    answer: Ok | No | Stored | Attached
    notice: Notice | None


class ReadRequest(msgspec.Struct, frozen=True, gc=False):
    """Read a log for a session: `after` < position ≤ `through`, about `bytes_max` of bodies.

    `segments`: those that may be read. `knocks`: whether the knocks at the open ones among them are wanted.
    """

    session: int
    log: bytes
    attachment: int
    after: int
    through: int
    segments: frozenset[int]
    bytes_max: int
    knocks: bool


class ReadAnswer(msgspec.Struct, frozen=True, gc=False):
    """What a read found; nothing that may be read up to `through` is left out.

    `bytes_max` and `with_knocks` repeat what was asked.
    """

    session: int
    log: bytes
    attachment: int
    entries: list[Entry]
    through: int
    base: int
    bytes_max: int
    with_knocks: bool
    knocks: list[KnockItem]


@dataclass(frozen=True, slots=True)
class Received:
    """A connection brought a message; its first one begins the handshake."""

    connection: int
    message: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Lost:
    """A connection is gone."""

    connection: int


@dataclass(frozen=True, slots=True)
class Executed:
    """The store has these outcomes on stable storage; in the order of the jobs."""

    outcomes: list[Outcome]


@dataclass(frozen=True, slots=True)
class ReadDone:
    """The store has read this."""

    answers: list[ReadAnswer]


@dataclass(frozen=True, slots=True)
class Passed:
    """Time has passed; hand this in every few seconds, so that dead sessions go."""


Input: TypeAlias = Received | Lost | Executed | ReadDone | Passed


@dataclass(frozen=True, slots=True)
class Send:
    """Send one message."""

    connection: int
    message: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Close:
    """Close a connection after what was sent before; `Lost` need not follow."""

    connection: int


@dataclass(frozen=True, slots=True)
class Execute:
    """Have the store's writer run these jobs through `Executor.execute`, commit, and hand in `Executed`."""

    jobs: list[Job]


@dataclass(frozen=True, slots=True)
class Read:
    """Have the store run these requests through `read`, and hand in `ReadDone`."""

    requests: list[ReadRequest]


Effect: TypeAlias = Send | Close | Execute | Read
