"""Memory for large messages that come and go: kept by this process, not fetched from the system each time.

The C library's allocator gives large blocks back to the system as soon as they are free. While a file moves,
that is hundreds of times a second, and on a virtual machine new pages cost more than what is done with them.
"""

import contextlib
import ctypes
from functools import cache
from typing import Final

KEPT_BYTES_MAX: Final = 32 * 1024 * 1024
"""Free memory that is not given back: twice what moves at a time between a node and a relay."""
LARGE_BYTES: Final = 8 * 1024 * 1024
"""Larger blocks are fetched and given back one by one: nothing here is as large."""
_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3


@cache
def keep_memory() -> None:
    """Have the allocator keep some free memory, where it is glibc's (mallopt(3)); else change nothing."""
    with contextlib.suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        library.mallopt(_M_MMAP_THRESHOLD, LARGE_BYTES)
        library.mallopt(_M_TRIM_THRESHOLD, KEPT_BYTES_MAX)
