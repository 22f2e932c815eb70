"""How a file becomes the bytes of a blob, and is opened again, chunk by chunk.

    chunk n of a blob = AES-256-GCM(file key, nonce = n in 11 bytes ‖ 1 for the last chunk, else 0; no aad;
                        the file's bytes from n times the chunk's size on, and zeros behind its end)

The number of chunks is rounded up so that it has few significant bits (Padmé); those behind the file's end
are zeros. A key encrypts one file, once. The size and hash in the message say what of it is the file.
"""

from typing import Final

from skvoz.base.errors import BadRequest, DecryptFailed
from skvoz.base.limits import CHUNK_SIZES, FILE_SIZE_MAX, TAG_SIZE
from skvoz.base.value import Value
from skvoz.crypto import hkdf_sha256
from skvoz.crypto.chunks import ChunkAead

CHUNKS_SMALL_MAX: Final = 16
"""A file that has more chunks than these gets larger ones, where there are larger ones."""
_READ_KEY_INFO: Final = b"skvoz blob read"
_NUMBER_SIZE: Final = 11


def blob_read_key(file_key: bytes) -> bytes:
    """Return the key that a file's blob is read with; the relay sees it, and learns nothing of the file's."""
    return hkdf_sha256(file_key, info=_READ_KEY_INFO, length=32)


def padded_count(count: int) -> int:
    """Round a number of chunks up by at most an eighth, so that it tells little (Padmé)."""
    exponent = count.bit_length() - 1
    if exponent < 1:
        return count
    spare = (1 << (exponent - exponent.bit_length())) - 1 if exponent > exponent.bit_length() else 0
    return (count + spare) & ~spare


class Layout(Value, frozen=True, kw_only=True):
    """How a file of `size` bytes lies in chunks of `chunk_size` bytes, tags included."""

    size: int
    chunk_size: int

    @property
    def plain_size(self) -> int:
        """Bytes of the file in one chunk."""
        return self.chunk_size - TAG_SIZE

    @property
    def file_chunks(self) -> int:
        """Chunks that hold the file: at least one."""
        return max(1, -(-self.size // self.plain_size))

    @property
    def chunk_count(self) -> int:
        """Chunks of the blob."""
        return padded_count(self.file_chunks)

    @property
    def file_bytes(self) -> int:
        """Sealed bytes of the chunks that hold the file."""
        return self.file_chunks * self.chunk_size

    @property
    def blob_bytes(self) -> int:
        """Sealed bytes of all chunks."""
        return self.chunk_count * self.chunk_size

    def plain_size_of(self, number: int) -> int:
        """Return how many bytes of the file are in chunk `number`."""
        return max(0, min(self.plain_size, self.size - number * self.plain_size))


def layout_for(size: int) -> Layout:
    """Return how a new file is laid out; raise `BadRequest` for one above 2 GiB."""
    if size > FILE_SIZE_MAX:
        raise BadRequest("a file has 2 GiB at most")
    chunk_size = next(
        (one for one in CHUNK_SIZES if size <= CHUNKS_SMALL_MAX * (one - TAG_SIZE)), CHUNK_SIZES[-1]
    )
    return Layout(size=size, chunk_size=chunk_size)


class ChunkCipher:
    """Seals and opens the chunks of one file, a chunk at a time in buffers of its own."""

    def __init__(self, *, key: bytes, layout: Layout) -> None:
        self.key = key
        self.layout = layout
        self._aead = ChunkAead(key)
        self._sealed = bytearray(layout.chunk_size)
        self._plain = bytearray(layout.plain_size)

    def __repr__(self) -> str:
        return "<ChunkCipher>"

    def seal(self, number: int, plaintext: bytes | bytearray | memoryview) -> memoryview:
        """Return chunk `number`, valid until the next call; what is missing of a whole one becomes zeros."""
        size = len(plaintext)
        if size != self.layout.plain_size:
            self._plain[:size] = plaintext
            self._plain[size:] = bytes(self.layout.plain_size - size)
            plaintext = self._plain
        self._aead.seal_into(self._nonce(number), plaintext, self._sealed)
        return memoryview(self._sealed)

    def open(self, number: int, chunk: bytes | bytearray | memoryview) -> memoryview:
        """Return the file's bytes in chunk `number`, valid until the next call; raise `DecryptFailed`."""
        if len(chunk) != self.layout.chunk_size:
            raise DecryptFailed
        self._aead.open_into(self._nonce(number), chunk, self._plain)
        return memoryview(self._plain)[: self.layout.plain_size_of(number)]

    def _nonce(self, number: int) -> bytes:
        return number.to_bytes(_NUMBER_SIZE) + bytes([number == self.layout.chunk_count - 1])
