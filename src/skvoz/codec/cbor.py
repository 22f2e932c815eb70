"""Deterministic CBOR without surprises (RFC 8949 §4.2.1), for what comes from outside.

A value has exactly one encoding here: shortest lengths, definite lengths, map keys in bytewise order.
Tags, floats, `undefined` and other simple values don't exist. General libraries accept more than
that and run a decoder for every known tag, dates and regular expressions among them.

| CBOR | Python |
|---|---|
| integers from -2**64 to 2**64 - 1 | `int` |
| byte and text strings | `bytes`, `str` |
| arrays | `tuple` |
| maps with integer, text or byte keys | `dict` |
| true, false, null | `True`, `False`, `None` |
"""

from typing import Final, TypeAlias

from skvoz.base.errors import Malformed

Key: TypeAlias = int | str | bytes
Value: TypeAlias = "bool | int | bytes | str | tuple[Value, ...] | dict[Key, Value] | None"

DEPTH_MAX: Final = 16
"""Arrays and maps inside each other: more than any of our formats needs, and far from the stack's end."""

_UNSIGNED: Final = 0
_NEGATIVE: Final = 1
_BYTES: Final = 2
_TEXT: Final = 3
_ARRAY: Final = 4
_MAP: Final = 5
_SIMPLE: Final = 7

_ARGUMENT_SIZES: Final = {24: 1, 25: 2, 26: 4, 27: 8}
_ARGUMENT_MINIMA: Final = {24: 24, 25: 1 << 8, 26: 1 << 16, 27: 1 << 32}
_SIMPLE_VALUES: Final = {0xF4: False, 0xF5: True, 0xF6: None}


def decode(data: bytes, *, depth_max: int = DEPTH_MAX) -> Value:
    """Decode one value that fills `data`; whatever `encode` would write differently is `Malformed`."""
    try:
        value, end = _item(data, 0, depth_max)
    except IndexError:
        raise Malformed("CBOR ends too early") from None
    if end != len(data):
        raise Malformed("bytes follow the CBOR value")
    return value


def encode(value: Value) -> bytes:
    """Encode deterministically."""
    if isinstance(value, bytes):
        return _head(_BYTES, len(value)) + value
    if isinstance(value, str):
        text = value.encode()
        return _head(_TEXT, len(text)) + text
    if value is None:
        return b"\xf6"
    if isinstance(value, bool):
        return b"\xf5" if value else b"\xf4"
    if isinstance(value, int):
        return _head(_UNSIGNED, value) if value >= 0 else _head(_NEGATIVE, -1 - value)
    if isinstance(value, tuple):
        return _head(_ARRAY, len(value)) + b"".join([encode(item) for item in value])
    pairs = sorted((encode(key), encode(item)) for key, item in value.items())
    return _head(_MAP, len(pairs)) + b"".join([key + item for key, item in pairs])


def _head(major: int, argument: int) -> bytes:
    initial = major << 5
    if argument < 24:
        return bytes((initial | argument,))
    if argument < 1 << 8:
        return bytes((initial | 24, argument))
    if argument < 1 << 16:
        return bytes((initial | 25,)) + argument.to_bytes(2, "big")
    if argument < 1 << 32:
        return bytes((initial | 26,)) + argument.to_bytes(4, "big")
    return bytes((initial | 27,)) + argument.to_bytes(8, "big")


def _item(data: bytes, at: int, depth: int) -> tuple[Value, int]:
    """Return the value at `at` and where it ends; an index beyond the end means truncation."""
    initial = data[at]
    major = initial >> 5
    if major == _SIMPLE:
        if initial not in _SIMPLE_VALUES:
            raise Malformed("CBOR holds a float or a simple value that isn't used here")
        return _SIMPLE_VALUES[initial], at + 1
    argument = initial & 0x1F
    at += 1
    if argument >= 24:
        argument, at = _argument(data, at, argument)
    if major == _UNSIGNED:
        return argument, at
    if major == _NEGATIVE:
        return -1 - argument, at
    if major in (_BYTES, _TEXT):
        end = at + argument
        if end > len(data):
            raise Malformed("CBOR ends too early")
        if major == _BYTES:
            return data[at:end], end
        try:
            return data[at:end].decode(), end
        except UnicodeDecodeError:
            raise Malformed("a text in CBOR is not UTF-8") from None
    if major not in (_ARRAY, _MAP):
        raise Malformed("CBOR holds a tag")
    if depth == 0:
        raise Malformed("CBOR is nested too deeply")
    if argument > len(data) - at:
        raise Malformed("CBOR ends too early")
    if major == _MAP:
        return _map(data, at, argument, depth - 1)
    items: list[Value] = []
    for _ in range(argument):
        item, at = _item(data, at, depth - 1)
        items.append(item)
    return tuple(items), at


def _argument(data: bytes, at: int, size_code: int) -> tuple[int, int]:
    size = _ARGUMENT_SIZES.get(size_code)
    if size is None:
        raise Malformed("CBOR has an indefinite or reserved length")
    end = at + size
    if end > len(data):
        raise Malformed("CBOR ends too early")
    argument = int.from_bytes(data[at:end], "big")
    if argument < _ARGUMENT_MINIMA[size_code]:
        raise Malformed("a CBOR number is longer than it needs to be")
    return argument, end


def _map(data: bytes, at: int, count: int, depth: int) -> tuple[dict[Key, Value], int]:
    entries: dict[Key, Value] = {}
    previous = b""
    for _ in range(count):
        start = at
        if data[start] >> 5 > _TEXT:
            raise Malformed("a CBOR map has a key of another kind than number, text or bytes")
        key, at = _item(data, start, depth)
        encoded = data[start:at]
        # Strictly rising encodings mean both: the one deterministic order, and no key twice.
        if encoded <= previous:
            raise Malformed("a CBOR map's keys repeat or are out of order")
        previous = encoded
        value, at = _item(data, at, depth)
        if isinstance(key, (int, str, bytes)):
            entries[key] = value
    return entries, at
