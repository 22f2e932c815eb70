"""A lane to a relay over HTTPS requests: one under way at a time, over one connection after the other."""

import asyncio
import contextlib
import secrets
from dataclasses import dataclass, field
from typing import Final, Self
from urllib.parse import urlsplit

import wreq

from skvoz.base.errors import BadRequest, Interrupted, PeerError, TransportError
from skvoz.transports.https.budget import Allowance, Budget
from skvoz.transports.https.requests import RequestLine
from skvoz.transports.pace import Pace, host_of
from skvoz.transports.proxy import SocksProxy
from skvoz.transports.trust import own_authority
from skvoz.wire.lanes import (
    ANSWER_HEAD_SIZE,
    LANE_ID_SIZE,
    PIECE_SIZE_MAX,
    LaneAnswer,
    LaneRequest,
    RowIn,
    RowOut,
    parse_lane_answer,
)

ANSWER_S: Final = 9.0
"""Over what a request asked the relay to wait, an answer may take so long; then the connection is frozen."""
FROZEN_S: Final = 2.0
"""The same where connections here open quickly and may have few packets."""
_FROZEN_FACTOR: Final = 8
"""Quickly: an answer over a fresh connection takes this part of it at most."""
TRIES_MAX: Final = 3
"""Connections that fail one after another, before the lane is given up; the first one has one try."""
WAIT_FIRST_S: Final = 2
"""How long the first request waits after something was said; each one that nothing came of waits longer."""
WAIT_MOST_S: Final = 240
"""What translators of addresses and fronts let a quiet connection live for, as a rule."""
WAIT_LEAST_S: Final = 20
"""However soon quiet connections die here, requests may wait so long."""
_WAIT_FACTOR: Final = 3
_WAIT_SAYING_S: Final = 1
"""A request that brings something is answered at once, as a rule."""
_WAIT_PROBING_S: Final = 1
"""Where the connection may be frozen, little is missed."""
_UNDISTURBED_S: Final = 3.0
"""A connection that has not been answered over is not disturbed for so long: it may not be open yet."""
_OPENING_FACTOR: Final = 3
"""Or for so many times as long as it took to open one before."""
_REPLY_S: Final = 0.05
"""What came is mostly answered within this: asking for more before would have to be called back at once."""
_SLOW_S: Final = 2.0
"""Where opening a connection takes longer, one is used as long as it is not known that it freezes."""
_HELD_MAX: Final = 256 * 1024
"""What waits to go out; then whoever sends has to wait too."""
_UNREAD_MAX: Final = 64
"""Messages that wait on this side; the relay's byte credit bounds them again."""
_PIECE_FIRST: Final = 16 * 1024
_PIECE_LEAST: Final = 4 * 1024
_QUICK_S: Final = 1.0
"""After an answer within this, pieces get larger."""
_LONG_S: Final = 3.0
"""After one that took longer, or a connection that froze, smaller: what moves slowly looks frozen."""


class Network:
    """What a node knows of the network that it is in: turns for handshakes, and allowances by host."""

    def __init__(self, pace: Pace, authority: wreq.CertStore | None = None) -> None:
        """Trust `authority` alone where it is given, for relays with certificates of their own."""
        self.pace = pace
        self.authority = authority or _own_authority()
        self._allowances: dict[str, Allowance] = {}

    def allowance(self, host: str) -> Allowance:
        """Return what is let through to a host."""
        return self._allowances.setdefault(host, Allowance())


@dataclass(slots=True)
class _Opened:
    """A connection, and what it has had."""

    line: RequestLine = field(repr=False)
    budget: Budget
    saves_packets: bool


@dataclass(slots=True)
class _Asked:
    """A request under way: what it brings, how long the relay may wait, and since when."""

    request: LaneRequest
    body: asyncio.Task[bytes] = field(repr=False)
    since: float


class HttpsConnection:
    """One lane; made by `connect`. The first message that is sent opens it."""

    def __init__(self, url: str, host: str, network: Network, proxy: SocksProxy | None) -> None:
        self._url = url
        self._host = host
        self._network = network
        self._proxy = proxy
        # Without TLS, which is on this machine, nobody counts handshakes.
        self._pace = network.pace if url.startswith("https:") else Pace(apart_s=0)
        self._lane = secrets.token_bytes(LANE_ID_SIZE)
        self._going = RowOut()
        self._coming = RowIn()
        self._messages: asyncio.Queue[bytes | None] = asyncio.Queue(_UNREAD_MAX)
        self._wished = asyncio.Event()
        self._room = asyncio.Event()
        self._opened: _Opened | None = None
        self._problem: TransportError | None = None
        self._was_answered = False
        self._failures = 0
        self._opening_s: float | None = None
        self._more_waits = False
        self._wait_s = WAIT_FIRST_S
        self._wait_most_s = WAIT_MOST_S
        self._piece_max = _PIECE_FIRST
        self._running: asyncio.Task[None] | None = None
        self._loop = asyncio.get_running_loop()
        self.heard_at = self._loop.time()

    async def send(self, message: bytes) -> None:
        """Put a message into the row; wait while much stands there. Raises `TransportError` once it ended."""
        while self._going.held > _HELD_MAX and self._problem is None:
            self._room.clear()
            await self._room.wait()
        if self._problem is not None:
            raise self._problem
        self._going.add(message)
        self._wished.set()
        if self._running is None:
            self._running = asyncio.create_task(self._run())

    async def receive(self) -> bytes:
        """Wait for the next message. Raises `TransportError` once the lane is gone."""
        message = None if self._problem and self._messages.empty() else await self._messages.get()
        if message is None:
            raise self._problem or TransportError("the connection to the relay is gone")
        return message

    async def close(self) -> None:
        """End the lane; closing twice is harmless."""
        if self._running is not None and not self._running.done():
            self._running.cancel()
            await asyncio.wait((self._running,))
        self._end(TransportError("the connection to the relay is gone"))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def _end(self, problem: TransportError) -> None:
        self._problem = self._problem or problem
        self._leave()
        self._room.set()
        if self._messages.full():
            self._messages.get_nowait()  # whoever reads is told that there is no more; nothing was paid for
        self._messages.put_nowait(None)

    async def _run(self) -> None:
        try:
            while True:
                try:
                    answer = await self._exchange()
                except Interrupted:
                    self._failures += 1
                    self._leave()
                    if self._failures >= TRIES_MAX or not self._was_answered:
                        raise
                    continue
                self._failures = 0
                for message in answer:
                    await self._messages.put(message)
                if answer and self._is_quiet:
                    await self._wish_within(_REPLY_S)
        except TransportError as problem:
            self._end(TransportError(str(problem)))
        except (PeerError, BadRequest):
            self._end(TransportError("the relay's address answers as something else"))

    async def _exchange(self) -> list[bytes]:
        """Post one request and return the messages that its answer completes."""
        opened = self._opened
        if opened is not None and self._may_go_on(opened):
            return await self._conclude(opened, self._ask(opened))
        self._leave()
        async with self._pace.turn(self._host, lambda: self._is_quiet):
            allowance = self._network.allowance(self._host)
            saves_packets = not allowance.is_known_free
            line = RequestLine(self._url, self._network.authority, self._proxy, saves_packets=saves_packets)
            opened = self._opened = _Opened(line, Budget(allowance), saves_packets)
            asked = self._ask(opened)
            try:
                # Whether the handshake is over doesn't show before the answer; after a while it is, or lost.
                await asyncio.wait((asked.body,), timeout=self._undisturbed_s(asked))
            except BaseException:
                asked.body.cancel()
                raise
        return await self._conclude(opened, asked)

    @property
    def _is_quiet(self) -> bool:
        """Whether nothing waits at either end, as far as is known."""
        return self._going.held == 0 and not self._more_waits

    @property
    def _is_slow(self) -> bool:
        """Whether opening a connection took long."""
        return self._opening_s is not None and self._opening_s > _SLOW_S

    def _may_go_on(self, opened: _Opened) -> bool:
        """Tell whether a connection is to be used further."""
        if not opened.budget.is_worth_a_request:
            return self._may_probe(opened.budget.allowance)
        # One that saves packets takes a round trip more for each request: another is better, once that is
        # known and opening it costs less than it spares.
        is_needless = opened.saves_packets and opened.budget.allowance.is_known_free
        return not (is_needless and self._is_quiet and not self._is_slow)

    def _may_probe(self, allowance: Allowance) -> bool:
        """Tell whether to see if a connection outlives its budget: while nothing has come or been said.

        Or where the next one would take longer than what it may cost to find this one frozen.
        """
        is_idle = self._is_quiet and self._wait_s > WAIT_FIRST_S
        return (is_idle or self._is_slow) and allowance.may_probe(self._loop.time())

    def _undisturbed_s(self, asked: _Asked) -> float:
        """Return for how long others wait while a connection opens."""
        if asked.request.piece:
            return _UNDISTURBED_S
        return min(_UNDISTURBED_S, _OPENING_FACTOR * self._pace.quickest_s(self._host))

    def _ask(self, opened: _Opened) -> _Asked:
        """Post what there is to say, as far as it fits, or ask what there is to hear."""
        self._wished.clear()
        up, wanted = opened.budget.pieces(self._going.held, self._piece_max)
        if not self._was_answered:
            up = self._going.held  # a lane begins with a whole message
        wait_s = self._wait_s - secrets.randbelow(1 + self._wait_s // 4)
        if opened.budget.is_beyond:
            wait_s = min(wait_s, _WAIT_PROBING_S)
        if up:
            wait_s = _WAIT_SAYING_S if up == self._going.held else 0
        request = LaneRequest(
            lane=self._lane,
            place=self._going.acknowledged,
            received=self._coming.received,
            wanted=wanted,
            wait_s=wait_s,
            piece=self._going.piece(up),
        )
        posting = asyncio.create_task(self._post(opened, request))
        return _Asked(request, posting, self._loop.time())

    async def _post(self, opened: _Opened, request: LaneRequest) -> bytes:
        async with asyncio.timeout(request.wait_s + self._patience_s(opened.budget.allowance)):
            return await opened.line.post(request.encode(), ANSWER_HEAD_SIZE + request.wanted)

    def _patience_s(self, allowance: Allowance) -> float:
        """Return after how long without an answer a connection is frozen."""
        if self._opening_s is None or self._failures or allowance.is_known_free:
            return ANSWER_S
        return min(ANSWER_S, max(FROZEN_S, _FROZEN_FACTOR * self._opening_s))

    async def _conclude(self, opened: _Opened, asked: _Asked) -> list[bytes]:
        """Wait for the answer and take it in; call back what only waits, once there is something to say."""
        request, budget = asked.request, opened.budget
        try:
            if not request.piece and not await self._is_undisturbed(asked):
                budget.call_back()
                return []
            body = await asked.body
        except TimeoutError:
            if request.wait_s < WAIT_LEAST_S:  # else it may be that quiet ones die
                budget.allowance.froze(budget.used, self._loop.time())
            self._piece_max = max(_PIECE_LEAST, self._piece_max // 2)
            self._learn_patience(request.wait_s / 2)
            raise Interrupted("the relay's address doesn't answer in time") from None
        except Interrupted:
            self._learn_patience((self._loop.time() - asked.since) * 0.8)
            raise
        finally:
            asked.body.cancel()
        took_s = self._loop.time() - asked.since
        if request.piece and budget.is_fresh:
            self._opening_s = took_s
            if self._is_slow:
                self._piece_max = _PIECE_LEAST
        budget.spend(len(request.piece), len(body))
        return await self._take(request, parse_lane_answer(body), took_s)

    async def _wish_within(self, seconds: float) -> None:
        """Wait until there is something to say, for a while at most."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wished.wait()

    async def _is_undisturbed(self, asked: _Asked) -> bool:
        """Wait for an answer or a wish; tell whether it is the answer."""
        wished = asyncio.create_task(self._wished.wait())
        try:
            await asyncio.wait((asked.body, wished), return_when=asyncio.FIRST_COMPLETED)
            return asked.body.done()
        finally:
            wished.cancel()

    def _learn_patience(self, quiet_s: float) -> None:
        """Note that a request which was quiet for longer than this didn't live."""
        if quiet_s >= WAIT_LEAST_S / 2:
            self._wait_most_s = max(WAIT_LEAST_S, min(self._wait_most_s, int(quiet_s)))

    async def _take(self, request: LaneRequest, answer: LaneAnswer, took_s: float) -> list[bytes]:
        """Take an answer in."""
        before = self._coming.received
        messages = self._coming.take(answer.place, answer.piece)
        if request.piece and answer.received <= request.place:
            raise Interrupted("the relay's address doesn't take what is sent")
        self._going.acknowledge(answer.received)
        self._was_answered = True
        self._more_waits = answer.waiting > 0
        self._room.set()
        self.heard_at = self._loop.time()
        if request.piece or self._coming.received > before:
            self._wait_s = WAIT_FIRST_S
            if took_s < _QUICK_S:
                self._piece_max = min(PIECE_SIZE_MAX, 2 * self._piece_max)
            elif took_s > _LONG_S + request.wait_s:
                self._piece_max = max(_PIECE_LEAST, self._piece_max // 2)
        else:
            self._wait_s = min(self._wait_s * _WAIT_FACTOR, self._wait_most_s)
            # One that says nothing too soon must not keep us busy.
            await asyncio.sleep(max(0.0, min(_QUICK_S, request.wait_s) - took_s))
        return messages

    def _leave(self) -> None:
        """Go on over another connection."""
        if self._opened is not None:
            self._opened.line.close()
            self._opened = None


def _own_authority() -> wreq.CertStore | None:
    file = own_authority()
    return None if file is None else wreq.CertStore.from_pem_stack(file.read_bytes())


async def connect(url: str, network: Network, proxy: SocksProxy | None = None) -> HttpsConnection:
    """Make a lane to `https://HOST[:PORT]/PATH`, or `http://…` on this machine.

    Nothing is sent before its first message, through `proxy` if there is one. Raises `BadRequest` for
    another kind of address.
    """
    host = host_of(url)
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username is not None:
        raise BadRequest("a relay's address starts with wss: or https:")
    if proxy is not None and parts.scheme != "https":
        raise BadRequest("an address without TLS is not asked for through a proxy")
    # What a network lets through to a proxy says nothing of what it lets through to the host.
    return HttpsConnection(url, host if proxy is None else f"{host} through {proxy.shown}", network, proxy)
