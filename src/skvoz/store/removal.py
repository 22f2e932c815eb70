"""Removing a home for good: its keys first, so that a kill in the middle leaves nothing that can be opened.

The database and the files are encrypted under the key, and are only unlinked: without it they are noise,
wherever a disk or a backup keeps their bytes. The database goes last, since a folder without one would be
taken for a new home.
"""

import contextlib
import shutil
from typing import Final

from skvoz.base.errors import StoreError
from skvoz.store.file_cache import FOLDER_NAME
from skvoz.store.home import LENT_FOLDER, Home, overwrite_and_remove, sync_folder
from skvoz.store.protection import destroy_key

_LOOSE: Final = ("page.json", "page.new", "open.html", "open.new", "api.sock")
_DATABASE: Final = ("skvoz.db-wal", "skvoz.db-shm", "skvoz.db")


def remove_home(home: Home) -> None:
    """Remove a home whose database is closed: keys, files, and its folder where nothing else is in it.

    May be called again after a kill. Raises `StoreError` where something can't be removed; the keys are gone
    then, unless it is they that can't.
    """
    destroy_key(home.key_file)
    folder = home.folder
    try:
        for name in ("key.new", "proxy.json", "proxy.json.new"):
            overwrite_and_remove(folder / name)
        for name in (FOLDER_NAME, LENT_FOLDER):
            shutil.rmtree(folder / name, ignore_errors=True)
        for name in (*_LOOSE, *_DATABASE, "lock"):
            (folder / name).unlink(missing_ok=True)
        sync_folder(folder)
        with contextlib.suppress(OSError):  # somebody's own files are left to them
            folder.rmdir()
    except OSError as error:
        raise StoreError(f"not all of the home could be removed: {error.strerror}") from None
