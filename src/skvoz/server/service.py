"""A whole relay on an event loop: listener, machine and store."""

import asyncio
import logging
import secrets
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self, assert_never

from skvoz.base.errors import BadRequest
from skvoz.crypto import DEFAULT_SUITE, suite
from skvoz.logs import Quotas
from skvoz.relay.executor import Admission, Executor
from skvoz.relay.machine import Relay
from skvoz.relay.seam import (
    Close,
    Execute,
    Executed,
    Input,
    Lost,
    Outcome,
    Passed,
    Read,
    ReadAnswer,
    ReadDone,
    Received,
    Send,
)
from skvoz.server.database import open_database, rename_if_restored, store_id
from skvoz.server.home import HeldHome, hold_home, write_private_file
from skvoz.server.listener import Connections
from skvoz.server.store import Store

_PASSED_EVERY_S: Final = 5.0
RESERVE_BYTES: Final = 512 * 1024 * 1024
"""Below so much free disk a relay stores nothing more; deleting and reading go on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What an operator may set."""

    host: str = "127.0.0.1"
    port: int = 8443
    path: str = "/"
    quotas: Quotas = field(default_factory=Quotas)
    admission: Admission = field(default_factory=Admission)
    reserve_bytes: int = RESERVE_BYTES


class RelayService:
    """A running relay; `start`, then `close`."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        """Lock and open the relay's home; raise `NotFound`, `HomeBusy`, `StoreError`, `SchemaTooNew`."""
        if not settings.path.startswith("/"):
            raise BadRequest("a relay's path starts with a slash")
        self._settings = settings
        self._held: HeldHome = hold_home(folder)
        try:
            connection = open_database(self._held.home.database_file)
            self.was_restored = rename_if_restored(connection, _read_mark(self._held.home.mark_file))
            executor = Executor(quotas=settings.quotas, admission=settings.admission)
            self._store = Store(
                self._held.home.database_file,
                connection,
                executor,
                reserve_bytes=settings.reserve_bytes,
                note_progress=self._write_mark,
            )
            used = suite(DEFAULT_SUITE)
            self.public_key = used.kem.public_key_of(self._held.private_key)
            self._relay = Relay(
                suite=used,
                private_key=self._held.private_key,
                store_id=store_id(connection),
                quotas=settings.quotas,
                randomness=secrets.token_bytes,
            )
        except BaseException:
            self._held.close()
            raise
        self._connections = Connections(
            lambda number, message: self._take(Received(number, message)),
            lambda number: self._take(Lost(number)),
            settings.path,
        )
        self._inputs: list[Input] = []
        self._server: asyncio.Server | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def start(self) -> Self:
        """Begin to serve; raise `StoreError` where the address can't be had."""
        # The library's logger prints peers' addresses.
        logging.getLogger("picows").setLevel(logging.CRITICAL)
        self._loop = asyncio.get_running_loop()
        self._store.start()
        try:
            self._server = await self._connections.listen(self._settings.host, self._settings.port)
        except OSError as error:
            await self.close()
            raise BadRequest(f"the relay can't listen at that address: {error.strerror}") from None
        self._pass_time()
        return self

    @property
    def port(self) -> int:
        """The port that is listened on (where port 0 was asked for)."""
        if self._server is None:
            raise AssertionError("the relay has not been started")
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Close connections, finish what is being stored, and let the home go."""
        if self._timer is not None:
            self._timer.cancel()
        if self._server is not None:
            self._server.close()
            self._connections.close_all()
            await self._server.wait_closed()
        await asyncio.to_thread(self._store.close)
        self._held.close()

    def _take(self, item: Input) -> None:
        """Queue an input; all of one turn of the loop are handled together."""
        if not self._inputs:
            self._loop.call_soon(self._handle)
        self._inputs.append(item)

    def _handle(self) -> None:
        inputs, self._inputs = self._inputs, []
        for effect in self._relay.handle(inputs, time.time_ns() // 1_000_000):
            match effect:
                case Send():
                    self._connections.send(effect.connection, effect.message)
                case Close():
                    self._connections.close(effect.connection)
                case Execute():
                    self._store.execute(effect.jobs, self._executed)
                case Read():
                    self._store.read(effect.requests, self._read)
                case _:
                    assert_never(effect)

    def _executed(self, outcomes: list[Outcome]) -> None:
        self._loop.call_soon_threadsafe(self._take, Executed(outcomes))

    def _read(self, answers: list[ReadAnswer]) -> None:
        self._loop.call_soon_threadsafe(self._take, ReadDone(answers))

    def _pass_time(self) -> None:
        self._take(Passed())
        self._timer = self._loop.call_later(_PASSED_EVERY_S, self._pass_time)

    def _write_mark(self, number: int) -> None:
        write_private_file(self._held.home.mark_file, str(number).encode())


def _read_mark(file: Path) -> int:
    try:
        return int(file.read_bytes())
    except (FileNotFoundError, ValueError):
        return 0
