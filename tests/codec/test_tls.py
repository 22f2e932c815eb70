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


def test_nothing_reaches_beyond_the_vector_around_it() -> None:
    """The bytes are there, and belong to somebody else."""
    data = b"\x02\x05\x01" + bytes(20)
    for read_vector in (Reader.opaque, Reader.section):
        with pytest.raises(Malformed, match="too early"):
            read_vector(Reader(data).section())
    with pytest.raises(Malformed, match="too early"):
        Reader(data).section().vector(Reader.uint8)
    inner = Reader(b"\x01\x07" + bytes(20)).section()
    for read_number in (Reader.uint16, Reader.uint32, Reader.uint64):
        with pytest.raises(Malformed, match="too early"):
            read_number(Reader(inner.data, inner.position, inner.end))
    assert inner.uint8() == 7
    with pytest.raises(Malformed, match="too early"):
        inner.uint8()


@pytest.mark.parametrize(("first", "size"), [(0x3F, 1), (0x40, 2), (0x3FFF, 2), (0x4000, 4), (2**30 - 1, 4)])
def test_lengths_at_the_borders_have_their_shortest_form(first: int, size: int) -> None:
    encoded = varint(first)
    assert len(encoded) == size
    assert Reader(encoded).varint() == first
