"""X-Wing, the hybrid KEM of ML-KEM-768 and X25519 (draft-connolly-cfrg-xwing-kem), HPKE KEM 0x647a.

A private key is its 32-byte seed. It stays secret as long as either half does.
"""

import hashlib
from functools import lru_cache
from typing import Final

from cryptography.hazmat.primitives import hpke as native_hpke
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import MLKEM768X25519PrivateKey, MLKEM768X25519PublicKey

from skvoz.base.errors import DecryptFailed, Malformed
from skvoz.base.ports import Randomness
from skvoz.base.value import Value
from skvoz.crypto.kdf import shake256_labeled_derive
from skvoz.crypto.kem_curves import PUBLIC_KEYS_KEPT, x25519_public_key
from skvoz.crypto.ports import KeyPair

_MLKEM_PUBLIC_KEY_SIZE: Final = 1184
_MLKEM_CIPHERTEXT_SIZE: Final = 1088
_LABEL: Final = rb"\.//^" + b"\\"
_SUITE_ID: Final = b"KEM\x64\x7a"


@lru_cache(maxsize=PUBLIC_KEYS_KEPT)
def _public_parts(public_key: bytes) -> tuple[MLKEM768PublicKey, X25519PublicKey, MLKEM768X25519PublicKey]:
    # Each half checks its own size.
    curve = x25519_public_key(public_key[_MLKEM_PUBLIC_KEY_SIZE:])
    try:
        lattice = MLKEM768PublicKey.from_public_bytes(public_key[:_MLKEM_PUBLIC_KEY_SIZE])
    except ValueError:
        raise Malformed("a public key is not one of ML-KEM") from None
    return lattice, curve, MLKEM768X25519PublicKey(lattice, curve)


def _private_parts(private_key: bytes) -> tuple[MLKEM768PrivateKey, X25519PrivateKey]:
    if len(private_key) != XWING.private_key_size:
        raise Malformed("a private key has a wrong size")
    expanded = hashlib.shake_256(private_key).digest(96)
    return (
        MLKEM768PrivateKey.from_seed_bytes(expanded[:64]),
        X25519PrivateKey.from_private_bytes(expanded[64:]),
    )


def _combine(lattice_secret: bytes, curve_secret: bytes, encapsulation: bytes, public_key: bytes) -> bytes:
    return hashlib.sha3_256(lattice_secret + curve_secret + encapsulation + public_key + _LABEL).digest()


class XWingKem(Value, frozen=True, eq=False):
    """X-Wing behind the `Kem` port."""

    id: int = 0x647A
    private_key_size: int = 32
    public_key_size: int = _MLKEM_PUBLIC_KEY_SIZE + 32
    encapsulation_size: int = _MLKEM_CIPHERTEXT_SIZE + 32

    @property
    def native(self) -> native_hpke.KEM:
        """The same KEM of the library's single-shot HPKE."""
        return native_hpke.KEM.MLKEM768_X25519

    def load_public_key(self, public_key: bytes) -> MLKEM768X25519PublicKey:
        """Parse and check; raise `Malformed`."""
        return _public_parts(public_key)[2]

    def load_private_key(self, private_key: bytes) -> MLKEM768X25519PrivateKey:
        """Parse; raise `Malformed`."""
        return MLKEM768X25519PrivateKey(*_private_parts(private_key))

    def generate(self, randomness: Randomness) -> KeyPair:
        """Make a fresh key pair: the seed is 32 fresh bytes."""
        private_key = randomness(self.private_key_size)
        return KeyPair(private_key=private_key, public_key=self.public_key_of(private_key))

    def derive(self, ikm: bytes) -> KeyPair:
        """DeriveKeyPair of draft-ietf-hpke-pq: SHAKE256 LabeledDerive of the seed."""
        private_key = shake256_labeled_derive(_SUITE_ID, ikm, b"DeriveKeyPair", b"", self.private_key_size)
        return KeyPair(private_key=private_key, public_key=self.public_key_of(private_key))

    def public_key_of(self, private_key: bytes) -> bytes:
        """Return the public key of the seed `private_key`, 1,216 bytes."""
        lattice, curve = _private_parts(private_key)
        return lattice.public_key().public_bytes_raw() + curve.public_key().public_bytes_raw()

    def check_public_key(self, public_key: bytes) -> None:
        """Raise `Malformed` unless `public_key` can be encapsulated to."""
        _public_parts(public_key)

    def encapsulate(self, public_key: bytes, randomness: Randomness) -> tuple[bytes, bytes]:
        """Return (shared secret, encapsulation); ML-KEM's half draws the library's own randomness."""
        lattice, curve, _ = _public_parts(public_key)
        lattice_secret, lattice_ciphertext = lattice.encapsulate()
        ephemeral = X25519PrivateKey.from_private_bytes(randomness(32))
        ephemeral_public = ephemeral.public_key().public_bytes_raw()
        curve_secret = ephemeral.exchange(curve)
        shared = _combine(lattice_secret, curve_secret, ephemeral_public, public_key[_MLKEM_PUBLIC_KEY_SIZE:])
        return shared, lattice_ciphertext + ephemeral_public

    def decapsulate(self, private_key: bytes, encapsulation: bytes) -> bytes:
        """Return the shared secret; a forged ML-KEM ciphertext gives another secret (FIPS 203 §7.3)."""
        ephemeral_public = encapsulation[_MLKEM_CIPHERTEXT_SIZE:]
        try:
            lattice, curve = _private_parts(private_key)
            lattice_secret = lattice.decapsulate(encapsulation[:_MLKEM_CIPHERTEXT_SIZE])
            curve_secret = curve.exchange(x25519_public_key(ephemeral_public))
        except (Malformed, ValueError):
            raise DecryptFailed from None
        own_public = curve.public_key().public_bytes_raw()
        return _combine(lattice_secret, curve_secret, ephemeral_public, own_public)


XWING: Final = XWingKem()
