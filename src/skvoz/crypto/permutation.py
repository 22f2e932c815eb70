"""A keyed permutation of blocks of 16 bytes: names that look random and that a key turns back."""

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import ECB


class BlockPermutation:
    """AES-256 on single blocks, for blocks that are all different; it hides them and proves nothing."""

    __slots__ = ("_cipher",)

    def __init__(self, key: bytes) -> None:
        """Take a key of 32 bytes."""
        self._cipher = Cipher(AES256(key), ECB())  # noqa: S305  # one block, never the same twice

    def forwards(self, block: bytes) -> bytes:
        """Return the block's image, 16 bytes; another size is a `ValueError`, that is, a bug."""
        encryptor = self._cipher.encryptor()
        return encryptor.update(block) + encryptor.finalize()

    def backwards(self, block: bytes) -> bytes:
        """Return the block whose image this is."""
        decryptor = self._cipher.decryptor()
        return decryptor.update(block) + decryptor.finalize()
