"""A whole relay on an event loop: listener, machine and store."""

import asyncio
import logging
import os
import secrets
import signal
import sqlite3
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Self, assert_never

import aiofastnet
import uvloop

from skvoz.base.errors import BadRequest
from skvoz.crypto import DEFAULT_SUITE, suite
from skvoz.relay import Executor, Relay
from skvoz.relay.seam import (
    Close,
    Execute,
    Executed,
    Input,
    LetGo,
    Lost,
    Onward,
    Outcome,
    PartOutcome,
    PartsDone,
    Passed,
    Reach,
    Read,
    ReadAnswer,
    ReadDone,
    ReadParts,
    Received,
    Send,
    WriteParts,
)
from skvoz.server.blob_rows import SqliteBlobs
from skvoz.server.blob_store import BlobFolder, BlobStore, put_right
from skvoz.server.config import Settings
from skvoz.server.database import open_database, own_words, rename_if_restored, store_id
from skvoz.server.door import Door
from skvoz.server.home import HeldHome, hold_home, write_private_file
from skvoz.server.lanes import Lanes
from skvoz.server.listener import Connections
from skvoz.server.onward import Onwards
from skvoz.server.part_pump import PartPump
from skvoz.server.requests import Requests
from skvoz.server.store import Store

_PASSED_EVERY_S: Final = 5.0
_log = logging.getLogger("skvoz.server")


class RelayService:
    """A running relay; `start`, then `failed` says if it broke, then `close`."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        """Lock and open the relay's home; raise `NotFound`, `HomeBusy`, `StoreError`, `SchemaTooNew`."""
        self._settings = settings
        self._held: HeldHome = hold_home(folder)
        try:
            home = self._held.home
            connection = open_database(home.database_file)
            with own_words():
                self.was_restored = rename_if_restored(connection, _read_mark(home.mark_file))
                known_as = store_id(connection)
            files = BlobFolder(home.blobs_folder)
            _put_blobs_right(connection, files)
            self._blobs = BlobStore(home.database_file, files, self._store_failed)
            executor = Executor(quotas=settings.quotas, admission=settings.admission)
            self._store = Store(
                home.database_file,
                connection,
                executor,
                blobs=self._blobs,
                reserve_bytes=settings.reserve_bytes,
                note_progress=self._write_mark,
                failed=self._store_failed,
            )
            used = suite(DEFAULT_SUITE)
            self.public_key = used.kem.public_key_of(self._held.private_key)
            self._relay = Relay(
                suite=used,
                private_key=self._held.private_key,
                store_id=known_as,
                quotas=settings.quotas,
                randomness=secrets.token_bytes,
                addresses=settings.addresses,
                carriage=settings.carriage,
            )
        except BaseException:
            self._held.close()
            raise
        self._connections = Connections(
            lambda number, message: self._take(Received(number, message)),
            self._lost,
            self._cleared,
            settings.path,
        )
        self._lanes = Lanes(
            lambda number, message: self._take(Received(number, message)),
            self._lost,
            self._cleared,
            self._relay.is_confirmed,
        )
        self._requests = Requests(settings.path, self._lanes.ask)
        self._pump = PartPump(
            self._is_clear,
            lambda job: self._blobs.read(job, lambda outcomes: self._part_read(job.connection, outcomes)),
            lambda outcomes: self._take(PartsDone(outcomes)),
        )
        self._onwards = Onwards(self._take, self._is_clear, settings.carriage)
        self._inputs: list[Input] = []
        self._server: asyncio.Server | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def start(self) -> Self:
        """Begin to serve; raise `BadRequest` where the address can't be had."""
        # The library's logger prints peers' addresses.
        logging.getLogger("picows").setLevel(logging.CRITICAL)
        self._loop = asyncio.get_running_loop()
        self.failed: asyncio.Future[BaseException] = self._loop.create_future()
        """Done with what broke the relay; it answers nothing more and is to be closed."""
        self._store.start()
        try:
            # The server that picows would have made: its transports are what picows writes fastest to.
            self._server = await aiofastnet.create_server(
                self._loop, self._door, self._settings.host, self._settings.port
            )
        except OSError as error:
            await self.close()
            # The loop's own text has the address in it, or there is none.
            why = os.strerror(error.errno) if error.errno else "it is not this machine's"
            raise BadRequest(f"the relay can't listen at that address: {why}") from None
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
            self._lanes.close_all()
            await self._server.wait_closed()
        await self._onwards.close()
        try:
            await asyncio.to_thread(self._store.close)
        finally:
            self._held.close()

    def _take(self, item: Input) -> None:
        """Queue an input; all of one turn of the loop are handled together."""
        if not self._inputs:
            self._loop.call_soon(self._handle)
        self._inputs.append(item)

    def _handle(self) -> None:
        inputs, self._inputs = self._inputs, []
        if self.failed.done():
            return
        try:
            for effect in self._relay.handle(inputs, time.time_ns() // 1_000_000):
                match effect:
                    case Send():
                        self._side_of(effect.connection).send(effect.connection, effect.message)
                    case Close():
                        self._side_of(effect.connection).close(effect.connection)
                        self._pump.go_on(effect.connection)
                    case Execute():
                        self._store.execute(effect.jobs, self._executed)
                    case Read():
                        self._store.read(effect.requests, self._read)
                    case WriteParts():
                        self._blobs.write(effect.jobs, self._parts_written)
                    case ReadParts():
                        for job in effect.jobs:
                            self._pump.ask(job)
                    case Reach():
                        self._onwards.reach(effect)
                    case Onward():
                        self._onwards.hand_on(effect)
                    case LetGo():
                        self._onwards.let_go(effect.hop)
                    case _:
                        assert_never(effect)
        except Exception as error:  # noqa: BLE001  # a bug: what the machine holds can't be relied on any more
            self._fail(error)

    def _executed(self, outcomes: list[Outcome]) -> None:
        self._loop.call_soon_threadsafe(self._take, Executed(outcomes))

    def _read(self, answers: list[ReadAnswer]) -> None:
        self._loop.call_soon_threadsafe(self._take, ReadDone(answers))

    def _parts_written(self, outcomes: list[PartOutcome]) -> None:
        self._loop.call_soon_threadsafe(self._take, PartsDone(outcomes))

    def _part_read(self, connection: int, outcomes: list[PartOutcome]) -> None:
        self._loop.call_soon_threadsafe(self._send_part, connection, outcomes)

    def _send_part(self, connection: int, outcomes: list[PartOutcome]) -> None:
        self._take(PartsDone(outcomes))
        # After it was handled, and so sent: how much the connection has left tells whether to read on.
        self._loop.call_soon(self._pump.was_read, connection)

    def _lost(self, number: int) -> None:
        self._take(Lost(number))
        self._cleared(number)

    def _cleared(self, number: int) -> None:
        self._pump.go_on(number)
        self._onwards.cleared(number)

    def _store_failed(self, error: BaseException) -> None:
        self._loop.call_soon_threadsafe(self._fail, error)

    def _fail(self, error: BaseException) -> None:
        if not self.failed.done():
            self.failed.set_result(error)
            self._connections.close_all()
            self._lanes.close_all()

    def _door(self) -> Door:
        return Door(self._connections.protocol, self._requests.protocol)

    def _is_clear(self, connection: int) -> bool | None:
        return self._side_of(connection).is_clear(connection)

    def _side_of(self, connection: int) -> Connections | Lanes:
        """Tell who holds a connection: lanes have numbers below zero."""
        return self._connections if connection > 0 else self._lanes

    def _pass_time(self) -> None:
        self._connections.drop_silent()
        self._lanes.drop_silent()
        self._take(Passed())
        self._timer = self._loop.call_later(_PASSED_EVERY_S, self._pass_time)

    def _write_mark(self, number: int) -> None:
        write_private_file(self._held.home.mark_file, str(number).encode())


def serve(folder: Path, settings: Settings, started: Callable[[RelayService], None]) -> None:
    """Run a relay until SIGTERM or SIGINT; `started` is told once it listens.

    Raises what `RelayService` raises, and what broke it while it ran.
    """
    uvloop.run(_serve(folder, settings, started))


async def _serve(folder: Path, settings: Settings, started: Callable[[RelayService], None]) -> None:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(_say_less)
    stopped = loop.create_future()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, lambda: None if stopped.done() else stopped.set_result(None))
    service = await RelayService(folder, settings).start()
    try:
        _log.info("the relay listens")
        if service.was_restored:
            _log.warning("the database was put back from a copy: the store has a new id")
        started(service)
        await asyncio.wait((stopped, service.failed), return_when=asyncio.FIRST_COMPLETED)
        if service.failed.done():
            raise service.failed.result()
    finally:
        await service.close()
        _log.info("the relay has stopped")


def _say_less(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log what went wrong on the loop without its context, which names sockets and addresses."""
    if is_strangers_fault(context):
        return
    error = context.get("exception")
    _log.error("a callback failed: %s", "no exception" if error is None else type(error).__name__)


def is_strangers_fault(context: Mapping[str, Any]) -> bool:
    """Tell whether somebody sent an upgrade that the library can't quote in its refusal; it is closed."""
    return isinstance(context.get("exception"), UnicodeEncodeError)


def _put_blobs_right(connection: sqlite3.Connection, files: BlobFolder) -> None:
    """Make rows and files agree again after a crash, or after a copy was put back."""
    files.make()
    with own_words():
        connection.execute("BEGIN IMMEDIATE")
        put_right(SqliteBlobs(connection), files)
        connection.execute("COMMIT")


def _read_mark(file: Path) -> int | None:
    try:
        return int(file.read_bytes())
    except (FileNotFoundError, ValueError):
        return None
