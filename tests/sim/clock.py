"""Virtual time: what is to happen, in order."""

import heapq
from collections.abc import Callable
from typing import TypeAlias

Deed: TypeAlias = Callable[[], None]
START_MS = 1_790_000_000_000


class Clock:
    """Runs deeds by their time; those of one moment in the order in which they were asked for."""

    def __init__(self) -> None:
        self.now_ms = START_MS
        self._number = 0
        self._waiting: list[tuple[int, int, Deed]] = []

    def after(self, delay_ms: int, deed: Deed) -> None:
        """Do something later."""
        self._number += 1
        heapq.heappush(self._waiting, (self.now_ms + max(0, delay_ms), self._number, deed))

    def run_for(self, duration_ms: int, deeds_max: int) -> int:
        """Let time pass; return how much was done, and raise if it never ends."""
        end_ms = self.now_ms + duration_ms
        done = 0
        while self._waiting and self._waiting[0][0] <= end_ms:
            self.now_ms, _, deed = heapq.heappop(self._waiting)
            deed()
            done += 1
            if done > deeds_max:
                raise AssertionError("the world does not come to rest")
        self.now_ms = end_ms
        return done
