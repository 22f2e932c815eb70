"""A drop in a folder: on this machine, or on a network's file server.

An object is written beside its place and linked there: atomic, and refused where there is one already.
"""

import asyncio
import contextlib
import errno
import os
import secrets
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Final, TypeVar

from skvoz.base.errors import TransportError
from skvoz.transports.deaddrop.objects import SIZES
from skvoz.transports.deaddrop.storage import StorageFull, StorageRefuses

T = TypeVar("T")

_NEW: Final = ".new"
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_REFUSED: Final = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_NO_LINKS: Final = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL, errno.EMLINK})


class FolderStorage:
    """Files in a folder; everything runs on other threads, since a file server may take its time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.spent_bytes = 0

    async def names(self) -> set[str]:
        """Return the names of all files."""
        found = await _elsewhere(lambda: set(os.listdir(self._folder)))  # noqa: PTH208  # names are enough
        self.spent_bytes += sum(map(len, found))
        return found

    async def get(self, name: str) -> bytes | None:
        """Return a file's bytes, no more than an object can have."""
        found = await _elsewhere(lambda: self._get(name))
        self.spent_bytes += len(found or b"")
        return found

    async def create(self, name: str, data: bytes) -> bool:
        """Put a file where there is none."""
        self.spent_bytes += len(data)
        return await _elsewhere(lambda: self._create(name, data))

    async def put(self, name: str, data: bytes) -> None:
        """Put a file, whatever is there."""
        self.spent_bytes += len(data)
        await _elsewhere(lambda: self._put(name, data))

    async def delete(self, name: str) -> None:
        """Delete a file."""
        await _elsewhere(lambda: (self._folder / name).unlink(missing_ok=True))

    async def close(self) -> None:
        """There is nothing to let go."""

    def _get(self, name: str) -> bytes | None:
        try:
            with (self._folder / name).open("rb") as file:
                return file.read(SIZES[-1] + 1)
        except FileNotFoundError:
            self._look_for_folder()
            return None

    def _look_for_folder(self) -> None:
        if not self._folder.is_dir():
            raise TransportError("the drop's folder isn't there")

    def _create(self, name: str, data: bytes) -> bool:
        new = self._written(data)
        try:
            os.link(new, self._folder / name)
        except FileExistsError:
            return False
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            return self._create_without_link(name, data)
        finally:
            new.unlink(missing_ok=True)
        self._sync_folder()
        return True

    def _create_without_link(self, name: str, data: bytes) -> bool:
        """Write in place, where a file system has no links: who reads meanwhile finds a part and waits."""
        try:
            with (self._folder / name).open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        except FileExistsError:
            return False
        self._sync_folder()
        return True

    def _put(self, name: str, data: bytes) -> None:
        self._written(data).replace(self._folder / name)
        self._sync_folder()

    def _written(self, data: bytes) -> Path:
        """Write a file beside the objects, on stable storage."""
        new = self._folder / (secrets.token_hex(16) + _NEW)
        try:
            with new.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            with contextlib.suppress(OSError):
                new.unlink(missing_ok=True)
            raise
        return new

    def _sync_folder(self) -> None:
        with contextlib.suppress(OSError):  # not every system syncs folders
            handle = os.open(self._folder, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)


async def _elsewhere(work: Callable[[], T]) -> T:
    def run() -> T:
        with _told():
            return work()

    return await asyncio.to_thread(run)


@contextlib.contextmanager
def _told() -> Generator[None]:
    """Say in the tree's words what the system refused; its own have paths in them."""
    try:
        yield
    except FileNotFoundError:
        raise TransportError("the drop's folder isn't there") from None
    except OSError as error:
        if error.errno in _FULL:
            raise StorageFull("the drop's storage is full") from None
        if error.errno in _REFUSED:
            raise StorageRefuses("the drop's folder may not be read or written") from None
        raise TransportError("the drop's folder doesn't answer as it should") from None
