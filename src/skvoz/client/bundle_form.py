"""A bundle: a file that looks like random bytes, of one of a few sizes, and tells if it was damaged.

    file    = salt (32) ‖ AES-256-GCM(key, zero nonce, "", content)      64 KiB, 128 KiB, … 64 MiB
    key     = HKDF-SHA-256(salt, no salt, "skvoz bundle", 32)
    content = version (1) ‖ records ‖ zeros
    record  = size of what follows (4) ‖ tag (16) ‖ sealed

The outer key is no secret: it hides from whoever looks at the stick's files what this one is, and shows what
was cut off or changed. Records are sealed by themselves (`carried_form`), in no order that tells anything,
and random ones fill the file up.
"""

from collections.abc import Sequence
from typing import Final

from skvoz.base.errors import BadRequest, DecryptFailed
from skvoz.base.limits import PADDING_SIZE_MIN
from skvoz.base.limits import TAG_SIZE as AEAD_TAG_SIZE
from skvoz.base.ports import Randomness
from skvoz.client.carried_form import TAG_SIZE
from skvoz.codec import uint8, uint32
from skvoz.crypto import KEY_SIZE, ZERO_NONCE, hkdf_sha256, seal, unseal

BUNDLE_SIZE_MAX: Final = 64 * 1024 * 1024
"""Years of texts; a phone can hold it in its memory."""
VERSION: Final = 1
SALT_SIZE: Final = 32
_SIZE_MIN: Final = 64 * 1024
_OVERHEAD: Final = SALT_SIZE + AEAD_TAG_SIZE + 1
_LENGTH_SIZE: Final = 4
_RECORD_SIZE_MIN: Final = TAG_SIZE + PADDING_SIZE_MIN + AEAD_TAG_SIZE
Record = tuple[bytes, bytes]
"""A tag and sealed bytes."""


def room_of(record: Record) -> int:
    """Return how many bytes of a bundle a record takes."""
    return _LENGTH_SIZE + len(record[0]) + len(record[1])


def room_in(size: int = BUNDLE_SIZE_MAX) -> int:
    """Return how many bytes the records of a bundle of this size may take."""
    return size - _OVERHEAD


def pack(records: Sequence[Record], salt: bytes, randomness: Randomness) -> bytes:
    """Return the file; raise `BadRequest` for records that take more than `room_in()`."""
    needed = sum(map(room_of, records))
    size = _SIZE_MIN
    while room_in(size) < needed:
        size *= 2
    if size > BUNDLE_SIZE_MAX:
        raise BadRequest("there is more to carry than a bundle holds")
    filling, rest = divmod(room_in(size) - needed, _LENGTH_SIZE + _RECORD_SIZE_MIN)
    noise = randomness(filling * _RECORD_SIZE_MIN)
    fill = [noise[at : at + _RECORD_SIZE_MIN] for at in range(0, len(noise), _RECORD_SIZE_MIN)]
    # Tags are random to whoever has no key, and an order by them tells nothing.
    mixed = sorted([tag + sealed for tag, sealed in records] + fill)
    content = [uint8(VERSION)]
    for record in mixed:
        content += (uint32(len(record)), record)
    return salt + seal(_key(salt), ZERO_NONCE, b"", b"".join((*content, bytes(rest))))


def unpack(file: bytes) -> tuple[bytes, list[Record]]:
    """Return a bundle's salt and records; raise `BadRequest` in words for who brought the file."""
    if not is_whole(len(file)):
        raise BadRequest("this file is no bundle, or a part of one: copy it again")
    salt = file[:SALT_SIZE]
    try:
        content = unseal(_key(salt), ZERO_NONCE, b"", file[SALT_SIZE:])
    except DecryptFailed:
        raise BadRequest("this file is no bundle, or it was damaged on its way: copy it again") from None
    if content[0] > VERSION:
        raise BadRequest("this bundle was made by a newer version of Skvoz: update this one")
    if content[0] != VERSION:
        raise BadRequest("this bundle was made by a version of Skvoz that is too old")
    return salt, _records(content)


def is_whole(size: int) -> bool:
    """Tell whether a bundle may have this size, bytes."""
    return _SIZE_MIN <= size <= BUNDLE_SIZE_MAX and size.bit_count() == 1


def _records(content: bytes) -> list[Record]:
    records: list[Record] = []
    at = 1
    while at + _LENGTH_SIZE <= len(content):
        size = int.from_bytes(content[at : at + _LENGTH_SIZE])
        at += _LENGTH_SIZE
        if size == 0:
            break
        if size < _RECORD_SIZE_MIN or at + size > len(content):
            raise BadRequest("this bundle was put together wrongly")
        records.append((content[at : at + TAG_SIZE], content[at + TAG_SIZE : at + size]))
        at += size
    return records


def _key(salt: bytes) -> bytes:
    return hkdf_sha256(salt, salt=b"", info=b"skvoz bundle", length=KEY_SIZE)
