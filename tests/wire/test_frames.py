"""Frames survive a round trip, and whatever breaks a limit is malformed."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skvoz.base.errors import Malformed
from skvoz.base.limits import ADDRESS_SIZE_MAX, PART_SIZE_MAX, REKEY_SIZE_MAX
from skvoz.wire import frames as wire
from skvoz.wire.frames import (
    Append,
    Attach,
    Attached,
    Base,
    Bye,
    Carry,
    Cast,
    CastHeard,
    Credit,
    Detach,
    Discard,
    Down,
    Drop,
    Entries,
    Entry,
    Fetch,
    Fill,
    Filled,
    Hello,
    Kind,
    Knock,
    KnockItem,
    KnocksHeard,
    Limits,
    No,
    Ok,
    Open,
    Part,
    Pass,
    Passed,
    Ping,
    Pong,
    Put,
    Rekey,
    Reserve,
    Stored,
    Take,
    Taken,
    Took,
    Trim,
    Up,
    Welcome,
    credit_cost,
    encode,
    parse_down,
    parse_up,
)

ID = bytes(range(16))
KEY = bytes(range(32))

UP: list[Up] = [
    Hello(b"public key", None, 0, 0),
    Hello(b"public key", KEY, 7, 9),
    Open(1, ID, Kind.ROOM, KEY, KEY, KEY, b"ticket", 3600),
    Open(1, ID, Kind.INBOX, KEY, KEY, None, b"", None),
    Attach(2, ID, KEY, 2**63 - 1),
    Detach(ID),
    Append(3, ID, KEY, ID, b"body", 0),
    Rekey(
        4, ID, KEY, ID, b"commit", 5, KEY, carry=True, contest_proof=bytes(8), door_hash=KEY, answered=[1, 2]
    ),
    Rekey(4, ID, KEY, ID, b"", 5, KEY, carry=False, contest_proof=None, door_hash=None, answered=[]),
    Knock(5, ID, KEY, b"knock"),
    Cast(ID, KEY, b""),
    Trim(6, ID, KEY, 1),
    Drop(7, ID, KEY),
    Put(8, ID, KEY, [b"a", b"b"], b"c", b"d"),
    Put(8, ID, KEY, [], None, None),
    Take(9, ID, KEY, ID),
    Credit(2**31 - 1),
    Ping(2**32 - 1),
    Reserve(13, ID, ID, KEY, KEY, KEY, 65_552, 3, 3600),
    Reserve(13, ID, ID, KEY, KEY, KEY, 65_552, 3, None),
    Fill(14, ID, KEY, 9, b"part"),
    Fetch(15, ID, KEY, 9, 4),
    Discard(16, ID, KEY),
    Carry(17, KEY, "wss://a.example/"),
    Pass(b"sealed"),
]

WELCOME = Welcome(
    KEY,
    ID,
    resumed=True,
    limits=Limits(1, 2, 3, 4, 5, 6),
    addresses=["wss://a.example/", "https://b.example/x"],
    carries=True,
)
DOWN: list[Down] = [
    Welcome(KEY, ID, resumed=True, limits=Limits(1, 2, 3, 4, 5, 6), addresses=[], carries=False),
    WELCOME,
    Ok(1, None),
    Ok(1, Taken("offer", b"bytes")),
    No(1, "superseded", 5),
    Attached(1, ID, segment_open=False, head=3),
    Stored(1, ID, ID, 4),
    Entries(ID, [Entry(1, ID, 0, 3, b"x", KEY), Entry(2, ID, 1, 0, None, None)], 2),
    Entries(ID, [], 9),
    Base(ID, 4),
    KnocksHeard(ID, [KnockItem(1, b"knock")]),
    CastHeard(ID, b"cast"),
    Bye("moved"),
    Pong(0),
    Filled(8, ID, 9),
    Part(9, b"part"),
    Passed(b"sealed"),
    Took(6),
]


@pytest.mark.parametrize("frame", UP)
def test_up_frames_round_trip(frame: Up) -> None:
    assert parse_up(encode([frame])) == [frame]


@pytest.mark.parametrize("frame", DOWN)
def test_down_frames_round_trip(frame: Down) -> None:
    assert parse_down(encode([frame])) == [frame]


def test_each_direction_refuses_the_other() -> None:
    for up in UP:
        with pytest.raises(Malformed):
            parse_down(encode([up]))
    for down in DOWN:
        with pytest.raises(Malformed):
            parse_up(encode([down]))


def test_bytes_of_a_frame_are_as_documented() -> None:
    assert encode([Detach(ID)]) == b"\x91\x92\x04\xc4\x10" + ID
    assert encode([Ping(1)]) == b"\x91\x92\x0e\x01"


def test_every_truncation_and_every_trailing_byte_is_malformed() -> None:
    whole = encode(UP)
    for size in range(len(whole)):
        with pytest.raises(Malformed):
            parse_up(whole[:size])
    with pytest.raises(Malformed):
        parse_up(whole + b"\x00")


def _fields(frame: Up | Down) -> list[object]:
    decoded: list[list[object]] = msgspec.msgpack.decode(msgspec.msgpack.encode([frame]))
    return decoded[0]


@pytest.mark.parametrize("frame", [*UP, *DOWN])
def test_missing_and_surplus_fields_are_malformed(frame: Up | Down) -> None:
    fields = _fields(frame)
    for changed in (fields[:-1], [*fields, 0], [*fields, None]):
        message = msgspec.msgpack.encode([changed])
        with pytest.raises(Malformed):
            parse_up(message)
        with pytest.raises(Malformed):
            parse_down(message)


@pytest.mark.parametrize(
    ("frame", "index", "value"),
    [
        (Detach(ID), 1, ID[:15]),
        (Detach(ID), 1, ID + b"x"),
        (Attach(1, ID, KEY, 0), 1, -1),
        (Attach(1, ID, KEY, 0), 1, 2**32),
        (Attach(1, ID, KEY, 0), 3, KEY[:31]),
        (Attach(1, ID, KEY, 0), 4, -1),
        (Attach(1, ID, KEY, 0), 4, 2**63),
        (Append(1, ID, KEY, ID, b"", 0), 5, bytes(REKEY_SIZE_MAX + 1)),
        (Append(1, ID, KEY, ID, b"", 0), 5, "text"),
        (Knock(1, ID, KEY, b"x"), 4, b""),
        (Knock(1, ID, KEY, b"x"), 4, bytes(wire.KNOCK_SIZE_MAX + 1)),
        (Cast(ID, KEY, b"x"), 3, bytes(wire.CAST_SIZE_MAX + 1)),
        (Put(1, ID, KEY, [], None, None), 4, [b"x"] * (wire.PACKAGES_PER_PUT_MAX + 1)),
        (Put(1, ID, KEY, [], None, None), 4, [bytes(wire.PACKAGE_SIZE_MAX + 1)]),
        (Put(1, ID, KEY, [], None, None), 6, bytes(wire.OFFER_SIZE_MAX + 1)),
        (Open(1, ID, Kind.ROOM, KEY, KEY, None, b"", None), 3, 2),
        (Open(1, ID, Kind.ROOM, KEY, KEY, None, b"", None), 7, bytes(wire.TICKET_SIZE_MAX + 1)),
        (Open(1, ID, Kind.ROOM, KEY, KEY, None, b"", None), 8, 0),
        (Hello(b"x", None, 0, 0), 1, b""),
        (Hello(b"x", None, 0, 0), 1, bytes(wire.EPHEMERAL_SIZE_MAX + 1)),
        (Hello(b"x", None, 0, 0), 2, KEY[:31]),
        (Credit(0), 1, 2**31),
        (Credit(0), 0, 19),
        (Fill(1, ID, KEY, 0, b"x"), 4, -1),
        (Fill(1, ID, KEY, 0, b"x"), 5, b""),
        (Fill(1, ID, KEY, 0, b"x"), 5, bytes(PART_SIZE_MAX + 1)),
        (Fetch(1, ID, KEY, 0, 1), 5, 0),
        (Fetch(1, ID, KEY, 0, 1), 5, PART_SIZE_MAX + 1),
        (Reserve(1, ID, ID, KEY, KEY, KEY, 65_552, 1, None), 8, 0),
        (Reserve(1, ID, ID, KEY, KEY, KEY, 65_552, 1, None), 8, 2**31),
        (Reserve(1, ID, ID, KEY, KEY, KEY, 65_552, 1, None), 9, 0),
        (Credit(0), 0, "13"),
        (Carry(1, KEY, "wss://a.example/"), 2, KEY[:31]),
        (Carry(1, KEY, "wss://a.example/"), 3, "wss://a.example/ "),
        (Pass(b"x"), 1, b""),
        (Pass(b"x"), 1, bytes(wire.PASS_SIZE_MAX + 1)),
    ],
)
def test_values_beyond_a_limit_are_malformed(frame: Up, index: int, value: object) -> None:
    fields = _fields(frame)
    fields[index] = value
    with pytest.raises(Malformed):
        parse_up(msgspec.msgpack.encode([fields]))


@pytest.mark.parametrize(
    ("index", "value"),
    [
        (5, ["wss://a.example/"] * (wire.ADDRESSES_MAX + 1)),
        (5, ["x" * (ADDRESS_SIZE_MAX + 1)]),
        (5, ["wss://a.example/\n"]),
        (5, ["wss://а.example/"]),
        (5, [""]),
        (6, 1),
    ],
)
def test_a_welcome_keeps_its_limits(index: int, value: object) -> None:
    fields = _fields(WELCOME)
    fields[index] = value
    with pytest.raises(Malformed):
        parse_down(msgspec.msgpack.encode([fields]))


def test_an_answered_list_and_a_proof_have_their_sizes() -> None:
    fields = _fields(UP[7])
    for index, value in ((9, bytes(7)), (11, list(range(wire.KNOCKS_PER_LOG_MAX + 1)))):
        with pytest.raises(Malformed):
            parse_up(msgspec.msgpack.encode([[*fields[:index], value, *fields[index + 1 :]]]))


def test_a_message_holds_so_many_frames() -> None:
    assert len(parse_up(encode([Ping(0)] * wire.FRAMES_PER_MESSAGE_MAX))) == wire.FRAMES_PER_MESSAGE_MAX
    with pytest.raises(Malformed):
        parse_up(encode([Ping(0)] * (wire.FRAMES_PER_MESSAGE_MAX + 1)))


@pytest.mark.parametrize("bomb", [b"\xdd\xff\xff\xff\xff", b"\x91\xdd\xff\xff\xff\xff\x05", b"\x91" * 5000])
def test_lengths_that_lie_and_deep_nesting_are_malformed(bomb: bytes) -> None:
    for parse in (parse_up, parse_down):
        with pytest.raises(Malformed):
            parse(bomb)


def test_unknown_codes_are_malformed() -> None:
    with pytest.raises(Malformed):
        parse_down(msgspec.msgpack.encode([[66, 1, "because", 0]]))


def test_a_code_that_is_not_utf_8_is_malformed() -> None:
    with pytest.raises(Malformed):
        parse_down(b"\x91\x94\x42\x01\xa3\xff\xfe\xfd\x00")


def test_the_text_of_frames_tells_nothing() -> None:
    for frame in [*UP, *DOWN]:
        assert repr(frame) == f"<{type(frame).__name__}>"


def test_errors_do_not_echo_what_was_sent() -> None:
    with pytest.raises(Malformed) as caught:
        parse_down(msgspec.msgpack.encode([[66, 1, "marked secret", 0]]))
    assert "marked" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_credit_costs() -> None:
    assert credit_cost(Entries(ID, [], 0)) == 64
    assert credit_cost(Entries(ID, [Entry(1, ID, 0, 0, b"12345", None)], 1)) == 64 + 69
    assert credit_cost(Entries(ID, [Entry(1, ID, 0, 0, None, None)], 1)) == 128
    assert credit_cost(KnocksHeard(ID, [KnockItem(1, b"12345")])) == 69
    assert credit_cost(CastHeard(ID, b"12345")) == 69
    assert credit_cost(Base(ID, 1)) == 64
    assert credit_cost(Pong(1)) == 0


@given(st.binary(max_size=200))
def test_random_bytes_raise_nothing_else(junk: bytes) -> None:
    for parse in (parse_up, parse_down):
        try:
            parse(junk)
        except Malformed:
            continue
