"""Backups of a relay: a backup is itself a relay's home, without the mark of a home that was in use.

So whoever starts a relay on a backup, or restores one, gets a store with a new id, and members say again
what the backup may lack.
"""

import contextlib
import os
import shutil
import sqlite3
from pathlib import Path

from skvoz.base.errors import Conflict, NotFound, StoreError
from skvoz.server.blob_rows import SqliteBlobs
from skvoz.server.database import open_database, open_reader, own_words, rename
from skvoz.server.home import RelayHome, hold_home, sync_folder

_PAGES_PER_STEP = 1_000


def back_up(folder: Path, target: Path) -> None:
    """Copy a relay's home, which may be in use, into a new folder.

    The relay's key is in the copy: who has it can be the relay. Raises `NotFound`, `Conflict` where there is
    something already, and `StoreError`; then nothing is left at `target`.
    """
    home = RelayHome(folder=folder)
    if not home.key_file.exists() or not home.database_file.exists():
        raise NotFound("there is no relay's home in this folder, or it was never used")
    with contextlib.closing(open_reader(home.database_file)) as connection:
        _copy(home, target, connection)


def restore(backup: Path, folder: Path) -> None:
    """Make a relay's home out of a backup, under a new store id.

    Raises `Conflict` where there is a home already: move it away first. Otherwise as `back_up`.
    """
    with hold_home(backup) as held, contextlib.closing(open_database(held.home.database_file)) as connection:
        _copy(held.home, folder, connection)
    with contextlib.closing(open_database(RelayHome(folder=folder).database_file)) as connection:
        rename(connection)


def _copy(source: RelayHome, target: Path, connection: sqlite3.Connection) -> None:
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise Conflict("there is something at that place already")
    made = target.with_name(target.name + ".part")
    try:
        with own_words():
            shutil.rmtree(made, ignore_errors=True)
            made.mkdir(mode=0o700, parents=True)
            copy = RelayHome(folder=made)
            os.close(os.open(copy.database_file, os.O_WRONLY | os.O_CREAT, 0o600))
            with contextlib.closing(sqlite3.connect(copy.database_file)) as written:
                connection.backup(written, pages=_PAGES_PER_STEP)
                _check(written)
            _copy_blobs(source, copy)
            for old, new in ((source.key_file, copy.key_file), (source.config_file, copy.config_file)):
                if old.exists():
                    shutil.copyfile(old, new)
                    new.chmod(0o600)
            for file in made.iterdir():
                _sync(file)
            sync_folder(made)
            if target.exists():
                target.rmdir()
            made.rename(target)
            sync_folder(target.parent)
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise


def _copy_blobs(source: RelayHome, copy: RelayHome) -> None:
    """Copy the files of the blobs that the copied database names; one that has gone meanwhile is missing."""
    if not source.blobs_folder.exists():
        return
    copy.blobs_folder.mkdir(mode=0o700)
    with contextlib.closing(open_reader(copy.database_file)) as connection:
        for blob_id in SqliteBlobs(connection).all_written():
            with contextlib.suppress(FileNotFoundError):
                file = copy.blobs_folder / blob_id.hex()
                shutil.copyfile(source.blobs_folder / blob_id.hex(), file)
                file.chmod(0o600)
                _sync(file)


def _check(connection: sqlite3.Connection) -> None:
    if connection.execute("PRAGMA quick_check").fetchone()[0] != "ok":
        raise StoreError("the relay's database is damaged")


def _sync(file: Path) -> None:
    descriptor = os.open(file, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
