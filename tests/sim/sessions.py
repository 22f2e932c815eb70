"""A person's sessions with relays, as `skvoz.node.relays` keeps them, but in virtual time."""

from collections import deque
from typing import TYPE_CHECKING

from skvoz.base.errors import CallerError, PeerError
from skvoz.client.effects import Channel, Connect, Detach, Effect, FileEffect, SayAgain, WakeAt, Withdraw
from skvoz.client.inputs import Input
from skvoz.client.relay_session import RelaySession
from tests.sim.network import Connection

if TYPE_CHECKING:
    from skvoz.base.ids import RelayId
    from tests.sim.person import Person

FROZEN_AFTER_MS = 20_000
PING_AFTER_MS = 300_000
_PING_DOUBLINGS_MAX = 8
"""A connection that stays quiet is tried ever more rarely, so that a quiet month costs little."""
_RETRY_FIRST_MS = 500
_RETRY_MOST_MS = 30_000


class Sessions:
    """All sessions of one run of a node."""

    def __init__(self, person: "Person") -> None:
        self._person = person
        self._kept: dict[tuple[RelayId, Channel], Kept] = {}
        self._told: deque[Kept | None] = deque()

    def tell(self, fact: Input, source: "Kept | None" = None) -> None:
        """Hand a fact to the machine; `taken_up` reports on facts in this order."""
        self._told.append(source)
        self._person.tell(fact)

    def taken_up(self, count: int) -> None:
        """Note that the oldest facts are stored, or dropped on purpose."""
        for _ in range(count):
            source = self._told.popleft()
            if source is not None:
                source.taken_up()

    def connect(self, effect: Connect) -> None:
        """Keep a session to a relay up."""
        key = (effect.relay_id, effect.channel)
        kept = self._kept.get(key)
        if kept is None:
            self._kept[key] = Kept(self._person, self, effect)
        else:
            kept.addresses = effect.addresses

    def request(self, effect: Effect) -> None:
        """Ask a relay for something; there must have been a `Connect` before."""
        if isinstance(effect, Connect | WakeAt | FileEffect):
            raise TypeError("not a request to a relay")
        kept = self._kept[effect.relay_id, effect.channel]
        if isinstance(effect, SayAgain):
            kept.session.say_again(effect.log_id)
            return
        if isinstance(effect, Detach):
            kept.session.detach(effect.log_id)
        elif isinstance(effect, Withdraw):
            kept.session.withdraw(effect.log_id, effect.entry_id)
        else:
            kept.session.request(effect)
        kept.speak()

    def close(self) -> None:
        """Drop all sessions."""
        for kept in self._kept.values():
            kept.close()
        self._kept.clear()

    @property
    def are_up(self) -> bool:
        """Whether all are connected and wait for nothing."""
        return all(kept.session.is_up and not kept.session.awaits_answer for kept in self._kept.values())


class Kept:
    """One session that is connected again and again."""

    def __init__(self, person: "Person", sessions: Sessions, effect: Connect) -> None:
        self._person = person
        self._sessions = sessions
        self.addresses = effect.addresses
        self.session = RelaySession(
            suite=person.suite,
            relay_id=effect.relay_id,
            public_key=effect.public_key,
            randomness=person.random.randbytes,
        )
        self._connection: Connection | None = None
        self._failures = 0
        self._closed = False
        self._heard_at_ms = 0
        self._owed_since_ms: int | None = None
        self._watching = False
        self._must_speak = False
        self._quiet_pings = 0
        self._connect()

    def close(self) -> None:
        """Stop; facts are told no more."""
        self._closed = True
        if self._connection is not None:
            self._connection.close_by_client()

    def speak(self) -> None:
        """Send soon what the session has to say."""
        if not self._must_speak:
            self._must_speak = True
            self._person.clock.after(0, self._say)

    def taken_up(self) -> None:
        """Note that the oldest fact of this session is stored."""
        self.session.stored(1)
        self.speak()

    # What the network tells

    def opened(self, connection: Connection) -> None:
        """Greet."""
        if self._closed:
            return
        self._heard_at_ms = self._person.clock.now_ms
        connection.up(self.session.connected())
        self._watch()

    def heard(self, connection: Connection, message: bytes) -> None:
        """Take a message."""
        if self._closed or connection is not self._connection:
            return
        self._heard_at_ms = self._person.clock.now_ms
        try:
            facts = self.session.received(message)
        except (PeerError, CallerError):
            connection.close_by_client()
            self.broken(connection)
            return
        if facts:
            self._quiet_pings = 0
        self._tell(facts)
        self.speak()
        self._watch()

    def broken(self, connection: Connection) -> None:
        """Come back later."""
        if self._closed or connection is not self._connection:
            return
        self._connection = None
        self._owed_since_ms = None
        self._failures = 0 if self.session.is_up else self._failures + 1
        self._tell(self.session.lost())
        most_ms = min(_RETRY_MOST_MS, _RETRY_FIRST_MS * 2 ** min(self._failures, 8))
        self._person.clock.after(int(most_ms * (0.5 + self._person.random.random() / 2)), self._connect)

    def _connect(self) -> None:
        if not self._closed:
            address = self.addresses[self._failures % len(self.addresses)]
            self._connection = self._person.network.connect(self, self._person.name, address)

    def _tell(self, facts: list[Input]) -> None:
        for fact in facts:
            self._sessions.tell(self._person.without_withheld(fact), self)

    def _say(self) -> None:
        self._must_speak = False
        if self._closed or self._connection is None or not self._connection.client_open:
            return
        for message in self.session.flush():
            self._connection.up(message)
        self._watch()

    def _watch(self) -> None:
        now_ms = self._person.clock.now_ms
        if not self.session.awaits_answer:
            self._owed_since_ms = None
        elif self._owed_since_ms is None:
            self._owed_since_ms = now_ms
        if not self._watching:
            self._watching = True
            self._person.clock.after(FROZEN_AFTER_MS + 1_000, self._look)

    def _look(self) -> None:
        self._watching = False
        connection = self._connection
        if self._closed or connection is None or not connection.client_open:
            return
        now_ms = self._person.clock.now_ms
        owed_ms = self._owed_since_ms
        if owed_ms is not None and now_ms - max(owed_ms, self._heard_at_ms) > FROZEN_AFTER_MS:
            connection.close_by_client()
            self.broken(connection)
            return
        pause_ms = PING_AFTER_MS << self._quiet_pings
        if owed_ms is None and now_ms - self._heard_at_ms > pause_ms:
            self._quiet_pings = min(self._quiet_pings + 1, _PING_DOUBLINGS_MAX)
            self.session.ping()
            self.speak()
        elif owed_ms is None:
            self._watching = True
            self._person.clock.after(pause_ms + 1_000 - (now_ms - self._heard_at_ms), self._look)
        else:
            self._watch()
