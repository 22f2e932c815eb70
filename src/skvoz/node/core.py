"""The core thread: it alone owns the database and the machine.

Facts that queued up are handled together in one transaction (up to 256 entries or 50 ms), the changes are
stored, and only then are the effects let out. A command has a transaction of its own, so that one
that is refused takes nothing else with it.
"""

import contextlib
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Protocol, TypeVar

from skvoz.base.errors import StoreError
from skvoz.base.value import Value
from skvoz.client.commands import Answer, Command
from skvoz.client.effects import Effect
from skvoz.client.inputs import EntriesRead, Input, Started
from skvoz.client.machine import Machine
from skvoz.client.step import Step
from skvoz.client.transaction import Transaction
from skvoz.store import RecordTables
from skvoz.store.queries import Queries

T = TypeVar("T")

BATCH_ENTRIES_MAX = 256
"""Entries handled in one transaction: what a crash makes us read again."""
BATCH_DURATION_MS_MAX = 50
"""How long facts are gathered before they are stored: what a person waits at most."""


def anybody_may(_: Queries) -> None:
    """Permit a command whoever asks."""


class Listener(Protocol):
    """Told by the core thread what happened; must only hand it on to its own thread."""

    def stored(self, effects: tuple[Effect, ...], facts: int, event_sequence: int) -> None:
        """Let `effects` out: changes are on stable storage, and `facts` inputs were taken up."""
        ...

    def failed(self, error: StoreError, facts: int) -> None:
        """Bring everything again after a `Started`: the changes of `facts` inputs could not be stored.

        Further inputs are dropped until that `Started`, since they may build on what was lost.
        """
        ...

    def broke(self, error: BaseException) -> None:
        """End the node: a bug stopped the core, which does nothing more and tells nothing else."""
        ...


class _Ask(Value, frozen=True):
    """Something to run on the core thread, with the future of its result."""

    work: Callable[[], object]
    future: "Future[Any]"


_STOP = object()


def _refuse(job: object) -> None:
    if isinstance(job, _Ask) and job.future.set_running_or_notify_cancel():
        job.future.set_exception(StoreError("the node has stopped working"))


class Core:
    """The machine over its database, on one thread."""

    def __init__(self, records: RecordTables, machine: Machine, clock_ms: Callable[[], int]) -> None:
        self._records = records
        self._queries = Queries(records)
        self._machine = machine
        self._clock_ms = clock_ms
        self._jobs: queue.SimpleQueue[Input | _Ask | object] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="skvoz-core", daemon=True)
        self._listener: Listener | None = None
        self._stalled = False
        self._stopped = False

    def start(self, listener: Listener) -> None:
        """Begin to work; `listener` hears of everything that is stored."""
        self._listener = listener
        self._thread.start()

    def stop(self) -> None:
        """Finish what is queued, and end the thread; whoever asks later is refused."""
        self._jobs.put(_STOP)
        self._thread.join()
        self._stopped = True
        self._refuse_queued()

    def tell(self, fact: Input) -> None:
        """Queue a fact."""
        self._jobs.put(fact)

    def command(self, command: Command, permitted: Callable[[Queries], None]) -> "Future[Answer]":
        """Queue a command; the future fails with a `CallerError` or `StoreError`.

        `permitted` is called right before and may refuse it; nothing comes in between.
        """
        return self._ask(lambda: self._command(command, permitted))

    def query(self, read: Callable[[Queries], T]) -> "Future[T]":
        """Queue a read over the stored records."""
        return self._ask(lambda: read(self._queries))

    def look(self, work: Callable[[Step], T]) -> "Future[T]":
        """Queue a look at what the machine knows; `work` changes nothing."""
        return self._ask(lambda: self._machine.look(Transaction(self._records), work, self._clock_ms()))

    def _ask(self, work: Callable[[], T]) -> "Future[T]":
        future: Future[T] = Future()
        self._jobs.put(_Ask(work, future))
        if self._stopped:
            self._refuse_queued()
        return future

    def _run(self) -> None:
        job = self._jobs.get()
        try:
            while job is not _STOP:
                if isinstance(job, _Ask):
                    self._answer(job)
                    job = self._jobs.get()
                else:
                    job = self._batch(job)
        except BaseException as error:  # noqa: BLE001  # a bug must end the node, not only this thread
            self._heard().broke(error)
            self._refuse_all()

    def _refuse_all(self) -> None:
        """Leave nobody waiting for an answer that can't come any more."""
        while (job := self._jobs.get()) is not _STOP:
            _refuse(job)

    def _refuse_queued(self) -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                _refuse(self._jobs.get_nowait())

    def _answer(self, ask: _Ask) -> None:
        if not ask.future.set_running_or_notify_cancel():
            return
        try:
            ask.future.set_result(ask.work())
        except BaseException as error:  # noqa: BLE001  # the asker gets it, bugs included
            ask.future.set_exception(error)

    def _batch(self, job: Any) -> object:  # noqa: ANN401  # an input; the queue is not typed closer
        """Handle `job` and the facts that queued behind it as one transaction; return the next other job."""
        transaction = Transaction(self._records)
        effects: list[Effect] = []
        until = time.monotonic() + BATCH_DURATION_MS_MAX / 1000
        facts = entries = 0
        try:
            while job is not _STOP and not isinstance(job, _Ask):
                facts += 1
                if isinstance(job, Started):
                    self._stalled = False
                if not self._stalled:
                    outcome = self._machine.handle(transaction, job, self._clock_ms())
                    effects.extend(outcome.effects)
                entries += len(job.entries) if isinstance(job, EntriesRead) else 0
                if entries >= BATCH_ENTRIES_MAX or time.monotonic() >= until:
                    job = None
                    break
                try:
                    job = self._jobs.get_nowait()
                except queue.Empty:
                    job = None
                    break
            self._store(transaction, tuple(effects), facts)
        except StoreError as error:
            self._machine.forget()
            self._stalled = True
            self._heard().failed(error, facts)
            job = None if not isinstance(job, _Ask) and job is not _STOP else job
        return self._jobs.get() if job is None else job

    def _command(self, command: Command, permitted: Callable[[Queries], None]) -> Answer:
        permitted(self._queries)
        transaction = Transaction(self._records)
        try:
            answer, outcome = self._machine.command(transaction, command, self._clock_ms())
            # Without sessions nothing can go out; the `Started` that is on its way takes everything up.
            self._store(transaction, () if self._stalled else outcome.effects, 0)
        except BaseException:
            # A defect too must not leave behind what is not stored.
            self._machine.undo_command()
            raise
        return answer

    def _store(self, transaction: Transaction, effects: tuple[Effect, ...], facts: int) -> None:
        changes = transaction.changes()
        if changes:
            with self._records.database.transaction():
                self._records.apply(changes)
        self._heard().stored(effects, facts, self._queries.last_event() if changes else 0)

    def _heard(self) -> Listener:
        if self._listener is None:
            raise AssertionError("the core has not been started")
        return self._listener
