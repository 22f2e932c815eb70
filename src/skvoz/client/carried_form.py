"""What travels beside a relay, and how it is sealed.

    carry secret = MLS-Exporter("skvoz carry", "", 32) of an epoch
    item    = 1 ‖ epoch (8) ‖ device key (32) ‖ signature (64) ‖ content<V>
    signed  = group id<V> ‖ epoch (8) ‖ content<V>, by the author's device, label "carried"
    link    = 2 ‖ carry secret of the epoch after (32)
    sealed  = AES-256-GCM(key, zero nonce, "", pad(item or link))
    key     = HKDF-SHA-256(carry secret, salt = place, "skvoz carried 1", 32)

An item is sealed under the epoch in which it was said: who was a member then, and nobody else, may read it. A
link leads who stayed behind on to the next epoch, and is made only where nobody was removed in between. Each
place is used for one content: in a bundle it is the bundle's salt and a number, at a relay the entry's id,
which follows from the content.
"""

from typing import Final

from skvoz.base.errors import Invalid, Malformed
from skvoz.base.ids import EntryId, GroupId
from skvoz.base.value import Value
from skvoz.codec import Reader, opaque, pad, uint8, uint64, unpad
from skvoz.crypto import KEY_SIZE, ZERO_NONCE, hkdf_sha256, seal, sha256, unseal

CARRY_LABEL: Final = "skvoz carry"
"""MLS exporter label of an epoch's carry secret."""
SECRET_SIZE: Final = 32
SIGNATURE_LABEL: Final = "carried"
TAG_SIZE: Final = 16
CONTENT_SIZE_MAX: Final = 60 * 1024
"""As in a room's entry."""
_ITEM: Final = 1
_LINK: Final = 2
_DEVICE_KEY_SIZE: Final = 32
_SIGNATURE_SIZE: Final = 64
_ENTRY_ID_SIZE: Final = 16


class Item(Value, frozen=True, kw_only=True):
    """A content with its author's signature, as it came: nothing of it is verified."""

    epoch: int
    device_key: bytes
    signature: bytes
    content: bytes


class Link(Value, frozen=True, kw_only=True):
    """The carry secret of the next epoch."""

    secret: bytes


def signed_item(group_id: GroupId, epoch: int, content: bytes) -> bytes:
    """Return what the signature of an item covers."""
    return opaque(group_id) + uint64(epoch) + opaque(content)


def encode(carried: Item | Link) -> bytes:
    """Return the bytes that are sealed."""
    if isinstance(carried, Link):
        return uint8(_LINK) + carried.secret
    return b"".join(
        (
            uint8(_ITEM),
            uint64(carried.epoch),
            carried.device_key,
            carried.signature,
            opaque(carried.content),
        )
    )


def parse(plain: bytes) -> Item | Link:
    """Return what was sealed; raise `Malformed`, or `Invalid` for a kind of a later version."""
    reader = Reader(plain)
    kind = reader.uint8()
    carried: Item | Link
    if kind == _LINK:
        carried = Link(secret=reader.take(SECRET_SIZE))
    elif kind == _ITEM:
        carried = Item(
            epoch=reader.uint64(),
            device_key=reader.take(_DEVICE_KEY_SIZE),
            signature=reader.take(_SIGNATURE_SIZE),
            content=reader.opaque(),
        )
        if not 0 < len(carried.content) <= CONTENT_SIZE_MAX:
            raise Malformed("a carried content has a wrong size")
    else:
        raise Invalid("something carried is of an unknown kind")
    reader.finish()
    return carried


def tag_at(secret: bytes, place: bytes) -> bytes:
    """Return how a holder of the carry secret finds what lies at a place; to others it is random."""
    return hkdf_sha256(secret, salt=place, info=b"skvoz carried tag 1", length=TAG_SIZE)


def seal_at(secret: bytes, place: bytes, plain: bytes) -> bytes:
    """Seal what `encode` returned; a place serves for one content only."""
    return seal(_key(secret, place), ZERO_NONCE, b"", pad(plain))


def open_at(secret: bytes, place: bytes, sealed: bytes) -> bytes:
    """Return what was sealed; raise `DecryptFailed` or `Malformed`."""
    return unpad(unseal(_key(secret, place), ZERO_NONCE, b"", sealed))


def entry_of(secret: bytes, plain: bytes) -> tuple[EntryId, bytes]:
    """Return an entry of a log for what `encode` returned: the same id and bytes, whoever makes it."""
    named = hkdf_sha256(secret, salt=sha256(plain), info=b"skvoz carried id 1", length=_ENTRY_ID_SIZE)
    return EntryId(named), seal_at(secret, named, plain)


def _key(secret: bytes, place: bytes) -> bytes:
    return hkdf_sha256(secret, salt=place, info=b"skvoz carried 1", length=KEY_SIZE)
