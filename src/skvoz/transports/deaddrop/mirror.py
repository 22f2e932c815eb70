"""This home's own copy of a drop's objects, sealed as they are there.

It makes a start cheap, keeps bodies at hand, and is what mends a drop whose provider loses things.
"""

import contextlib
import errno
from collections.abc import Generator
from pathlib import Path
from typing import Final

from skvoz.base.errors import DiskFull, StoreError
from skvoz.base.ports import Randomness
from skvoz.transports.deaddrop.names import DropKeys, Place

_STORE_FILE: Final = "store"
_STORE_SIZE: Final = 16
_NEW: Final = ".new"


class Mirror:
    """Files in a folder of the home."""

    def __init__(self, folder: Path, keys: DropKeys, randomness: Randomness) -> None:
        """Make the folder where it is missing; raise `StoreError`."""
        self._folder = folder
        self._keys = keys
        self._randomness = randomness
        with _told():
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    @property
    def store_id(self) -> bytes:
        """Names this copy: when the drop turned out to hold something else, there is another."""
        with contextlib.suppress(OSError):
            known = (self._folder / _STORE_FILE).read_bytes()
            if len(known) == _STORE_SIZE:
                return known
        return self.rename()

    def rename(self) -> bytes:
        """Give this copy another store id, and return it."""
        store_id = self._randomness(_STORE_SIZE)
        self._write(_STORE_FILE, store_id)
        return store_id

    def places(self) -> set[Place]:
        """Return which objects there are."""
        with _told():
            found = (self._keys.place_of(file.name) for file in self._folder.iterdir())
            return {place for place in found if place is not None}

    def get(self, place: Place) -> bytes | None:
        """Return an object."""
        try:
            return (self._folder / self._keys.name_of(place)).read_bytes()
        except FileNotFoundError:
            return None
        except OSError:
            raise StoreError("the home's copy of a drop can't be read") from None

    def put(self, place: Place, data: bytes) -> None:
        """Put an object, whatever is there."""
        self._write(self._keys.name_of(place), data)

    def delete(self, place: Place) -> None:
        """Delete an object, if it is there."""
        with _told():
            (self._folder / self._keys.name_of(place)).unlink(missing_ok=True)

    def note(self, name: str, value: bytes) -> None:
        """Keep something small beside the objects, under a name that no object has."""
        self._write(name, value)

    def noted(self, name: str) -> bytes:
        """Return it, or nothing."""
        try:
            return (self._folder / name).read_bytes()
        except OSError:
            return b""

    def _write(self, name: str, data: bytes) -> None:
        with _told():
            new = self._folder / (name + _NEW)
            new.write_bytes(data)
            new.replace(self._folder / name)


@contextlib.contextmanager
def _told() -> Generator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise DiskFull("there is no room left on the disk") from None
        raise StoreError("the home's copy of a drop can't be written") from None
