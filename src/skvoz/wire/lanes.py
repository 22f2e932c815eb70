"""A lane: a session's messages in both directions over single requests and their answers.

Each direction is a row of bytes, in which each message follows its length (4 bytes, big endian). A request
says where its bytes stand in the row, and how many of the other row have arrived; so does an answer. Whatever
was lost is sent again from where the other end has come to, in pieces of any size; whatever comes twice is
known by its place. All numbers are big endian.

    request   version (1) ‖ lane (32) ‖ place (8) ‖ received (8) ‖ wanted (4) ‖ wait in seconds (2) ‖ bytes
    answer    received (8) ‖ place (8) ‖ waiting (4) ‖ bytes

The first request of a lane holds the client's whole first message, at place 0.
"""

import struct
from typing import Final

from skvoz.base.errors import Invalid, Malformed
from skvoz.base.value import Value
from skvoz.wire.sealed import MESSAGE_SIZE_MAX

LANE_VERSION: Final = 1
"""The first byte of a request."""
LANE_ID_SIZE: Final = 32
"""Bytes by which a lane is known: as hard to guess as a key."""
PIECE_SIZE_MAX: Final = 256 * 1024
"""Bytes of a row in one request or answer."""
WAIT_S_MAX: Final = 300
"""A request without an answer may wait so long, seconds."""
_REQUEST: Final = struct.Struct(">B32sQQIH")
_ANSWER: Final = struct.Struct(">QQI")
REQUEST_SIZE_MAX: Final = _REQUEST.size + PIECE_SIZE_MAX
ANSWER_SIZE_MAX: Final = _ANSWER.size + PIECE_SIZE_MAX
ANSWER_HEAD_SIZE: Final = _ANSWER.size
"""What an answer has besides its bytes."""
_LENGTH_SIZE: Final = 4


class LaneRequest(Value, frozen=True, kw_only=True):
    """One request: `wanted` bytes at most in the answer, which may wait `wait_s` for something to say."""

    lane: bytes
    place: int
    received: int
    wanted: int
    wait_s: int
    piece: bytes

    def encode(self) -> bytes:
        """Return the body of the request."""
        head = (LANE_VERSION, self.lane, self.place, self.received, self.wanted, self.wait_s)
        return _REQUEST.pack(*head) + self.piece


class LaneAnswer(Value, frozen=True, kw_only=True):
    """One answer: `waiting` bytes are there that were not asked for."""

    received: int
    place: int
    waiting: int
    piece: bytes

    def encode(self) -> bytes:
        """Return the body of the answer."""
        return _ANSWER.pack(self.received, self.place, self.waiting) + self.piece


def parse_lane_request(body: bytes) -> LaneRequest:
    """Parse a request's body. Raises `Malformed`."""
    if not _REQUEST.size <= len(body) <= REQUEST_SIZE_MAX or body[0] != LANE_VERSION:
        raise Malformed("a request of a lane doesn't parse")
    _, lane, place, received, wanted, wait_s = _REQUEST.unpack_from(body)
    return LaneRequest(
        lane=lane,
        place=place,
        received=received,
        wanted=wanted,
        wait_s=wait_s,
        piece=body[_REQUEST.size :],
    )


def parse_lane_answer(body: bytes) -> LaneAnswer:
    """Parse an answer's body. Raises `Malformed`."""
    if not _ANSWER.size <= len(body) <= ANSWER_SIZE_MAX:
        raise Malformed("an answer of a lane doesn't parse")
    received, place, waiting = _ANSWER.unpack_from(body)
    return LaneAnswer(received=received, place=place, waiting=waiting, piece=body[_ANSWER.size :])


class RowOut:
    """What goes out, until the other end has it."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self.acknowledged = 0
        """So many bytes the other end has."""

    @property
    def held(self) -> int:
        """Bytes that the other end has not acknowledged."""
        return len(self._buffer)

    @property
    def end(self) -> int:
        """The place after the last byte."""
        return self.acknowledged + len(self._buffer)

    def add(self, message: bytes) -> None:
        """Put a message at the end."""
        self._buffer += len(message).to_bytes(_LENGTH_SIZE)
        self._buffer += message

    def acknowledge(self, received: int) -> None:
        """Let go of what the other end has. Raises `Invalid` if it says to have more than there is."""
        if received > self.end:
            raise Invalid("a lane's other end has more than was sent")
        if received > self.acknowledged:
            del self._buffer[: received - self.acknowledged]
            self.acknowledged = received

    def piece(self, size_max: int) -> bytes:
        """Return the next bytes that the other end has not acknowledged."""
        return bytes(self._buffer[:size_max])


class RowIn:
    """What comes in, until its messages are whole."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self.received = 0
        """So many bytes are here."""

    @property
    def held(self) -> int:
        """Bytes of a message that is not whole."""
        return len(self._buffer)

    def take(self, place: int, piece: bytes) -> list[bytes]:
        """Take bytes in and return the messages that they complete.

        What is here already is left out, and what stands after a gap too. Raises `Malformed` for a message
        that is too long; there is nothing more to be had of the row then.
        """
        if place > self.received or place + len(piece) <= self.received:
            return []
        self._buffer += piece[self.received - place :]
        self.received = place + len(piece)
        messages: list[bytes] = []
        begin = 0
        while len(self._buffer) - begin >= _LENGTH_SIZE:
            size = int.from_bytes(self._buffer[begin : begin + _LENGTH_SIZE])
            if size > MESSAGE_SIZE_MAX:
                raise Malformed("a message of a lane is too long")
            end = begin + _LENGTH_SIZE + size
            if len(self._buffer) < end:
                break
            messages.append(bytes(self._buffer[begin + _LENGTH_SIZE : end]))
            begin = end
        del self._buffer[:begin]
        return messages
