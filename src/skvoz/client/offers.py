"""Offers: what lies beside an inbox for whoever holds its link: a card and KeyPackages.

    offer = salt (16) ‖ AES-256-GCM(key, zero nonce, "", plaintext)
    key   = HKDF-SHA-256(link secret, salt, "skvoz offer 1" ‖ inbox id)
    plaintext = pad(version ‖ card<V> ‖ vector of KeyPackage messages<V>)

A fresh salt gives each offer a key of its own. A single-use link has one offer with a KeyPackage for each
device; the pool of a lasting link has many, and a last one that may be given more than once.
"""

from dataclasses import dataclass, field
from typing import Final

from skvoz.base.errors import DecryptFailed, Invalid, Malformed
from skvoz.base.ids import AccountId, LogId
from skvoz.base.ports import Randomness
from skvoz.client.cards import Card, verify_card
from skvoz.codec import Reader, opaque, pad, uint8, unpad, vector
from skvoz.crypto import KEY_SIZE, ZERO_NONCE, hkdf_sha256, seal, unseal

VERSION: Final = 1
OFFER_SIZE_MAX: Final = 64 * 1024
DEVICES_MAX: Final = 8
_SALT_SIZE: Final = 16
_INFO: Final = b"skvoz offer 1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A verified card with KeyPackages that nobody has checked yet (each an `MLSMessage`)."""

    card: Card
    key_packages: tuple[bytes, ...] = field(repr=False)


def _key(link_secret: bytes, salt: bytes, inbox_id: LogId) -> bytes:
    return hkdf_sha256(link_secret, salt=salt, info=_INFO + inbox_id, length=KEY_SIZE)


def seal_offer(link_secret: bytes, inbox_id: LogId, offer: Offer, randomness: Randomness) -> bytes:
    """Seal an offer for the holders of a link."""
    salt = randomness(_SALT_SIZE)
    content = uint8(VERSION) + opaque(offer.card.encoded) + vector(map(opaque, offer.key_packages))
    return salt + seal(_key(link_secret, salt, inbox_id), ZERO_NONCE, b"", pad(content))


def open_offer(link_secret: bytes, inbox_id: LogId, account_id: AccountId, data: bytes, now_ms: int) -> Offer:
    """Open an offer; raise `DecryptFailed`, `Malformed`, or `Invalid` where it is not of this account."""
    if not _SALT_SIZE < len(data) <= OFFER_SIZE_MAX:
        raise DecryptFailed
    salt, sealed = data[:_SALT_SIZE], data[_SALT_SIZE:]
    reader = Reader(unpad(unseal(_key(link_secret, salt, inbox_id), ZERO_NONCE, b"", sealed)))
    if reader.uint8() != VERSION:
        raise Malformed("an offer has an unknown version")
    card = verify_card(reader.opaque())
    key_packages = reader.vector(Reader.opaque)
    reader.finish()
    if card.account_id != account_id:
        raise Invalid("the card does not match the link's fingerprint")
    card.check_dates(now_ms)
    if not 1 <= len(key_packages) <= DEVICES_MAX:
        raise Malformed("an offer has no KeyPackage, or too many")
    return Offer(card=card, key_packages=key_packages)
