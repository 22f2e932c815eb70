"""Turns: nothing that a session says later overtakes an entry that was refused for the time being.

Entries of one author would else stand in another order than they were said in, wherever a relay answers
`slow` or `full` to one of those under way and has room again for the next.
"""

from dataclasses import dataclass
from typing import Final, TypeAlias

HELD_MS: Final = 30_000
"""So long others wait for the entry to be said again: its author may have given it up."""
_SWEEP_SIZE: Final = 4_096
"""How many are kept before those that lapsed are dropped."""
_LANES_MAX: Final = 65_536
"""More are there only where somebody makes them up, while a disk is full: the oldest then lose their turn."""

Lane: TypeAlias = tuple[int, bytes, bytes]
"""Session, log and hash of the key: what keeps its order."""


@dataclass(frozen=True, slots=True)
class _Refused:
    entry_id: bytes
    refused_at_ms: int
    repeat_at_ms: int

    def holds(self, now_ms: int) -> bool:
        """Tell whether others still wait; not over a clock that was set back."""
        return self.refused_at_ms <= now_ms < self.repeat_at_ms + HELD_MS


class Turns:
    """The first refused entry of each lane, in memory only."""

    __slots__ = ("_refused", "_sweep_at")

    def __init__(self) -> None:
        self._refused: dict[Lane, _Refused] = {}
        self._sweep_at = _SWEEP_SIZE

    def wait_ms(self, lane: Lane, entry_id: bytes, now_ms: int) -> int:
        """Return 0 for an entry whose turn it is, else after how many ms a repeat makes sense."""
        first = self._refused.get(lane)
        if first is None or first.entry_id == entry_id or not first.holds(now_ms):
            return 0
        return max(1, first.repeat_at_ms - now_ms)

    def refused(self, lane: Lane, entry_id: bytes, wait_ms: int, now_ms: int) -> None:
        """Note that an entry, whose turn it was, was refused and may be repeated after so many ms."""
        if len(self) >= _LANES_MAX and lane not in self._refused:
            del self._refused[next(iter(self._refused))]
        self._refused[lane] = _Refused(entry_id, now_ms, now_ms + wait_ms)
        if len(self) > self._sweep_at:
            self._sweep(now_ms)

    def taken(self, lane: Lane) -> None:
        """Note that an entry, whose turn it was, is stored."""
        self._refused.pop(lane, None)

    def __len__(self) -> int:
        return len(self._refused)

    def _sweep(self, now_ms: int) -> None:
        self._refused = {lane: one for lane, one in self._refused.items() if one.holds(now_ms)}
        self._sweep_at = max(_SWEEP_SIZE, 2 * len(self._refused))
