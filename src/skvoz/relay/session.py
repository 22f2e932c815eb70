"""One client at the relay: what it reads and how far, its credit, and what may be lost with a connection.

A message that was sent and not yet paid back by `credit` may never have arrived. For each the window keeps
where the cursors stood before it, so that a resumption rewinds exactly; bodies are read from the store again.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

from skvoz.base.limits import CREDIT_BYTES
from skvoz.logs import SEGMENTS_VISIBLE_MAX
from skvoz.wire.frames import (
    ENTRY_COST,
    Base,
    CastHeard,
    Down,
    Entries,
    Entry,
    Flag,
    KnockItem,
    KnocksHeard,
    No,
    Part,
)

if TYPE_CHECKING:
    from skvoz.wire.sealed import SealedSession

READ_BYTES: Final = 32 * 1024
"""What one read of a log asks for: a session with many logs gets a little of each."""
ATTACHMENTS_MAX: Final = 10_000
"""Logs that one session may read."""
READS_MAX: Final = 8
"""Reads of one session at a time; together they use up the credit."""
_MESSAGE_BYTES: Final = 1200 * 1024
"""A message is cut before it would exceed this; one closer and its frame fit."""
_MESSAGE_FRAMES: Final = 2_000
_FRAME_OVERHEAD: Final = 96
_OWN_MAX: Final = 1_024
_SLOW_MS: Final = 1_000


@dataclass(slots=True, eq=False)
class Attachment:
    """A log that a session reads: `cursor` is the last position sent, `tail` the last that is there for it.

    `segments`: key hashes of the visible segments by number; `closed`: those that are closed, as far as read.
    `number`: changes whenever reads that are under way have become worthless.
    `marked`: the message being made touches it; `mark` is the cursor before, `batch` its entries so far.
    """

    session: "Session"
    log: bytes = field(repr=False)
    number: int
    cursor: int
    tail: int
    segments: dict[int, bytes] = field(repr=False)
    closed: set[int]
    knocks_due: bool
    reading: bool = False
    queued: bool = False
    base_told: int = 0
    own: set[int] = field(default_factory=set[int])
    marked: bool = False
    mark: int = 0
    mark_knocks: bool = False
    batch: list[Entry] | None = None

    @property
    def has_open_segment(self) -> bool:
        """Whether the reader is, as far as read, a present member."""
        return any(number not in self.closed for number in self.segments)

    def learn(self, entry: Entry) -> None:
        """Follow a closer: its segment is closed, and a carry closer lets the reader see the next one."""
        if not entry.flags & Flag.CLOSER:
            return
        self.closed.add(entry.segment)
        if entry.flags & Flag.CARRY and entry.next_hash is not None:
            self.segments[entry.position] = entry.next_hash
            # Knocks may have been looked for at the old segment's door when it was closed already.
            self.knocks_due = True
            if len(self.segments) > SEGMENTS_VISIBLE_MAX:
                oldest = min(self.segments)
                del self.segments[oldest]
                self.closed.discard(oldest)

    def remember_own(self, position: int) -> None:
        """Note that the session appended the entry itself and needs no body back."""
        if len(self.own) < _OWN_MAX:
            self.own.add(position)

    def open_segment_of(self, key_hash: bytes) -> int | None:
        """Return the open segment under this key."""
        for number, known in self.segments.items():
            if known == key_hash and number not in self.closed:
                return number
        return None


Mark: TypeAlias = tuple[Attachment, int, bool]
"""An attachment, its cursor before a message, and whether the message held knocks."""
Sent: TypeAlias = tuple[int, int, list[Mark]]
"""A message that was not paid back yet: its number in the session, its cost, and how to undo it."""


class Session:
    """One client, over as many connections as it takes."""

    def __init__(self, number: int, token: bytes) -> None:
        self.number = number
        self.token = token
        self.connection: int | None = None
        self.sealed: SealedSession | None = None
        self.lost_at_ms = 0
        self.pending = 0
        self.parts = 0
        self.credit = CREDIT_BYTES
        self.reserved = 0
        self.reads = 0
        self.sent = 0
        self.attachments: dict[bytes, Attachment] = {}
        self.attaching: dict[int, bytes] = {}
        self._latest_attach: dict[bytes, int] = {}
        self.queue: deque[Attachment] = deque()
        self._window: deque[Sent] = deque()
        self._frames: list[Down] = []
        self._marked: list[Attachment] = []
        self._size = 0
        self._count = 0
        self._cost = 0
        self._messages: list[list[Down]] = []

    def expect_attach(self, log: bytes, request: int) -> bool:
        """Note that an attach is asked of the store; False if the session reads too many logs."""
        if len(self.attachments) + len(self.attaching) >= ATTACHMENTS_MAX:
            return False
        self.attaching[request] = log
        self._latest_attach[log] = request
        return True

    def conclude_attach(self, request: int) -> bool:
        """Tell whether the store's answer to this request is the latest wish for its log."""
        log = self.attaching.pop(request, None)
        if log is None or self._latest_attach.get(log) != request:
            return False
        del self._latest_attach[log]
        return True

    def forget_attach(self, log: bytes) -> None:
        """Let go of an attach that the store has not answered."""
        self._latest_attach.pop(log, None)

    def say(self, frame: Down, size: int = _FRAME_OVERHEAD) -> None:
        """Put a frame into the next message; nothing happens without a connection."""
        if self.connection is not None:
            self._make_room(size)
            self._frames.append(frame)

    def put_off(self, request: int) -> None:
        """Say that a request is to be repeated later."""
        self.say(No(request, "slow", _SLOW_MS))

    def say_part(self, part: Part) -> None:
        """Put a part of a blob into the next message; it was asked for, so it costs no credit."""
        self.say(part, len(part.body) + _FRAME_OVERHEAD)

    def deliver(self, attachment: Attachment, entry: Entry) -> None:
        """Put an entry into the next message and move the cursor; it costs credit."""
        if attachment.own and entry.position in attachment.own:
            attachment.own.discard(entry.position)
            entry = without_body(entry)
        body = entry.body
        size = 0 if body is None else len(body)
        self._make_room(size + _FRAME_OVERHEAD)
        batch = attachment.batch
        if batch is None:
            self._begin_batch(attachment).append(entry)
        else:
            batch.append(entry)
        attachment.cursor = entry.position
        cost = size + ENTRY_COST
        self.credit -= cost
        self._cost += cost

    def advance(self, attachment: Attachment, through: int) -> None:
        """Say that nothing more is to be read up to here."""
        if through > attachment.cursor:
            self._make_room(_FRAME_OVERHEAD)
            if attachment.batch is None:
                self._begin_batch(attachment)
            attachment.cursor = through

    def tell_base(self, attachment: Attachment, base: int) -> None:
        """Say that what the client has not read up to here is gone."""
        if base > attachment.cursor and base > attachment.base_told:
            self.say(Base(attachment.log, base))
            self._mark(attachment)
            self._charge(ENTRY_COST)
            attachment.base_told = base

    def deliver_knock(self, attachment: Attachment, knock: KnockItem) -> None:
        """Put a knock into the next message; it costs credit."""
        self.say(KnocksHeard(attachment.log, [knock]), len(knock.body) + _FRAME_OVERHEAD)
        self._mark(attachment)
        attachment.mark_knocks = True
        self._charge(len(knock.body) + ENTRY_COST)

    def deliver_cast(self, log: bytes, body: bytes) -> None:
        """Put a cast into the next message; it costs credit."""
        self.say(CastHeard(log, body), len(body) + _FRAME_OVERHEAD)
        self._charge(len(body) + ENTRY_COST)

    def take_messages(self) -> list[list[Down]]:
        """Return the messages to send now, each a list of frames, and keep how to undo them."""
        self._cut()
        messages = self._messages
        self._messages = []
        return messages

    def pay(self, cost: int) -> None:
        """Take back credit for what the client consumed; never more than there was."""
        self.credit = min(CREDIT_BYTES, self.credit + cost)
        window = self._window
        while window and cost >= window[0][1]:
            cost -= window.popleft()[1]
        if window and cost:
            number, due, marks = window[0]
            window[0] = (number, due - cost, marks)

    def rewind(self, received: int, owed: int) -> None:
        """Undo what was sent after message `received`, as if it never had been; drop what was being made.

        `owed`: what the client has not paid back of the rest; a payment may have been lost on its way.
        """
        self.abandon()
        self._messages = []
        while self._window and self._window[-1][0] > received:
            _undo(self._window.pop()[2])
        self.sent = received
        due = sum(cost for _, cost, _ in self._window)
        self.credit = CREDIT_BYTES - due
        self.pay(max(0, due - owed))

    def abandon(self) -> None:
        """Undo what was being made for a connection that is gone."""
        _undo([(one, one.mark, one.mark_knocks) for one in self._marked])
        self.credit += self._cost
        self._reset()

    def discard(self, attachment: Attachment) -> None:
        """Take what an attachment has in the next message out again."""
        if attachment.batch is not None:
            refund = ENTRY_COST + sum(ENTRY_COST + len(entry.body or b"") for entry in attachment.batch)
            attachment.batch = None
            self.credit += refund
            self._cost -= refund

    def enqueue(self, attachment: Attachment) -> None:
        """Have the attachment read when its turn comes."""
        if not attachment.queued and not attachment.reading:
            attachment.queued = True
            self.queue.append(attachment)

    def _mark(self, attachment: Attachment) -> None:
        if not attachment.marked:
            attachment.marked = True
            attachment.mark = attachment.cursor
            attachment.mark_knocks = False
            self._marked.append(attachment)

    def _begin_batch(self, attachment: Attachment) -> list[Entry]:
        self._mark(attachment)
        batch: list[Entry] = []
        attachment.batch = batch
        self._charge(ENTRY_COST)
        return batch

    def _charge(self, cost: int) -> None:
        self.credit -= cost
        self._cost += cost

    def _make_room(self, size: int) -> None:
        if self._size + size > _MESSAGE_BYTES or self._count >= _MESSAGE_FRAMES:
            self._cut()
        self._size += size
        self._count += 1

    def _cut(self) -> None:
        frames = self._frames
        marks: list[Mark] = []
        for attachment in self._marked:
            if attachment.batch is not None:
                frames.append(Entries(attachment.log, attachment.batch, attachment.cursor))
            marks.append((attachment, attachment.mark, attachment.mark_knocks))
        if not frames:
            return
        self.sent += 1
        if self._cost:
            self._window.append((self.sent, self._cost, marks))
        self._messages.append(frames)
        self._reset()

    def _reset(self) -> None:
        for attachment in self._marked:
            attachment.marked = False
            attachment.batch = None
        self._frames = []
        self._marked = []
        self._size = self._count = self._cost = 0


def _undo(marks: list[Mark]) -> None:
    for attachment, cursor, knocks in marks:
        attachment.cursor = cursor
        attachment.base_told = 0
        if knocks:
            attachment.knocks_due = True


def without_body(entry: Entry) -> Entry:
    """Return the entry as its own author gets it back."""
    return Entry(entry.position, entry.entry, entry.segment, entry.flags, None, entry.next_hash)
