"""Fuzz the codecs: TLS vectors and numbers, CBOR, padding; what parses encodes back."""

from fuzz.target import Part, Target, one_of
from skvoz.codec import Reader, cbor, opaque, optional, pad, uint8, uint16, uint32, uint64, unpad, vector
from skvoz.codec.tls import varint


def try_reader(data: bytes) -> None:
    """Read values, each after a byte that says its kind, and hold each to its encoding."""
    reader = Reader(data)
    while reader.remaining:
        kind = reader.uint8()
        start = reader.position
        match kind % 8:
            case 0:
                encoded = uint16(reader.uint16())
            case 1:
                encoded = uint32(reader.uint32())
            case 2:
                encoded = uint64(reader.uint64())
            case 3:
                encoded = varint(reader.varint())
            case 4:
                encoded = opaque(reader.opaque())
            case 5:
                encoded = optional(reader.optional(lambda inner: opaque(inner.opaque())))
            case 6:
                encoded = vector(opaque(item) for item in reader.vector(Reader.opaque))
            case _:
                encoded = uint8(reader.uint8())
        if encoded != data[start : reader.position]:
            raise AssertionError("a value has two encodings")
    reader.finish()


def try_section(data: bytes) -> None:
    """Read vectors inside of vectors: nobody reads beyond the inner one's end."""
    reader = Reader(data)
    section = reader.section()
    while section.remaining:
        inner = section.section()
        inner.take(inner.remaining)
        inner.finish()
        if inner.position > section.end or section.position > reader.position:
            raise AssertionError("a reader left its section")
    reader.finish()


def try_cbor(data: bytes) -> None:
    """Read bytes as CBOR."""
    if cbor.encode(cbor.decode(data)) != data:
        raise AssertionError("a value has two encodings")


def try_padding(data: bytes) -> None:
    """Take padding off what is padded by us, changed or not."""
    if pad(unpad(data)) != data:
        raise AssertionError("something was padded in two ways")


def make() -> Target:
    """Return the target."""
    values = b"".join(
        (
            *(uint8(0), uint16(1), uint8(1), uint32(2), uint8(2), uint64(3), uint8(3), varint(4)),
            *(uint8(4), opaque(b"text"), uint8(5), optional(opaque(b"x")), uint8(5), optional(None)),
            *(uint8(6), vector((opaque(b""), opaque(b"a" * 70))), uint8(7), uint8(8)),
        )
    )
    tree: cbor.Value = (None, True, -1, 2**40, b"bytes", "Привет", ((), {1: "a", "k": (b"",)}))
    branches: cbor.Value = {0: tree, b"b": tree}
    return one_of(
        (
            Part(try_reader, [values, values * 3]),
            Part(try_section, [opaque(opaque(b"abc") + opaque(b"")), opaque(b"")]),
            Part(try_cbor, [cbor.encode(tree), cbor.encode(branches)]),
            Part(try_padding, [pad(b""), pad(b"text"), pad(bytes(511)), pad(b"\x80" * 600)]),
        )
    )
