"""Objects of a drop: where each belongs, under which name it lies there, and the keys for both.

A name is 32 hexadecimal digits: the object's place as one block under a keyed permutation. Who has the key
reads a listing; who hasn't sees names that are random.
"""

import re
from enum import IntEnum
from typing import Final, NamedTuple

from skvoz.base.ids import RelayId
from skvoz.base.value import Value
from skvoz.crypto import DEFAULT_SUITE, hkdf_sha256, sha256, suite
from skvoz.crypto.permutation import BlockPermutation

SECRET_SIZE: Final = 32
"""Bytes of a drop's secret, from which everything else follows."""
NUMBER_MAX: Final = 2**40
"""Slots of a journal; more is a name that somebody made up."""
_NAME: Final = re.compile("[0-9a-f]{32}")
_ZEROS: Final = bytes(3)


class ObjectKind(IntEnum):
    """What an object is."""

    MARK = 1
    """Says that this is the drop's place: a folder that isn't mounted has none."""
    RECORD = 2
    """Requests, in a numbered slot of the journal."""
    STATE = 3
    """What the journal up to a slot comes to, in parts."""
    PIECE = 4
    """Bytes of a blob."""


class Place(NamedTuple):
    """Where an object belongs: its kind, its number, and its part where one number has several."""

    kind: ObjectKind
    number: int = 0
    part: int = 0

    def block(self) -> bytes:
        """Return it as 16 bytes."""
        return bytes((self.kind,)) + _ZEROS + self.part.to_bytes(4, "big") + self.number.to_bytes(8, "big")


class DropKeys(Value, frozen=True, kw_only=True):
    """All that follows from a drop's secret."""

    relay_key: bytes
    """The private key of the relay that everybody runs over this drop."""
    relay_id: RelayId
    object_key: bytes
    permutation: BlockPermutation

    def name_of(self, place: Place) -> str:
        """Return the name under which an object lies."""
        return self.permutation.forwards(place.block()).hex()

    def place_of(self, name: str) -> Place | None:
        """Return where an object of this name belongs; None for what isn't ours."""
        if _NAME.fullmatch(name) is None:
            return None
        block = self.permutation.backwards(bytes.fromhex(name))
        number = int.from_bytes(block[8:], "big")
        if block[1:4] != _ZEROS or number > NUMBER_MAX:
            return None
        try:
            kind = ObjectKind(block[0])
        except ValueError:
            return None
        return Place(kind, number, int.from_bytes(block[4:8], "big"))


def drop_keys(secret: bytes) -> DropKeys:
    """Derive a drop's keys from its secret of 32 bytes."""
    if len(secret) != SECRET_SIZE:
        raise ValueError("a drop's secret has 32 bytes")

    def derived(purpose: bytes) -> bytes:
        return hkdf_sha256(secret, info=b"skvoz drop " + purpose, length=32)

    pair = suite(DEFAULT_SUITE).kem.derive(derived(b"relay"))
    return DropKeys(
        relay_key=pair.private_key,
        relay_id=RelayId(sha256(pair.public_key)),
        object_key=derived(b"object"),
        permutation=BlockPermutation(derived(b"name")),
    )
