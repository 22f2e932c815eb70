"""A way tried as it is used: a session with the relay itself, then pings whose answers are counted.

Any relay answers pings, whoever asks, so nothing has to be stored there to see what a way carries.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from skvoz.base.errors import CallerError, PeerError, TransportError
from skvoz.base.ids import RelayId
from skvoz.base.value import Value
from skvoz.crypto import DEFAULT_SUITE, suite
from skvoz.node.checkup.measured import Trial, TrialEnd
from skvoz.node.ways import Kind, Way
from skvoz.transports.connection import MessageConnection
from skvoz.wire.frames import Credit, Ping, Pong
from skvoz.wire.sealed import SealedSession, ask_for_key, check_key, greet

OPENS_WITHIN_S: Final = 8.0
"""Connecting, and each message of the handshake."""
SILENT_AFTER_S: Final = 6.0
"""Nothing for so long, while something is owed: small messages come through 14 kbit/s in half of that."""
LOAD_S: Final = 6.0
"""How long a way is loaded."""
_LARGE_FROM_BYTES_S: Final = 32_000
"""Slower ways are loaded with small messages alone."""
_FIRST_NUMBER: Final = 0x4000_0000
"""Pings are numbered from here, so that each takes 7 bytes, in either direction."""


class _Plan(Value, frozen=True, kw_only=True):
    """So many messages of so many pings, and how many of them are sent before the first is answered."""

    messages: int
    pings: int
    ahead: int


_SMALL: Final = _Plan(messages=24, pings=250, ahead=1)
"""2 kB each: so finely it is seen where a connection stops. Together twice what passes behind a curtain."""
_REQUESTS: Final = _Plan(messages=4, pings=50, ahead=1)
"""What texts take: more would only show how slow single requests are on purpose."""
_LARGE: Final = _Plan(messages=24, pings=2_000, ahead=4)
"""What a distant relay needs, so that speed and distance aren't confused."""


@dataclass(slots=True)
class _Load:
    """What came of a trial, as it goes on."""

    carried: int = 0
    came_up: bool = False
    round_trip_ms: int | None = None
    kbit_s: int | None = None
    steps: list[tuple[float, int]] = field(default_factory=list[tuple[float, int]])


Opening = Callable[[Way], Awaitable[MessageConnection]]


async def try_way(
    way: Way, relay_id: RelayId, public_key: bytes, opening: Opening, loading: asyncio.Lock
) -> Trial:
    """Open a session over a way, load it for some seconds while nothing else is, and tell how it went."""
    load = _Load()
    end: TrialEnd = "unreached"
    try:
        async with asyncio.timeout(OPENS_WITHIN_S):
            connection = await opening(way)
        try:
            session = await _shake_hands(connection, way, relay_id, public_key, load)
            load.came_up = True
            async with loading:
                await _use(connection, session, load, is_stream=way.kind is Kind.WSS)
            end = "fine"
        finally:
            await connection.close()
    except TimeoutError:
        end = "silent"
    except (TransportError, CallerError):
        end = "broken" if load.came_up else "unreached"
    except PeerError:
        end = "other"
    return Trial(
        kind=way.kind.word,
        is_direct=not way.through,
        is_tls=way.address.startswith(("wss:", "https:")),
        end=end,
        came_up=load.came_up,
        round_trip_ms=load.round_trip_ms,
        carried=load.carried,
        kbit_s=load.kbit_s,
    )


async def _use(
    connection: MessageConnection, session: SealedSession, load: _Load, *, is_stream: bool
) -> None:
    loop = asyncio.get_running_loop()
    until = loop.time() + LOAD_S
    if not is_stream:
        await _exchange(connection, session, load, _REQUESTS, until)
        return
    await _exchange(connection, session, load, _SMALL, until)
    speed = _speed(load)
    if speed >= _LARGE_FROM_BYTES_S:
        await _exchange(connection, session, load, _LARGE, until)
        speed = _speed(load)
    load.kbit_s = max(1, round(speed * 8 / 1000))


async def _shake_hands(
    connection: MessageConnection, way: Way, relay_id: RelayId, public_key: bytes, load: _Load
) -> SealedSession:
    if not public_key:
        public_key = check_key(relay_id, await _ask(connection, ask_for_key(relay_id), load))
    greeting_message, greeting = greet(suite(DEFAULT_SUITE), public_key, secrets.token_bytes)
    if way.kind is Kind.WSS:
        load.carried += len(greeting_message)  # an open stream that takes it and falls silent is frozen
    _, session = greeting.finish(await _ask(connection, greeting_message, load))
    await connection.send(session.seal_up([Credit(0), Ping(_FIRST_NUMBER)]))
    begun = asyncio.get_running_loop().time()
    while await _hear(connection, session, load) < 0:
        pass  # something else was said first
    load.round_trip_ms = round((asyncio.get_running_loop().time() - begun) * 1000)
    return session


async def _ask(connection: MessageConnection, message: bytes, load: _Load) -> bytes:
    await connection.send(message)
    async with asyncio.timeout(OPENS_WITHIN_S):
        answer = await connection.receive()
    load.carried += len(answer)
    return answer


async def _hear(connection: MessageConnection, session: SealedSession, load: _Load) -> int:
    """Wait for a message and return the highest number that it answers; -1 for none."""
    async with asyncio.timeout(SILENT_AFTER_S):
        message = await connection.receive()
    load.carried += len(message)
    load.steps.append((asyncio.get_running_loop().time(), len(message)))
    pongs = (frame.number for frame in session.open_down(message) if isinstance(frame, Pong))
    return max(pongs, default=_FIRST_NUMBER - 1) - _FIRST_NUMBER


async def _exchange(
    connection: MessageConnection, session: SealedSession, load: _Load, plan: _Plan, until: float
) -> None:
    """Carry out a plan, until all is answered or time is up."""
    loop = asyncio.get_running_loop()
    load.steps = [(loop.time(), 0)]
    answered = 0
    for number in range(1, plan.messages + 1):
        if loop.time() >= until:
            return
        message = session.seal_up([Ping(_FIRST_NUMBER + number)] * plan.pings)
        async with asyncio.timeout(SILENT_AFTER_S):
            await connection.send(message)
        load.carried += len(message)
        while answered <= number - plan.ahead and loop.time() < until:
            answered = max(answered, await _hear(connection, session, load))
    while answered < plan.messages and loop.time() < until:
        answered = max(answered, await _hear(connection, session, load))


def _speed(load: _Load) -> float:
    """Return bytes a second of what came, in the later half of the time: networks let a first burst pass."""
    begun, ended = load.steps[0][0], load.steps[-1][0]
    middle = (begun + ended) / 2
    later = [step for step in load.steps if step[0] > middle]
    came = sum(size for _, size in later)
    return came / max(ended - middle, 1e-3)
