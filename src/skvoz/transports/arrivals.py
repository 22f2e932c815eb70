"""What of a stream's bytes has reached the other end, as far as this machine's kernel says.

A long message over a slow network brings no answer for a while, and is no frozen connection: as long as the
other end acknowledges segments, something gets through.
"""

import asyncio
import contextlib
import sys
from collections.abc import Callable
from typing import Final

if sys.platform != "win32":
    import fcntl
    import termios
_INT_SIZE: Final = 4


def held_by(transport: asyncio.WriteTransport) -> int:
    """Return how many bytes wait on this side, in the program, or in the kernel until acknowledged."""
    opened: object = transport.get_extra_info("socket")
    waiting = 0
    if opened is not None and not transport.is_closing():  # one that is closed has no descriptor any more
        waiting = held_by_kernel(transport.get_extra_info("socket").fileno())
    return transport.get_write_buffer_size() + waiting


def held_by_kernel(descriptor: int) -> int:
    """Return how many bytes of a socket wait in the kernel until they are acknowledged."""
    if sys.platform != "win32":
        with contextlib.suppress(OSError, ValueError):  # closed meanwhile
            found = fcntl.ioctl(descriptor, termios.TIOCOUTQ, bytes(_INT_SIZE))
            return int.from_bytes(found, sys.byteorder)
    return 0


class Arrivals:
    """Tells, whenever it is looked at, if more has arrived since it was looked at before."""

    def __init__(self, held: Callable[[], int]) -> None:
        """Ask `held` how many of the bytes that were sent wait on this side."""
        self._held = held
        self._sent = 0
        self._arrived = 0

    def sent(self, size: int) -> None:
        """Note bytes that were handed to the transport."""
        self._sent += size

    def are_more(self) -> bool:
        """Tell whether anything arrived."""
        arrived = self._sent - self._held()
        is_more = arrived > self._arrived
        self._arrived = max(arrived, self._arrived)
        return is_more
