"""Which of a relay's addresses to try next, pure: by cost, and by what worked on this network before.

A way that fails, or freezes, is left alone for a while, longer each time; it comes first again after that.
`now` is seconds of any clock that only goes forwards.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

BLOCKED_FIRST_S: Final = 30.0
"""A way that failed is tried again after so long, if it is the better one; then after four times as long."""
BLOCKED_MOST_S: Final = 3_600.0
_BLOCKED_FACTOR: Final = 4
LIVED_S: Final = 600.0
"""A way that worked for so long before it failed is none that is blocked here."""
_COSTS: Final = {"wss": 0, "ws": 0, "https": 1, "http": 1}
"""By the beginning of an address: what a message costs of time and bytes, in comparison."""
_COST_UNKNOWN: Final = 9


@dataclass(slots=True)
class _Way:
    """What is known of one address."""

    blocked_until: float = float("-inf")
    blocked_s: float = 0.0
    tried_at: float = float("-inf")
    worked_at: float = float("-inf")


def reach(addresses: Sequence[str]) -> tuple[str, ...]:
    """Return a relay's addresses with what they imply: where a relay speaks WebSocket it takes requests."""
    implied = ("https" + address.removeprefix("wss") for address in addresses if address.startswith("wss://"))
    return tuple(dict.fromkeys((*addresses, *implied)))


class Ways:
    """What is known of ways on one network."""

    def __init__(self) -> None:
        self._known: dict[str, _Way] = {}

    def order(self, addresses: Sequence[str], now: float) -> list[str]:
        """Return addresses as they are to be tried: what isn't blocked by cost, then the longest untried."""

        def rank(address: str) -> tuple[bool, float, int]:
            way = self._way(address)
            blocked = now < way.blocked_until
            return blocked, way.tried_at if blocked else _cost(address), addresses.index(address)

        return sorted(addresses, key=rank)

    def has_better(self, address: str, addresses: Sequence[str], now: float) -> bool:
        """Tell whether a cheaper way than the one in use is to be tried again."""
        cheaper = (other for other in addresses if _cost(other) < _cost(address))
        return any(now >= self._way(other).blocked_until for other in cheaper)

    def is_in_doubt(self, address: str, heard_at: float) -> bool:
        """Tell whether an address failed for another session since this one was heard over it."""
        return self._way(address).tried_at > heard_at

    def worked(self, address: str, now: float) -> None:
        """Note that a session came up over an address.

        Had this one failed too, it wasn't the others' fault that they did: they are tried again soon.
        """
        way = self._way(address)
        if way.blocked_s:
            for other in self._known.values():
                if other is not way and other.blocked_s:
                    other.blocked_s = BLOCKED_FIRST_S
                    other.blocked_until = min(other.blocked_until, now + BLOCKED_FIRST_S)
        way.worked_at = now
        way.blocked_until = float("-inf")

    def failed(self, address: str, now: float) -> None:
        """Note that a way didn't come up, or froze, or broke soon."""
        way = self._way(address)
        way.tried_at = now
        if now < way.blocked_until:
            return
        if now - way.worked_at >= LIVED_S and way.worked_at > float("-inf"):
            way.blocked_s = 0.0
        longer = way.blocked_s * _BLOCKED_FACTOR or BLOCKED_FIRST_S
        way.blocked_s = min(BLOCKED_MOST_S, longer)
        way.blocked_until = now + way.blocked_s

    def _way(self, address: str) -> _Way:
        return self._known.setdefault(address, _Way())


def _cost(address: str) -> int:
    return _COSTS.get(address.partition(":")[0], _COST_UNKNOWN)
