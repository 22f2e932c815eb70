"""Bytes to values and back: the TLS presentation language as RFC 9420 §2.1 uses it, and padding.

- `cbor`: deterministic CBOR, `from skvoz.codec import cbor`
- `tls`: `Reader`, and functions that encode; both fast, both strict
- `padding`: 0x80 then zeros to the next of 512, 1024, … bytes
"""

from skvoz.codec.padding import pad, unpad
from skvoz.codec.tls import Reader, opaque, optional, uint8, uint16, uint32, uint64, varint, vector

__all__ = [
    "Reader",
    "opaque",
    "optional",
    "pad",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "unpad",
    "varint",
    "vector",
]
