import random

import pytest

from skvoz.base.errors import Invalid, Malformed
from skvoz.wire.lanes import (
    ANSWER_SIZE_MAX,
    PIECE_SIZE_MAX,
    REQUEST_SIZE_MAX,
    LaneAnswer,
    LaneRequest,
    RowIn,
    RowOut,
    parse_lane_answer,
    parse_lane_request,
)
from skvoz.wire.sealed import MESSAGE_SIZE_MAX

REQUEST = LaneRequest(lane=bytes(range(32)), place=5, received=7, wanted=4096, wait_s=60, piece=b"bytes")


def test_what_is_encoded_parses_to_the_same() -> None:
    assert parse_lane_request(REQUEST.encode()) == REQUEST
    answer = LaneAnswer(received=5, place=7, waiting=9, piece=b"bytes")
    assert parse_lane_answer(answer.encode()) == answer


def test_a_request_has_a_version_and_a_size() -> None:
    good = REQUEST.encode()
    for bad in (b"", good[:54], b"\x02" + good[1:], good + bytes(REQUEST_SIZE_MAX)):
        with pytest.raises(Malformed):
            parse_lane_request(bad)
    for bad in (b"", bytes(19), bytes(ANSWER_SIZE_MAX + 1)):
        with pytest.raises(Malformed):
            parse_lane_answer(bad)


def test_neither_says_in_its_name_what_it_holds() -> None:
    assert "bytes" not in repr(REQUEST)
    assert "piece" not in repr(LaneAnswer(received=0, place=0, waiting=0, piece=b"piece"))


@pytest.mark.parametrize("seed", range(20))
def test_pieces_that_are_lost_repeated_and_late_give_the_same_messages_once(seed: int) -> None:
    chance = random.Random(seed)
    messages = [chance.randbytes(chance.choice([0, 1, 511, 5_000])) for _ in range(20)]
    going, coming = RowOut(), RowIn()
    for message in messages:
        going.add(message)
    arrived: list[bytes] = []
    late: list[tuple[int, bytes]] = []
    while going.held:
        sent = going.acknowledged, going.piece(chance.randint(1, 3_000))
        late.append(sent)
        if chance.random() < 0.7:
            arrived += coming.take(*sent)
        if chance.random() < 0.5:
            arrived += coming.take(*chance.choice(late))
        if chance.random() < 0.7:
            going.acknowledge(coming.received)
        going.acknowledge(chance.randint(0, going.acknowledged))  # an old answer takes nothing back
    assert arrived == messages
    assert coming.held == 0


def test_bytes_after_a_gap_are_not_taken() -> None:
    coming = RowIn()
    assert coming.take(1, b"\x00\x00\x01x") == []
    assert coming.received == 0
    assert coming.take(0, b"\x00\x00\x00\x01x") == [b"x"]


def test_a_message_has_a_greatest_length() -> None:
    coming = RowIn()
    assert coming.take(0, MESSAGE_SIZE_MAX.to_bytes(4)) == []
    with pytest.raises(Malformed):
        RowIn().take(0, (MESSAGE_SIZE_MAX + 1).to_bytes(4))


def test_nobody_has_more_than_was_sent() -> None:
    going = RowOut()
    going.add(b"four")
    with pytest.raises(Invalid):
        going.acknowledge(9)
    going.acknowledge(8)
    assert (going.held, going.end) == (0, 8)
    assert going.piece(PIECE_SIZE_MAX) == b""
