"""The relay that a drop's users run, each for themselves: sessions here, the journal in the drop.

Requests that change something are put into the next slot together and answered once they stand there. What
others put there is given to this node's sessions as it is read. Whatever goes wrong with the storage ends the
sessions' connections, and they begin anew: every request is repeatable.
"""

import asyncio
import contextlib
import secrets
from collections import deque
from collections.abc import Callable
from typing import Final, assert_never

import msgspec

from skvoz.base.errors import StoreError, TransportError
from skvoz.crypto import DEFAULT_SUITE, suite
from skvoz.relay import Admission, Executor, Relay, read
from skvoz.relay.seam import (
    Close,
    Execute,
    Executed,
    Input,
    Job,
    LetGo,
    Lost,
    Onward,
    Outcome,
    PartJob,
    PartsDone,
    Passed,
    Progress,
    Reach,
    Read,
    ReadDone,
    ReadParts,
    Received,
    Send,
    WriteParts,
)
from skvoz.transports.deaddrop.journal import Journal, Patience
from skvoz.transports.deaddrop.mirror import Mirror
from skvoz.transports.deaddrop.names import DropKeys
from skvoz.transports.deaddrop.pace import Polls, Spent
from skvoz.transports.deaddrop.pieces import Pieces
from skvoz.transports.deaddrop.records import FRAMES_SIZE_MAX, NOTED_MAX, Noted, Written, size_of
from skvoz.transports.deaddrop.replica import DROP_QUOTAS, NOBODY
from skvoz.transports.deaddrop.storage import Storage, StorageFull, StorageRefuses
from skvoz.wire.frames import Attach, Fill

_FULL_RETRY_MS: Final = 60_000
_RACES_BEFORE_PAUSE: Final = 3
_RACE_PAUSE_S: Final = 0.5
_CONNECT_S: Final = 60.0
_ATTEMPTS: Final = 3
_NOBODY_WAITS: Final = 3600.0


class DropConnection:
    """A connection that ends in this process; made by `DropHost.connect`."""

    def __init__(self, host: "DropHost", number: int) -> None:
        self._host = host
        self.number = number
        self._arrived: asyncio.Queue[bytes | TransportError] = asyncio.Queue()
        self._ended: TransportError | None = None

    @property
    def heard_at(self) -> float:
        """Now: a storage that doesn't answer ends the connection by itself."""
        return asyncio.get_running_loop().time()

    async def send(self, message: bytes) -> None:
        """Hand a message to the relay; raises `TransportError` once the connection is gone."""
        if self._ended is not None:
            raise self._ended
        self._host.received(self.number, message)

    async def receive(self) -> bytes:
        """Wait for the relay's next message; raises `TransportError` once the connection is gone."""
        if self._ended is not None and self._arrived.empty():
            raise self._ended
        found = await self._arrived.get()
        if isinstance(found, TransportError):
            raise found
        return found

    async def close(self) -> None:
        """End the connection."""
        if self._ended is None:
            self.end(TransportError("the connection to the drop is gone"))
            self._host.lost(self.number)

    def deliver(self, message: bytes) -> None:
        """Take a message of the relay."""
        self._arrived.put_nowait(message)

    def end(self, problem: TransportError) -> None:
        """Have the connection end with this."""
        self._ended = problem
        self._arrived.put_nowait(problem)


class DropHost:
    """One a drop and node, on its event loop."""

    def __init__(
        self,
        *,
        keys: DropKeys,
        storage: Storage,
        mirror: Mirror,
        polls: Polls,
        clock_ms: Callable[[], int],
        patience: Patience,
    ) -> None:
        self._keys = keys
        self._storage = storage
        self._mirror = mirror
        self._polls = polls
        self._clock_ms = clock_ms
        self._patience = patience
        self._journal = Journal(
            keys=keys,
            storage=storage,
            mirror=mirror,
            randomness=secrets.token_bytes,
            patience=patience,
            clock_ms=clock_ms,
        )
        self._pieces = Pieces(keys, storage, secrets.token_bytes)
        self._judge = Executor(quotas=DROP_QUOTAS, admission=Admission())
        self._connections: dict[int, DropConnection] = {}
        self._last_connection = 0
        self._relay = self._new_relay()
        self._jobs: deque[Job] = deque()
        self._parts: deque[PartJob] = deque()
        self._inputs: deque[Input] = deque()
        self._handling = False
        self._wake = asyncio.Event()
        self._rounds: list[asyncio.Future[None]] = []
        self._task: asyncio.Task[None] | None = None

    @property
    def spent(self) -> Spent:
        """The bytes that went to the storage and back today."""
        return self._polls.spent(self._clock_ms(), self._storage.spent_bytes)

    async def connect(self) -> DropConnection:
        """Open a connection once the drop has been read; raise `TransportError`."""
        if self._task is None:
            self._task = asyncio.create_task(self._work())
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._rounds.append(done)
        self._wake.set()
        try:
            await asyncio.wait_for(done, _CONNECT_S)
        except TimeoutError:
            raise TransportError("the drop's storage doesn't answer in time") from None
        self._last_connection += 1
        connection = DropConnection(self, self._last_connection)
        self._connections[connection.number] = connection
        return connection

    async def close(self) -> None:
        """End all connections and let the storage go."""
        self._end_all(TransportError("the connection to the drop is gone"))
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait((self._task,))
        await self._storage.close()

    def received(self, connection: int, message: bytes) -> None:
        """Take a message of a connection."""
        self._take(Received(connection, message))

    def lost(self, connection: int) -> None:
        """Note that a connection is gone."""
        if self._connections.pop(connection, None) is not None:
            self._take(Lost(connection))

    # The relay

    def _new_relay(self) -> Relay:
        return Relay(
            suite=suite(DEFAULT_SUITE),
            private_key=self._keys.relay_key,
            store_id=self._mirror.store_id,
            quotas=DROP_QUOTAS,
            randomness=secrets.token_bytes,
        )

    def _take(self, happened: Input) -> None:
        """Hand something to the relay, and do what comes of it; what that brings is taken in its turn."""
        self._inputs.append(happened)
        if self._handling:
            return
        self._handling = True
        try:
            while self._inputs:
                inputs, self._inputs = self._inputs, deque()
                for effect in self._relay.handle(inputs, self._clock_ms()):
                    match effect:
                        case Send():
                            connection = self._connections.get(effect.connection)
                            if connection is not None:
                                connection.deliver(effect.message)
                        case Close():
                            gone = self._connections.pop(effect.connection, None)
                            if gone is not None:
                                gone.end(TransportError("the connection to the drop is gone"))
                        case Execute():
                            self._jobs.extend(effect.jobs)
                            self._wake.set()
                        case Read():
                            rows = self._journal.replica.rows
                            self._inputs.append(ReadDone([read(rows, one) for one in effect.requests]))
                        case WriteParts() | ReadParts():
                            self._parts.extend(effect.jobs)
                            self._wake.set()
                        case Reach() | Onward() | LetGo():
                            raise AssertionError("a drop carries nothing")
                        case _:
                            assert_never(effect)
        finally:
            self._handling = False

    def _end_all(self, problem: TransportError) -> None:
        """Begin anew: with other sessions, over what the journal comes to now."""
        connections, self._connections = self._connections, {}
        self._jobs = deque(job for job in self._jobs if job.session == NOBODY)
        self._parts.clear()
        self._inputs.clear()
        self._relay = self._new_relay()
        for connection in connections.values():
            connection.end(problem)

    # The drop

    async def _work(self) -> None:
        while True:
            self._wake.clear()
            waiting, self._rounds = self._rounds, []
            problem = await self._try_round()
            for one in waiting:
                if one.done():
                    continue
                if problem is None:
                    one.set_result(None)
                else:
                    one.set_exception(problem)
            if problem is not None:
                self._end_all(problem)
            self._take(Passed())
            wait_s = _NOBODY_WAITS
            if self._connections:
                wait_s = self._polls.wait_s(self._clock_ms(), self._storage.spent_bytes)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), wait_s)

    async def _try_round(self) -> TransportError | None:
        """Do a round, again where the storage fails once; return what is wrong with it."""
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                await self._round()
            except StorageRefuses as error:
                return error
            except TransportError as error:
                if attempt == _ATTEMPTS:
                    return error
                await asyncio.sleep(self._patience.retry_s * attempt)
            except StoreError as error:
                return TransportError(str(error))
            else:
                break
        return None

    async def _round(self) -> None:
        """Read what is new, then put there what this node has to say."""
        await self._catch_up()
        races = 0
        while self._jobs or self._parts:
            if not self._jobs:
                await self._move_part(self._parts[0])
                continue
            if isinstance(self._jobs[0].request, Attach):
                self._attach(self._jobs.popleft())
                continue
            batch = self._batch()
            if await self._write(batch):
                for _ in batch:
                    self._jobs.popleft()
                races = 0
                continue
            races += 1
            if races > _RACES_BEFORE_PAUSE:
                await asyncio.sleep(_RACE_PAUSE_S * (0.5 + secrets.randbelow(1000) / 1000))
            await self._catch_up()

    async def _catch_up(self) -> None:
        await self._journal.catch_up(self._read_others)
        if self._journal.began_anew:
            self._journal.began_anew = False
            self._end_all(TransportError("the drop holds something else than before: it is read anew"))
        if self._journal.displaced:
            displaced, self._journal.displaced = self._journal.displaced, []
            self._jobs.extendleft(Job(NOBODY, request) for request in reversed(displaced))

    def _read_others(self, outcomes: list[Outcome]) -> None:
        self._polls.heard()
        told = [Outcome(NOBODY, one.answer, one.notice) for one in outcomes if one.notice is not None]
        if told:
            self._take(Executed(told))

    def _attach(self, job: Job) -> None:
        self._take(Executed([self._journal.replica.attach(job, self._clock_ms())]))

    def _batch(self) -> list[Job]:
        """Return the requests that go into one record: the first ones up to one that only reads."""
        batch: list[Job] = []
        size = 0
        for job in self._jobs:
            if isinstance(job.request, Attach) or len(batch) >= NOTED_MAX:
                break
            if not isinstance(job.request, Progress):
                size += size_of([job.request])
            if batch and size > FRAMES_SIZE_MAX:
                break
            batch.append(job)
        return batch

    async def _write(self, batch: list[Job]) -> bool:
        """Put what changes something into the next slot; False where somebody else took it."""
        now_ms = self._clock_ms()
        judged = self._journal.replica.judge(batch, now_ms)
        answers = [outcome for outcome, _ in judged]
        changing = [number for number, (_, changes) in enumerate(judged) if changes]
        requests: list[Written] = []
        noted: list[Noted] = []
        asked: list[int] = []
        reported: list[int] = []
        for number in changing:
            request = batch[number].request
            if isinstance(request, Progress):
                noted.append(Noted(request.blob, request.written))
                reported.append(number)
            elif not isinstance(request, Attach):
                requests.append(request)
                asked.append(number)
        if changing:
            try:
                outcomes = await self._journal.write(requests, noted, now_ms)
            except StorageFull:
                refused = self._judge.refuse(batch, "full", now_ms, retry_after_ms=_FULL_RETRY_MS)
                self._take(Executed(refused))
                return True
            if outcomes is None:
                return False
            self._polls.heard()
            for number, outcome in zip((*asked, *reported), outcomes, strict=True):
                job = batch[number]
                answer = msgspec.structs.replace(outcome.answer, request=job.request.request)
                answers[number] = Outcome(job.session, answer, outcome.notice)
        self._take(Executed(answers))
        return True

    async def _move_part(self, job: PartJob) -> None:
        rows = self._journal.replica.rows
        move = self._pieces.write if isinstance(job.request, Fill) else self._pieces.read
        outcome = await move(rows, job)
        self._parts.popleft()  # only now: where the storage fails, it is moved again
        self._take(PartsDone([outcome]))
