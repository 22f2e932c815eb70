from io import BytesIO

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skvoz.base.errors import Malformed
from skvoz.codec import cbor

_NUMBERS = st.integers(-(2**64), 2**64 - 1)
_KEYS = _NUMBERS | st.text(max_size=40) | st.binary(max_size=40)
_VALUES: st.SearchStrategy[cbor.Value] = st.recursive(
    st.none() | st.booleans() | _NUMBERS | st.text(max_size=300) | st.binary(max_size=300),
    lambda inner: st.lists(inner, max_size=30).map(tuple) | st.dictionaries(_KEYS, inner, max_size=30),
    max_leaves=30,
)


def _listed(value: cbor.Value) -> object:
    if isinstance(value, tuple):
        return [_listed(item) for item in value]
    if isinstance(value, dict):
        return {key: _listed(item) for key, item in value.items()}
    return value


@pytest.mark.slow
@given(_VALUES)
def test_a_value_comes_back(value: cbor.Value) -> None:
    assert cbor.decode(cbor.encode(value), depth_max=64) == value


@pytest.mark.slow
@given(_VALUES)
def test_another_library_reads_the_same(value: cbor.Value) -> None:
    assert cbor2.loads(cbor.encode(value)) == _listed(value)


@given(_NUMBERS | st.text() | st.binary() | st.lists(_NUMBERS).map(tuple))
def test_another_library_writes_the_same(value: cbor.Value) -> None:
    assert cbor.encode(value) == cbor2.dumps(_listed(value))


@given(st.binary(max_size=60))
def test_what_can_be_decoded_has_that_one_encoding(data: bytes) -> None:
    try:
        value = cbor.decode(data)
    except Malformed:
        return
    assert cbor.encode(value) == data
    assert cbor2.CBORDecoder(BytesIO(data)).decode() == _listed(value)


@pytest.mark.slow
@given(_VALUES)
def test_every_truncation_is_refused(value: cbor.Value) -> None:
    data = cbor.encode(value)
    for end in range(min(len(data), 200)):
        with pytest.raises(Malformed):
            cbor.decode(data[:end], depth_max=64)


def test_map_keys_stand_in_bytewise_order() -> None:
    # Not the older order of RFC 7049, which puts the shorter -1 before the longer 1000.
    assert cbor.encode({-1: 0, "a": 0, 1000: 0, b"a": 0}).hex() == "a41903e8002000416100616100"


@pytest.mark.parametrize(
    "encoded",
    [
        pytest.param("1801", id="a number longer than needed, one byte"),
        pytest.param("190001", id="a number longer than needed, two bytes"),
        pytest.param("1a00000100", id="a number longer than needed, four bytes"),
        pytest.param("1b0000000000000100", id="a number longer than needed, eight bytes"),
        pytest.param("580161", id="a length longer than needed"),
        pytest.param("5f4161ff", id="bytes of indefinite length"),
        pytest.param("7f6161ff", id="a text of indefinite length"),
        pytest.param("9f01ff", id="an array of indefinite length"),
        pytest.param("bf0102ff", id="a map of indefinite length"),
        pytest.param("ff", id="a break"),
        pytest.param("1c", id="a reserved length"),
        pytest.param("a201000100", id="a key twice"),
        pytest.param("a202000100", id="keys out of order"),
        pytest.param("a1f500", id="true as a key"),
        pytest.param("a1f97e0000", id="a float as a key"),
        pytest.param("a1800000", id="an array as a key"),
        pytest.param("c074323032302d30312d30315430303a30303a30305a", id="a date"),
        pytest.param("c24101", id="a big number"),
        pytest.param("d82363282e29", id="a regular expression"),
        pytest.param("d81c80", id="a shared value"),
        pytest.param("f97e00", id="not a number"),
        pytest.param("f90000", id="a half float"),
        pytest.param("fa00000000", id="a float"),
        pytest.param("fb0000000000000000", id="a double"),
        pytest.param("f7", id="undefined"),
        pytest.param("e0", id="another simple value"),
        pytest.param("f8ff", id="a simple value of two bytes"),
        pytest.param("61ff", id="a text that isn't UTF-8"),
        pytest.param("63eda080", id="a surrogate"),
        pytest.param("0000", id="bytes after the value"),
        pytest.param("", id="nothing"),
        pytest.param("9bffffffffffffffff", id="an array of more items than bytes"),
        pytest.param("bbffffffffffffffff", id="a map of more entries than bytes"),
        pytest.param("5bffffffffffffffff", id="bytes without end"),
    ],
)
def test_it_is_refused(encoded: str) -> None:
    with pytest.raises(Malformed):
        cbor.decode(bytes.fromhex(encoded))


@pytest.mark.parametrize(
    ("encoded", "text"),
    [
        ("c0", "holds a tag"),
        ("c101", "holds a tag"),
        ("d81800", "holds a tag"),
        ("8161ff", "not UTF-8"),
        ("62ff", "too early"),
        ("42ff", "too early"),
        ("8142ff", "too early"),
        ("83", "too early"),
        ("8301", "too early"),
        ("a3", "too early"),
        ("19ff", "too early"),
        ("1affff", "too early"),
        ("8119ff", "too early"),
    ],
)
def test_the_reason_is_the_right_one(encoded: str, text: str) -> None:
    with pytest.raises(Malformed, match=text):
        cbor.decode(bytes.fromhex(encoded))


def test_sixteen_levels_are_read_and_no_more() -> None:
    assert cbor.decode(b"\x81" * 16 + b"\x00") is not None
    with pytest.raises(Malformed):
        cbor.decode(b"\x81" * 17 + b"\x00")
    with pytest.raises(Malformed):
        cbor.decode(b"\x81" * 60_000 + b"\x00")
    with pytest.raises(Malformed):
        cbor.decode(b"\xa1\x00" * 17 + b"\x00")
