"""Ways to a relay, and which of them to try next, pure: by cost, and by what worked on this network before.

A way that fails, or freezes, is left alone for a while, longer each time; it comes first again after that.
`now` is seconds of any clock that only goes forwards.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from skvoz.base.addresses import is_public
from skvoz.base.ids import RelayId
from skvoz.base.value import Value

BLOCKED_FIRST_S: Final = 30.0
"""A way that failed is tried again after so long, if it is the better one; then after four times as long."""
BLOCKED_MOST_S: Final = 3_600.0
_AROUND_COST: Final = 10
"""Every way through the proxy comes before any past it."""
_BLOCKED_FACTOR: Final = 4
LIVED_S: Final = 600.0
"""A way that worked for so long before it failed is none that is blocked here."""


PING_LEAST_S: Final = 12.0
"""A connection that was in use just now, and has been quiet for so long, is tried."""
PING_MOST_S: Final = 300.0
"""However long nobody has used it; more would cost batteries."""
_PING_PART: Final = 10


class Kind(Enum):
    """A transport: what a message over it costs of time and bytes, in comparison; and if it asks by itself.

    A transport that asks the relay now and then notices by itself when nothing comes back.
    """

    WSS = ("wss", 0, False)
    HTTPS = ("https", 1, True)
    DROP = ("drop", 4, True)
    HOP = ("hop", 2, False)

    def __init__(self, word: str, cost: int, asks_itself: bool) -> None:  # noqa: FBT001  # by position, above
        self.word = word
        self.cost = cost
        self.asks_itself = asks_itself


_SCHEMES: Final = {
    "wss": Kind.WSS,
    "ws": Kind.WSS,
    "https": Kind.HTTPS,
    "http": Kind.HTTPS,
    "drop": Kind.DROP,
}
_COST_PREFERRED: Final = -1


class Way(Value, frozen=True, kw_only=True):
    """One way to a relay: by which transport, where the relay is looked for, and what carries it there.

    `through` is empty where this machine itself connects to the address. `is_around`: past the person's
    proxy, which they allow where nothing gets through it. `carrier`: the relay of a hop. `preferred`: it
    comes before all that are not, whatever it costs.
    """

    kind: Kind
    address: str
    through: str = ""
    is_around: bool = False
    carrier: "NearRelay | None" = None
    preferred: bool = False

    @property
    def cost(self) -> int:
        """What a message over it costs, in comparison."""
        if self.preferred:
            return _COST_PREFERRED
        return self.kind.cost + (_AROUND_COST if self.is_around else 0)

    def ping_after_s(self, unused_s: float) -> float:
        """Return after how long a quiet is tried, where nobody has used the connection for `unused_s`.

        Who is in the middle of a talk hears within half a minute that the way is frozen, also if they only
        wait for an answer; who left it for an hour, within five minutes.
        """
        if self.kind.asks_itself:
            return PING_MOST_S
        return min(PING_MOST_S, max(PING_LEAST_S, unused_s / _PING_PART))

    @property
    def shown(self) -> str:
        """What people read of it."""
        return f"{self.address} ({self.through})" if self.through else self.address


class NearRelay(Value, frozen=True, kw_only=True):
    """A relay that carries, the way to it, and the id of the relay that it carries to."""

    relay_id: RelayId
    public_key: bytes
    way: Way
    far_relay_id: RelayId


def hops(plain: Sequence[Way], near: NearRelay, *, preferred: bool) -> tuple[Way, ...]:
    """Return the ways over a relay that carries: to public addresses; to others where it has one itself."""
    if near.way.kind not in {Kind.WSS, Kind.HTTPS}:
        return ()
    is_local = not is_public(near.way.address)
    addresses = dict.fromkeys(way.address for way in plain if way.kind is Kind.WSS)
    return tuple(
        Way(kind=Kind.HOP, address=address, through=near.way.shown, carrier=near, preferred=preferred)
        for address in addresses
        if is_local or is_public(address)
    )


def reach(addresses: Sequence[str]) -> tuple[Way, ...]:
    """Return the ways that a relay's addresses mean: where it speaks WebSocket, it takes requests as well.

    Addresses of a kind that is unknown here are left out.
    """
    implied = ("https" + address.removeprefix("wss") for address in addresses if address.startswith("wss://"))
    schemes = ((_SCHEMES.get(address.partition(":")[0]), address) for address in (*addresses, *implied))
    return tuple(dict.fromkeys(Way(kind=kind, address=address) for kind, address in schemes if kind))


@dataclass(slots=True)
class _Record:
    """What is known of one way."""

    blocked_until: float = float("-inf")
    blocked_s: float = 0.0
    tried_at: float = float("-inf")
    worked_at: float = float("-inf")


class Ways:
    """What is known of ways on one network."""

    def __init__(self) -> None:
        self._known: dict[Way, _Record] = {}

    def order(self, ways: Sequence[Way], now: float) -> list[Way]:
        """Return ways as they are to be tried: what isn't blocked by cost, then the longest untried."""

        def rank(way: Way) -> tuple[bool, float, int]:
            record = self._record(way)
            blocked = now < record.blocked_until
            return blocked, record.tried_at if blocked else way.cost, ways.index(way)

        return sorted(ways, key=rank)

    def has_better(self, used: Way, ways: Sequence[Way], now: float) -> bool:
        """Tell whether a cheaper way than the one in use is to be tried again."""
        return any(now >= self._record(way).blocked_until for way in ways if way.cost < used.cost)

    def has_other(self, tried: Way, ways: Sequence[Way], now: float) -> bool:
        """Tell whether another way is there to be tried, should this one say nothing."""
        return any(now >= self._record(way).blocked_until for way in ways if way != tried)

    def is_in_doubt(self, way: Way, heard_at: float) -> bool:
        """Tell whether a way failed for another session since this one was heard over it."""
        return self._record(way).tried_at > heard_at

    def worked(self, way: Way, now: float) -> None:
        """Note that a session came up over a way.

        Had this one failed too, it wasn't the others' fault that they did: they are tried again soon.
        """
        record = self._record(way)
        if record.blocked_s:
            for other in self._known.values():
                if other is not record and other.blocked_s:
                    other.blocked_s = BLOCKED_FIRST_S
                    other.blocked_until = min(other.blocked_until, now + BLOCKED_FIRST_S)
        record.worked_at = now
        record.blocked_until = float("-inf")

    def failed(self, way: Way, now: float, *, is_none: bool = False) -> None:
        """Note that a way didn't come up, or froze, or broke soon; or that it `is_none` at all."""
        record = self._record(way)
        record.tried_at = now
        if now < record.blocked_until:
            return
        if now - record.worked_at >= LIVED_S and record.worked_at > float("-inf"):
            record.blocked_s = 0.0
        longer = record.blocked_s * _BLOCKED_FACTOR or BLOCKED_FIRST_S
        record.blocked_s = BLOCKED_MOST_S if is_none else min(BLOCKED_MOST_S, longer)
        record.blocked_until = now + record.blocked_s

    def _record(self, way: Way) -> _Record:
        return self._known.setdefault(way, _Record())
