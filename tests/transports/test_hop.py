"""A relay that carries and means no good: the client hears of it in words, and waits for nothing in vain."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from typing import Final

import pytest

from skvoz.base.errors import BadRequest, TransportError
from skvoz.crypto import DEFAULT_SUITE, sha256, suite
from skvoz.transports import hop
from skvoz.wire.frames import (
    PASS_WINDOW_BYTES,
    Bye,
    Carry,
    Down,
    Limits,
    No,
    Ok,
    Passed,
    Pong,
    Took,
    Welcome,
)
from skvoz.wire.sealed import SealedSession, answer_key_request, receive_greeting

SUITE: Final = suite(DEFAULT_SUITE)
NEAR: Final = SUITE.generate_key_pair(lambda size: b"n" * size)
ONTO: Final = hop.Onto(
    relay_id=sha256(NEAR.public_key),
    public_key=NEAR.public_key,
    far_relay_id=bytes(32),
    far_address="wss://far.example/",
)
GONE: Final = TransportError("the connection to the relay is gone")


class Near:
    """The connection to a relay that carries; what it answers, a script says."""

    def __init__(self, answer: "Callable[[Near, bytes], None]") -> None:
        self._answer = answer
        self._said: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.heard_at = 0.0
        self.is_closed = False
        self.sealed: SealedSession | None = None

    def say(self, message: bytes | None) -> None:
        """Say something, or hang up."""
        self._said.put_nowait(message)

    def tell(self, *frames: Down) -> None:
        """Say frames in one message."""
        assert self.sealed is not None
        self.say(self.sealed.seal_down(frames))

    async def send(self, message: bytes) -> None:
        if self.is_closed:
            raise GONE
        self._answer(self, message)

    async def receive(self) -> bytes:
        said = await self._said.get()
        if said is None or self.is_closed:
            self.say(None)
            raise GONE
        return said

    async def close(self) -> None:
        self.is_closed = True
        self.say(None)


def greeted(near: Near, message: bytes) -> bool:
    """Take a greeting as a relay does, or the question for its key; tell whether it was one."""
    if near.sealed is not None:
        return False
    key = answer_key_request(NEAR.public_key, message)
    if key is not None:
        near.say(key)
        return True
    limits = Limits(1, 2, 3, 4, 5, 6)
    welcome = Welcome(bytes(32), bytes(16), resumed=False, limits=limits, addresses=[], carries=True)
    arrival = receive_greeting(SUITE, NEAR.private_key, message)
    answer, near.sealed = arrival.answer(welcome, secrets.token_bytes)
    near.say(answer)
    return True


def honest(near: Near, message: bytes) -> None:
    """Carry to nowhere: what is passed on is heard by nobody."""
    if not greeted(near, message):
        assert near.sealed is not None
        for frame in near.sealed.open_up(message):
            if isinstance(frame, Carry):
                near.tell(Ok(frame.request, None))


def saying(*frames: Down) -> Callable[[Near, bytes], None]:
    """Answer the request to carry by these."""

    def answer(near: Near, message: bytes) -> None:
        if not greeted(near, message):
            near.tell(*frames)

    return answer


def garbage(near: Near, _: bytes) -> None:
    near.say(b"220 mail.example ESMTP\r\n" * 60)


def garbage_later(near: Near, message: bytes) -> None:
    if not greeted(near, message):
        near.say(secrets.token_bytes(528))


def silent(_: Near, __: bytes) -> None:
    """Say nothing at all."""


def hung_up(near: Near, _: bytes) -> None:
    near.say(None)


def hung_up_later(near: Near, message: bytes) -> None:
    if not greeted(near, message):
        near.say(None)


def another_key(near: Near, _: bytes) -> None:
    near.say(SUITE.generate_key_pair(lambda size: b"o" * size).public_key)


def live(work: Callable[[], Awaitable[None]]) -> None:
    """Do something that must not wait for ever."""

    async def bounded() -> None:
        async with asyncio.timeout(20):
            await work()

    asyncio.run(bounded())


SENSELESS = "makes no sense"


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (garbage, TransportError, SENSELESS),
        (garbage_later, TransportError, SENSELESS),
        (hung_up, TransportError, "is gone"),
        (hung_up_later, TransportError, "is gone"),
        (saying(No(1, "denied", 0)), BadRequest, "doesn't carry to this address"),
        (saying(No(1, "bad", 0)), BadRequest, "doesn't carry to this address"),
        (saying(No(1, "slow", 1_000)), TransportError, "carries no more for now"),
        (saying(No(1, "gone", 0)), TransportError, "doesn't reach the other one"),
        (saying(Bye("bad")), TransportError, "doesn't reach the other one"),
        (saying(Pong(7), Bye("bad")), TransportError, "doesn't reach the other one"),
    ],
)
def test_a_hop_that_does_not_come_up_says_why_and_is_closed(
    answer: Callable[[Near, bytes], None], kind: type[Exception], words: str
) -> None:
    async def scenario() -> None:
        near = Near(answer)
        with pytest.raises(kind, match=words):
            await hop.connect(near, ONTO)
        assert near.is_closed

    live(scenario)


def test_a_relay_that_carries_has_the_key_of_its_id() -> None:
    async def scenario() -> None:
        onto = hop.Onto(
            relay_id=ONTO.relay_id, public_key=b"", far_relay_id=bytes(32), far_address="wss://far.example/"
        )
        async with await hop.connect(Near(honest), onto):
            pass
        with pytest.raises(TransportError, match=SENSELESS):
            await hop.connect(Near(another_key), onto)

    live(scenario)


def test_a_relay_that_never_answers_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("skvoz.transports.hop.carried.REACHED_WITHIN_S", 0.2)

    async def scenario() -> None:
        near = Near(silent)
        with pytest.raises(TransportError, match="not answer in time"):
            await hop.connect(near, ONTO)
        assert near.is_closed

    live(scenario)


async def told(carried: hop.HopConnection, count: int) -> list[bytes]:
    return [await carried.receive() for _ in range(count)]


@pytest.mark.parametrize(
    ("ending", "words"),
    [
        (bytes(528), SENSELESS),
        (b"", SENSELESS),
        (None, "is gone"),
        (Bye("gone"), "lost the other one"),
        (Bye("full"), "lost the other one"),
    ],
)
def test_a_hop_that_ends_in_the_middle_ends_for_whoever_waits(ending: Bye | bytes | None, words: str) -> None:
    """Also for who waits to send; and what came before the end is still heard."""

    async def scenario() -> None:
        near = Near(honest)
        async with await hop.connect(near, ONTO) as carried:
            await carried.send(bytes(PASS_WINDOW_BYTES))
            sending = asyncio.create_task(carried.send(b"waits for room"))
            await asyncio.sleep(0)
            assert not sending.done()
            near.tell(Passed(b"one"), Passed(b"two"))
            if isinstance(ending, Bye):
                near.tell(ending)
            else:
                near.say(ending)
            assert await told(carried, 2) == [b"one", b"two"]
            for _ in range(2):
                with pytest.raises(TransportError, match=words):
                    await carried.receive()
            with pytest.raises(TransportError, match=words):
                await sending

    live(scenario)


def test_what_came_with_the_end_is_heard_and_then_the_end() -> None:
    async def scenario() -> None:
        near = Near(honest)
        async with await hop.connect(near, ONTO) as carried:
            near.tell(Passed(b"last"), Bye("gone"))
            assert await carried.receive() == b"last"
            with pytest.raises(TransportError, match="lost the other one"):
                await carried.receive()

    live(scenario)


def test_a_message_that_is_told_twice_is_no_message() -> None:
    """What the relay that carries repeats to the client ends the session with it."""

    async def scenario() -> None:
        near = Near(honest)
        async with await hop.connect(near, ONTO) as carried:
            assert near.sealed is not None
            message = near.sealed.seal_down([Passed(b"once")])
            near.say(message)
            near.say(message)
            assert await carried.receive() == b"once"
            with pytest.raises(TransportError, match=SENSELESS):
                await carried.receive()

    live(scenario)


def test_room_is_made_by_what_was_taken_and_by_nothing_else() -> None:
    async def scenario() -> None:
        near = Near(honest)
        async with await hop.connect(near, ONTO) as carried:
            await carried.send(bytes(PASS_WINDOW_BYTES))
            sending = asyncio.create_task(carried.send(b"x"))
            hearing = asyncio.create_task(carried.receive())
            near.tell(Took(0), Pong(1), Ok(9, None), No(9, "gone", 0))
            await asyncio.sleep(0.05)
            assert not sending.done()
            near.tell(Took(1))
            await sending
            hearing.cancel()

    live(scenario)


def test_a_relay_that_keeps_all_to_itself_does_not_seem_to_be_alive_for_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Signs of the near relay count for a while only after the last of the far one."""
    monkeypatch.setattr("skvoz.transports.hop.carried.ALONE_S", 30.0)

    async def scenario() -> None:
        near = Near(honest)
        async with await hop.connect(near, ONTO) as carried:
            begun = asyncio.get_running_loop().time()
            near.heard_at = begun + 10
            assert carried.heard_at == begun + 10
            near.heard_at = begun + 1_000
            assert begun + 29 < carried.heard_at < begun + 40
            near.tell(Pong(1), Took(0), Passed(b"from the far one"))
            loop = asyncio.get_running_loop()
            monkeypatch.setattr(loop, "time", lambda: begun + 900)
            assert await carried.receive() == b"from the far one"
            assert carried.heard_at == begun + 930

    live(scenario)
