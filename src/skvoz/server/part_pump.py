"""Reads parts of blobs no faster than their readers take them.

A part is read from the disk once its connection has little left to send, and two at a time at most: somebody
on a slow line costs two parts of memory, however much they ask for.
"""

from collections import deque
from collections.abc import Callable
from typing import Final

from skvoz.relay.seam import PartJob, PartOutcome

READING_MAX: Final = 2
"""Parts of one connection that are read, or on their way to it: one goes out while the next is read."""


class PartPump:
    """The parts that connections wait for; used on the event loop."""

    def __init__(
        self,
        is_clear: Callable[[int], bool | None],
        read: Callable[[PartJob], None],
        drop: Callable[[list[PartOutcome]], None],
    ) -> None:
        """Ask `is_clear` whether a connection has little left to send, or None for one that is gone.

        `drop` takes what nobody waits for any more.
        """
        self._is_clear = is_clear
        self._read = read
        self._drop = drop
        self._waiting: dict[int, deque[PartJob]] = {}
        self._reading: dict[int, int] = {}

    def ask(self, job: PartJob) -> None:
        """Queue a part."""
        self._waiting.setdefault(job.connection, deque()).append(job)
        self.go_on(job.connection)

    def was_read(self, connection: int) -> None:
        """Note that a part was handed to its connection."""
        left = self._reading.pop(connection, 0) - 1
        if left > 0:
            self._reading[connection] = left
        self.go_on(connection)

    def go_on(self, connection: int) -> None:
        """Read what may be read for a connection now; call it when it becomes clear, or is gone."""
        waiting = self._waiting.get(connection)
        while waiting and self._reading.get(connection, 0) < READING_MAX:
            is_clear = self._is_clear(connection)
            if is_clear is None:
                self._drop([PartOutcome(job.session, job.request, None) for job in waiting])
                waiting.clear()
            if not is_clear:
                break
            self._reading[connection] = self._reading.get(connection, 0) + 1
            self._read(waiting.popleft())
        if not waiting:
            self._waiting.pop(connection, None)
