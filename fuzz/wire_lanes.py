"""Fuzz lanes: requests, their answers, and rows of bytes that come in pieces."""

from typing import Final

from fuzz.target import Part, Target, one_of
from skvoz.wire.lanes import (
    LaneAnswer,
    LaneRequest,
    RowIn,
    RowOut,
    parse_lane_answer,
    parse_lane_request,
)

_REQUEST: Final = LaneRequest(lane=bytes(32), place=1, received=2, wanted=3, wait_s=4, piece=b"piece")
_ANSWER: Final = LaneAnswer(received=1, place=2, waiting=3, piece=b"piece")


def try_request(data: bytes) -> None:
    """Parse what a client might send."""
    if parse_lane_request(data).encode() != data:
        raise AssertionError("a request changes when it is encoded again")


def try_answer(data: bytes) -> None:
    """Parse what a relay might answer, and believe how far it has come."""
    answer = parse_lane_answer(data)
    if answer.encode() != data:
        raise AssertionError("an answer changes when it is encoded again")
    going = RowOut()
    going.add(b"message")
    going.acknowledge(answer.received)
    RowIn().take(answer.place, answer.piece)


def try_row(data: bytes) -> None:
    """Take a row at once and byte by byte: the messages are the same."""
    whole = RowIn().take(0, data)
    slow = RowIn()
    found = [message for place in range(len(data)) for message in slow.take(place, data[place : place + 1])]
    if found != whole:
        raise AssertionError("pieces make other messages than the whole")


def make() -> Target:
    """Return the target."""
    row = RowOut()
    row.add(b"one")
    row.add(b"")
    return one_of(
        (
            Part(try_request, [_REQUEST.encode()]),
            Part(try_answer, [_ANSWER.encode()]),
            Part(try_row, [row.piece(100)]),
        )
    )
