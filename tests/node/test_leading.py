"""Sessions with a relay: whose handshake goes first, and what alone is worth no request.

The relay is played on a clock of the test's own.
"""

import asyncio
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest

from skvoz.base.ids import LogId, RelayId
from skvoz.client.effects import Attach, Channel, Connect
from skvoz.client.inputs import Input
from skvoz.crypto import DEFAULT_SUITE, sha256, suite
from skvoz.node.dialer import Dialer
from skvoz.node.relays import Relays
from skvoz.node.ways import Kind, Way
from skvoz.transports.connection import MessageConnection
from skvoz.wire import frames
from skvoz.wire.frames import Down, Limits, Up, Welcome
from skvoz.wire.sealed import SealedSession, receive_greeting
from tests.transports.virtual_time import run

SUITE = suite(DEFAULT_SUITE)
KEYS = SUITE.generate_key_pair(secrets.token_bytes)
RELAY = RelayId(sha256(KEYS.public_key))
LOG = LogId(b"l" * 16)


@dataclass
class Line:
    """One connection, and what was said over it and when."""

    is_answered: bool
    takes_s: float
    said: list[tuple[float, list[Up]]] = field(default_factory=list[tuple[float, list[Up]]])
    coming: asyncio.Queue[bytes] = field(default_factory=asyncio.Queue[bytes])
    sealed: SealedSession | None = None
    heard_at: float = 0.0

    async def send(self, message: bytes) -> None:
        self.heard_at = asyncio.get_running_loop().time()
        if self.sealed is not None:
            self.said.append((self.heard_at, self.sealed.open_up(message)))
        elif self.is_answered:
            arrival = receive_greeting(SUITE, KEYS.private_key, message)
            answer, self.sealed = arrival.answer(welcome(), secrets.token_bytes)
            asyncio.get_running_loop().call_later(self.takes_s, self.coming.put_nowait, answer)

    def say(self, *words: Down) -> None:
        assert self.sealed is not None
        self.coming.put_nowait(self.sealed.seal_down(words))

    async def receive(self) -> bytes:
        return await self.coming.get()

    async def close(self) -> None:
        pass


def welcome() -> Welcome:
    return Welcome(
        b"t" * 32, b"s" * 16, resumed=False, limits=Limits(1, 2, 3, 4, 5, 6), addresses=[], carries=False
    )


class Lines(Dialer):
    """Opens lines of a kind, and notes when."""

    def __init__(
        self, kind: Kind, scheme: str = "", *, is_answered: bool = True, takes_s: float = 0.5
    ) -> None:
        super().__init__()
        self._way = Way(kind=kind, address=f"{scheme or kind.word}://a.example/")
        self._is_answered = is_answered
        self._takes_s = takes_s
        self.opened: list[tuple[float, Line]] = []

    def reach(self, relay_id: RelayId, addresses: Sequence[str]) -> tuple[Way, ...]:
        del relay_id, addresses
        return (self._way,)

    async def dial(self, way: Way, *, is_hurried: bool = False) -> MessageConnection:
        del way, is_hurried
        line = Line(self._is_answered, self._takes_s)
        self.opened.append((asyncio.get_running_loop().time(), line))
        return line


def relays_over(dialer: Dialer, *channels: Channel, tell: Callable[[Input], object] = id) -> Relays:
    relays = Relays(lambda fact: None, lambda _: None, dialer)
    for channel in channels:
        relays.connect(Connect(relay_id=RELAY, channel=channel, public_key=KEYS.public_key, addresses=("a",)))
    return relays


@pytest.mark.parametrize("kind", [Kind.HTTPS, Kind.WSS])
def test_messages_shake_hands_before_anything_else_does(kind: Kind) -> None:
    async def scenario() -> None:
        dialer = Lines(kind)
        relays = relays_over(dialer, Channel.INBOX, Channel.ROOMS, Channel.POST)
        await asyncio.sleep(0.4)
        assert len(dialer.opened) == 1
        await asyncio.sleep(10)
        assert len(dialer.opened) == 3
        (first, line), *others = dialer.opened
        assert line.sealed is not None
        assert all(at >= first + 1.0 for at, _ in others)  # after the welcome, and as long again
        await relays.close()

    run(scenario())


def test_where_all_break_at_once_messages_go_first_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_chance(_: int) -> int:
        return 0

    monkeypatch.setattr("skvoz.node.relays.secrets.randbelow", no_chance)

    async def scenario() -> None:
        dialer = Lines(Kind.WSS)
        relays = relays_over(dialer, Channel.INBOX, Channel.ROOMS)
        await asyncio.sleep(8)
        for _, line in reversed(dialer.opened):  # the inbox looks again first
            line.coming.put_nowait(b"no message of a relay")
        await asyncio.sleep(8)
        assert len(dialer.opened) == 4
        (led, line), (followed, _) = dialer.opened[2:]
        assert line.sealed is not None
        assert followed >= led + 0.5  # after the welcome
        await relays.close()

    run(scenario())


def test_where_messages_get_no_answer_the_others_try_all_the_same() -> None:
    async def scenario() -> None:
        dialer = Lines(Kind.HTTPS, is_answered=False)
        relays = relays_over(dialer, Channel.INBOX, Channel.ROOMS)
        await asyncio.sleep(60)
        assert len(dialer.opened) > 2
        await relays.close()

    run(scenario())


def test_on_this_machine_nobody_waits() -> None:
    async def scenario() -> None:
        dialer = Lines(Kind.WSS, "ws")
        relays = relays_over(dialer, Channel.INBOX, Channel.ROOMS)
        await asyncio.sleep(0.1)
        assert len(dialer.opened) == 2
        await relays.close()

    run(scenario())


async def up(kind: Kind) -> tuple[Relays, Line]:
    dialer = Lines(kind)
    relays = relays_over(dialer, Channel.ROOMS)
    await asyncio.sleep(1)
    _, line = dialer.opened[0]
    line.said.clear()
    return relays, line


def kinds(line: Line) -> list[list[type[Up]]]:
    return [[type(one) for one in said] for _, said in line.said]


def test_what_was_taken_up_is_said_beside_something_else_or_late() -> None:
    """A request for it alone costs a handshake, where connections freeze."""

    async def scenario() -> None:
        relays, line = await up(Kind.HTTPS)
        line.say(frames.Base(bytes(LOG), 7))
        await asyncio.sleep(10)
        assert line.said == []
        await asyncio.sleep(20)
        assert kinds(line) == [[frames.Credit]]
        line.say(frames.Base(bytes(LOG), 8))
        await asyncio.sleep(1)
        relays.request(Attach(relay_id=RELAY, channel=Channel.ROOMS, log_id=LOG, key=b"k" * 32, after=0))
        await asyncio.sleep(1)
        assert kinds(line) == [[frames.Credit], [frames.Credit, frames.Attach]]
        await relays.close()

    run(scenario())


def test_what_was_read_is_said_late_once_it_is_stored() -> None:
    async def scenario() -> None:
        relays, line = await up(Kind.HTTPS)
        relays.request(Attach(relay_id=RELAY, channel=Channel.ROOMS, log_id=LOG, key=b"k" * 32, after=0))
        line.say(frames.Attached(1, bytes(LOG), segment_open=True, head=1))
        entry = frames.Entry(position=1, entry=b"e" * 16, segment=0, flags=0, body=b"body", next_hash=None)
        line.say(frames.Entries(bytes(LOG), [entry], 1))
        await asyncio.sleep(1)
        relays.taken_up(3)  # connected, attached, entries
        await asyncio.sleep(10)
        assert kinds(line) == [[frames.Attach]]
        await asyncio.sleep(20)
        assert kinds(line) == [[frames.Attach], [frames.Credit]]
        await relays.close()

    run(scenario())


def test_much_that_was_taken_up_is_said_soon() -> None:
    async def scenario() -> None:
        relays, line = await up(Kind.HTTPS)
        for _ in range(4):
            line.say(*(frames.Base(secrets.token_bytes(16), 7) for _ in range(1_000)))
        await asyncio.sleep(0.1)
        assert line.said
        await relays.close()

    run(scenario())


def test_over_a_websocket_it_is_said_at_once() -> None:
    async def scenario() -> None:
        relays, line = await up(Kind.WSS)
        line.say(frames.Base(bytes(LOG), 7))
        await asyncio.sleep(0.1)
        assert line.said
        await relays.close()

    run(scenario())
