"""Ed25519, Ed448 and ECDSA (DER, as MLS wants it), and Ed25519 with a label for accounts and cards.

Public keys are checked where they are parsed. ECDSA signatures must be strict DER.
"""

from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey, Ed448PublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from skvoz.base.errors import DecryptFailed, Malformed
from skvoz.base.ports import Randomness
from skvoz.base.value import Value
from skvoz.codec import opaque
from skvoz.crypto.kem_curves import PUBLIC_KEYS_KEPT, nist_private_key, nist_public_bytes, nist_public_key
from skvoz.crypto.ports import KeyPair, Signer

_P25519: Final = 2**255 - 19
_P448: Final = 2**448 - 2**224 - 1
_ORDER_8: Final = int.from_bytes(
    bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little"
)
_LOW_ORDER_25519: Final = frozenset({0, 1, _P25519 - 1, _ORDER_8, _P25519 - _ORDER_8})
_LOW_ORDER_448: Final = frozenset({0, 1, _P448 - 1})
_LABEL_PREFIX: Final = "Skvoz 1.0 "


@lru_cache(maxsize=PUBLIC_KEYS_KEPT)
def _ed25519_public_key(data: bytes) -> Ed25519PublicKey:
    if len(data) != 32:
        raise Malformed("a signature key has a wrong size")
    # Under a key of low order one signature fits many messages.
    if (int.from_bytes(data, "little") & (2**255 - 1)) % _P25519 in _LOW_ORDER_25519:
        raise Malformed("a signature key is of low order")
    return Ed25519PublicKey.from_public_bytes(data)


@lru_cache(maxsize=PUBLIC_KEYS_KEPT)
def _ed448_public_key(data: bytes) -> Ed448PublicKey:
    if len(data) != 57:
        raise Malformed("a signature key has a wrong size")
    if (int.from_bytes(data, "little") & (2**448 - 1)) % _P448 in _LOW_ORDER_448:
        raise Malformed("a signature key is of low order")
    return Ed448PublicKey.from_public_bytes(data)


class Ed25519(Value, frozen=True, eq=False):
    """Ed25519 of RFC 8032: private and public keys of 32 bytes, signatures of 64."""

    def generate(self, randomness: Randomness) -> KeyPair:
        """Make a fresh key pair."""
        private_key = randomness(32)
        return KeyPair(private_key=private_key, public_key=self.public_key_of(private_key))

    def public_key_of(self, private_key: bytes) -> bytes:
        """Return the public key of `private_key`; raise `Malformed` if it is not one."""
        return self._private(private_key).public_key().public_bytes_raw()

    def check_public_key(self, public_key: bytes) -> None:
        """Raise `Malformed` for a wrong size or a point of low order."""
        _ed25519_public_key(public_key)

    def load(self, private_key: bytes) -> Signer:
        """Parse a private key once for many signatures; raise `Malformed`."""
        return self._private(private_key).sign

    def verify(self, public_key: bytes, content: bytes, signature: bytes) -> None:
        """Raise `DecryptFailed` unless `signature` fits."""
        try:
            _ed25519_public_key(public_key).verify(signature, content)
        except (InvalidSignature, Malformed):
            raise DecryptFailed from None

    @staticmethod
    def _private(private_key: bytes) -> Ed25519PrivateKey:
        if len(private_key) != 32:
            raise Malformed("a signature private key has a wrong size")
        return Ed25519PrivateKey.from_private_bytes(private_key)


class Ed448(Value, frozen=True, eq=False):
    """Ed448 of RFC 8032: private and public keys of 57 bytes, signatures of 114."""

    def generate(self, randomness: Randomness) -> KeyPair:
        """Make a fresh key pair."""
        private_key = randomness(57)
        return KeyPair(private_key=private_key, public_key=self.public_key_of(private_key))

    def public_key_of(self, private_key: bytes) -> bytes:
        """Return the public key of `private_key`; raise `Malformed` if it is not one."""
        return self._private(private_key).public_key().public_bytes_raw()

    def check_public_key(self, public_key: bytes) -> None:
        """Raise `Malformed` for a wrong size or a point of low order."""
        _ed448_public_key(public_key)

    def load(self, private_key: bytes) -> Signer:
        """Parse a private key once for many signatures; raise `Malformed`."""
        return self._private(private_key).sign

    def verify(self, public_key: bytes, content: bytes, signature: bytes) -> None:
        """Raise `DecryptFailed` unless `signature` fits."""
        try:
            _ed448_public_key(public_key).verify(signature, content)
        except (InvalidSignature, Malformed):
            raise DecryptFailed from None

    @staticmethod
    def _private(private_key: bytes) -> Ed448PrivateKey:
        if len(private_key) != 57:
            raise Malformed("a signature private key has a wrong size")
        return Ed448PrivateKey.from_private_bytes(private_key)


class Ecdsa(Value, frozen=True, kw_only=True, eq=False):
    """ECDSA over a NIST curve: uncompressed points, big-endian scalars, signatures in DER."""

    curve: ec.EllipticCurve
    hash: hashes.HashAlgorithm

    def generate(self, randomness: Randomness) -> KeyPair:
        """Make a fresh key pair; twice 64 bits more than the order make the bias negligible."""
        size = (self.curve.key_size + 7) // 8
        drawn = int.from_bytes(randomness(size + 16), "big")
        private_key = (drawn % (self.curve.group_order - 1) + 1).to_bytes(size, "big")
        return KeyPair(private_key=private_key, public_key=self.public_key_of(private_key))

    def public_key_of(self, private_key: bytes) -> bytes:
        """Return the public key of `private_key`; raise `Malformed` if it is not one."""
        return nist_public_bytes(nist_private_key(self.curve, private_key).public_key())

    def check_public_key(self, public_key: bytes) -> None:
        """Raise `Malformed` unless `public_key` is an uncompressed point of the curve."""
        nist_public_key(self.curve, public_key)

    def load(self, private_key: bytes) -> Signer:
        """Parse a private key once for many signatures; raise `Malformed`."""
        key = nist_private_key(self.curve, private_key)
        algorithm = ec.ECDSA(self.hash)
        return lambda content: key.sign(content, algorithm)

    def verify(self, public_key: bytes, content: bytes, signature: bytes) -> None:
        """Raise `DecryptFailed` unless `signature` fits and is strict DER."""
        try:
            nist_public_key(self.curve, public_key).verify(signature, content, ec.ECDSA(self.hash))
        except (InvalidSignature, Malformed):
            raise DecryptFailed from None


ED25519: Final = Ed25519()
ED448: Final = Ed448()
ECDSA_P256: Final = Ecdsa(curve=ec.SECP256R1(), hash=hashes.SHA256())
ECDSA_P384: Final = Ecdsa(curve=ec.SECP384R1(), hash=hashes.SHA384())
ECDSA_P521: Final = Ecdsa(curve=ec.SECP521R1(), hash=hashes.SHA512())


def sign_labeled(private_key: bytes, label: str, content: bytes) -> bytes:
    """Sign with Ed25519 under a label that keeps uses apart; 64 bytes."""
    return ED25519.load(private_key)(_labeled(label, content))


def verify_labeled(public_key: bytes, label: str, content: bytes, signature: bytes) -> None:
    """Raise `DecryptFailed` unless `sign_labeled` made `signature` with this key, label and content."""
    ED25519.verify(public_key, _labeled(label, content), signature)


def _labeled(label: str, content: bytes) -> bytes:
    return opaque((_LABEL_PREFIX + label).encode()) + opaque(content)
