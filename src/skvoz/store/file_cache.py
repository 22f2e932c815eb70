"""Files of messages in a home: sealed as they travel, so that nothing is encrypted twice or lies open.

    <id>        the chunks of a file that is whole, without those that only pad the blob
    <id>.part   the same of one that is being fetched, as far as it has come
    <id>.new    the same of one that is being put here

Whatever fails on the disk raises `DiskFull` or another `StoreError`.
"""

import contextlib
import errno
import hashlib
import os
import secrets
from collections.abc import Collection, Generator, Iterator
from pathlib import Path
from typing import Final

from skvoz.base.errors import BadRequest, DecryptFailed, DiskFull, StoreError
from skvoz.base.value import Value
from skvoz.client.sealed_files import ChunkCipher, Layout, layout_for
from skvoz.store.drop_behind import DropBehind

FOLDER_NAME: Final = "files"
PIECE_SIZE: Final = 1024 * 1024
"""A piece of a file that is handed out, bytes."""
_FILE_ID_SIZE: Final = 16
_KEY_SIZE: Final = 32


@contextlib.contextmanager
def _own_words() -> Generator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise DiskFull("the disk is full") from None
        raise StoreError(f"a file of this home can't be used: {error.strerror}") from None


class Sealed(Value, frozen=True, kw_only=True):
    """A file that was put here: what its record needs; sizes in bytes."""

    file_id: bytes
    key: bytes
    layout: Layout
    sha256: bytes


class FileCache:
    """The folder of a home's files."""

    def __init__(self, home: Path) -> None:
        self.folder = home / FOLDER_NAME
        self.arriving: set[bytes] = set()
        """Ids that bytes are on their way for, so that nobody brings others under the same."""

    def tidy(self, known: Collection[bytes]) -> None:
        """Make the folder, and remove what no record names, as a crash or a deletion may have left it."""
        names = {file_id.hex() for file_id in known}
        with _own_words():
            self.folder.mkdir(mode=0o700, exist_ok=True)
            for file in self.folder.iterdir():
                if file.name.removesuffix(".part") not in names:
                    file.unlink(missing_ok=True)

    def put(self, size: int, file_id: bytes | None = None) -> "Putting":
        """Begin to put a file of `size` bytes here, under an id of its own or this one.

        Raises `BadRequest` for one above 2 GiB.
        """
        with _own_words():
            return Putting(self.folder, layout_for(size), file_id or secrets.token_bytes(_FILE_ID_SIZE))

    def whole(self, file_id: bytes, cipher: ChunkCipher) -> "WholeFile":
        """Open a file that is here; raise `StoreError`."""
        return WholeFile(self._file(file_id), cipher)

    def fetch(self, file_id: bytes, cipher: ChunkCipher, sha256: bytes) -> "Fetching":
        """Begin to fetch a file, or go on with it; what is there is checked again."""
        return Fetching(self._file(file_id), cipher, sha256)

    def remove(self, file_id: bytes) -> None:
        """Delete a file, and what was fetched of it."""
        with _own_words():
            self._file(file_id).unlink(missing_ok=True)
            self._file(file_id).with_suffix(".part").unlink(missing_ok=True)

    def _file(self, file_id: bytes) -> Path:
        return self.folder / file_id.hex()


class Putting:
    """A file on its way into the home: `write` its bytes, then `finish`, or `give_up`."""

    def __init__(self, folder: Path, layout: Layout, file_id: bytes) -> None:
        self._file_id = file_id
        self._cipher = ChunkCipher(key=secrets.token_bytes(_KEY_SIZE), layout=layout)
        self._final = folder / self._file_id.hex()
        self._new = self._final.with_suffix(".new")
        self._hash = hashlib.sha256()
        self._chunk = bytearray(layout.plain_size)
        self._filled = 0
        self._number = 0
        self._size = 0
        self._descriptor = os.open(self._new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            _reserve(self._descriptor, layout.file_bytes)
        except OSError:
            self.give_up()
            raise
        self._behind = DropBehind(self._descriptor)

    @property
    def chunk_is_full(self) -> bool:
        """Whether `flush` has to be called before more is written."""
        return self._filled == len(self._chunk)

    def write(self, data: bytes | memoryview) -> int:
        """Take the next bytes, up to the end of a chunk; return how many.

        Raises `BadRequest` for more than were announced.
        """
        size = min(len(data), len(self._chunk) - self._filled)
        if self._size + len(data) > self._cipher.layout.size:
            raise BadRequest("the file is longer than it said")
        self._chunk[self._filled : self._filled + size] = data[:size]
        self._filled += size
        self._size += size
        return size

    def flush(self) -> None:
        """Seal and write a chunk: what takes time."""
        with memoryview(self._chunk)[: self._filled] as plaintext:
            self._hash.update(plaintext)
            chunk = self._cipher.seal(self._number, plaintext)
        with _own_words():
            _write(self._descriptor, chunk, self._number * len(chunk))
            self._behind.wrote(len(chunk))
        self._number += 1
        self._filled = 0

    def finish(self) -> Sealed:
        """Put everything on stable storage; raise `BadRequest` for fewer bytes than were announced."""
        if self._size != self._cipher.layout.size:
            raise BadRequest("the file is shorter than it said")
        if self._filled or self._number == 0:
            self.flush()
        with _own_words():
            _keep(self._descriptor, self._new, self._final)
        self._descriptor = -1
        return Sealed(
            file_id=self._file_id,
            key=self._cipher.key,
            layout=self._cipher.layout,
            sha256=self._hash.digest(),
        )

    def give_up(self) -> None:
        """Leave nothing behind, unless the file is here."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
            self._new.unlink(missing_ok=True)


class WholeFile:
    """A file that is here: its sealed bytes for a relay, its own for people."""

    def __init__(self, file: Path, cipher: ChunkCipher) -> None:
        self._cipher = cipher
        with _own_words():
            self._descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
            if os.fstat(self._descriptor).st_size != cipher.layout.file_bytes:
                os.close(self._descriptor)
                raise StoreError("a file of this home is damaged")

    def sealed(self, offset: int, size: int) -> bytes:
        """Return bytes of the blob, those behind the file's own chunks included."""
        layout = self._cipher.layout
        parts: list[bytes] = []
        if offset < layout.file_bytes:
            with _own_words():
                parts.append(os.pread(self._descriptor, min(size, layout.file_bytes - offset), offset))
        at = offset + (len(parts[0]) if parts else 0)
        while at < offset + size:
            number, within = divmod(at, layout.chunk_size)
            padding = bytes(self._cipher.seal(number, b"")[within : within + offset + size - at])
            parts.append(padding)
            at += len(padding)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def plain(self, start: int, end: int) -> Iterator[bytes]:
        """Yield the file's bytes from `start` up to `end`, a piece at a time; raise `DecryptFailed`."""
        layout = self._cipher.layout
        chunk = bytearray(layout.chunk_size)
        for number in range(start // layout.plain_size, -(-end // layout.plain_size)):
            with _own_words():
                size = os.preadv(self._descriptor, [chunk], number * layout.chunk_size)
            first = number * layout.plain_size
            opened = self._cipher.open(number, memoryview(chunk)[:size])
            wanted = opened[max(0, start - first) : end - first]
            for at in range(0, len(wanted), PIECE_SIZE):
                yield bytes(wanted[at : at + PIECE_SIZE])

    def close(self) -> None:
        """Let the file go."""
        os.close(self._descriptor)


class Fetching:
    """A file on its way from a relay: `feed` it the blob's bytes from `offset` on, then `finish`."""

    def __init__(self, final: Path, cipher: ChunkCipher, sha256: bytes) -> None:
        self._final = final
        self._part = final.with_suffix(".part")
        self._cipher = cipher
        self._sha256 = sha256
        self._hash = hashlib.sha256()
        self._chunk = bytearray(cipher.layout.chunk_size)
        self._filled = 0
        self._number = 0
        with _own_words():
            self._descriptor = os.open(self._part, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                _reserve(self._descriptor, cipher.layout.file_bytes)
                self._take_up()
                self._behind = DropBehind(self._descriptor, self._number * cipher.layout.chunk_size)
            except BaseException:
                self.close()
                raise

    @property
    def offset(self) -> int:
        """How many bytes of the blob are here."""
        return self._number * self._cipher.layout.chunk_size + self._filled

    def feed(self, data: bytes) -> None:
        """Take the next bytes; raise `DecryptFailed` for a chunk that is not of this file."""
        size = len(self._chunk)
        with memoryview(data) as rest:
            taken = 0
            while taken < len(rest):
                count = min(len(rest) - taken, size - self._filled)
                self._chunk[self._filled : self._filled + count] = rest[taken : taken + count]
                self._filled += count
                taken += count
                if self._filled == size:
                    self._take(self._chunk)
                    if self._number < self._cipher.layout.file_chunks:
                        with _own_words():
                            _write(self._descriptor, self._chunk, self._number * size)
                            self._behind.wrote(size)
                    self._number += 1
                    self._filled = 0

    def finish(self) -> None:
        """Keep the file if it is what its message says; raise `DecryptFailed`."""
        if self.offset != self._cipher.layout.blob_bytes or self._hash.digest() != self._sha256:
            raise DecryptFailed
        with _own_words():
            _keep(self._descriptor, self._part, self._final)
        self._descriptor = -1

    def close(self) -> None:
        """Let go; what has come stays, for another try."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _take(self, chunk: bytes | bytearray | memoryview) -> None:
        self._hash.update(self._cipher.open(self._number, chunk))

    def _take_up(self) -> None:
        """Go on behind the chunks that are there and open: a crash may have left others."""
        layout = self._cipher.layout
        while self._number < layout.file_chunks:
            with _own_words():
                size = os.preadv(self._descriptor, [self._chunk], self._number * layout.chunk_size)
            try:
                self._take(memoryview(self._chunk)[:size])
            except DecryptFailed:
                return
            self._number += 1


def _reserve(descriptor: int, size: int) -> None:
    """Set disk space aside, so that a full disk is found out at once."""
    if hasattr(os, "posix_fallocate"):  # not everywhere
        try:
            os.posix_fallocate(descriptor, 0, size)
        except OSError as error:
            if error.errno not in {errno.EOPNOTSUPP, errno.EINVAL}:
                raise


def _write(descriptor: int, data: bytes | bytearray | memoryview, offset: int) -> None:
    done = os.pwrite(descriptor, data, offset)
    while done < len(data):
        done += os.pwrite(descriptor, memoryview(data)[done:], offset + done)


def _keep(descriptor: int, made: Path, final: Path) -> None:
    """Put a file on stable storage under its name, and close it."""
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    made.replace(final)
    folder = os.open(final.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
