"""What a journal comes to up to a slot, as objects: what has expired can be swept then.

Who comes anew begins from there, and needn't read what was before.

A state has parts, each an object of its own; the first one says how many there are, and is put last.
"""

from collections.abc import Callable, Iterable
from typing import Final

from skvoz.base.errors import DecryptFailed, Malformed
from skvoz.base.ports import Randomness
from skvoz.transports.deaddrop.names import DropKeys, ObjectKind, Place
from skvoz.transports.deaddrop.objects import CONTENT_SIZE_MAX, open_object, seal_object

PARTS_MAX: Final = 64
"""Parts of a state: 128 MiB, some half a million entries of all logs together."""
_COUNT_SIZE: Final = 2


def seal_state(keys: DropKeys, slot: int, state: bytes, randomness: Randomness) -> list[tuple[Place, bytes]]:
    """Return a state's objects in the order in which they are to be put; none of one that is too large.

    Whoever fills a drop so far keeps it from being swept, and nobody from going on with its records.
    """
    size = CONTENT_SIZE_MAX - _COUNT_SIZE
    pieces = [state[start : start + size] for start in range(0, len(state), size)] or [b""]
    if len(pieces) > PARTS_MAX:
        return []
    pieces[0] = len(pieces).to_bytes(_COUNT_SIZE, "big") + pieces[0]
    places = [Place(ObjectKind.STATE, slot, part) for part in range(len(pieces))]
    sealed = [
        (place, seal_object(keys, place, piece, randomness))
        for place, piece in zip(places, pieces, strict=True)
    ]
    return sealed[::-1]


def parts_of(keys: DropKeys, slot: int, first: bytes) -> list[Place]:
    """Return the places of all parts, out of the first part's object; raise `Malformed`, `DecryptFailed`."""
    content = open_object(keys, Place(ObjectKind.STATE, slot), first)
    count = int.from_bytes(content[:_COUNT_SIZE], "big")
    if not 1 <= count <= PARTS_MAX:
        raise Malformed("a drop's state has an impossible number of parts")
    return [Place(ObjectKind.STATE, slot, part) for part in range(count)]


def open_state(keys: DropKeys, slot: int, get: Callable[[Place], bytes | None]) -> bytes | None:
    """Return the state of a slot; None where a part is missing or isn't what it should be."""
    first = get(Place(ObjectKind.STATE, slot))
    if first is None:
        return None
    try:
        contents: list[bytes] = []
        for place in parts_of(keys, slot, first):
            data = get(place)
            if data is None:
                return None
            contents.append(open_object(keys, place, data))
    except (DecryptFailed, Malformed):
        return None
    return b"".join((contents[0][_COUNT_SIZE:], *contents[1:]))


def state_slots(places: Iterable[Place]) -> list[int]:
    """Return the slots that have a state, the latest first."""
    return sorted({place.number for place in places if place.kind is ObjectKind.STATE}, reverse=True)
