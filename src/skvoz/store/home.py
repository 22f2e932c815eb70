"""A person's home: one private folder, held by one process at a time.

lock        held while a process works on the home: ratchets must never fork
key.json    how the database's key is protected (mode 0600)
key.old     the last key.json, until its bytes are overwritten
skvoz.db    the encrypted database, with its `-wal` beside it
files       the files of messages, sealed (`skvoz.store.file_cache`)
lent        the small relay that is lent to the network around, while it runs (`skvoz.node.nearby`)
proxy.json  the person's proxy (`skvoz.node.proxy_setting`), mode 0600
api.sock    the running node's API (`skvoz.api`)
page.json   where the page is, and who may use it (`skvoz.api.page_sessions`)
"""

import contextlib
import fcntl
import os
import shutil
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from skvoz.base.errors import Conflict, HomeBusy, StoreError

LENT_FOLDER: Final = "lent"


class Home:
    """A home under this process's lock, until `close` or the end of a `with` block."""

    def __init__(self, folder: Path) -> None:
        """Make the folder where it is missing and lock it.

        Raises `HomeBusy` where another process has it, and `Conflict` for a folder with somebody's files.
        """
        self.folder = folder
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not (folder / "lock").exists() and any(folder.iterdir()):
                # A slip in `--home` must not shut people out of their documents.
                raise Conflict("this folder holds other files: a home needs one of its own")
            folder.chmod(0o700)
            self._descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreError(f"the home's folder can't be used: {error.strerror}") from None
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._descriptor)
            raise HomeBusy("another process holds this home") from None
        with contextlib.suppress(OSError):
            for left in filter(Path.exists, (folder / "key.new", folder / "key.old", folder / "page.new")):
                overwrite_and_remove(left, spare_others=True)  # of a process that was killed while it wrote
        shutil.rmtree(folder / LENT_FOLDER, ignore_errors=True)  # likewise

    @property
    def database_file(self) -> Path:
        """The encrypted database."""
        return self.folder / "skvoz.db"

    @property
    def key_file(self) -> Path:
        """How the database's key is protected."""
        return self.folder / "key.json"

    def close(self) -> None:
        """Let other processes have the home."""
        os.close(self._descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def write_private_file(file: Path, content: bytes, *, overwrite_old: bool = False) -> None:
    """Replace a file that only this user reads: after a crash the old or the new one is there, whole.

    The old one's bytes are overwritten where that is asked for; a kill before that leaves them under a second
    name, FILE.old, for `Home` to find. Raises `OSError`.
    """
    beside, aside = file.with_suffix(".new"), file.with_suffix(".old")
    before = _opened(file) if overwrite_old else None
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        is_aside = before is not None and _name_again(file, aside)
        beside.replace(file)
        sync_folder(file.parent)
        if before is not None:
            # Somebody's copy by a hard link is not ours to spoil.
            if os.fstat(before).st_nlink == int(is_aside):
                _overwrite(before)
            aside.unlink(missing_ok=True)
    finally:
        if before is not None:
            os.close(before)


def overwrite_and_remove(file: Path, *, spare_others: bool = False) -> None:
    """Fill a file with random bytes and remove it, where it is there; raise `OSError`.

    With `spare_others`, one that has other names as well only loses this one.
    A disk that writes each version elsewhere (flash does) may keep the old bytes until it needs their place.
    """
    before = _opened(file)
    if before is not None:
        try:
            if not spare_others or os.fstat(before).st_nlink == 1:
                _overwrite(before)
        finally:
            os.close(before)
    file.unlink(missing_ok=True)
    sync_folder(file.parent)


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on stable storage; raise `OSError`."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _name_again(file: Path, name: Path) -> bool:
    """Give a file a second name, and tell whether it has one; not every file system knows such names."""
    if name.exists():
        overwrite_and_remove(name, spare_others=True)
    try:
        name.hardlink_to(file)
    except OSError:
        return False
    sync_folder(name.parent)
    return True


def _opened(file: Path) -> int | None:
    try:
        return os.open(file, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return None


def _overwrite(descriptor: int) -> None:
    """Fill a file with random bytes; what fails is left, since it can't be done better."""
    with contextlib.suppress(OSError):
        os.pwrite(descriptor, os.urandom(os.fstat(descriptor).st_size), 0)
        os.fsync(descriptor)
