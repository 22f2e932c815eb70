"""A relay on real sockets and a real disk, and clients of it, for tests."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from skvoz.base.errors import TransportError
from skvoz.base.ids import EntryId, LogId, RelayId
from skvoz.client.effects import Append, Attach, Channel, OpenLog
from skvoz.client.inputs import Attached, EntriesRead, EntryStored, Input, LogOpened
from skvoz.client.relay_session import RelaySession
from skvoz.crypto import DEFAULT_SUITE, sha256, suite
from skvoz.logs import Quotas
from skvoz.server import RelayService, Settings, create_home
from skvoz.transports.connection import MessageConnection
from skvoz.transports.wss.websocket import connect

KEY = b"k" * 32
OWNER = b"o" * 32


class Client:
    """A client's end on a real connection; takes inputs up as they come."""

    def __init__(self, public_key: bytes, url: str) -> None:
        self.relay_id = RelayId(sha256(public_key))
        self.url = url
        self.session = RelaySession(
            suite=suite(DEFAULT_SUITE),
            relay_id=self.relay_id,
            public_key=public_key,
            randomness=secrets.token_bytes,
        )
        self.inputs: list[Input] = []
        self._connection: MessageConnection | None = None

    async def connect(self, connection: MessageConnection | None = None) -> None:
        self._connection = connection or await connect(self.url)
        await self._connection.send(self.session.connected())
        while not self.session.is_up:
            await self.step()

    async def step(self) -> None:
        """Send what is to be sent and wait for one message."""
        assert self._connection is not None
        for message in self.session.flush():
            await self._connection.send(message)
        found = self.session.received(await self._connection.receive())
        self.inputs += found
        self.session.stored(len(found))
        for message in self.session.flush():
            await self._connection.send(message)

    async def until(self, enough: Callable[[list[Input]], bool]) -> None:
        async with asyncio.timeout(20):
            while not enough(self.inputs):
                await self.step()

    async def close(self) -> None:
        if self._connection is not None:
            await self._connection.close()
        self.session.lost()

    async def enter_room(self, log_id: LogId) -> None:
        """Open a room and attach to it."""
        self.open_room(log_id)
        await self.until(lambda found: any(isinstance(one, LogOpened) for one in found))
        await self.join_room(log_id)

    async def join_room(self, log_id: LogId) -> None:
        """Attach to a room that is there."""
        self.attach(log_id)
        await self.until(lambda found: any(isinstance(one, Attached) for one in found))

    # What a client wants

    def open_room(self, log_id: LogId) -> None:
        self.session.request(
            OpenLog(
                relay_id=self.relay_id,
                channel=Channel.ROOMS,
                log_id=log_id,
                is_inbox=False,
                key_hash=sha256(KEY),
                owner_hash=sha256(OWNER),
            )
        )

    def attach(self, log_id: LogId, after: int = 0, key: bytes = KEY) -> None:
        self.session.request(
            Attach(relay_id=self.relay_id, channel=Channel.ROOMS, log_id=log_id, key=key, after=after)
        )

    def append(self, log_id: LogId, body: bytes, entry_id: EntryId | None = None) -> EntryId:
        entry_id = entry_id or EntryId(secrets.token_bytes(16))
        self.session.request(
            Append(
                relay_id=self.relay_id,
                channel=Channel.ROOMS,
                log_id=log_id,
                key=KEY,
                entry_id=entry_id,
                body=body,
                since=0,
            )
        )
        return entry_id

    def stored(self) -> list[EntryId]:
        return [found.entry_id for found in self.inputs if isinstance(found, EntryStored)]

    def bodies(self) -> list[bytes | None]:
        return [
            entry.body for found in self.inputs if isinstance(found, EntriesRead) for entry in found.entries
        ]


@asynccontextmanager
async def running(folder: Path, quotas: Quotas | None = None) -> AsyncGenerator[tuple[RelayService, Client]]:
    """Run a relay in `folder` and give it with a connected client."""
    create_home(folder)
    service = await RelayService(folder, Settings(port=0, reserve_bytes=0, quotas=quotas or Quotas())).start()
    client = Client(service.public_key, f"ws://127.0.0.1:{service.port}/")
    try:
        await client.connect()
        yield service, client
    finally:
        with suppress(TransportError):
            await client.close()
        await service.close()
