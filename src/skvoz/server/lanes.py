"""Lanes: connections that are made of single requests, each of which waits a while for something to say.

To the relay a lane is a connection like another, with a number below zero. It begins with a request that
brings a whole first message, and is shown to the asker by an answer only once the relay has answered that:
before, and for everything that makes no sense, the asker gets what an unknown address gets.
"""

import asyncio
import time
from collections.abc import Callable
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

LANES_MAX: Final = 20_000
HELD_BYTES_MAX: Final = 256 * 1024 * 1024
"""Bytes in memory of all lanes, on their way in either direction; who would exceed it loses the lane."""
SILENCE_S: Final = 60.0
"""A lane of which no request waits, and none came for so long, is gone."""
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
        self.was_answered = False
        self.is_closed = False
        self.waiter: asyncio.Future[None] | None = None
        self.asked_at = time.monotonic()
        self.held = 0


class Lanes:
    """All lanes by number."""

    def __init__(
        self,
        received: Callable[[int, bytes], None],
        lost: Callable[[int], None],
        cleared: Callable[[int], None],
    ) -> None:
        """Tell `cleared` of lanes that have little left to send, after they had much."""
        self._received = received
        self._lost = lost
        self._cleared = cleared
        self._by_id: dict[bytes, _Lane] = {}
        self._by_number: dict[int, _Lane] = {}
        self._last_number = 0
        self._held = 0

    async def ask(self, body: bytes) -> bytes | None:
        """Answer a request's body; None says that nothing of the kind is here."""
        try:
            request = parse_lane_request(body)
        except PeerError:
            return None
        lane = self._by_id.get(request.lane) or self._begin(request)
        if lane is None:
            return None
        try:
            lane.going.acknowledge(request.received)
            messages = lane.coming.take(request.place, request.piece)
        except PeerError:
            self._end(lane)
            return None
        lane.has_spoken = lane.has_spoken or bool(messages)
        if not lane.has_spoken:
            # Who begins a lane says a whole message at once; who guesses must not be told by a wait.
            self._end(lane)
            return None
        if not self._count(lane):
            return None
        for message in messages:
            self._received(lane.number, message)
        if self.is_clear(lane.number):
            self._cleared(lane.number)
        return await self._answer(lane, request)

    def is_clear(self, number: int) -> bool | None:
        """Tell whether a lane has little left to send; None for one that is gone."""
        lane = self._by_number.get(number)
        return None if lane is None or lane.is_closed else lane.going.held < CLEAR_BYTES

    def send(self, number: int, message: bytes) -> None:
        """Send one message; a lane that doesn't read is closed."""
        lane = self._by_number.get(number)
        if lane is None or lane.is_closed:
            return
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
        """End those that nobody asks any more."""
        before = time.monotonic() - SILENCE_S
        for lane in list(self._by_number.values()):
            if lane.waiter is None and lane.asked_at < before:
                self._end(lane)

    def _begin(self, request: LaneRequest) -> _Lane | None:
        if request.place or request.received or not request.piece or len(self._by_id) >= LANES_MAX:
            return None
        self._last_number += 1
        lane = _Lane(-self._last_number, request.lane)
        self._by_id[lane.lane_id] = lane
        self._by_number[lane.number] = lane
        return lane

    async def _answer(self, lane: _Lane, request: LaneRequest) -> bytes | None:
        """Wait for something to say, for another request in the place of this one, or until time is up."""
        waiter = asyncio.get_running_loop().create_future()
        _wake(lane)
        lane.waiter = waiter
        wait_s = min(request.wait_s, WAIT_S_MAX) if lane.was_answered else _FIRST_ANSWER_S
        try:
            if not lane.is_closed and lane.going.held == 0:
                async with asyncio.timeout(wait_s):
                    await waiter
        except TimeoutError:
            pass
        finally:
            lane.asked_at = time.monotonic()
            if lane.waiter is waiter:
                lane.waiter = None
        piece = b""
        if request.received == lane.going.acknowledged:
            piece = lane.going.piece(min(request.wanted, PIECE_SIZE_MAX))
        if lane.is_closed:
            self._forget(lane)
        if not piece and (lane.is_closed or not lane.was_answered):
            return None
        lane.was_answered = True
        return LaneAnswer(
            received=lane.coming.received,
            place=request.received,
            waiting=min(lane.going.held - len(piece), 0xFFFF_FFFF),
            piece=piece,
        ).encode()

    def _count(self, lane: _Lane) -> bool:
        """Note what a lane holds in memory; end it where that is too much for all of them together."""
        held = lane.coming.held + lane.going.held
        self._held += held - lane.held
        lane.held = held
        if self._held > HELD_BYTES_MAX:
            self._end(lane)
            return False
        return True

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
            self._held -= lane.held


def _wake(lane: _Lane) -> None:
    if lane.waiter is not None and not lane.waiter.done():
        lane.waiter.set_result(None)
