"""What goes into the relay machine, what comes out, and what passes between it and the store.

`Input`s are facts, `Effect`s what the driver must do. A connection is a number that the driver never reuses.
"""

from typing import TypeAlias

from skvoz.base.value import Value
from skvoz.wire.frames import (
    Append,
    Attach,
    Attached,
    Discard,
    Drop,
    Entry,
    Fetch,
    Fill,
    Filled,
    Knock,
    KnockItem,
    No,
    Ok,
    Open,
    Part,
    Put,
    Rekey,
    Reserve,
    Stored,
    Take,
    Trim,
)


class Progress(Value, frozen=True, gc=False):
    """A blob's first `written` bytes are in its file, on stable storage: note it, and tell who wrote them."""

    request: int
    blob: bytes
    written: int


LogRequest: TypeAlias = (
    Open | Attach | Append | Rekey | Knock | Trim | Drop | Put | Take | Reserve | Discard | Progress
)
"""What the store's writer decides: frames, and what came of others."""
PartRequest: TypeAlias = Fill | Fetch
"""Frames about a blob's bytes, which never wait for the store's writer, nor it for them."""


class Job(Value, frozen=True, gc=False):
    """A request of a session, by the machine's number for it."""

    session: int
    request: LogRequest


class Appended(Value, frozen=True, gc=False):
    """A log has a new entry."""

    log: bytes
    entry: Entry


class Granted(Value, frozen=True, gc=False):
    """A session may read a log up to `head` now; `segments` are key hashes by number, `closed` numbers."""

    log: bytes
    after: int
    head: int
    segments: dict[int, bytes]
    closed: tuple[int, ...]


class Knocked(Value, frozen=True, gc=False):
    """A log has a new knock."""

    log: bytes


class Dropped(Value, frozen=True, gc=False):
    """A log is gone."""

    log: bytes


Notice: TypeAlias = Appended | Granted | Knocked | Dropped


class Outcome(Value, frozen=True, gc=False):
    """What became of a job: the answer to its session, and what others are told."""

    session: int
    answer: Ok | No | Stored | Attached | Filled
    notice: Notice | None


class PartJob(Value, frozen=True, gc=False):
    """A request of a session about a blob's bytes, and the connection that it came by."""

    session: int
    connection: int
    request: PartRequest


class PartOutcome(Value, frozen=True, gc=False):
    """What became of one: the answer, or progress to be noted first; None where nobody waits any more."""

    session: int
    request: PartRequest
    result: Part | No | Progress | None


class ReadRequest(Value, frozen=True, gc=False):
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


class ReadAnswer(Value, frozen=True, gc=False):
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


class Received(Value, frozen=True, gc=False):
    """A connection brought a message; its first one begins the handshake."""

    connection: int
    message: bytes


class Lost(Value, frozen=True, gc=False):
    """A connection is gone."""

    connection: int


class Executed(Value, frozen=True, gc=False):
    """The store has these outcomes on stable storage; in the order of the jobs."""

    outcomes: list[Outcome]


class ReadDone(Value, frozen=True, gc=False):
    """The store has read this."""

    answers: list[ReadAnswer]


class PartsDone(Value, frozen=True, gc=False):
    """These were handled; the bytes of those that were written are on stable storage."""

    outcomes: list[PartOutcome]


class Passed(Value, frozen=True, gc=False):
    """Time has passed; hand this in every few seconds, so that dead sessions go."""


class Reached(Value, frozen=True, gc=False):
    """Another relay was reached for a hop, and has proven to be the one."""

    hop: int


class Came(Value, frozen=True, gc=False):
    """The relay at the other end of a hop said this."""

    hop: int
    message: bytes


class Went(Value, frozen=True, gc=False):
    """A message of a hop, of this size, has been handed on."""

    hop: int
    size: int


class Gone(Value, frozen=True, gc=False):
    """The relay at the other end was not reached, was not the one, or hung up."""

    hop: int


Input: TypeAlias = Received | Lost | Executed | ReadDone | PartsDone | Passed | Reached | Came | Went | Gone


class Send(Value, frozen=True, gc=False):
    """Send one message."""

    connection: int
    message: bytes


class Close(Value, frozen=True, gc=False):
    """Close a connection after what was sent before; `Lost` need not follow."""

    connection: int


class Execute(Value, frozen=True, gc=False):
    """Have the store's writer run these jobs through `Executor.execute`, commit, and hand in `Executed`."""

    jobs: list[Job]


class Read(Value, frozen=True, gc=False):
    """Have the store run these requests through `read`, and hand in `ReadDone`."""

    requests: list[ReadRequest]


class WriteParts(Value, frozen=True, gc=False):
    """Have the blobs' files written through `PartWriter.write`, and hand in `PartsDone`."""

    jobs: list[PartJob]


class ReadParts(Value, frozen=True, gc=False):
    """Have them read through `fetch`, and hand in `PartsDone`.

    Each is read once its connection has little left to send, so that who is slow to read holds no memory.
    """

    jobs: list[PartJob]


class Reach(Value, frozen=True, gc=False):
    """Connect to another relay for a client's connection, have it prove its id, and hand in `Reached`.

    Read from it only as long as the client's connection has little left to send.
    """

    hop: int
    connection: int
    address: str
    relay_id: bytes


class Onward(Value, frozen=True, gc=False):
    """Hand the relay at the other end of a hop one message, and hand in `Went`."""

    hop: int
    message: bytes


class LetGo(Value, frozen=True, gc=False):
    """End a hop's connection; `Gone` need not follow."""

    hop: int


Effect: TypeAlias = Send | Close | Execute | Read | WriteParts | ReadParts | Reach | Onward | LetGo
