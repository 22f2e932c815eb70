"""One TLS handshake with a host at a time, and some time between them.

Networks count handshakes: more than three with one name, less than 0.4 s apart, and the host is cut off for a
minute (what is called the Siberian block). Whoever opens a connection takes its turn here.
"""

import asyncio
import math
import secrets
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from skvoz.base.errors import BadRequest

APART_S: Final = 0.5
"""From one handshake to the next, seconds at least."""
YIELDS_MAX: Final = 4
"""So many turns that were asked for later come before one that can wait."""
_JITTER_S: Final = 0.25


@dataclass(slots=True, eq=False)
class _Place:
    """Somebody who waits for a turn, and how many went first although they came later."""

    given: asyncio.Future[None]
    can_wait: Callable[[], bool]
    yielded: int = 0


class _Host:
    """One host's turns: who waits for one, in their order, and when the next may be."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.free_at = 0.0
        self.quickest_s = math.inf
        self._loop = loop
        self._is_taken = False
        self._waiting: list[_Place] = []
        self._timer: asyncio.TimerHandle | None = None

    async def take(self, can_wait: Callable[[], bool]) -> None:
        """Wait for a turn."""
        place = _Place(self._loop.create_future(), can_wait)
        self._waiting.append(place)
        self._look()
        try:
            await place.given
        except asyncio.CancelledError:
            if not place.given.cancelled():  # it was given just now
                self.leave(self.free_at)
            raise

    def leave(self, free_at: float) -> None:
        """End a turn; the next begins at `free_at` at the earliest."""
        self._is_taken = False
        self.free_at = free_at
        self._look()

    def _look(self) -> None:
        """Give the turn to whoever is next, if it is time."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._waiting = [place for place in self._waiting if not place.given.done()]
        if self._is_taken or not self._waiting:
            return
        left_s = self.free_at - self._loop.time()
        if left_s > 0:  # who comes until then may be more urgent
            self._timer = self._loop.call_later(left_s, self._look)
            return
        self._is_taken = True
        place = self._next()
        self._waiting.remove(place)
        place.given.set_result(None)

    def _next(self) -> _Place:
        first = self._waiting[0]
        if first.yielded < YIELDS_MAX and first.can_wait():
            for other in self._waiting:
                if not other.can_wait():
                    first.yielded += 1
                    return other
        return first


def host_of(address: str) -> str:
    """Return whose turn a connection takes, whatever it then speaks; raise `BadRequest` for no address."""
    try:
        parts = urlsplit(address)
        host = f"{parts.hostname}:{parts.port or ''}"
    except ValueError:
        raise BadRequest("this is not a relay's address") from None
    return host


class Pace:
    """Turns for all connections of a node, on its event loop."""

    def __init__(self, *, apart_s: float = APART_S) -> None:
        self._apart_s = apart_s
        self._hosts: dict[str, _Host] = {}

    @asynccontextmanager
    async def turn(self, host: str, can_wait: Callable[[], bool] = lambda: False) -> AsyncGenerator[None]:
        """Wait for a turn with a host, and have it while the block runs: until the handshake is over.

        The next may begin half a second after this one did. What this one took longer than the quickest so
        far is added: so much later may its hello have gone out. Who `can_wait` (asked when a turn is free)
        lets others go first.
        """
        loop = asyncio.get_running_loop()
        if host not in self._hosts:
            self._hosts[host] = _Host(loop)
        own = self._hosts[host]
        await own.take(can_wait)
        began, usual_s = loop.time(), own.quickest_s
        try:
            yield
            own.quickest_s = min(usual_s, loop.time() - began)
        finally:
            took_s = loop.time() - began
            late_s = took_s if usual_s == math.inf else max(0.0, took_s - usual_s)
            jitter_s = secrets.randbelow(1000) / 1000 * _JITTER_S
            own.leave(began + self._apart_s + late_s + jitter_s)

    def quickest_s(self, host: str) -> float:
        """Return how long the quickest turn with a host took; infinity where there was none."""
        own = self._hosts.get(host)
        return math.inf if own is None else own.quickest_s
