"""A lane over connections that freeze, are slow, or do neither: which request goes over which, and when.

The far end is played on a clock of the test's own; nothing goes over a network.
"""

import asyncio
import datetime as dt
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
import wreq

from skvoz.base.errors import TransportError
from skvoz.transports.https import HttpsConnection, Network, connect, lane
from skvoz.transports.https.budget import PACKETS_FIRST
from skvoz.transports.https.requests import RequestLine
from skvoz.transports.pace import APART_S, Pace
from skvoz.transports.proxy import SocksProxy
from skvoz.wire.lanes import WAIT_S_MAX, LaneAnswer, RowIn, RowOut, parse_lane_request
from tests.transports.virtual_time import run

URL = "https://a.example/x"
HOST = "a.example:"
HELLO = bytes(2_000)


@dataclass
class Posted:
    """One request: over which connection, as the how many-th of it, when, and what it brought."""

    line: int
    number: int
    at: float
    size: int


@dataclass
class FarEnd:
    """A relay, and a network that lets so many requests of a connection through; it answers hellos."""

    passes: float = float("inf")
    answer_s: float = 0.05
    opening_s: float = 0.15
    posted: list[Posted] = field(default_factory=list[Posted])
    saving: list[bool] = field(default_factory=list[bool])
    heard: list[bytes] = field(default_factory=list[bytes])
    coming: RowIn = field(default_factory=RowIn)
    going: RowOut = field(default_factory=RowOut)
    spoken: asyncio.Event = field(default_factory=asyncio.Event)

    def say(self, message: bytes) -> None:
        self.going.add(message)
        self.spoken.set()

    async def answer(self, body: bytes) -> bytes:
        request = parse_lane_request(body)
        self.going.acknowledge(request.received)
        for message in self.coming.take(request.place, request.piece):
            self.heard.append(message)
            if message == HELLO:
                self.say(b"welcome")
        if not self.going.held:
            self.spoken.clear()
            try:
                async with asyncio.timeout(request.wait_s):
                    await self.spoken.wait()
            except TimeoutError:
                pass
        piece = self.going.piece(request.wanted)
        waiting = self.going.held - len(piece)
        return LaneAnswer(
            received=self.coming.received, place=request.received, waiting=waiting, piece=piece
        ).encode()

    def first_of(self, line: int) -> Posted:
        return next(one for one in self.posted if one.line == line)


def lines_to(far: FarEnd) -> Callable[..., object]:
    """Make what stands in the place of a lane's connections."""

    class Line:
        def __init__(
            self, url: str, authority: wreq.CertStore | None, proxy: SocksProxy | None, *, saves_packets: bool
        ) -> None:
            del url, authority, proxy
            far.saving.append(saves_packets)
            self._line = len(far.saving) - 1
            self._number = 0

        async def post(self, body: bytes, answer_size_max: int) -> bytes:
            self._number += 1
            at = asyncio.get_running_loop().time()
            far.posted.append(Posted(self._line, self._number, at, len(parse_lane_request(body).piece)))
            await asyncio.sleep(far.opening_s if self._number == 1 else far.answer_s)
            if self._number > far.passes:
                await asyncio.Event().wait()
            answered = await far.answer(body)
            assert len(answered) <= answer_size_max
            return answered

        def close(self) -> None:
            pass

    return Line


async def open_lane(far: FarEnd, monkeypatch: pytest.MonkeyPatch) -> tuple[Network, HttpsConnection]:
    monkeypatch.setattr(lane, "RequestLine", lines_to(far))
    network = Network(Pace())
    connection = await connect(URL, network)
    await connection.send(HELLO)
    assert await connection.receive() == b"welcome"
    return network, connection


async def exchange(far: FarEnd, connection: HttpsConnection, count: int) -> None:
    """Say something and hear something, again and again."""
    for number in range(count):
        await connection.send(bytes([number]) * 600)
        while len(far.heard) < number + 2:  # noqa: ASYNC110  # the clock jumps
            await asyncio.sleep(0.01)
        far.say(bytes([number]) * 700)
        assert await connection.receive() == bytes([number]) * 700


def test_where_connections_freeze_nothing_is_said_over_one_that_may_be_frozen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def scenario() -> None:
        far = FarEnd(passes=1)
        _, connection = await open_lane(far, monkeypatch)
        await exchange(far, connection, 10)
        await connection.close()
        assert all(one.number == 1 for one in far.posted if one.size)
        begun = [far.first_of(line).at for line in range(len(far.saving))]
        assert all(later - earlier >= APART_S for earlier, later in itertools.pairwise(begun))
        assert all(far.saving)

    run(scenario())


def test_trying_for_more_waits_for_a_pause_and_is_given_up_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        far, loop = FarEnd(passes=1), asyncio.get_running_loop()
        network, connection = await open_lane(far, monkeypatch)
        await asyncio.sleep(1)
        await exchange(far, connection, 3)
        assert all(one.number == 1 for one in far.posted)
        while far.posted[-1].number == 1:  # noqa: ASYNC110  # the clock jumps
            await asyncio.sleep(0.01)
        far.say(b"while it is frozen")
        tried_at = loop.time()
        assert await connection.receive() == b"while it is frozen"
        assert loop.time() - tried_at < 1 + lane.FROZEN_S + 1
        allowance = network.allowance(HOST)
        assert allowance.packets == PACKETS_FIRST
        assert not allowance.may_probe(loop.time())
        await connection.close()

    run(scenario())


def test_where_nothing_freezes_one_connection_does_and_it_saves_no_packets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def scenario() -> None:
        far = FarEnd()
        network, connection = await open_lane(far, monkeypatch)
        while not network.allowance(HOST).is_known_free:  # noqa: ASYNC110  # the clock jumps
            await asyncio.sleep(0.1)
        await asyncio.sleep(300)
        assert far.saving[-1] is False
        before = len(far.saving)
        await exchange(far, connection, 20)
        await asyncio.sleep(24 * 3_600)
        assert len(far.saving) == before
        await connection.close()

    run(scenario())


def test_where_opening_a_connection_takes_long_it_is_used_from_the_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def scenario() -> None:
        far = FarEnd(opening_s=5.0, answer_s=1.0)
        _, connection = await open_lane(far, monkeypatch)
        await exchange(far, connection, 10)
        await asyncio.sleep(600)
        assert len(far.saving) == 1
        await connection.close()

    run(scenario())


def test_a_lane_that_meets_nothing_but_silence_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        far = FarEnd()
        _, connection = await open_lane(far, monkeypatch)
        far.passes = 0
        await connection.send(b"into the dark")
        with pytest.raises(TransportError, match="in time"):
            await connection.receive()
        assert len([one for one in far.posted if one.size == len(b"into the dark") + 4]) == lane.TRIES_MAX

    run(scenario())


def test_an_idle_day_takes_few_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where connections live: a request every few minutes, and all over one connection."""

    async def scenario() -> None:
        far = FarEnd()
        _, connection = await open_lane(far, monkeypatch)
        await asyncio.sleep(3_600)
        before = len(far.posted)
        await asyncio.sleep(24 * 3_600)
        assert 360 <= len(far.posted) - before <= 480
        assert far.posted[-1].line == far.posted[before].line
        await connection.close()

    run(scenario())


def test_no_connection_is_let_go_while_a_request_waits_over_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library counts a connection as idle since its last request began, and lets go of it after 90 s."""
    made: list[dict[str, object]] = []

    def make(**options: object) -> None:
        made.append(options)

    monkeypatch.setattr(wreq, "Client", make)
    RequestLine(URL, None)
    RequestLine(URL, None, saves_packets=True)
    for options in made:
        idle = options["pool_idle_timeout"]
        assert isinstance(idle, dt.timedelta)
        assert idle.total_seconds() > WAIT_S_MAX
    assert [options["tcp_nodelay"] for options in made] == [True, False]
