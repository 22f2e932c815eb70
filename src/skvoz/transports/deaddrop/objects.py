"""Sealing of objects: padded to one of a few sizes, and bound to their place.

    object = nonce (12 bytes) ‖ AES-256-GCM(object key, nonce, place, content ‖ 0x80 ‖ zeros)

A whole object has one of `SIZES`, so that a provider learns a size class and nothing else. Nonces are random:
one key seals far fewer than 2^32 objects.
"""

from typing import Final

from skvoz.base.errors import Malformed
from skvoz.base.ports import Randomness
from skvoz.crypto import seal, unseal
from skvoz.transports.deaddrop.names import DropKeys, Place

_KIB: Final = 1024
SIZES: Final = (4 * _KIB, 16 * _KIB, 64 * _KIB, 256 * _KIB, 1028 * _KIB, 2048 * _KIB)
"""In bytes; the last but one holds a part of a blob or a closer of the greatest size."""
_NONCE_SIZE: Final = 12
_OVERHEAD: Final = _NONCE_SIZE + 16 + 1
CONTENT_SIZE_MAX: Final = SIZES[-1] - _OVERHEAD
"""What one object holds, bytes."""
_MARK: Final = b"\x80"
_LABEL: Final = b"skvoz drop object"


def seal_object(keys: DropKeys, place: Place, content: bytes, randomness: Randomness) -> bytes:
    """Seal the content of an object; more than `CONTENT_SIZE_MAX` is a `ValueError`."""
    size = next((size for size in SIZES if len(content) + _OVERHEAD <= size), None)
    if size is None:
        raise ValueError("an object holds no more than 2 MiB")
    padded = content + _MARK + bytes(size - _OVERHEAD - len(content))
    nonce = randomness(_NONCE_SIZE)
    return nonce + seal(keys.object_key, nonce, _LABEL + place.block(), padded)


def open_object(keys: DropKeys, place: Place, data: bytes) -> bytes:
    """Return an object's content; raise `Malformed` or `DecryptFailed` where it is none for this place."""
    if len(data) not in SIZES:
        raise Malformed("an object has a size that none has")
    nonce, ciphertext = data[:_NONCE_SIZE], data[_NONCE_SIZE:]
    padded = unseal(keys.object_key, nonce, _LABEL + place.block(), ciphertext)
    content = padded.rstrip(b"\x00")
    if not content.endswith(_MARK):
        raise Malformed("an object is padded without its mark")
    return content[:-1]
