"""AES-256-GCM under one key for a sequence of messages, each with the next number as its nonce.

The key is scheduled once: four times as fast for small messages as a call a message with the bare key.
"""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from skvoz.base.errors import DecryptFailed


class CountedSealer:
    """Encrypts messages 0, 1, 2, … under a key of 32 bytes that nobody else encrypts under."""

    __slots__ = ("_cipher", "_number")

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)
        self._number = 0

    def seal(self, plaintext: bytes, aad: bytes | None = None) -> bytes:
        """Encrypt the next message; the result is 16 bytes longer."""
        sealed = self._cipher.encrypt(self._number.to_bytes(12, "big"), plaintext, aad)
        self._number += 1
        return sealed


class CountedOpener:
    """Decrypts messages 0, 1, 2, … in their order; anything else fails."""

    __slots__ = ("_cipher", "_number")

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)
        self._number = 0

    def open(self, ciphertext: bytes, aad: bytes | None = None) -> bytes:
        """Decrypt the next message; raise `DecryptFailed` for a foreign, repeated or reordered one."""
        try:
            plaintext = self._cipher.decrypt(self._number.to_bytes(12, "big"), ciphertext, aad)
        except InvalidTag:
            raise DecryptFailed from None
        self._number += 1
        return plaintext
