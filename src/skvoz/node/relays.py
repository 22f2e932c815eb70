"""Sessions to relays: one for each relay and channel, kept up for as long as the node runs.

A session that is pure (`skvoz.client.relay_session`) gets a connection from a transport here, and another one
whenever it breaks or freezes: over the next of its relay's ways, after half a second first, then ever more
slowly, up to half a minute. Over a costly way it goes on until a better one is worth another try.
"""

import asyncio
import contextlib
import secrets
from collections import deque
from collections.abc import Callable
from typing import Final, Literal

from skvoz.base.errors import CallerError, PeerError, TransportError
from skvoz.base.ids import RelayId
from skvoz.base.value import Value
from skvoz.client.effects import Channel, Connect, Detach, Effect, FileEffect, SayAgain, WakeAt, Withdraw
from skvoz.client.inputs import Input
from skvoz.client.relay_session import RelaySession
from skvoz.crypto import DEFAULT_SUITE, suite
from skvoz.node.checkup import Target
from skvoz.node.dialer import Dialer
from skvoz.node.ways import Kind, Way, Ways
from skvoz.transports.connection import MessageConnection

FROZEN_AFTER_S: Final = 10.0
"""No answer for so long, nor a sign that anything arrives: something on the way swallows packets."""
SHORT_S: Final = 20.0
"""What breaks so soon after it came up didn't work."""
_LOOK_S: Final = 1.0
_FOLLOWS_AFTER_S: Final = 15.0
"""So long at most what carries no messages leaves the first handshakes to what does."""
_CREDIT_AFTER_S: Final = 20.0
_CREDIT_AFTER_BYTES: Final = 64 * 1024
"""A request only to say what was taken up waits so long, or for so much: a quarter of the credit."""
_RETRY_FIRST_S: Final = 0.5
_RETRY_MOST_S: Final = 30.0
RelayWord = Literal["connected", "connecting", "waiting"]


class RelayState(Value, frozen=True, kw_only=True):
    """How it goes with one session."""

    relay_id: RelayId
    channel: Channel
    address: str
    state: RelayWord
    problem: str


class _Frozen(TransportError):
    """Something is owed, and nothing comes."""


class _LeftForBetter(TransportError):
    """A better way is worth another try."""


class _Trip(Value, frozen=True):
    """The way that a connection takes, and what is known of ways on the network that it began in."""

    ways: Ways
    way: Way


class Relays:
    """All sessions of a node, on its event loop; `broke` hears of a bug that ended one."""

    def __init__(
        self, tell: Callable[[Input], None], broke: Callable[[BaseException], None], dialer: Dialer
    ) -> None:
        self._tell = tell
        self._broke = broke
        self._dialer = dialer
        self._kept: dict[tuple[RelayId, Channel], _Kept] = {}
        self._told: deque[_Kept | None] = deque()

    def tell(self, fact: Input, source: "_Kept | None" = None) -> None:
        """Hand a fact to the core; `taken_up` reports on facts in this order."""
        self._told.append(source)
        self._tell(fact)

    def taken_up(self, count: int) -> None:
        """Note that the oldest `count` facts are stored, or dropped on purpose."""
        for _ in range(count):
            source = self._told.popleft()
            if source is not None:
                source.taken_up()

    def connect(self, effect: Connect) -> None:
        """Keep a session to a relay up."""
        self._dialer.note_carriers(effect.relay_id, effect.carriers)
        key = (effect.relay_id, effect.channel)
        kept = self._kept.get(key)
        if kept is None:
            leader = (effect.relay_id, Channel.ROOMS)
            kept = self._kept[key] = _Kept(
                effect, self.tell, self._broke, self._dialer, lambda: self._kept.get(leader)
            )
        for (relay_id, _), other in self._kept.items():
            if relay_id == effect.relay_id:
                other.addresses = effect.addresses

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
        kept.asked()
        kept.speak()

    def drop(self, relay_id: RelayId, channel: Channel) -> None:
        """Keep a session up no longer."""
        kept = self._kept.pop((relay_id, channel), None)
        if kept is not None:
            kept.cancel()

    def states(self) -> list[RelayState]:
        """Return how it goes with each session."""
        return [kept.report() for kept in self._kept.values()]

    def targets(self) -> list[Target]:
        """Return the relays that there are sessions with."""
        found = {
            kept.relay_id: Target(
                relay_id=kept.relay_id, public_key=kept.session.public_key, addresses=kept.addresses
            )
            for kept in self._kept.values()
        }
        return list(found.values())

    async def close(self) -> None:
        """Drop all sessions."""
        kept = list(self._kept.values())
        self._kept.clear()
        for one in kept:
            await one.close()


class _Kept:
    """One session and the task that keeps it connected."""

    def __init__(
        self,
        effect: Connect,
        tell: Callable[[Input, "_Kept | None"], None],
        broke: Callable[[BaseException], None],
        dialer: Dialer,
        leader: "Callable[[], _Kept | None]",
    ) -> None:
        self._dialer = dialer
        self._leader = leader
        self.has_begun = asyncio.Event()
        """Set once the session is up and nothing is owed."""
        self.relay_id = effect.relay_id
        self._channel = effect.channel
        self.addresses = effect.addresses
        self._told = tell
        self._broke = broke
        self.session = RelaySession(
            suite=suite(DEFAULT_SUITE),
            relay_id=effect.relay_id,
            public_key=effect.public_key,
            randomness=secrets.token_bytes,
        )
        self._something_to_say = asyncio.Event()
        self._is_pressing = asyncio.Event()
        self._heard_bytes = 0
        self._way: Way | None = None
        self._up_at: float | None = None
        self._used_at = self._asked_at = asyncio.get_running_loop().time()
        self._state: RelayWord = "connecting"
        self._problem = ""
        self._closed = False
        self._task = asyncio.create_task(self._keep())
        self._task.add_done_callback(self._ended)

    def report(self) -> RelayState:
        """Return how it goes."""
        return RelayState(
            relay_id=self.relay_id,
            channel=self._channel,
            address=self._way.shown if self._way else "".join(self.addresses[:1]),
            state=self._state,
            problem=self._problem,
        )

    def speak(self, *, soon: bool = True) -> None:
        """Send what the session has to say; not `soon` where a request for it alone would be too much."""
        self._something_to_say.set()
        if soon:
            self._is_pressing.set()

    def used(self) -> None:
        """Note that somebody needs the connection."""
        self._used_at = asyncio.get_running_loop().time()

    def asked(self) -> None:
        """Note that something is asked for, so an answer will be owed."""
        self.used()
        self._asked_at = self._used_at

    def taken_up(self) -> None:
        """Note that the oldest fact of this session is stored."""
        self.session.stored(1)
        self.speak(soon=False)

    def cancel(self) -> None:
        """Stop soon; facts are told no more."""
        self._closed = True
        self._task.cancel()

    async def close(self) -> None:
        """Stop; facts are told no more."""
        self.cancel()
        await asyncio.wait((self._task,))

    def _ended(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._broke(error)

    def _tell(self, facts: list[Input]) -> None:
        for fact in facts:
            if not self._closed:
                self._told(fact, self)

    async def _keep(self) -> None:
        failures = 0
        loop = asyncio.get_running_loop()
        while True:
            choice, waited_s = self._choice(), 0.0
            if choice:
                trip = _Trip(self._dialer.ways, self._dialer.ways.order(choice, loop.time())[0])
                self._way = trip.way
                self._state, self._up_at = "connecting", None
                await self._follow(trip.way)
                tried_at = loop.time()
                await self._live(trip)
                waited_s = loop.time() - tried_at
                self.has_begun.clear()
            else:
                self._problem = "this relay has no address that can be used here"
            failures = 0 if self.session.is_up else failures + 1
            rounds = failures // max(1, len(choice))
            self._tell(self.session.lost())
            self._state = "waiting"
            # A little chance in it, so that not everybody comes back in the same moment.
            most = min(_RETRY_MOST_S, _RETRY_FIRST_S * 2 ** min(rounds, 8))
            pause_s = most * (0.5 + secrets.randbelow(1000) / 2000)
            # Who waited for one that said nothing need not wait before another one.
            is_over = failures > 0 and rounds == 0 and waited_s > pause_s
            await asyncio.sleep(0.0 if is_over else pause_s)

    async def _follow(self, way: Way) -> None:
        """Let messages go first where handshakes take turns."""
        leader = self._leader()
        takes_turns = way.kind is Kind.HTTPS or way.address.startswith("wss:")
        if leader is None or leader is self or leader.has_begun.is_set() or not takes_turns:
            return
        loop = asyncio.get_running_loop()
        since = loop.time()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_FOLLOWS_AFTER_S):
                await leader.has_begun.wait()
            # As long again: what was written while we were away comes after the first answers.
            await asyncio.sleep(loop.time() - since)

    def _choice(self) -> tuple[Way, ...]:
        return self._dialer.reach(self.relay_id, self.addresses)

    async def _live(self, trip: "_Trip") -> None:
        """Keep a connection over one way for as long as it is good, and note how it went."""
        loop = asyncio.get_running_loop()
        try:
            others = trip.ways.has_other(trip.way, self._choice(), loop.time())
            connection = await self._dialer.dial(trip.way, is_hurried=others)
            try:
                await self._talk(connection, trip)
            finally:
                await connection.close()
        except* _LeftForBetter:
            pass
        except* (TransportError, PeerError, CallerError) as failed:
            self._problem = str(failed.exceptions[0])
            broke_soon = self._up_at is None or loop.time() - self._up_at < SHORT_S
            if broke_soon or failed.subgroup(_Frozen) is not None:
                is_none = failed.subgroup(CallerError) is not None
                trip.ways.failed(trip.way, loop.time(), is_none=is_none)

    async def _talk(self, connection: MessageConnection, trip: "_Trip") -> None:
        await connection.send(self.session.connected())
        async with asyncio.TaskGroup() as tasks:
            say = tasks.create_task(self._say(connection, trip.way))
            watch = tasks.create_task(self._watch(connection, trip))
            try:
                await self._hear(connection, trip)
            finally:
                say.cancel()
                watch.cancel()

    async def _hear(self, connection: MessageConnection, trip: "_Trip") -> None:
        while True:
            message = await connection.receive()
            was_up = self.session.is_up
            facts = self.session.received(message)
            self._heard_bytes += len(message)
            if facts:
                self.used()
            self._tell(facts)
            if self.session.is_up:
                self._state, self._problem = "connected", ""
                if self._up_at is None:
                    self._up_at = asyncio.get_running_loop().time()
                    trip.ways.worked(trip.way, self._up_at)
            if was_up:
                self._note_begun()
            self.speak(soon=not was_up or self._heard_bytes >= _CREDIT_AFTER_BYTES)

    async def _say(self, connection: MessageConnection, way: Way) -> None:
        while True:
            await self._something_to_say.wait()
            if way.kind is Kind.HTTPS:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_CREDIT_AFTER_S):
                        await self._is_pressing.wait()
            self._something_to_say.clear()
            self._is_pressing.clear()
            self._heard_bytes = 0
            for message in self.session.flush():
                await connection.send(message)
            self._note_begun()

    def _note_begun(self) -> None:
        if self.session.is_up and not self.session.awaits_answer:
            self.has_begun.set()

    async def _watch(self, connection: MessageConnection, trip: "_Trip") -> None:
        loop = asyncio.get_running_loop()
        looked_at, pause_s = loop.time(), _LOOK_S
        owed_since: float | None = looked_at  # to the greeting
        while True:
            await asyncio.sleep(pause_s)
            now, heard_at, pause_s = loop.time(), connection.heard_at, _LOOK_S
            choice = self._choice()
            if trip.way not in choice:
                raise _LeftForBetter("the person has chosen another way")
            if not self.session.awaits_answer:
                owed_since = None
                if trip.ways.has_better(trip.way, choice, now):
                    raise _LeftForBetter("a better way is tried again")
                is_quiet = now - heard_at > trip.way.ping_after_s(now - self._used_at)
                if is_quiet or trip.ways.is_in_doubt(trip.way, heard_at):
                    self.session.ping()
                    self.speak()
                    owed_since = now
            else:
                if owed_since is None:  # since it was asked for, if that was after the last look
                    owed_since = self._asked_at if self._asked_at > looked_at else now
                left_s = max(owed_since, heard_at) + FROZEN_AFTER_S - now
                if left_s <= 0:
                    raise _Frozen("the relay does not answer any more")
                pause_s = min(_LOOK_S, left_s)
            looked_at = now
