"""Offers: what lies beside an inbox for whoever holds its link: a card and KeyPackages.

    offer = salt (16) ‖ AES-256-GCM(key, zero nonce, "", plaintext)
    key   = HKDF-SHA-256(link secret, salt, "skvoz offer 1" ‖ inbox id)
    plaintext = pad(version ‖ card<V> ‖ vector of KeyPackage messages<V>)

A fresh salt gives each offer a key of its own. A single-use link has one offer with a KeyPackage for each
device; the pool of a lasting link has many, and a last one that may be given more than once.
"""

from typing import Final

from skvoz.base.errors import DecryptFailed, Invalid, Malformed
from skvoz.base.ids import AccountId, LogId
from skvoz.base.ports import Randomness
from skvoz.base.value import Value
from skvoz.client.cards import Card, verify_card
from skvoz.client.certificates import verify_certificate
from skvoz.codec import Reader, opaque, pad, uint8, unpad, vector
from skvoz.crypto import KEY_SIZE, ZERO_NONCE, CipherSuite, hkdf_sha256, seal, unseal
from skvoz.mls import CredentialType, KeyPackage, parse_key_package
from skvoz.mls.tree_validation import check_key_package

VERSION: Final = 1
OFFER_SIZE_MAX: Final = 64 * 1024
DEVICES_MAX: Final = 8
_SALT_SIZE: Final = 16
_INFO: Final = b"skvoz offer 1"


class Offer(Value, frozen=True, kw_only=True):
    """A verified card with KeyPackages that nobody has checked yet (each an `MLSMessage`)."""

    card: Card
    key_packages: tuple[bytes, ...]


def _key(link_secret: bytes, salt: bytes, inbox_id: LogId) -> bytes:
    return hkdf_sha256(link_secret, salt=salt, info=_INFO + inbox_id, length=KEY_SIZE)


def seal_offer(link_secret: bytes, inbox_id: LogId, offer: Offer, randomness: Randomness) -> bytes:
    """Seal an offer for the holders of a link."""
    salt = randomness(_SALT_SIZE)
    content = uint8(VERSION) + opaque(offer.card.encoded) + vector(map(opaque, offer.key_packages))
    return salt + seal(_key(link_secret, salt, inbox_id), ZERO_NONCE, b"", pad(content))


def open_offer(link_secret: bytes, inbox_id: LogId, account_id: AccountId, data: bytes) -> Offer:
    """Open an offer; raise `DecryptFailed`, `Malformed`, or `Invalid` where it is not of this account.

    Dates and KeyPackages are for `check_offer`.
    """
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
    if not 1 <= len(key_packages) <= DEVICES_MAX:
        raise Malformed("an offer has no KeyPackage, or too many")
    return Offer(card=card, key_packages=key_packages)


def check_offer(offer: Offer, suite: CipherSuite, now_ms: int) -> None:
    """Raise a `PeerError` unless the card is valid now, and all KeyPackages are good and of its account."""
    offer.card.check_dates(now_ms)
    for message in offer.key_packages:
        _check_key_package(parse_key_package(message), offer.card, suite, now_ms)


def _check_key_package(key_package: KeyPackage, card: Card, suite: CipherSuite, now_ms: int) -> None:
    check_key_package(key_package, suite, now_ms=now_ms)
    leaf = key_package.leaf_node
    if leaf.credential.kind != CredentialType.BASIC:
        raise Invalid("a KeyPackage has no certificate")
    certificate = verify_certificate(leaf.credential.content, leaf.signature_key)
    if certificate.account_id != card.account_id:
        raise Invalid("a KeyPackage is not of the card's account")
    if certificate.account_key.number < card.account_key.number:
        raise Invalid("a KeyPackage is of a device under an account key that was replaced")
