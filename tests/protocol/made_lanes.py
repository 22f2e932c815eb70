"""A lane's vector: two messages upwards in two requests, and one downwards in their answers."""

from typing import Final

from skvoz.wire.lanes import LaneAnswer, LaneRequest, RowOut
from tests.protocol.made import Vector, fixed

_CUT: Final = 20


def lane() -> Vector:
    up, down = RowOut(), RowOut()
    messages = fixed("lane up 1", 24), fixed("lane up 2", 8)
    for message in messages:
        up.add(message)
    answered = fixed("lane down 1", 16)
    down.add(answered)
    row, identity = up.piece(100), fixed("lane id")
    first = LaneRequest(lane=identity, place=0, received=0, wanted=10, wait_s=60, piece=row[:_CUT])
    second = LaneRequest(lane=identity, place=_CUT, received=10, wanted=100, wait_s=0, piece=row[_CUT:])
    back = down.piece(100)
    return {
        "lane": identity.hex(),
        "messages_up": [message.hex() for message in messages],
        "messages_down": [answered.hex()],
        "row_up": row.hex(),
        "row_down": back.hex(),
        "requests": [first.encode().hex(), second.encode().hex()],
        "answers": [
            LaneAnswer(received=_CUT, place=0, waiting=10, piece=back[:10]).encode().hex(),
            LaneAnswer(received=len(row), place=10, waiting=0, piece=back[10:]).encode().hex(),
        ],
    }
