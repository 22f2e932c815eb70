"""AES-256-GCM from one large buffer into another: a new one each time costs more than the cipher."""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from skvoz.base.errors import DecryptFailed

Buffer = bytes | bytearray | memoryview


class ChunkAead:
    """One key of 32 bytes; each nonce (12 bytes) is for one chunk. No associated data."""

    __slots__ = ("_cipher",)

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal_into(self, nonce: bytes, plaintext: Buffer, sealed: bytearray) -> None:
        """Encrypt into a buffer that is 16 bytes longer than the plaintext."""
        self._cipher.encrypt_into(nonce, plaintext, None, sealed)

    def open_into(self, nonce: bytes, sealed: Buffer, plaintext: bytearray) -> None:
        """Decrypt into a buffer that is 16 bytes shorter; raise `DecryptFailed`, and it holds nothing."""
        try:
            self._cipher.decrypt_into(nonce, sealed, None, plaintext)
        except InvalidTag:
            plaintext[:] = bytes(len(plaintext))
            raise DecryptFailed from None
