"""Sessions that are carried to other relays: to which, how many, how often, and how much may wait.

A hop lives and ends with the connection that asked for it. What is carried is sealed to the other relay, and
looks like nothing here. So that a relay is nobody's open proxy: it connects to public addresses and few
ports only, as a WebSocket over TLS; nothing of the client's is handed on before the other end has proven to
hold the key of the relay that was asked for; hops are counted, and beginnings rated, all together and for
each host.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from skvoz.base.addresses import is_public, place_of
from skvoz.base.value import Value
from skvoz.logs import Rate, Rates
from skvoz.relay.seam import Came, Effect, Gone, LetGo, Onward, Reach, Reached, Went
from skvoz.wire.frames import PASS_SIZE_MAX, PASS_WINDOW_BYTES, Bye, Carry, No, Ok, Pass, Passed, Took

if TYPE_CHECKING:
    from skvoz.relay.session import Session

HELD_BYTES_MAX: Final = PASS_WINDOW_BYTES + PASS_SIZE_MAX
"""What waits for one hop: the window, and one message that began inside of it."""
ALL_HELD_BYTES_MAX: Final = 64 * 1024 * 1024
"""What waits for all; beyond it the hop ends for which most waits."""
_REACHES: Final = Rate.of(5.0, 50)
_REACHES_OF_HOST: Final = Rate.of(2.0, 30)
_FRAME_OVERHEAD: Final = 96


class Carriage(Value, frozen=True, kw_only=True):
    """What an operator allows: so many hops at a time; `local`: also to addresses that aren't public."""

    sessions_max: int = 256
    ports: frozenset[int] = frozenset({443})
    local: bool = False

    def allows(self, address: str) -> bool:
        """Tell whether a session may be carried to an address."""
        place = place_of(address)
        if place is None:
            return False
        if self.local:
            return place.scheme in {"ws", "wss"}
        return place.scheme == "wss" and place.port in self.ports and is_public(address)


@dataclass(slots=True)
class _Hop:
    session: "Session"
    request: int
    is_open: bool = False
    held: int = 0


class Hops:
    """Those of all sessions."""

    def __init__(self, carriage: Carriage, touched: "dict[int, Session]") -> None:
        self._carriage = carriage
        self._touched = touched
        self._rates = Rates()
        self._last_number = 0
        self._hops: dict[int, _Hop] = {}
        self._by_session: dict[int, int] = {}
        self._held = 0
        self._effects: list[Effect] = []

    def begin(self, session: "Session", carry: Carry, now_ms: int) -> None:
        """Have another relay reached, or refuse to."""
        place = place_of(carry.address)
        if session.connection is None:
            return
        if session.number in self._by_session:
            session.say(No(carry.request, "bad", 0))
        elif place is None or not self._carriage.allows(carry.address):
            session.say(No(carry.request, "denied", 0))
        elif len(self._hops) >= self._carriage.sessions_max or self._is_too_often(place.host, now_ms):
            session.put_off(carry.request)
        else:
            self._last_number += 1
            self._hops[self._last_number] = _Hop(session, carry.request)
            self._by_session[session.number] = self._last_number
            reach = Reach(self._last_number, session.connection, carry.address, carry.relay)
            self._effects.append(reach)

    def hand_on(self, session: "Session", passing: Pass) -> bool:
        """Hand a message on; tell whether it was one that might be."""
        number = self._by_session.get(session.number, 0)
        hop = self._hops.get(number)
        if hop is None or not hop.is_open:
            return False
        size = len(passing.body)
        hop.held += size
        self._held += size
        if hop.held > HELD_BYTES_MAX:
            return False
        self._effects.append(Onward(number, passing.body))
        while self._held > ALL_HELD_BYTES_MAX:
            self._end(max(self._hops, key=lambda one: self._hops[one].held))
        return True

    def handle(self, happened: Reached | Came | Went | Gone) -> None:
        """Take in what became of a hop."""
        hop = self._hops.get(happened.hop)
        if hop is None:
            return
        session = hop.session
        self._touched[session.number] = session
        match happened:
            case Reached():
                hop.is_open = True
                session.say(Ok(hop.request, None))
            case Came():
                session.say(Passed(happened.message), len(happened.message) + _FRAME_OVERHEAD)
            case Went():
                hop.held -= happened.size
                self._held -= happened.size
                session.say(Took(happened.size))
            case Gone() if hop.is_open:
                self._forget(happened.hop)
                session.say(Bye("gone"))
            case Gone():
                self._forget(happened.hop)
                session.say(No(hop.request, "gone", 0))

    def lost(self, session: "Session") -> None:
        """Let go of the hop of a session whose connection is gone."""
        number = self._by_session.get(session.number)
        if number is not None:
            self._forget(number)
            self._effects.append(LetGo(number))

    def take_effects(self) -> list[Effect]:
        """Return what is to be done now."""
        effects, self._effects = self._effects, []
        return effects

    def _is_too_often(self, host: str, now_ms: int) -> bool:
        if self._rates.wait_ms(host, _REACHES_OF_HOST, now_ms):
            return True  # and others' hosts lose no turn by it
        return self._rates.wait_ms("", _REACHES, now_ms) > 0

    def _end(self, number: int) -> None:
        session = self._hops[number].session
        self._forget(number)
        self._effects.append(LetGo(number))
        session.say(Bye("full"))
        self._touched[session.number] = session

    def _forget(self, number: int) -> None:
        hop = self._hops.pop(number)
        del self._by_session[hop.session.number]
        self._held -= hop.held
