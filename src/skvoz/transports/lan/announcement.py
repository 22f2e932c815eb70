"""What who lends a relay on the local network says of it: random bytes but for those who share a key.

    announcement = nonce (16) ‖ 32 slots (6 + 16) ‖ sealed
    sealed       = AES-256-GCM(wrapped key, zero nonce, aad = nonce ‖ place, lender)
    slot         = tag (6) ‖ mask (16) xor the wrapped key's seed
    tag ‖ mask   = HKDF-SHA-256(key of a conversation, salt = nonce, "skvoz near 1" ‖ place ‖ sealed, 22)
    wrapped key  = HKDF-SHA-256(seed, salt = nonce, "skvoz near lender 1", 32)
    lender       = relay id (32) ‖ ticket (16) ‖ path (16) ‖ minutes since 1970 (4)
    place        = IPv4 address (4) ‖ port (2)

There are always 32 slots, those that no conversation needs of random bytes: how many somebody has doesn't
show. Nonce and seed are fresh for each announcement, so that two of one lender have nothing in common.
Whoever repeats one at another place, or on another day, is recognised by nobody: who then connected would
show that they share a conversation with somebody who was there. Nor is who shares one conversation with the
lender, so knows the seed, and puts a relay of their own into it: slots say what they are for.
"""

from collections.abc import Iterable, Sequence
from typing import Final, TypeVar

from skvoz.base.errors import DecryptFailed
from skvoz.base.ports import Randomness
from skvoz.base.value import Value
from skvoz.codec import uint32
from skvoz.crypto import KEY_SIZE, ZERO_NONCE, hkdf_sha256, seal, unseal

K = TypeVar("K")

SLOTS: Final = 32
"""Conversations that can recognise a lender: an mDNS packet holds no more in one piece."""
_NONCE_SIZE: Final = 16
_TAG_SIZE: Final = 6
_SEED_SIZE: Final = 16
_SLOT_SIZE: Final = _TAG_SIZE + _SEED_SIZE
_ID_SIZE: Final = 32
_TICKET_SIZE: Final = 16
_PATH_SIZE: Final = 16
_TIME_SIZE: Final = 4
_SEALED_SIZE: Final = _ID_SIZE + _TICKET_SIZE + _PATH_SIZE + _TIME_SIZE + 16
ANNOUNCEMENT_SIZE: Final = _NONCE_SIZE + SLOTS * _SLOT_SIZE + _SEALED_SIZE
FRESH_MINUTES: Final = 12 * 60
"""How old, or early, an announcement may be: the clock of a machine without internet is wrong by its zone."""
_MINUTE_MS: Final = 60_000


class Lender(Value, frozen=True, kw_only=True):
    """A relay that somebody lends: its id (32 bytes), a ticket (16) and its path's bytes (16)."""

    relay_id: bytes
    ticket: bytes
    path: bytes


class Place(Value, frozen=True, kw_only=True):
    """Where a lent relay is on the local network: its IPv4 address (4 bytes) and port."""

    address: bytes
    port: int

    @property
    def encoded(self) -> bytes:
        """The bytes that an announcement is bound to."""
        return self.address + self.port.to_bytes(2)


def announce(
    lender: Lender, place: Place, keys: Sequence[bytes], *, now_ms: int, randomness: Randomness
) -> bytes:
    """Return an announcement of a lender at a place, for the holders of up to `SLOTS` keys."""
    nonce, seed = randomness(_NONCE_SIZE), randomness(_SEED_SIZE)
    plain = lender.relay_id + lender.ticket + lender.path + uint32(now_ms // _MINUTE_MS)
    sealed = seal(_key(seed, nonce), ZERO_NONCE, nonce + place.encoded, plain)
    slots = [_slot(key, nonce, place.encoded + sealed, seed) for key in keys[:SLOTS]]
    slots += [randomness(_SLOT_SIZE) for _ in range(SLOTS - len(slots))]
    slots.sort()
    return nonce + b"".join(slots) + sealed


def recognise(
    announcement: bytes, place: Place, keys: Iterable[tuple[K, bytes]], *, now_ms: int
) -> tuple[Lender, list[K]] | None:
    """Return the lender, and whose keys it names; nothing for an announcement of strangers, or none at all.

    One that strangers made out of others' bytes opens nothing, nor does one from another place or time.
    """
    if len(announcement) != ANNOUNCEMENT_SIZE:
        return None
    nonce, rest = announcement[:_NONCE_SIZE], announcement[_NONCE_SIZE:]
    table, sealed = rest[:-_SEALED_SIZE], rest[-_SEALED_SIZE:]
    slots = {table[at : at + _TAG_SIZE]: table[at + _TAG_SIZE : at + _SLOT_SIZE] for at in _places()}
    found: Lender | None = None
    whose: list[K] = []
    for name, key in keys:
        tag, mask = _drawn(key, nonce, place.encoded + sealed)
        wrapped = slots.get(tag)
        if wrapped is None:
            continue
        plain = _opened(_xor(mask, wrapped), nonce, place, sealed)
        if plain is not None and _is_fresh(plain, now_ms):
            found = _parsed(plain)
            whose.append(name)
    return None if found is None else (found, whose)


def _places() -> range:
    return range(0, SLOTS * _SLOT_SIZE, _SLOT_SIZE)


def _slot(key: bytes, nonce: bytes, what: bytes, seed: bytes) -> bytes:
    tag, mask = _drawn(key, nonce, what)
    return tag + _xor(mask, seed)


def _drawn(key: bytes, nonce: bytes, what: bytes) -> tuple[bytes, bytes]:
    drawn = hkdf_sha256(key, salt=nonce, info=b"skvoz near 1" + what, length=_SLOT_SIZE)
    return drawn[:_TAG_SIZE], drawn[_TAG_SIZE:]


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))


def _key(seed: bytes, nonce: bytes) -> bytes:
    return hkdf_sha256(seed, salt=nonce, info=b"skvoz near lender 1", length=KEY_SIZE)


def _opened(seed: bytes, nonce: bytes, place: Place, sealed: bytes) -> bytes | None:
    try:
        return unseal(_key(seed, nonce), ZERO_NONCE, nonce + place.encoded, sealed)
    except DecryptFailed:
        return None


def _is_fresh(plain: bytes, now_ms: int) -> bool:
    made = int.from_bytes(plain[-_TIME_SIZE:])
    return abs(now_ms // _MINUTE_MS - made) <= FRESH_MINUTES


def _parsed(plain: bytes) -> Lender:
    ticket_ends = _ID_SIZE + _TICKET_SIZE
    return Lender(
        relay_id=plain[:_ID_SIZE],
        ticket=plain[_ID_SIZE:ticket_ends],
        path=plain[ticket_ends : ticket_ends + _PATH_SIZE],
    )
