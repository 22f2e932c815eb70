"""A connection to a relay for blobs: many requests under way, each with a future for its answer."""

import asyncio
import secrets
from collections.abc import Callable, Sequence
from typing import Final

from skvoz.base.errors import BadRequest, PeerError, TransportError
from skvoz.base.ids import RelayId
from skvoz.client.blob_session import BlobAnswer, BlobRequest, BlobSession
from skvoz.crypto import DEFAULT_SUITE, suite
from skvoz.node.dialer import Dialer
from skvoz.node.ways import Way
from skvoz.transports.connection import MessageConnection

FROZEN_AFTER_S: Final = 60.0
"""No answer for so long, while some are owed, means that something on the way swallows packets."""
GREETED_AFTER_S: Final = 20.0
"""A handshake is a few small messages."""
Answering = asyncio.Future[BlobAnswer]


class BlobLine:
    """One connection, made by `open_line`; ends with the first thing that goes wrong."""

    def __init__(
        self, connection: MessageConnection, session: BlobSession, is_chosen: Callable[[], bool]
    ) -> None:
        """Ask `is_chosen` before each request whether the person still has it go this way."""
        self._is_chosen = is_chosen
        self._connection = connection
        self._session = session
        self._waiting: dict[int, Answering] = {}
        self._last = 0
        self._sending = asyncio.Lock()
        self._problem: TransportError | None = None
        self._hearing = asyncio.create_task(self._hear())

    async def ask(self, request: Callable[[int], BlobRequest]) -> Answering:
        """Send a request, made for its number; return the future of its answer.

        Both fail with `TransportError` once the connection is of no use.
        """
        async with self._sending:
            if self._problem is not None:
                raise self._problem
            if not self._is_chosen():
                raise TransportError("the connection to the relay is gone")
            self._last = (self._last + 1) & 0xFFFF_FFFF
            answering: Answering = asyncio.get_running_loop().create_future()
            self._waiting[self._last] = answering
            # To the end even if nobody waits for it any more: what is sealed has to be sent.
            sending = asyncio.ensure_future(self._connection.send(self._session.seal(request(self._last))))
            sending.add_done_callback(_heard)
            await asyncio.shield(sending)
        return answering

    async def close(self) -> None:
        """End the connection."""
        self._hearing.cancel()
        await asyncio.wait((self._hearing,))
        self._fail(TransportError("the connection to the relay is gone"))
        await self._connection.close()

    async def _hear(self) -> None:
        try:
            while True:
                try:
                    async with asyncio.timeout(FROZEN_AFTER_S):
                        message = await self._connection.receive()
                except TimeoutError:
                    quiet_s = asyncio.get_running_loop().time() - self._connection.heard_at
                    if self._waiting and quiet_s >= FROZEN_AFTER_S:
                        raise TransportError("the relay does not answer any more") from None
                    continue
                for answer in self._session.received(message):
                    answering = self._waiting.pop(answer.request, None)
                    if answering is not None and not answering.done():
                        answering.set_result(answer)
        except TransportError as error:
            self._fail(error)
        except PeerError:
            self._fail(TransportError("the relay answers in a way that makes no sense"))

    def _fail(self, problem: TransportError) -> None:
        self._problem = self._problem or problem
        for answering in self._waiting.values():
            if not answering.done():
                answering.set_exception(problem)
                answering.exception()  # whoever waits is told; nobody else need be
        self._waiting.clear()


def _heard(sending: "asyncio.Future[None]") -> None:
    if not sending.cancelled():
        sending.exception()


async def open_line(
    dialer: Dialer, relay_id: RelayId, public_key: bytes, addresses: Sequence[str]
) -> BlobLine:
    """Connect to a relay over the first of its ways that works; raise `TransportError`."""
    problem: str | None = None
    ways, loop = dialer.ways, asyncio.get_running_loop()
    for way in ways.order(dialer.reach(relay_id, addresses), loop.time()):
        session = BlobSession(
            suite=suite(DEFAULT_SUITE),
            relay_id=relay_id,
            public_key=public_key,
            randomness=secrets.token_bytes,
        )
        try:
            connection = await dialer.dial(way)
            try:
                await _shake_hands(connection, session)
            except BaseException:
                await connection.close()
                raise
        except (TransportError, PeerError, BadRequest) as error:
            ways.failed(way, loop.time(), is_none=isinstance(error, BadRequest))
            problem = str(error)
            continue
        ways.worked(way, loop.time())

        def is_chosen(way: Way = way) -> bool:
            return way in dialer.reach(relay_id, addresses)

        return BlobLine(connection, session, is_chosen)
    if problem is None:
        raise TransportError("this relay has no address")
    raise TransportError(problem)


async def _shake_hands(connection: MessageConnection, session: BlobSession) -> None:
    await connection.send(session.connected())
    while not session.is_up:
        try:
            async with asyncio.timeout(GREETED_AFTER_S):
                message = await connection.receive()
        except TimeoutError:
            raise TransportError("the relay does not answer") from None
        session.received(message)
        for words in session.flush():
            await connection.send(words)
