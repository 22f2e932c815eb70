"""The three AEADs of MLS and HPKE; all have nonces of 12 bytes and tags of 16."""

from collections.abc import Callable
from typing import Final, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

from skvoz.base.errors import DecryptFailed
from skvoz.base.value import Value

NONCE_SIZE: Final = 12
"""Bytes of a nonce."""


class _Cipher(Protocol):
    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None, /) -> bytes: ...
    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None, /) -> bytes: ...


class Aead(Value, frozen=True, kw_only=True, eq=False):
    """An AEAD by its HPKE number; wrong sizes of key or nonce are a `ValueError`, that is, a bug."""

    id: int
    key_size: int
    nonce_size: int = NONCE_SIZE
    cipher: Callable[[bytes], _Cipher]

    def seal(self, key: bytes, nonce: bytes, aad: bytes, plaintext: bytes) -> bytes:
        """Return ciphertext and tag."""
        return self._keyed(key, nonce).encrypt(nonce, plaintext, aad)

    def open(self, key: bytes, nonce: bytes, aad: bytes, ciphertext: bytes) -> bytes:
        """Return the plaintext; raise `DecryptFailed`."""
        cipher = self._keyed(key, nonce)
        try:
            return cipher.decrypt(nonce, ciphertext, aad)
        except InvalidTag:
            raise DecryptFailed from None

    def _keyed(self, key: bytes, nonce: bytes) -> _Cipher:
        if len(key) != self.key_size or len(nonce) != self.nonce_size:
            raise ValueError("an AEAD key or nonce has a wrong size")
        return self.cipher(key)


AES_128_GCM: Final = Aead(id=1, key_size=16, cipher=AESGCM)
AES_256_GCM: Final = Aead(id=2, key_size=32, cipher=AESGCM)
CHACHA20_POLY1305: Final = Aead(id=3, key_size=32, cipher=ChaCha20Poly1305)
