import pytest
from hypothesis import given
from hypothesis import strategies as st

from skvoz.base.errors import Malformed
from skvoz.codec import Reader, opaque, optional, pad, uint8, uint16, uint32, uint64, unpad, varint, vector


@given(st.integers(0, 2**30 - 1))
def test_a_length_comes_back(value: int) -> None:
    reader = Reader(varint(value))
    assert reader.varint() == value
    reader.finish()


@pytest.mark.parametrize("encoded", ["403f", "80003fff", "80000000", "c0", "c0000000", "", "40", "800000"])
def test_a_length_that_is_long_winded_or_short_is_refused(encoded: str) -> None:
    with pytest.raises(Malformed):
        Reader(bytes.fromhex(encoded)).varint()


def test_a_vector_too_long_is_refused() -> None:
    with pytest.raises(Malformed):
        varint(2**30)


@given(st.lists(st.binary(max_size=90)))
def test_a_vector_comes_back(items: list[bytes]) -> None:
    assert Reader(vector(map(opaque, items))).vector(Reader.opaque) == tuple(items)


def test_integers_come_back() -> None:
    reader = Reader(uint8(1) + uint16(2) + uint32(3) + uint64(4))
    assert (reader.uint8(), reader.uint16(), reader.uint32(), reader.uint64()) == (1, 2, 3, 4)
    reader.finish()


@pytest.mark.parametrize("encoded", ["02", "ff"])
def test_a_presence_byte_is_0_or_1(encoded: str) -> None:
    with pytest.raises(Malformed):
        Reader(bytes.fromhex(encoded)).optional(Reader.uint8)


def test_optional_comes_back() -> None:
    assert Reader(optional(None)).optional(Reader.uint8) is None
    assert Reader(optional(b"\x07")).optional(Reader.uint8) == 7


@given(st.binary(max_size=40), st.integers(0, 41))
def test_a_cut_input_is_refused(data: bytes, cut: int) -> None:
    encoded = opaque(data)
    if cut < len(encoded):
        with pytest.raises(Malformed):
            Reader(encoded[:cut]).opaque()


def test_bytes_left_over_are_refused() -> None:
    with pytest.raises(Malformed):
        Reader(b"\x00").finish()


def test_an_item_may_not_reach_past_its_vector() -> None:
    with pytest.raises(Malformed):
        Reader(opaque(b"\x05a") + b"bcdef").vector(Reader.opaque)


@given(st.binary(max_size=3000))
def test_padding_comes_off(data: bytes) -> None:
    padded = pad(data)
    assert unpad(padded) == data
    assert len(padded) >= 512
    assert len(padded).bit_count() == 1


@pytest.mark.parametrize(
    "padded",
    [b"", bytes(512), b"\x80" + bytes(510), b"\x80" + bytes(1023), b"a" * 512, b"a\x81" + bytes(510)],
)
def test_other_padding_is_refused(padded: bytes) -> None:
    with pytest.raises(Malformed):
        unpad(padded)
