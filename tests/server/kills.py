"""Kills a relay with -9 under load, again and again, and looks for what was lost or came twice.

`./dev bench kills` does it a hundred times and prints figures.
"""

import asyncio
import contextlib
import random
import secrets
import signal
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path

from skvoz.base.errors import TransportError
from skvoz.base.ids import EntryId, LogId, RelayId
from skvoz.client.effects import Append, Attach, Channel, OpenLog
from skvoz.client.inputs import EntriesRead, EntryRefused, EntryStored, RelayConnected
from skvoz.client.relay_session import RelaySession
from skvoz.crypto import DEFAULT_SUITE, sha256, suite
from skvoz.server import RelayHome
from skvoz.transports import MessageConnection
from skvoz.transports.wss.websocket import connect
from tests.server.relay_process import RelayProcess

KEY = b"k" * 32
OWNER = b"o" * 32
WINDOW = 8
QUOTAS = "appends_per_s = 100000.0\nappend_burst = 100000\n"


class Pen:
    """Somebody who writes to a log and reads it, and comes back whenever the relay does."""

    def __init__(self, public_key: bytes, url: str, log_id: LogId) -> None:
        self.relay_id = RelayId(sha256(public_key))
        self.written: list[EntryId] = []
        self.acknowledged: list[EntryId] = []
        self.read: list[tuple[int, EntryId]] = []
        self.refusals: list[str] = []
        self.stores: set[bytes] = set()
        self.writing = True
        self._url = url
        self._log_id = log_id
        self._head = 0
        self._session = RelaySession(
            suite=suite(DEFAULT_SUITE),
            relay_id=self.relay_id,
            public_key=public_key,
            randomness=secrets.token_bytes,
        )
        self._session.request(
            OpenLog(
                relay_id=self.relay_id,
                channel=Channel.ROOMS,
                log_id=log_id,
                is_inbox=False,
                key_hash=sha256(KEY),
                owner_hash=sha256(OWNER),
            )
        )
        self._session.request(
            Attach(relay_id=self.relay_id, channel=Channel.ROOMS, log_id=log_id, key=KEY, after=0)
        )

    @property
    def has_all(self) -> bool:
        """Whether everything written is acknowledged."""
        return len(self.acknowledged) >= len(self.written)

    async def run(self) -> None:
        """Be there for ever."""
        while True:
            try:
                async with await connect(self._url) as connection:
                    await connection.send(self._session.connected())
                    await self._talk(connection)
            except TransportError:
                self._session.lost()
                await asyncio.sleep(0.02)

    async def _talk(self, connection: MessageConnection) -> None:
        while True:
            inputs = self._session.received(await connection.receive())
            for found in inputs:
                match found:
                    case EntryStored():
                        self.acknowledged.append(found.entry_id)
                    case EntriesRead():
                        self.read += [(entry.position, entry.entry_id) for entry in found.entries]
                        self._head = max(self._head, found.through)
                    case EntryRefused():
                        self.refusals.append(found.code)
                    case RelayConnected():
                        self.stores.add(found.store_id)
                    case _:
                        pass
            self._session.stored(len(inputs))
            while self.writing and len(self.written) - len(self.acknowledged) < WINDOW:
                entry_id = EntryId(secrets.token_bytes(16))
                self.written.append(entry_id)
                self._session.request(
                    Append(
                        relay_id=self.relay_id,
                        channel=Channel.ROOMS,
                        log_id=self._log_id,
                        key=KEY,
                        entry_id=entry_id,
                        body=secrets.token_bytes(512),
                        since=self._head,
                    )
                )
            for message in self._session.flush():
                await connection.send(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What became of a run; everything but the first three is to be empty."""

    kills: int
    acknowledged: int
    seconds: float
    lost: int
    stored_twice: int
    read_twice: int
    unread: int
    out_of_order: int
    refused: int
    damaged: bool
    store_ids: int


async def kill_often(folder: Path, *, kills: int, seed: int, logs: int = 4) -> Found:
    """Run a relay in `folder` under the load of two writers a log, kill it so often, then look."""
    chance = random.Random(seed)
    started = time.monotonic()
    relay = RelayProcess(folder, quotas=QUOTAS)
    await relay.start()
    log_ids = [LogId(secrets.token_bytes(16)) for _ in range(logs)]
    pens = [Pen(relay.public_key, relay.url, log_id) for log_id in log_ids for _ in range(2)]
    tasks = [asyncio.create_task(pen.run()) for pen in pens]
    try:
        for _ in range(kills):
            so_far = sum(len(pen.acknowledged) for pen in pens)
            async with asyncio.timeout(60):
                while sum(len(pen.acknowledged) for pen in pens) < so_far + 4 * len(pens):
                    _fail_early(tasks)
                    await asyncio.sleep(0.005)
            await asyncio.sleep(chance.random() * 0.1)
            await relay.stop(signal.SIGKILL)
            await relay.start()
        for pen in pens:
            pen.writing = False
        async with asyncio.timeout(60):
            while not all(pen.has_all and _has_read(pen, pens) for pen in pens):
                _fail_early(tasks)
                await asyncio.sleep(0.02)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await relay.stop(signal.SIGTERM)
    return _look(folder, pens, kills, time.monotonic() - started)


def _fail_early(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        if task.done():
            task.result()


def _has_read(pen: Pen, pens: list[Pen]) -> bool:
    partner = pens[pens.index(pen) ^ 1]
    return len(pen.read) >= len(pen.acknowledged) + len(partner.acknowledged)


def _look(folder: Path, pens: list[Pen], kills: int, seconds: float) -> Found:
    with contextlib.closing(sqlite3.connect(RelayHome(folder=folder).database_file)) as connection:
        damaged = connection.execute("PRAGMA integrity_check").fetchone()[0] != "ok"
        held = [row[0] for row in connection.execute("SELECT entry FROM entry")]
    acknowledged = {entry_id for pen in pens for entry_id in pen.acknowledged}
    read_twice = unread = out_of_order = 0
    for number, pen in enumerate(pens):
        ids = [entry_id for _, entry_id in pen.read]
        positions = [position for position, _ in pen.read]
        read_twice += len(ids) - len(set(ids))
        out_of_order += positions != sorted(set(positions))
        unread += len({*pen.acknowledged, *pens[number ^ 1].acknowledged} - set(ids))
    return Found(
        kills=kills,
        acknowledged=len(acknowledged),
        seconds=round(seconds, 1),
        lost=len(acknowledged - set(held)),
        stored_twice=len(held) - len(set(held)),
        read_twice=read_twice,
        unread=unread,
        out_of_order=out_of_order,
        refused=sum(len(pen.refusals) for pen in pens),
        damaged=damaged,
        store_ids=len(set[bytes]().union(*(pen.stores for pen in pens))) - 1,
    )
