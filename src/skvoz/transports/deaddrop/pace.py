"""When to look into a drop next, pure: soon after something came, else rarely, and within bytes a day."""

from typing import Final

from skvoz.base.ports import Randomness
from skvoz.base.value import Value

_DAY_MS: Final = 24 * 3600 * 1000
_SLOWER: Final = 1.5
OVER_BUDGET_S: Final = 1_800.0
"""Once the day's bytes are used up, a drop is looked into this often; what is written goes at once."""


class Pace(Value, frozen=True, kw_only=True):
    """How often a drop is looked into, seconds from one look to the next, and bytes a day."""

    first_s: float = 2.0
    most_s: float = 30.0
    bytes_a_day: int = 20 * 1024 * 1024


class Spent(Value, frozen=True, kw_only=True):
    """Bytes of a day since 1970."""

    day: int
    byte_count: int


class Polls:
    """The pace of one drop; `heard` brings it back to its quickest."""

    def __init__(self, pace: Pace, randomness: Randomness, spent: Spent | None = None) -> None:
        self._pace = pace
        self._randomness = randomness
        self._wait_s = pace.first_s
        self._spent = Spent(day=0, byte_count=0) if spent is None else spent
        self._counted = 0

    def heard(self) -> None:
        """Note that something came or went."""
        self._wait_s = self._pace.first_s

    def spent(self, now_ms: int, counted: int) -> Spent:
        """Return the day's bytes; `counted` is what the storage has counted since it was opened."""
        day = now_ms // _DAY_MS
        before = self._spent.byte_count if self._spent.day == day else 0
        self._spent = Spent(day=day, byte_count=before + counted - self._counted)
        self._counted = counted
        return self._spent

    def wait_s(self, now_ms: int, counted: int) -> float:
        """Return how long to wait for the next look, with chance in it, so that nobody is known by a beat."""
        if self.spent(now_ms, counted).byte_count >= self._pace.bytes_a_day:
            wait_s = max(OVER_BUDGET_S, self._pace.most_s)
        else:
            wait_s = self._wait_s
            self._wait_s = min(self._pace.most_s, self._wait_s * _SLOWER)
        return wait_s * (0.5 + int.from_bytes(self._randomness(2), "big") / 0xFFFF)
