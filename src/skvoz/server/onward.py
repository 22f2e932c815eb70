"""Connections from this relay to others, for hops: the other end proves its id before anything is said.

A name is looked up once, and the very address that was looked at is connected to: it has to be a public one,
unless the operator lets hops lead into the local network. Nothing is logged, and nothing kept.
"""

import asyncio
import logging
import secrets
import socket
from collections.abc import Callable
from typing import Final

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_websocket
from websockets.exceptions import ConnectionClosed, InvalidURI, WebSocketException

from skvoz.base.addresses import is_public_ip, place_of
from skvoz.base.errors import PeerError, TransportError
from skvoz.crypto import DEFAULT_SUITE, suite
from skvoz.relay.hops import Carriage
from skvoz.relay.seam import Came, Gone, Onward, Reach, Reached, Went
from skvoz.wire.frames import PASS_SIZE_MAX
from skvoz.wire.sealed import ask_for_key, ask_for_proof, check_key, check_proof

REACHED_WITHIN_S: Final = 12.0
"""Looking up, TLS, the upgrade and the proof; a client gives up not long after."""
_UNREAD_MAX: Final = 0
"""Frames behind the one that was read; the connection isn't read while that waits."""
_SILENT: Final = logging.getLogger("skvoz.onward")
_SILENT.disabled = True


class _Straight(open_websocket):
    """Goes nowhere but where it was sent."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        """Follow nothing."""
        return exc


class Onwards:
    """The other ends of all hops."""

    def __init__(
        self,
        tell: Callable[[Reached | Came | Went | Gone], None],
        is_clear: Callable[[int], bool | None],
        carriage: Carriage | None,
    ) -> None:
        """`is_clear` tells whether a client's connection has little left to send; None: it is gone."""
        self._tell = tell
        self._is_clear = is_clear
        self._local = carriage is not None and carriage.local
        self._queues: dict[int, asyncio.Queue[bytes]] = {}
        self._cleared: dict[int, asyncio.Event] = {}
        self._hops: dict[int, int] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}

    def reach(self, effect: Reach) -> None:
        """Begin a hop."""
        self._queues[effect.hop] = asyncio.Queue()
        self._cleared[effect.hop] = asyncio.Event()
        self._hops[effect.connection] = effect.hop
        task = self._tasks[effect.hop] = asyncio.create_task(self._run(effect))
        task.add_done_callback(lambda _: self._forget(effect))

    def hand_on(self, effect: Onward) -> None:
        """Send a message once those before it are sent; the machine bounds how much waits."""
        queue = self._queues.get(effect.hop)
        if queue is not None:
            queue.put_nowait(effect.message)

    def cleared(self, connection: int) -> None:
        """Note that a client's connection has little left to send, or is gone."""
        hop = self._hops.get(connection)
        if hop is not None:
            self._cleared[hop].set()

    def let_go(self, hop: int) -> None:
        """End a hop; nothing more is told of it."""
        task = self._tasks.get(hop)
        if task is not None:
            task.cancel()

    async def close(self) -> None:
        """End all."""
        tasks = list(self._tasks.values())
        for task in tasks:
            if not task.cancelling():  # a second time would leave a connection that is being closed
                task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _forget(self, effect: Reach) -> None:
        task = self._tasks.pop(effect.hop)
        del self._queues[effect.hop], self._cleared[effect.hop]
        if self._hops.get(effect.connection) == effect.hop:  # and no later one, begun while this one closed
            del self._hops[effect.connection]
        if not task.cancelled() and task.exception() is not None:
            self._tell(Gone(effect.hop))  # a bug, or a library's: nobody waits for this hop any longer

    async def _run(self, effect: Reach) -> None:
        try:
            async with asyncio.timeout(REACHED_WITHIN_S):
                connection = await self._open(effect.address)
                try:
                    await _have_proven(connection, effect.relay_id)
                except BaseException:
                    await connection.close()
                    raise
            try:
                self._tell(Reached(effect.hop))
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._up(effect.hop, connection))
                    tasks.create_task(self._down(effect, connection))
            finally:
                await connection.close()
        except* (OSError, WebSocketException, ValueError, TransportError, PeerError, TimeoutError):
            self._tell(Gone(effect.hop))

    async def _open(self, address: str) -> ClientConnection:
        place = place_of(address)
        if place is None:
            raise TransportError("this is not a relay's address")
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
        hosts = [str(one[4][0]) for one in found]
        if not hosts or not (self._local or all(map(is_public_ip, hosts))):
            raise TransportError("the relay's address leads into a local network")
        try:
            return await _Straight(
                address,
                host=hosts[0],
                port=place.port,
                compression=None,
                user_agent_header=None,
                proxy=None,
                open_timeout=None,
                close_timeout=1,
                ping_interval=None,
                max_size=PASS_SIZE_MAX,
                max_queue=_UNREAD_MAX,
                logger=_SILENT,
            )
        except InvalidURI:
            raise TransportError("this is not a relay's address") from None

    async def _up(self, hop: int, connection: ClientConnection) -> None:
        queue = self._queues[hop]
        while True:
            message = await queue.get()
            await connection.send(message)
            self._tell(Went(hop, len(message)))

    async def _down(self, effect: Reach, connection: ClientConnection) -> None:
        while True:
            while not self._is_clear(effect.connection):
                await self._cleared[effect.hop].wait()
                self._cleared[effect.hop].clear()
            self._tell(Came(effect.hop, await _binary(connection)))
            await asyncio.sleep(0)  # it counts as something to send once the machine had its turn


async def _have_proven(connection: ClientConnection, relay_id: bytes) -> None:
    """Raise `PeerError` unless the other end holds the key of this id."""
    await connection.send(ask_for_key(relay_id))
    public_key = check_key(relay_id, await _binary(connection))
    question, proof = ask_for_proof(suite(DEFAULT_SUITE), public_key, secrets.token_bytes)
    await connection.send(question)
    check_proof(proof, await _binary(connection))


async def _binary(connection: ClientConnection) -> bytes:
    try:
        message = await connection.recv()
    except ConnectionClosed:
        raise TransportError("the other relay hung up") from None
    if isinstance(message, str) or not message:
        raise TransportError("the other relay answers as something else")
    return message
