"""Folders in memory for targets that need files; they go with the process, however it ends."""

import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Final

_MEMORY: Final = Path("/dev/shm")  # noqa: S108  # a folder of our own is made in it
_made: list[Path] = []


def folder() -> Path:
    """Make a fresh folder."""
    made = Path(tempfile.mkdtemp(prefix="skvoz-fuzz-", dir=_MEMORY if _MEMORY.is_dir() else None))
    _made.append(made)
    return made


@cache
def one() -> Path:
    """Return the one folder that targets use again for each input."""
    return folder()


def clean_up() -> None:
    """Delete all folders; to be called before the process is left."""
    while _made:
        shutil.rmtree(_made.pop(), ignore_errors=True)
    one.cache_clear()
