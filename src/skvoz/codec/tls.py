"""The TLS presentation language with the variable-size vectors of RFC 9420 §2.1.2.

Encoding is functions that return bytes, to be joined. Decoding is one `Reader` that moves along
its input; it raises `Malformed` for anything short, over-long or not minimal.
"""

from collections.abc import Callable, Iterable
from struct import Struct
from typing import Final, TypeVar

from skvoz.base.errors import Malformed

T = TypeVar("T")

_UINT16 = Struct(">H")
_UINT32 = Struct(">I")
_UINT64 = Struct(">Q")
_LENGTH_MAX: Final = 0x3FFF_FFFF

uint16 = _UINT16.pack
uint32 = _UINT32.pack
uint64 = _UINT64.pack


def uint8(value: int) -> bytes:
    """Encode 0 … 255 as one byte."""
    return value.to_bytes(1, "big")


def varint(value: int) -> bytes:
    """Encode a length below 2**30 in 1, 2 or 4 bytes, minimally (RFC 9420 §2.1.2)."""
    if value < 0x40:
        return value.to_bytes(1, "big")
    if value < 0x4000:
        return (value | 0x4000).to_bytes(2, "big")
    if value > _LENGTH_MAX:
        raise Malformed("a vector is longer than the format allows")
    return (value | 0x8000_0000).to_bytes(4, "big")


_SHORT_LENGTHS: Final = tuple(length.to_bytes(1, "big") for length in range(0x40))


def opaque(data: bytes) -> bytes:
    """Encode `opaque data<V>`."""
    length = len(data)
    # The most frequent call of all: a table spares short data a call.
    return _SHORT_LENGTHS[length] + data if length < 0x40 else varint(length) + data


def vector(items: Iterable[bytes]) -> bytes:
    """Encode a vector whose items are encoded already."""
    return opaque(b"".join(items))


def optional(encoded: bytes | None) -> bytes:
    """Encode `optional<T>` around an encoded value."""
    return b"\x00" if encoded is None else b"\x01" + encoded


class Reader:
    """Reads values one after another from `data[start:end]`."""

    __slots__ = ("data", "end", "position")

    def __init__(self, data: bytes, start: int = 0, end: int | None = None) -> None:
        self.data = data
        self.position = start
        self.end = len(data) if end is None else end

    @property
    def remaining(self) -> int:
        """Bytes not read yet."""
        return self.end - self.position

    def take(self, length: int) -> bytes:
        """Read `length` raw bytes."""
        start = self.position
        stop = start + length
        if stop > self.end:
            raise Malformed("input ends too early")
        self.position = stop
        return self.data[start:stop]

    def uint8(self) -> int:
        """Read one byte."""
        position = self.position
        if position >= self.end:
            raise Malformed("input ends too early")
        self.position = position + 1
        return self.data[position]

    def uint16(self) -> int:
        """Read two bytes."""
        return int.from_bytes(self.take(2), "big")

    def uint32(self) -> int:
        """Read four bytes."""
        return int.from_bytes(self.take(4), "big")

    def uint64(self) -> int:
        """Read eight bytes."""
        return int.from_bytes(self.take(8), "big")

    def varint(self) -> int:
        """Read a length; anything but the shortest form is `Malformed`."""
        first = self.uint8()
        prefix = first >> 6
        if prefix == 0:
            return first
        if prefix == 1:
            value = (first & 0x3F) << 8 | self.uint8()
            if value < 0x40:
                raise Malformed("a length is not in its shortest form")
            return value
        if prefix == 2:
            value = (first & 0x3F) << 24 | int.from_bytes(self.take(3), "big")
            if value < 0x4000:
                raise Malformed("a length is not in its shortest form")
            return value
        raise Malformed("a length has an unknown form")

    def opaque(self) -> bytes:
        """Read `opaque data<V>`."""
        start = self.position + 1
        # Short data, the most frequent by far, goes without further calls.
        if start <= self.end and (length := self.data[start - 1]) < 0x40:
            stop = start + length
            if stop > self.end:
                raise Malformed("input ends too early")
            self.position = stop
            return self.data[start:stop]
        return self.take(self.varint())

    def flag(self) -> bool:
        """Read the presence byte of `optional<T>`: 0 or 1."""
        value = self.uint8()
        if value > 1:
            raise Malformed("a presence byte is neither 0 nor 1")
        return value == 1

    def optional(self, read: Callable[["Reader"], T]) -> T | None:
        """Read `optional<T>`."""
        return read(self) if self.flag() else None

    def section(self) -> "Reader":
        """Read a vector's length and return a reader of just its content, which this one skips."""
        length = self.varint()
        start = self.position
        if start + length > self.end:
            raise Malformed("input ends too early")
        self.position = start + length
        return Reader(self.data, start, start + length)

    def vector(self, read: Callable[["Reader"], T]) -> tuple[T, ...]:
        """Read a vector of values until its bytes are used up exactly."""
        section = self.section()
        items: list[T] = []
        while section.position < section.end:
            items.append(read(section))
        return tuple(items)

    def finish(self) -> None:
        """Raise `Malformed` if anything is left."""
        if self.position != self.end:
            raise Malformed("bytes left over at the end")
