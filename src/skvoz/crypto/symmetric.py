"""Hashes, HKDF and AES-256-GCM for what is not MLS: sealed sessions, envelopes, offers, the store."""

import hashlib
import hmac
from typing import Final

from skvoz.crypto.aead import AES_256_GCM, NONCE_SIZE
from skvoz.crypto.kdf import HKDF_SHA256

KEY_SIZE: Final = 32
"""Bytes of a key."""
ZERO_NONCE: Final = bytes(NONCE_SIZE)
"""For keys that encrypt one message only."""


def sha256(data: bytes) -> bytes:
    """Return SHA-256 of `data`, 32 bytes."""
    return hashlib.sha256(data).digest()


def hkdf_sha256(ikm: bytes, *, salt: bytes = b"", info: bytes, length: int) -> bytes:
    """HKDF of RFC 5869 over SHA-256."""
    return HKDF_SHA256.expand(HKDF_SHA256.extract(salt, ikm), info, length)


def equal(left: bytes, right: bytes) -> bool:
    """Compare without telling by the time taken where they differ."""
    return hmac.compare_digest(left, right)


def seal(key: bytes, nonce: bytes, aad: bytes, plaintext: bytes) -> bytes:
    """Encrypt with AES-256-GCM; the result is 16 bytes longer."""
    return AES_256_GCM.seal(key, nonce, aad, plaintext)


def unseal(key: bytes, nonce: bytes, aad: bytes, ciphertext: bytes) -> bytes:
    """Decrypt what `seal` made; raise `DecryptFailed`."""
    return AES_256_GCM.open(key, nonce, aad, ciphertext)
