"""What who lends a relay on the local network says of it: random bytes but for those who share a key.

    announcement = nonce (16) ‖ 32 slots (6 + 16) ‖ AES-256-GCM(wrapped key, zero nonce, nonce, lender)
    slot         = tag (6) ‖ mask (16) xor the wrapped key's seed
    tag ‖ mask   = HKDF-SHA-256(key of a conversation, salt = nonce, "skvoz near 1", 22)
    wrapped key  = HKDF-SHA-256(seed, salt = nonce, "skvoz near lender 1", 32)
    lender       = relay id (32) ‖ ticket (16) ‖ path (16)

There are always 32 slots, those that no conversation needs of random bytes: how many somebody has doesn't
show. Nonce and seed are fresh for each announcement, so that two of one lender have nothing in common.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

from skvoz.base.errors import DecryptFailed
from skvoz.base.ports import Randomness
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
_SEALED_SIZE: Final = _ID_SIZE + _TICKET_SIZE + _PATH_SIZE + 16
ANNOUNCEMENT_SIZE: Final = _NONCE_SIZE + SLOTS * _SLOT_SIZE + _SEALED_SIZE


@dataclass(frozen=True, slots=True, kw_only=True)
class Lender:
    """A relay that somebody lends: its id (32 bytes), a ticket (16) and its path's bytes (16)."""

    relay_id: bytes = field(repr=False)
    ticket: bytes = field(repr=False)
    path: bytes = field(repr=False)


def announce(lender: Lender, keys: Sequence[bytes], randomness: Randomness) -> bytes:
    """Return an announcement for the holders of up to `SLOTS` keys."""
    nonce, seed = randomness(_NONCE_SIZE), randomness(_SEED_SIZE)
    slots = [_slot(key, nonce, seed) for key in keys[:SLOTS]]
    slots += [randomness(_SLOT_SIZE) for _ in range(SLOTS - len(slots))]
    slots.sort()
    sealed = seal(_key(seed, nonce), ZERO_NONCE, nonce, lender.relay_id + lender.ticket + lender.path)
    return nonce + b"".join(slots) + sealed


def recognise(announcement: bytes, keys: Iterable[tuple[K, bytes]]) -> tuple[Lender, list[K]] | None:
    """Return the lender, and whose keys it names; nothing for an announcement of strangers, or none at all.

    One that strangers made out of others' bytes opens nothing.
    """
    if len(announcement) != ANNOUNCEMENT_SIZE:
        return None
    nonce, rest = announcement[:_NONCE_SIZE], announcement[_NONCE_SIZE:]
    table, sealed = rest[:-_SEALED_SIZE], rest[-_SEALED_SIZE:]
    slots = {table[at : at + _TAG_SIZE]: table[at + _TAG_SIZE : at + _SLOT_SIZE] for at in _places()}
    found: Lender | None = None
    whose: list[K] = []
    for name, key in keys:
        tag, mask = _drawn(key, nonce)
        wrapped = slots.get(tag)
        lender = None if wrapped is None else _opened(_xor(mask, wrapped), nonce, sealed)
        if lender is not None:
            found = lender
            whose.append(name)
    return None if found is None else (found, whose)


def _places() -> range:
    return range(0, SLOTS * _SLOT_SIZE, _SLOT_SIZE)


def _slot(key: bytes, nonce: bytes, seed: bytes) -> bytes:
    tag, mask = _drawn(key, nonce)
    return tag + _xor(mask, seed)


def _drawn(key: bytes, nonce: bytes) -> tuple[bytes, bytes]:
    drawn = hkdf_sha256(key, salt=nonce, info=b"skvoz near 1", length=_SLOT_SIZE)
    return drawn[:_TAG_SIZE], drawn[_TAG_SIZE:]


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))


def _key(seed: bytes, nonce: bytes) -> bytes:
    return hkdf_sha256(seed, salt=nonce, info=b"skvoz near lender 1", length=KEY_SIZE)


def _opened(seed: bytes, nonce: bytes, sealed: bytes) -> Lender | None:
    try:
        plain = unseal(_key(seed, nonce), ZERO_NONCE, nonce, sealed)
    except DecryptFailed:
        return None
    ticket_ends = _ID_SIZE + _TICKET_SIZE
    return Lender(relay_id=plain[:_ID_SIZE], ticket=plain[_ID_SIZE:ticket_ends], path=plain[ticket_ends:])
