"""A node: the core thread and the relays' sessions, for an event loop."""

import asyncio
import secrets
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Self, TypeVar

from skvoz.base.errors import Locked, StoreError
from skvoz.base.ids import EntryId, GroupId, RelayId
from skvoz.client.carried_out import Bundle
from skvoz.client.commands import Answer, ChangeProfile, Command
from skvoz.client.effects import Connect, Effect, FileEffect, WakeAt
from skvoz.client.environment import Environment
from skvoz.client.inputs import BotUsed, CarriedRead, Started, TimePassed
from skvoz.client.machine import Machine
from skvoz.client.near import near_keys
from skvoz.client.records import DeadDrop
from skvoz.crypto import suite
from skvoz.crypto.suites import DEFAULT_SUITE
from skvoz.node.checkup import Checkup
from skvoz.node.core import Core, anybody_may
from skvoz.node.dialer import Dialer
from skvoz.node.drops import DROPS_FOLDER, Drops
from skvoz.node.lending import Lend
from skvoz.node.nearby import Nearby
from skvoz.node.proxy_setting import ProxySetting
from skvoz.node.relays import Relays, RelayState
from skvoz.node.transfers import Transfers
from skvoz.store import Database, Home, RecordTables
from skvoz.store.file_cache import FileCache
from skvoz.store.home import LENT_FOLDER
from skvoz.store.protection import AskPassphrase, Protection, create_key, kind_of, read_key
from skvoz.store.queries import Queries

T = TypeVar("T")

STORE_RETRY_S = 3.0
"""How long to wait before trying again when the disk took nothing: long enough to free some room."""

CLOCK_LOOK_S = 60.0
"""The loop's timers stand still while a machine sleeps, and alarms are due by the clock on the wall."""


def open_home(folder: Path, ask: AskPassphrase, protection: Protection = Protection.AUTOMATIC) -> "OpenHome":
    """Lock and open a home, making it where there is none.

    Raises `HomeBusy`, `WrongPassphrase`, `SchemaTooNew` or another `StoreError`.
    """
    home = Home(folder)
    try:
        if home.key_file.exists() or home.database_file.exists():
            key = read_key(home.key_file, ask)
        else:
            key = create_key(home.key_file, protection, ask)
        return OpenHome(home, Database(home.database_file, key))
    except BaseException:
        home.close()
        raise


def hold_home(folder: Path) -> "OpenHome":
    """Lock a home for this process and leave its database closed; raise `HomeBusy`, `StoreError`."""
    return OpenHome(Home(folder), None)


class OpenHome:
    """A home that this process holds, with its database open unless it is locked."""

    def __init__(self, home: Home, database: Database | None) -> None:
        self.home = home
        self._database = database

    @property
    def database(self) -> Database:
        """The open database; raises `Locked`."""
        if self._database is None:
            raise Locked("this home is locked")
        return self._database

    @property
    def is_locked(self) -> bool:
        """Tell whether the database is closed, and its key forgotten."""
        return self._database is None

    def lock(self) -> None:
        """Close the database and forget its key; the home stays this process's."""
        database, self._database = self._database, None
        if database is not None:
            database.close()

    def unlock(self, ask: AskPassphrase) -> None:
        """Open the database again; raise `WrongPassphrase` or another `StoreError`, and then it is locked."""
        if self._database is None:
            self._database = Database(self.home.database_file, read_key(self.home.key_file, ask))

    def close(self) -> None:
        """Close the database and let the home go."""
        self.lock()
        self.home.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def system_clock_ms() -> int:
    """Return milliseconds since 1970."""
    return time.time_ns() // 1_000_000


class Node:
    """Runs until `close`; `start` must be awaited first, and then `broken` says if a bug stopped it."""

    def __init__(
        self,
        opened: OpenHome,
        clock_ms: Callable[[], int] = system_clock_ms,
        lend: Lend | None = None,
    ) -> None:
        """Work on an open home; without `lend` it uses no network around, whatever its person chose."""
        self._opened = opened
        self._lend = lend
        self.nearby: Nearby | None = None
        """The network around, while its person has it on."""
        self._near_lock = asyncio.Lock()
        self._closing = False
        self._clock_ms = clock_ms
        environment = Environment(suite=suite(DEFAULT_SUITE), randomness=secrets.token_bytes)
        self._core = Core(RecordTables(opened.database), Machine(environment), clock_ms)
        self.drops = Drops(opened.home.folder / DROPS_FOLDER, self._find_drop, clock_ms)
        dialer = Dialer(drops=self.drops)
        self.proxy_setting = ProxySetting(opened.home.folder)
        dialer.keep_to(self.proxy_setting)
        self._relays = Relays(self._core.tell, self._fail, dialer)
        self.files = FileCache(opened.home.folder)
        self.transfers = Transfers(self.files, self._relays.tell, self._fail, dialer)
        self.checkup = Checkup(dialer, self._relays.targets, self._fail)
        self._event_sequence = 0
        self._events = asyncio.Condition()
        self._alarm: asyncio.Handle | None = None
        self._wake_ms = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._paused = False
        self.store_problem = ""

    async def start(self) -> None:
        """Begin to work: connect, and take up everything that is unfinished."""
        self._loop = asyncio.get_running_loop()
        self.broken: asyncio.Future[BaseException] = self._loop.create_future()
        """Done with the bug that stopped the node; it does nothing more, and is to be closed."""
        self._core.start(self)
        self._event_sequence = await self.query(Queries.last_event)
        await asyncio.to_thread(self.files.tidy, await self.query(Queries.file_ids))
        await self._settle_nearby()
        self._relays.tell(Started())

    async def close(self) -> None:
        """Finish what is being stored, and stop; what that would let out goes out after the next start."""
        self._closing = True
        await self._settle_nearby()
        self._paused = True
        await self.checkup.stop()
        await self.transfers.close()
        await self._relays.close()
        await self.drops.close()
        await asyncio.to_thread(self._core.stop)
        if self._alarm is not None:
            self._alarm.cancel()
        for task in self._tasks:
            task.cancel()

    async def command(self, command: Command, permitted: Callable[[Queries], None] = anybody_may) -> Answer:
        """Fulfil a wish; raise a `CallerError` or `StoreError`, and then nothing has changed.

        `permitted` looks at what is stored right before and may refuse by raising a `CallerError`.
        """
        answer = await asyncio.wrap_future(self._core.command(command, permitted))
        if isinstance(command, ChangeProfile) and command.lan_enabled is not None:
            await self._settle_nearby()
        return answer

    async def query(self, read: Callable[[Queries], T]) -> T:
        """Read stored records."""
        return await asyncio.wrap_future(self._core.query(read))

    async def bundle(self) -> Bundle:
        """Return everything that others may lack, as a file for somebody to carry."""
        return await self.query(lambda queries: queries.bundle(secrets.token_bytes))

    async def _settle_nearby(self, *, anew: bool = False) -> None:
        """Use the network around, or no longer, as this home's person chose; `anew`: from the beginning."""
        async with self._near_lock:
            wanted = False
            if not self._closing:  # a node that broke is closed too, and answers nothing
                account = await self.query(Queries.account)
                wanted = account is not None and account.lan_enabled
            if self.nearby is not None and (anew or not wanted):
                nearby, self.nearby = self.nearby, None
                await nearby.close()
            if wanted and self.nearby is None and self._lend is not None:
                folder = self._opened.home.folder / LENT_FOLDER
                self.nearby = Nearby(self, self._lend, folder, self._clock_ms, self._fail)

    # What the network around asks for

    async def near_keys(self) -> list[tuple[GroupId, bytes]]:
        """See `skvoz.node.beside.Home`."""
        return await asyncio.wrap_future(self._core.look(near_keys))

    async def carried(self, group_id: GroupId) -> list[tuple[EntryId, bytes]]:
        """See `skvoz.node.beside.Home`."""
        return await self.query(lambda queries: queries.carried(group_id))

    async def carried_count(self) -> int:
        """See `skvoz.node.beside.Home`."""
        return await self.query(Queries.carried_count)

    async def take_carried(self, fact: CarriedRead) -> None:
        """See `skvoz.node.beside.Home`."""
        self._relays.tell(fact)
        await self.query(Queries.last_event)  # which is answered after the fact was stored

    def bot_was_at_work(self, bot_id: bytes) -> None:
        """Have it noted that a program with a token was at work; may be called on any thread."""
        self._loop.call_soon_threadsafe(self._relays.tell, BotUsed(bot_id=bot_id))

    async def event_after(self, sequence: int) -> int:
        """Wait until there is an event after `sequence`; return the newest one's."""
        async with self._events:
            await self._events.wait_for(lambda: self._event_sequence > sequence)
            return self._event_sequence

    def relay_states(self) -> list[RelayState]:
        """Return how it goes with each relay."""
        return self._relays.states()

    @property
    def last_event(self) -> int:
        """The newest event's sequence."""
        return self._event_sequence

    @property
    def key_protection(self) -> str:
        """Where the database's key is: `file`, `passphrase` or `keyring`."""
        return kind_of(self._opened.home.key_file)

    async def _find_drop(self, relay_id: RelayId) -> DeadDrop | None:
        return await self.query(lambda queries: queries.drop(relay_id))

    # What the core thread tells; each hands it to the loop's thread.

    def stored(self, effects: tuple[Effect, ...], facts: int, event_sequence: int) -> None:
        """See `skvoz.node.core.Listener`."""
        self._loop.call_soon_threadsafe(self._stored, effects, facts, event_sequence)

    def failed(self, error: StoreError, facts: int) -> None:
        """See `skvoz.node.core.Listener`."""
        self._loop.call_soon_threadsafe(self._failed, error, facts)

    def broke(self, error: BaseException) -> None:
        """See `skvoz.node.core.Listener`."""
        self._loop.call_soon_threadsafe(self._fail, error)

    def _fail(self, error: BaseException) -> None:
        if not self.broken.done():
            self.broken.set_result(error)

    def _stored(self, effects: tuple[Effect, ...], facts: int, event_sequence: int) -> None:
        self.store_problem = ""
        for effect in effects:
            if isinstance(effect, WakeAt):
                self._wake_at(effect.time_ms)
            elif self._paused:
                pass  # there are no sessions; a `Started` will ask for everything again
            elif isinstance(effect, Connect):
                self._relays.connect(effect)
            elif isinstance(effect, FileEffect):
                self.transfers.take(effect)
            else:
                self._relays.request(effect)
        self._relays.taken_up(facts)
        if self.nearby is not None:
            self.nearby.look_again()
        if event_sequence > self._event_sequence:
            self._event_sequence = event_sequence
            self._spawn(self._notify())

    def _failed(self, error: StoreError, facts: int) -> None:
        # Nothing of the batch is stored, and the relays keep what was not acknowledged: begin anew.
        self.store_problem = str(error)
        self._paused = True
        self._relays.taken_up(facts)
        self._spawn(self._begin_anew())

    async def _begin_anew(self) -> None:
        await self.transfers.close()
        await self._relays.close()
        await asyncio.sleep(STORE_RETRY_S)
        self._paused = False
        self._relays.tell(Started())
        await self._settle_nearby(anew=True)

    def _wake_at(self, time_ms: int) -> None:
        """Tell the core at `time_ms`; the clock is looked at now and then, since machines sleep."""
        self._wake_ms = time_ms
        if self._alarm is not None:
            self._alarm.cancel()
        left_ms = time_ms - self._clock_ms()
        if left_ms > 0:
            delay_s = min(left_ms / 1000, CLOCK_LOOK_S)
            self._alarm = self._loop.call_later(delay_s, self._wake_at, self._wake_ms)
        else:
            self._alarm = self._loop.call_soon(self._relays.tell, TimePassed())

    async def _notify(self) -> None:
        async with self._events:
            self._events.notify_all()

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
