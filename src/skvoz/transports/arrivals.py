"""What of a stream's bytes has reached the other end, as far as this machine's kernel says.

A long message over a slow network brings no answer for a while, and is no frozen connection: as long as the
other end acknowledges segments, something gets through.
"""

import asyncio
import contextlib
import sys
from typing import Final

if sys.platform != "win32":
    import fcntl
    import termios
_INT_SIZE: Final = 4


def _held(transport: asyncio.WriteTransport) -> int:
    """Return how many bytes wait on this side, in the program, or in the kernel until acknowledged."""
    held = transport.get_write_buffer_size()
    opened: object = transport.get_extra_info("socket")
    if sys.platform != "win32" and opened is not None:
        with contextlib.suppress(OSError):
            found = fcntl.ioctl(transport.get_extra_info("socket"), termios.TIOCOUTQ, bytes(_INT_SIZE))
            held += int.from_bytes(found, sys.byteorder)
    return held


class Arrivals:
    """Tells, whenever it is looked at, if more has arrived since it was looked at before."""

    def __init__(self, transport: asyncio.WriteTransport) -> None:
        self._transport = transport
        self._sent = 0
        self._arrived = 0

    def sent(self, size: int) -> None:
        """Note bytes that were handed to the transport."""
        self._sent += size

    def are_more(self) -> bool:
        """Tell whether anything arrived."""
        arrived = self._sent - _held(self._transport)
        is_more = arrived > self._arrived
        self._arrived = max(arrived, self._arrived)
        return is_more
