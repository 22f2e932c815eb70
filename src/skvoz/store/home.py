"""A person's home: one private folder, held by one process at a time.

lock        held while a process works on the home: ratchets must never fork
key.json    how the database's key is protected (mode 0600)
skvoz.db    the encrypted database, with its `-wal` beside it
files       the files of messages, sealed (`skvoz.store.file_cache`)
api.sock    the running node's API (`skvoz.api`)
page.json   where the page is, and who may use it (`skvoz.api.page_sessions`)
"""

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from skvoz.base.errors import Conflict, HomeBusy, StoreError


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


def write_private_file(file: Path, content: bytes) -> None:
    """Replace a file that only this user reads: after a crash the old or the new one is there, whole.

    Raises `OSError`.
    """
    beside = file.with_suffix(".new")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    beside.replace(file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
