"""The client's end of a session with one relay, pure: effects become frames, frames become inputs.

The driver opens a connection, sends what `connected` returns, hands every message to `received`, and sends
what `flush` returns after each step. When the connection breaks it calls `lost`, later `connected` again.
Requests wait while there is no connection, and are sent again until they are answered; all are repeatable.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Final, assert_never

from skvoz.base.errors import Invalid
from skvoz.base.ids import EntryId, LogId, RelayId
from skvoz.base.ports import Randomness
from skvoz.client import effects, inputs
from skvoz.client.inputs import Input
from skvoz.client.relay_requests import Wish, done, entries_read, frame_of, identity_of, refused, size_of
from skvoz.crypto import CipherSuite
from skvoz.wire import frames
from skvoz.wire.frames import Down, Up, credit_cost
from skvoz.wire.sealed import Greeting, SealedSession, ask_for_key, check_key, greet

IN_FLIGHT_MAX: Final = 1_024
"""Requests that may wait for answers at the relay; it refuses above four times as many."""
_MESSAGE_BYTES: Final = 1200 * 1024
_MESSAGE_FRAMES: Final = 2_000
_FRAME_OVERHEAD: Final = 256
_PING: Final = 0


@dataclass(slots=True)
class _Reading:
    """A log that is read: with which key, and after which position it would be attached again."""

    wish: effects.Attach
    cursor: int
    pending: bool


@dataclass(slots=True)
class _Outgoing:
    """Frames for the next messages."""

    messages: list[list[Up]] = field(default_factory=list[list[Up]])
    size: int = 0

    def add(self, frame: Up, size: int) -> None:
        """Put a frame into the last message, or into a new one where it would grow too long."""
        full = self.size + size > _MESSAGE_BYTES
        if not self.messages or full or len(self.messages[-1]) >= _MESSAGE_FRAMES:
            self.messages.append([])
            self.size = 0
        self.messages[-1].append(frame)
        self.size += size


class RelaySession:
    """A session that outlives its connections; one a relay and channel.

    `relay_id`: SHA-256 of the relay's key. `public_key`: the key, or empty where only the id is known; it is
    then asked for and checked.
    """

    def __init__(
        self, *, suite: CipherSuite, relay_id: RelayId, public_key: bytes, randomness: Randomness
    ) -> None:
        self._suite = suite
        self._relay_id = relay_id
        self._public_key = public_key
        self._randomness = randomness
        self._asked_for_key = False
        self._greeting: Greeting | None = None
        self._sealed: SealedSession | None = None
        self._plain: list[bytes] = []
        self._token: bytes | None = None
        self._received = 0
        self._was_up = False
        self._must_speak = False
        self._must_ping = False
        self._last_request = 0
        self._readings: dict[bytes, _Reading] = {}
        self._pending: dict[int, Wish] = {}
        self._known: set[tuple[object, ...]] = set()
        self._held_back: dict[LogId, set[bytes]] = {}
        self._unsent: deque[int] = deque()
        self._in_flight: set[int] = set()
        self._costs: deque[int] = deque()
        self._credit_due = 0
        self._say_first: list[Up] = []

    @property
    def public_key(self) -> bytes:
        """The relay's key; empty until it is learned."""
        return self._public_key

    @property
    def is_up(self) -> bool:
        """Whether frames can be exchanged now."""
        return self._sealed is not None

    @property
    def awaits_answer(self) -> bool:
        """Whether the relay owes an answer: long silence now means that the connection is frozen."""
        return self._greeting is not None or self._asked_for_key or bool(self._in_flight)

    def connected(self) -> bytes:
        """Begin a handshake on a fresh connection: return its first message.

        Raises `Malformed` if the relay's key is none.
        """
        self._drop_connection()
        if self._public_key:
            return self._greet()
        self._asked_for_key = True
        return ask_for_key(self._relay_id)

    def received(self, message: bytes) -> list[Input]:
        """Take a message of the relay.

        Raises a `PeerError`, after which the connection is to be closed and `lost` called.
        """
        if self._sealed is not None:
            arrived = self._sealed.open_down(message)
            self._check(arrived)
            self._received += 1
            taken = [self._take(frame) for frame in arrived]
            return [made for made in taken if made is not None]
        if self._greeting is not None:
            return self._finish(self._greeting, message)
        if not self._asked_for_key:
            raise Invalid("a relay doesn't speak first")
        self._public_key = check_key(self._relay_id, message)
        self._asked_for_key = False
        self._plain.append(self._greet())
        return []

    def lost(self) -> list[Input]:
        """Note that the connection is gone."""
        self._drop_connection()
        if not self._was_up:
            return []
        self._was_up = False
        self._costs.append(0)
        return [inputs.RelayLost(relay_id=self._relay_id)]

    def request(self, wish: Wish) -> None:
        """Ask the relay, now or once there is a connection; a wish that waits already is not sent twice."""
        identity = identity_of(wish)
        if identity in self._known or self._waits_its_turn(wish):
            return
        log = bytes(wish.log_id)
        if isinstance(wish, effects.Attach):
            self._withdraw_attach(log)
            self._readings[log] = _Reading(wish, wish.after, pending=True)
        self._known.add(identity)
        self._last_request = (self._last_request + 1) & 0xFFFF_FFFF
        self._pending[self._last_request] = wish
        self._unsent.append(self._last_request)

    def detach(self, log_id: LogId) -> None:
        """Read a log no further."""
        log = bytes(log_id)
        self._withdraw_attach(log)
        if self._readings.pop(log, None) is not None:
            self._say_first.append(frames.Detach(log))

    def withdraw(self, log_id: LogId, entry_id: EntryId) -> None:
        """Send an entry or closer no more; an answer to what has gone out says nothing."""
        for number, wish in list(self._pending.items()):
            if isinstance(wish, effects.Append | effects.Rekey) and (wish.log_id, wish.entry_id) == (
                log_id,
                entry_id,
            ):
                self._forget(number)

    def say_again(self, log_id: LogId) -> None:
        """Take appends to a room again: what was let go behind a refused one follows in its order."""
        self._held_back.pop(log_id, None)

    def stored(self, count: int) -> None:
        """Note that the oldest `count` inputs given so far are taken up: the relay may send as much more."""
        for _ in range(min(count, len(self._costs))):
            self._credit_due += self._costs.popleft()

    def ping(self) -> None:
        """Ask for a sign of life."""
        self._must_ping = True

    def flush(self) -> list[bytes]:
        """Return the messages to send now, as few as will do."""
        messages = self._plain
        self._plain = []
        if self._sealed is None:
            return messages
        outgoing = _Outgoing()
        if self._credit_due or self._must_speak:
            outgoing.add(frames.Credit(self._credit_due), _FRAME_OVERHEAD)
            self._credit_due = 0
            self._must_speak = False
        if self._must_ping:
            self._must_ping = False
            self._in_flight.add(_PING)
            outgoing.add(frames.Ping(_PING), _FRAME_OVERHEAD)
        for frame in self._say_first:
            outgoing.add(frame, _FRAME_OVERHEAD)
        self._say_first.clear()
        while self._unsent and len(self._in_flight) < IN_FLIGHT_MAX:
            number = self._unsent.popleft()
            wish = self._pending.get(number)
            if wish is not None:
                self._in_flight.add(number)
                outgoing.add(frame_of(wish, number), size_of(wish) + _FRAME_OVERHEAD)
        messages.extend(self._sealed.seal_up(message) for message in outgoing.messages)
        return messages

    def _greet(self) -> bytes:
        message, self._greeting = greet(
            self._suite,
            self._public_key,
            self._randomness,
            token=self._token,
            received=self._received,
            owed=sum(self._costs) + self._credit_due,
        )
        return message

    def _finish(self, greeting: Greeting, message: bytes) -> list[Input]:
        welcome, self._sealed = greeting.finish(message)
        self._greeting = None
        self._must_speak = True
        self._token = welcome.token
        if not welcome.resumed:
            self._begin_anew()
        self._was_up = True
        self._costs.append(0)
        return [
            inputs.RelayConnected(
                relay_id=self._relay_id,
                store_id=welcome.store,
                public_key=self._public_key,
                addresses=tuple(welcome.addresses),
                carries=welcome.carries,
            )
        ]

    def _begin_anew(self) -> None:
        """Forget cursors, credit and counts of a session that the relay doesn't know any more."""
        self._received = 0
        self._credit_due = 0
        self._say_first.clear()
        self._costs = deque(0 for _ in self._costs)
        fresh: dict[int, Wish] = {}
        for reading in self._readings.values():
            if not reading.pending:
                reading.pending = True
                reading.wish = effects.Attach(
                    relay_id=reading.wish.relay_id,
                    channel=reading.wish.channel,
                    log_id=reading.wish.log_id,
                    key=reading.wish.key,
                    after=reading.cursor,
                )
                self._last_request = (self._last_request + 1) & 0xFFFF_FFFF
                fresh[self._last_request] = reading.wish
                self._known.add(identity_of(reading.wish))
        self._pending.update(fresh)
        self._unsent.extendleft(reversed(fresh))

    def _drop_connection(self) -> None:
        self._sealed = None
        self._greeting = None
        self._asked_for_key = False
        self._plain.clear()
        self._in_flight.clear()
        self._must_ping = False
        self._unsent = deque(self._pending)

    def _withdraw_attach(self, log: bytes) -> None:
        reading = self._readings.get(log)
        if reading is None or not reading.pending:
            return
        for number, wish in self._pending.items():
            if wish is reading.wish:
                self._forget(number)
                return

    def _waits_its_turn(self, wish: Wish) -> bool:
        """Tell whether this is said after an entry that was refused, by who may not have heard of that."""
        return (
            isinstance(wish, effects.Append)
            and wish.channel is effects.Channel.ROOMS
            and wish.key in self._held_back.get(wish.log_id, ())
        )

    def _hold_back(self, refused: int, wish: effects.Append) -> None:
        """Forget what waits behind an entry of a room that was refused, and take no more: all is said again.

        A new session would else say first what was said after it, and the relay know of no turns any more.
        """
        if wish.channel is not effects.Channel.ROOMS:
            return
        self._held_back.setdefault(wish.log_id, set()).add(wish.key)
        for number, other in list(self._pending.items()):
            if number > refused and self._waits_its_turn(other):
                self._forget(number)

    def _forget(self, number: int) -> Wish | None:
        self._in_flight.discard(number)
        wish = self._pending.pop(number, None)
        if wish is not None:
            self._known.discard(identity_of(wish))
        return wish

    def _take(self, frame: Down) -> Input | None:
        """Turn a frame into an input; what costs credit is paid back once the input is stored."""
        made = self._input_of(frame)
        cost = credit_cost(frame)
        if made is None:
            self._credit_due += cost
        else:
            self._costs.append(cost)
        return made

    def _input_of(self, frame: Down) -> Input | None:
        match frame:
            case frames.Entries():
                return self._entries(frame)
            case frames.Stored():
                return self._stored(frame)
            case frames.Ok():
                wish = self._forget(frame.request)
                return None if wish is None else done(self._relay_id, wish, frame.value)
            case frames.No():
                return self._refused(frame)
            case frames.Attached():
                return self._attached(frame)
            case frames.Base():
                if frame.log not in self._readings:
                    return None
                return inputs.BaseMoved(
                    relay_id=self._relay_id, log_id=LogId(frame.log), position=frame.position
                )
            case frames.KnocksHeard():
                if frame.log not in self._readings:
                    return None
                knocks = tuple((knock.knock, knock.body) for knock in frame.knocks)
                return inputs.KnocksRead(relay_id=self._relay_id, log_id=LogId(frame.log), knocks=knocks)
            case frames.Pong():
                self._in_flight.discard(frame.number)
                return None
            case frames.CastHeard() | frames.Filled() | frames.Part() | frames.Passed() | frames.Took():
                return None  # not asked for here
            case frames.Bye():
                self._token = None
                return None
            case frames.Welcome():
                raise AssertionError("refused before")
            case _:
                assert_never(frame)

    def _check(self, arrived: list[Down]) -> None:
        """Refuse a whole message before anything of it is taken; such a session is not resumed."""
        for frame in arrived:
            if isinstance(frame, frames.Welcome):
                self._token = None
                raise Invalid("a welcome comes first or never")
            if isinstance(frame, frames.Entries):
                last = 0
                for entry in frame.entries:
                    if entry.position <= last or entry.position > frame.through:
                        self._token = None
                        raise Invalid("entries are out of order")
                    last = entry.position

    def _entries(self, frame: frames.Entries) -> Input | None:
        reading = self._readings.get(frame.log)
        if reading is None:
            self._say_first.append(frames.Detach(frame.log))
            return None
        if not reading.pending:
            reading.cursor = max(reading.cursor, frame.through)
        return entries_read(self._relay_id, frame)

    def _stored(self, frame: frames.Stored) -> Input | None:
        wish = self._forget(frame.request)
        if not isinstance(wish, effects.Append | effects.Rekey) or wish.entry_id != frame.entry:
            return None
        return inputs.EntryStored(
            relay_id=self._relay_id,
            log_id=wish.log_id,
            entry_id=EntryId(frame.entry),
            position=frame.position,
        )

    def _refused(self, frame: frames.No) -> Input | None:
        wish = self._forget(frame.request)
        if wish is None:
            return None
        if isinstance(wish, effects.Attach):
            reading = self._readings.get(bytes(wish.log_id))
            if reading is not None and reading.wish is wish:
                del self._readings[bytes(wish.log_id)]
        if isinstance(wish, effects.Append) and frame.code in {"slow", "full"}:
            self._hold_back(frame.request, wish)
        return refused(self._relay_id, wish, frame)

    def _attached(self, frame: frames.Attached) -> Input | None:
        wish = self._forget(frame.request)
        if not isinstance(wish, effects.Attach):
            return None
        reading = self._readings.get(bytes(wish.log_id))
        if reading is None or reading.wish is not wish:
            return None
        reading.pending = False
        return inputs.Attached(
            relay_id=self._relay_id,
            log_id=wish.log_id,
            key=wish.key,
            segment_open=frame.segment_open,
            head=frame.head,
            after=wish.after,
        )
