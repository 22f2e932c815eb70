"""Turns: nothing that a session says later overtakes an entry that was refused for the time being.

Entries of one author would else stand in another order than they were said in, wherever a relay answers
`slow` or `full` to some of those under way and has room again for the next. All that were refused keep their
order: the author may not know of the later ones yet when the first is said again.
"""

from typing import Final, TypeAlias

from skvoz.base.value import Value

HELD_MS: Final = 30_000
"""So long others wait for the entry to be said again: its author may have given it up."""
IN_LANE_MAX: Final = 64
"""Refused entries of a lane that are remembered; a session says fewer at once."""
_SWEEP_SIZE: Final = 4_096
"""How many are kept before those that lapsed are dropped."""
_KEPT_MAX: Final = 65_536
"""More are there only where somebody makes them up, while a disk is full: then the oldest give way."""

Lane: TypeAlias = tuple[int, bytes, bytes]
"""Session, log and hash of the key: what keeps its order."""


class _Refused(Value, frozen=True):
    refused_at_ms: int
    repeat_at_ms: int

    def holds(self, now_ms: int) -> bool:
        """Tell whether others still wait; not over a clock that was set back."""
        return self.refused_at_ms <= now_ms < self.repeat_at_ms + HELD_MS


class Turns:
    """The refused entries of each lane by id, in the order of their first refusals; in memory only."""

    __slots__ = ("_count", "_lanes", "_sweep_at")

    def __init__(self) -> None:
        self._lanes: dict[Lane, dict[bytes, _Refused]] = {}
        self._count = 0
        self._sweep_at = _SWEEP_SIZE

    def wait_ms(self, lane: Lane, entry_id: bytes, now_ms: int) -> int:
        """Return 0 for an entry whose turn it is, else after how many ms a repeat makes sense."""
        for known, refused in self._lanes.get(lane, {}).items():
            if known == entry_id:
                return 0
            if refused.holds(now_ms):
                return max(1, refused.repeat_at_ms - now_ms)
        return 0

    def refused(self, lane: Lane, entry_id: bytes, wait_ms: int, now_ms: int) -> None:
        """Note that an entry was refused and may be repeated after so many ms; it keeps its place."""
        refused = self._lanes.setdefault(lane, {})
        if entry_id not in refused:
            if len(refused) >= IN_LANE_MAX:
                return
            self._count += 1
        refused[entry_id] = _Refused(now_ms, now_ms + wait_ms)
        if self._count > self._sweep_at:
            self._sweep(now_ms)
        while self._count > _KEPT_MAX:
            self._count -= len(self._lanes.pop(next(iter(self._lanes))))

    def settled(self, lane: Lane, entry_id: bytes) -> None:
        """Note that an entry is stored, or refused for good."""
        refused = self._lanes.get(lane)
        if refused is not None and refused.pop(entry_id, None) is not None:
            self._count -= 1
            if not refused:
                del self._lanes[lane]

    def __len__(self) -> int:
        return self._count

    def _sweep(self, now_ms: int) -> None:
        kept = {
            lane: {entry_id: one for entry_id, one in refused.items() if one.holds(now_ms)}
            for lane, refused in self._lanes.items()
        }
        self._lanes = {lane: refused for lane, refused in kept.items() if refused}
        self._count = sum(map(len, self._lanes.values()))
        self._sweep_at = max(_SWEEP_SIZE, 2 * self._count)
