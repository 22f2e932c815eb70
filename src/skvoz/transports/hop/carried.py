"""Messages to one relay, inside of a sealed session with another that carries them."""

import asyncio
import secrets
from collections import deque
from typing import Final, Self

from skvoz.base.errors import BadRequest, PeerError, TransportError
from skvoz.base.value import Value
from skvoz.crypto import DEFAULT_SUITE, suite
from skvoz.transports.connection import MessageConnection
from skvoz.wire.frames import PASS_SIZE_MAX, PASS_WINDOW_BYTES, Bye, Carry, Down, No, Ok, Pass, Passed, Took
from skvoz.wire.sealed import SealedSession, ask_for_key, check_key, greet

REACHED_WITHIN_S: Final = 20.0
"""The handshake with the relay that carries, and what it takes to reach the other one."""
ALONE_S: Final = 300.0
"""So long after the far relay's last word the near one's signs of life count: who keeps all back is left."""
_REQUEST: Final = 1


class Onto(Value, frozen=True, kw_only=True):
    """The relay that carries, whose key may be unknown yet, and the one that it carries to."""

    relay_id: bytes
    public_key: bytes
    far_relay_id: bytes
    far_address: str


class HopConnection:
    """One hop; made by `connect`."""

    def __init__(self, near: MessageConnection, sealed: SealedSession) -> None:
        self._near = near
        self._sealed = sealed
        self._came: deque[bytes] = deque()
        self._untaken = 0
        self._room = asyncio.Event()
        self._speaking = asyncio.Lock()
        self._problem: TransportError | None = None
        self._far_heard_at = asyncio.get_running_loop().time()

    @property
    def heard_at(self) -> float:
        """When the relay that carries last showed that something reaches it, which alone proves little."""
        return min(self._near.heard_at, self._far_heard_at + ALONE_S)

    async def send(self, message: bytes) -> None:
        """Pass a message on; wait while much is under way. Raises `TransportError` once the hop ended."""
        if len(message) > PASS_SIZE_MAX:
            raise TransportError("a message is too long to be carried")
        async with self._speaking:
            while self._untaken >= PASS_WINDOW_BYTES and self._problem is None:
                self._room.clear()
                await self._room.wait()
            if self._problem is not None:
                raise self._problem
            self._untaken += len(message)
            await self._near.send(self._sealed.seal_up([Pass(message)]))

    async def receive(self) -> bytes:
        """Wait for the next message. Raises `TransportError` once the hop ended."""
        try:
            while not self._came and self._problem is None:
                for frame in self._sealed.open_down(await self._near.receive()):
                    self._take(frame)
        except PeerError:
            self._end(TransportError("the relay that carries answers in a way that makes no sense"))
        except TransportError as problem:
            self._end(problem)
        if not self._came:
            raise self._problem or TransportError("the connection to the relay is gone")
        return self._came.popleft()

    async def close(self) -> None:
        """End the connection; closing twice is harmless."""
        self._end(TransportError("the connection to the relay is gone"))
        await self._near.close()

    async def reach(self, onto: Onto) -> None:
        """Have the other relay reached; raise `BadRequest` where that is not allowed, or `TransportError`."""
        await self._near.send(self._sealed.seal_up([Carry(_REQUEST, onto.far_relay_id, onto.far_address)]))
        while True:
            for frame in self._sealed.open_down(await self._near.receive()):
                match frame:
                    case Ok(request=1):
                        return
                    case No(code="denied" | "bad"):
                        raise BadRequest("the relay doesn't carry to this address")
                    case No(code="slow" | "full"):
                        raise TransportError("the relay carries no more for now")
                    case No() | Bye():
                        raise TransportError("the relay that carries doesn't reach the other one")
                    case _:
                        pass

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def _take(self, frame: Down) -> None:
        match frame:
            case Passed():
                self._came.append(frame.body)
                self._far_heard_at = asyncio.get_running_loop().time()
            case Took():
                if self._untaken:
                    self._far_heard_at = asyncio.get_running_loop().time()
                self._untaken = max(0, self._untaken - frame.size)
                self._room.set()
            case Bye():
                raise TransportError("the relay that carries has lost the other one")
            case _:
                pass

    def _end(self, problem: TransportError) -> None:
        self._problem = self._problem or problem
        self._room.set()


async def connect(near: MessageConnection, onto: Onto) -> HopConnection:
    """Begin a hop over a fresh connection to the relay that carries; it is closed where that fails.

    Raises `BadRequest` where the relay doesn't carry to the address at all, else `TransportError`.
    """
    try:
        async with asyncio.timeout(REACHED_WITHIN_S):
            hop = HopConnection(near, await _shake_hands(near, onto))
            await hop.reach(onto)
    except TimeoutError:
        await near.close()
        raise TransportError("the relay that carries does not answer in time") from None
    except PeerError:
        await near.close()
        raise TransportError("the relay that carries answers in a way that makes no sense") from None
    except BaseException:
        await near.close()
        raise
    return hop


async def _shake_hands(near: MessageConnection, onto: Onto) -> SealedSession:
    public_key = onto.public_key
    if not public_key:
        await near.send(ask_for_key(onto.relay_id))
        public_key = check_key(onto.relay_id, await near.receive())
    message, greeting = greet(suite(DEFAULT_SUITE), public_key, secrets.token_bytes)
    await near.send(message)
    return greeting.finish(await near.receive())[1]
