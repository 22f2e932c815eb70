"""Padding that hides a message's length but for its power of two."""

from skvoz.base.errors import Malformed
from skvoz.base.limits import PADDING_SIZE_MIN

_MARK = b"\x80"


def pad(data: bytes) -> bytes:
    """Return `data`, 0x80 and zeros up to the next of 512, 1024, … bytes."""
    size = max(PADDING_SIZE_MIN, 1 << len(data).bit_length())
    return data + _MARK + bytes(size - len(data) - 1)


def unpad(padded: bytes) -> bytes:
    """Return what `pad` was given; raise `Malformed` unless `padded` is exactly what `pad` makes."""
    data = padded.rstrip(b"\x00")
    if not data.endswith(_MARK):
        raise Malformed("padding without its mark")
    data = data[:-1]
    if len(padded) != max(PADDING_SIZE_MIN, 1 << len(data).bit_length()):
        raise Malformed("padded to a wrong size")
    return data
