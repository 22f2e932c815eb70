"""How often: one number a rate, in memory only, so that a store tells nothing about activity.

The generic cell rate algorithm: each event moves a rate's horizon by one interval; an event that would move
it further than a burst of intervals beyond now is refused.
"""

from typing import Final

from skvoz.base.value import Value

_SWEEP_SIZE: Final = 4_096
"""How many rates are kept before the idle ones are dropped."""


class Rate(Value, frozen=True, kw_only=True):
    """So many events a second on average, and `burst` at once."""

    interval_us: int
    horizon_us: int

    @classmethod
    def of(cls, per_s: float, burst: int) -> "Rate":
        """Make a rate of `per_s` events a second."""
        interval_us = max(1, round(1_000_000 / per_s))
        return cls(interval_us=interval_us, horizon_us=interval_us * burst)


class Rates:
    """The horizons of many rates, by whatever key the caller chooses."""

    __slots__ = ("_horizons", "_sweep_at")

    def __init__(self) -> None:
        self._horizons: dict[object, int] = {}
        self._sweep_at = _SWEEP_SIZE

    def wait_ms(self, key: object, rate: Rate, now_ms: int) -> int:
        """Count one event and return 0, or return after how many ms it would be accepted."""
        now_us = now_ms * 1000
        known = min(self._horizons.get(key, 0), now_us + rate.horizon_us)  # a clock may jump back
        horizon = max(known, now_us) + rate.interval_us
        excess = horizon - now_us - rate.horizon_us
        if excess > 0:
            self._horizons[key] = known
            return -(-excess // 1000)
        self._horizons[key] = horizon
        if len(self._horizons) > self._sweep_at:
            self._sweep(now_us)
        return 0

    def __len__(self) -> int:
        return len(self._horizons)

    def _sweep(self, now_us: int) -> None:
        self._horizons = {key: horizon for key, horizon in self._horizons.items() if horizon > now_us}
        self._sweep_at = max(_SWEEP_SIZE, 2 * len(self._horizons))
