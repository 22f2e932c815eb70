"""A relay's home: one private folder, held by one process at a time.

relay.key    the relay's X-Wing private key, 32 bytes, mode 0600; whoever has it can be the relay
relay.toml   the operator's settings; may be absent
Caddyfile, skvoz-relay.service    what `skvoz relay setup` wrote for the server in front, and for systemd
relay.db     what the relay holds, with SQLite's `-wal` and `-shm` beside it
mark         how far the database had come: an older one was put back from a copy
blobs/       the bytes of blobs, a file each, named by the blob's id in hex
lock         held while a process works on the home
"""

import fcntl
import os
import secrets
from pathlib import Path
from types import TracebackType
from typing import Self

from skvoz.base.errors import BadRequest, Conflict, HomeBusy, NotFound, StoreError
from skvoz.base.value import Value

OWN_FILES = {
    "relay.key": "the relay's private key",
    "relay.toml": "the operator's settings",
    "Caddyfile": "settings for the server in front, with the secret path",
    "skvoz-relay.service": "the system's unit",
    "relay.db": "the logs, which `disclose` prints",
    "relay.db-wal": "the database's journal",
    "relay.db-shm": "the journal's index",
    "mark": "how many entries the database has had",
    "blobs": "the bytes of blobs, a file each",
    "lock": "empty",
    "relay.key.new": "an unfinished `relay.key`",
    "mark.new": "an unfinished `mark`",
}
"""Everything that a relay's folder may have, and what is in it."""
PRIVATE_KEY_SIZE = 32
"""An X-Wing private key is its seed, bytes (draft-connolly-cfrg-xwing-kem)."""
_PORT_DIGITS_MAX = 5
_FOLDER_MODE = 0o700
_FILE_MODE = 0o600


class RelayHome(Value, frozen=True, kw_only=True):
    """The paths of a relay's home; nothing here is open or locked."""

    folder: Path

    @property
    def key_file(self) -> Path:
        """Where the relay's private key is."""
        return self.folder / "relay.key"

    @property
    def config_file(self) -> Path:
        """Where the operator's settings are, if there are any."""
        return self.folder / "relay.toml"

    @property
    def database_file(self) -> Path:
        """Where the logs are."""
        return self.folder / "relay.db"

    @property
    def blobs_folder(self) -> Path:
        """Where the bytes of blobs are."""
        return self.folder / "blobs"

    @property
    def mark_file(self) -> Path:
        """Where it stands how far the database had come."""
        return self.folder / "mark"

    @property
    def lock_file(self) -> Path:
        """What a working process holds locked."""
        return self.folder / "lock"


class HeldHome(Value, frozen=True, kw_only=True):
    """A home under this process's lock, with its key; give it back with `close` or a `with` block."""

    home: RelayHome
    private_key: bytes
    _lock_descriptor: int

    def close(self) -> None:
        """Let other processes have the home."""
        os.close(self._lock_descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def create_home(folder: Path) -> RelayHome:
    """Make a relay's home with a fresh key, or leave an existing one as it is.

    Raises `StoreError` if the folder can't be made, and `Conflict` for one with somebody's files.
    """
    home = RelayHome(folder=folder)
    try:
        folder.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
        if any(file.name not in OWN_FILES for file in folder.iterdir()):
            raise Conflict("this folder holds other files: a relay needs one of its own")
        folder.chmod(_FOLDER_MODE)
        with _locked(home):
            if not home.key_file.exists():
                if home.database_file.exists():
                    raise StoreError("the relay's key is missing, and its database is there")
                write_private_file(home.key_file, secrets.token_bytes(PRIVATE_KEY_SIZE))
    except OSError as error:
        raise StoreError(f"the relay's home can't be made: {error.strerror}") from None
    return home


def hold_home(folder: Path) -> HeldHome:
    """Lock a relay's home for this process and read its key.

    Raises `NotFound` without a home, `HomeBusy` while another process holds it, and `StoreError`
    if others on this machine can read the key or it can't be read.
    """
    home = RelayHome(folder=folder)
    if not home.key_file.exists():
        raise NotFound("there is no relay's home in this folder")
    locked = _locked(home)
    try:
        return HeldHome(home=home, private_key=read_key(home.key_file), _lock_descriptor=locked.take())
    finally:
        locked.release()


def write_private_file(path: Path, content: bytes) -> None:
    """Write a file that only its owner reads, whole or not at all, and durably."""
    temporary = path.with_name(path.name + ".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _FILE_MODE)
    try:
        os.fchmod(descriptor, _FILE_MODE)
        written = 0
        while written < len(content):
            written += os.write(descriptor, content[written:])
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    temporary.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make renames and new files in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def split_address(address: str) -> tuple[str, int]:
    """Split `HOST:PORT` (`[::1]:80` for IPv6); raises `BadRequest`."""
    host, colon, port = address.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    is_number = port.isascii() and port.isdigit() and len(port) <= _PORT_DIGITS_MAX
    if not colon or not host or not is_number or int(port) > 0xFFFF:
        raise BadRequest("an address to listen on is HOST:PORT")
    return host, int(port)


class _Lock:
    """An exclusive lock that ends with the block unless its descriptor was taken."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor

    def take(self) -> int:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is None:
            raise AssertionError("the lock was taken before")
        return descriptor

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def _locked(home: RelayHome) -> _Lock:
    try:
        descriptor = os.open(home.lock_file, os.O_RDWR | os.O_CREAT, _FILE_MODE)
    except OSError as error:
        raise StoreError(f"the relay's home can't be locked: {error.strerror}") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise HomeBusy("another process works on this relay's home") from None
    return _Lock(descriptor)


def read_key(path: Path) -> bytes:
    """Read a relay's private key (32 bytes); raise `StoreError`, also where others could read it."""
    try:
        if path.stat().st_mode & 0o077:
            raise StoreError("others on this machine can read the relay's key: make it mode 0600")
        key = path.read_bytes()
    except OSError as error:
        raise StoreError(f"the relay's key can't be read: {error.strerror}") from None
    if len(key) != PRIVATE_KEY_SIZE:
        raise StoreError("the relay's key is damaged")
    return key
