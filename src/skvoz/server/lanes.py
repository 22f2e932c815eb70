"""Lanes: connections that are made of single requests, each of which waits a while for something to say.

To the relay a lane is a connection like another, with a number below zero. It begins with a request that
brings a whole first message, and is shown to the asker by an answer only once the relay has answered that:
before, and for everything that makes no sense, the asker gets what an unknown address gets.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import Final

from skvoz.base.errors import PeerError
from skvoz.server.listener import CLEAR_BYTES, WRITE_BUFFER_MAX
from skvoz.wire.lanes import (
    PIECE_SIZE_MAX,
    WAIT_S_MAX,
    LaneAnswer,
    LaneRequest,
    RowIn,
    RowOut,
    parse_lane_request,
)
from skvoz.wire.sealed import is_key_request

LANES_MAX: Final = 20_000
HELD_BYTES_MAX: Final = 256 * 1024 * 1024
"""Bytes in memory of all lanes, on their way in either direction; beyond it who holds most is ended."""
UNGREETED_BYTES_MAX: Final = 64 * 1024
"""Bytes of a message that is not whole, of a lane that has brought no greeting."""
SILENCE_S: Final = 60.0
"""A lane of which no request waits, and none came for so long, is gone; or whose bytes don't move."""
CONFIRMED_WITHIN_S: Final = 30.0
"""A lane without a session after so long is gone: as long as a greeting waits, with room for lost answers."""
_FIRST_ANSWER_S: Final = 5.0
"""The relay answers a first message, or refuses it, at once; whatever the asker says about waiting."""


class _Lane:
    """One lane; `waiter` is the request that waits for an answer."""

    def __init__(self, number: int, lane_id: bytes) -> None:
        self.number = number
        self.lane_id = lane_id
        self.coming = RowIn()
        self.going = RowOut()
        self.has_spoken = False
        self.has_asked_key = False
        self.has_greeted = False
        self.was_answered = False
        self.is_closed = False
        self.waiter: asyncio.Future[None] | None = None
        self.began_at = self.asked_at = self.came_at = self.went_at = time.monotonic()
        self.held = 0

    def note_messages(self, messages: list[bytes]) -> bool:
        """Note what whole messages came; tell whether a lane may bring these, and half of another."""
        self.has_spoken = self.has_spoken or bool(messages)
        for message in messages:
            is_question = is_key_request(message)
            if is_question and self.has_asked_key:
                return False  # an answer is many times as long
            self.has_asked_key = self.has_asked_key or is_question
            self.has_greeted = self.has_greeted or not is_question
        # Who begins a lane says a whole message at once; who guesses must not be told by a wait.
        return self.has_spoken and (self.has_greeted or self.coming.held <= UNGREETED_BYTES_MAX)

    def is_stuck(self, before: float) -> bool:
        """Tell whether bytes have waited since then for the other end to take them, or to send their rest."""
        return (self.going.held > 0 and self.went_at < before) or (
            self.coming.held > 0 and self.came_at < before
        )


class Lanes:
    """All lanes by number."""

    def __init__(
        self,
        received: Callable[[int, bytes], None],
        lost: Callable[[int], None],
        cleared: Callable[[int], None],
        is_confirmed: Callable[[int], bool],
    ) -> None:
        """Tell `cleared` of lanes that have little left to send, after they had much.

        `is_confirmed` tells whether a lane has a session.
        """
        self._received = received
        self._lost = lost
        self._cleared = cleared
        self._is_confirmed = is_confirmed
        self._by_id: dict[bytes, _Lane] = {}
        self._by_number: dict[int, _Lane] = {}
        self._unconfirmed: dict[int, _Lane] = {}
        self._last_number = 0
        self._held = 0

    async def ask(self, body: bytes) -> bytes | None:
        """Answer a request's body; None says that nothing of the kind is here."""
        try:
            request = parse_lane_request(body)
        except PeerError:
            return None
        lane = self._take(request)
        if lane is None:
            return None
        received, wanted, wait_s = request.received, request.wanted, request.wait_s
        # A request may wait for minutes: nobody counts what it keeps.
        del body, request
        return await self._answer(lane, received, wanted, wait_s)

    def is_clear(self, number: int) -> bool | None:
        """Tell whether a lane has little left to send; None for one that is gone."""
        lane = self._by_number.get(number)
        return None if lane is None or lane.is_closed else lane.going.held < CLEAR_BYTES

    def send(self, number: int, message: bytes) -> None:
        """Send one message; a lane that doesn't read is closed."""
        lane = self._by_number.get(number)
        if lane is None or lane.is_closed:
            return
        if lane.going.held == 0:
            lane.went_at = time.monotonic()
        lane.going.add(message)
        if lane.going.held > WRITE_BUFFER_MAX:
            self._end(lane)
        elif self._count(lane):
            _wake(lane)

    def close(self, number: int) -> None:
        """Close a lane once the next answer has taken what was sent before; nobody is told."""
        lane = self._by_number.get(number)
        if lane is not None:
            lane.is_closed = True
            if lane.going.held == 0 and lane.waiter is None:
                self._forget(lane)
            _wake(lane)

    def close_all(self) -> None:
        """Close every lane, and answer all that wait."""
        for lane in list(self._by_number.values()):
            lane.is_closed = True
            _wake(lane)

    def drop_silent(self) -> None:
        """End those that nobody asks any more, that keep bytes which don't move, and that have no session."""
        now = time.monotonic()
        before = now - SILENCE_S
        for lane in list(self._by_number.values()):
            if (lane.waiter is None and lane.asked_at < before) or lane.is_stuck(before):
                self._end(lane)
        for lane in self._without_session():
            if lane.began_at < now - CONFIRMED_WITHIN_S:
                self._end(lane)

    def _take(self, request: LaneRequest) -> _Lane | None:
        """Take in what a request brings, and return its lane if there still is one."""
        lane = self._by_id.get(request.lane) or self._begin(request)
        if lane is None:
            return None
        acknowledged, received = lane.going.acknowledged, lane.coming.received
        try:
            lane.going.acknowledge(request.received)
            messages = lane.coming.take(request.place, request.piece)
        except PeerError:
            self._end(lane)
            return None
        if lane.going.acknowledged > acknowledged:
            lane.went_at = time.monotonic()
        if lane.coming.received > received:
            lane.came_at = time.monotonic()
        if not lane.note_messages(messages):
            self._end(lane)
            return None
        if not self._count(lane):
            return None
        for message in messages:
            self._received(lane.number, message)
        if self.is_clear(lane.number):
            self._cleared(lane.number)
        return lane

    def _begin(self, request: LaneRequest) -> _Lane | None:
        if request.place or request.received or not request.piece:
            return None
        if len(self._by_id) >= LANES_MAX:
            oldest = next(self._without_session(), None)
            if oldest is None:
                return None
            self._end(oldest)
        self._last_number += 1
        lane = _Lane(-self._last_number, request.lane)
        self._by_id[lane.lane_id] = lane
        self._by_number[lane.number] = lane
        self._unconfirmed[lane.number] = lane
        return lane

    def _without_session(self) -> Iterator[_Lane]:
        """Go through the lanes that have no session, the oldest first."""
        for lane in list(self._unconfirmed.values()):
            if self._is_confirmed(lane.number):
                del self._unconfirmed[lane.number]
            else:
                yield lane

    async def _answer(self, lane: _Lane, received: int, wanted: int, wait_s: int) -> bytes | None:
        """Wait for something to say, for another request in the place of this one, or until time is up."""
        waiter = asyncio.get_running_loop().create_future()
        _wake(lane)
        lane.waiter = waiter
        patience_s = min(wait_s, WAIT_S_MAX) if lane.was_answered else _FIRST_ANSWER_S
        try:
            if not lane.is_closed and lane.going.held == 0:
                async with asyncio.timeout(patience_s):
                    await waiter
        except TimeoutError:
            pass
        finally:
            lane.asked_at = time.monotonic()
            if lane.waiter is waiter:
                lane.waiter = None
        piece = b""
        if received == lane.going.acknowledged:
            piece = lane.going.piece(min(wanted, PIECE_SIZE_MAX))
        if lane.is_closed:
            self._forget(lane)
        if not piece and (lane.is_closed or not lane.was_answered):
            return None
        lane.was_answered = True
        return LaneAnswer(
            received=lane.coming.received,
            place=received,
            waiting=min(lane.going.held - len(piece), 0xFFFF_FFFF),
            piece=piece,
        ).encode()

    def _count(self, lane: _Lane) -> bool:
        """Note what a lane holds in memory, and end lanes where it is too much; tell whether this is left."""
        held = lane.coming.held + lane.going.held
        self._held += held - lane.held
        lane.held = held
        while self._held > HELD_BYTES_MAX:
            # Not the one that tips it over: whoever fills the rest would end the others with it.
            self._end(max(self._by_number.values(), key=self._burden))
        return lane.number in self._by_number

    def _burden(self, lane: _Lane) -> tuple[bool, int]:
        """Tell who goes first: who holds most, before all others those that hold much without a session."""
        is_odd = lane.held > UNGREETED_BYTES_MAX and not self._is_confirmed(lane.number)
        return is_odd, lane.held

    def _end(self, lane: _Lane) -> None:
        """Forget a lane and tell of it."""
        is_news = not lane.is_closed
        lane.is_closed = True
        self._forget(lane)
        _wake(lane)
        if is_news:
            self._lost(lane.number)

    def _forget(self, lane: _Lane) -> None:
        if self._by_number.pop(lane.number, None) is not None:
            del self._by_id[lane.lane_id]
            self._unconfirmed.pop(lane.number, None)
            self._held -= lane.held


def _wake(lane: _Lane) -> None:
    if lane.waiter is not None and not lane.waiter.done():
        lane.waiter.set_result(None)
