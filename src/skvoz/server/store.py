"""The relay's store: one writer thread with group commit, one reader thread.

A transaction takes whatever queued while the last one was being synced, so that the cost of a sync is
shared by all who wait for it. Outcomes are handed back after the commit, never before.
"""

import queue
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from skvoz.base.errors import DiskFull, StoreError
from skvoz.relay.executor import Executor, refused
from skvoz.relay.reading import read
from skvoz.relay.seam import Job, Outcome, ReadAnswer, ReadRequest
from skvoz.server.database import last_entry_number, open_reader, own_words
from skvoz.server.log_reader import SqliteReader
from skvoz.server.write_transaction import SqliteTransaction

JOBS_PER_COMMIT_MAX: Final = 4_096
"""Bounds how long one transaction gets."""
_UPKEEP_S: Final = 1.0
_HOUR_MS: Final = 3_600_000
Executed = Callable[[list[Outcome]], None]
Answered = Callable[[list[ReadAnswer]], None]


class Store:
    """Runs jobs and reads on its own threads and tells their results from there."""

    def __init__(
        self,
        file: Path,
        connection: sqlite3.Connection,
        executor: Executor,
        *,
        reserve_bytes: int,
        note_progress: Callable[[int], None],
    ) -> None:
        """`note_progress` is told now and then how many entries the database has ever had."""
        self._file = file
        self._connection = connection
        self._transaction = SqliteTransaction(connection)
        self._executor = executor
        self._reserve_bytes = reserve_bytes
        self._note_progress = note_progress
        self._noted = last_entry_number(connection)
        self._jobs: queue.SimpleQueue[tuple[Sequence[Job], Executed] | None] = queue.SimpleQueue()
        self._reads: queue.SimpleQueue[tuple[Sequence[ReadRequest], Answered] | None] = queue.SimpleQueue()
        self._disk_full = False
        self._swept_hour = 0
        self._upkeep_at = 0.0
        self.failure: StoreError | None = None
        """Why the writer gave up; then everything is answered `full`."""
        self._threads = (
            threading.Thread(target=self._write_loop, name="relay-writer", daemon=True),
            threading.Thread(target=self._read_loop, name="relay-reader", daemon=True),
        )

    def start(self) -> None:
        """Start both threads."""
        for thread in self._threads:
            thread.start()

    def execute(self, jobs: Sequence[Job], done: Executed) -> None:
        """Have jobs decided and stored; `done` is called on the writer's thread."""
        self._jobs.put((jobs, done))

    def read(self, requests: Sequence[ReadRequest], done: Answered) -> None:
        """Have requests read; `done` is called on the reader's thread."""
        self._reads.put((requests, done))

    def close(self) -> None:
        """Finish what is queued and close the database."""
        self._jobs.put(None)
        self._reads.put(None)
        for thread in self._threads:
            thread.join()
        self._note()
        self._connection.close()

    def _write_loop(self) -> None:
        while True:
            try:
                first = self._jobs.get(timeout=_UPKEEP_S)
            except queue.Empty:
                self._upkeep()
                continue
            batch: list[tuple[Sequence[Job], Executed]] = []
            size = 0
            item = first
            while item is not None:
                batch.append(item)
                size += len(item[0])
                if size >= JOBS_PER_COMMIT_MAX or self._jobs.empty():
                    break
                item = self._jobs.get()
            self._commit(batch)
            if item is None:
                return
            self._upkeep()

    def _commit(self, batch: Sequence[tuple[Sequence[Job], Executed]]) -> None:
        if not batch:
            return
        now_ms = time.time_ns() // 1_000_000
        try:
            with own_words():
                self._transaction.begin()
                outcomes = [
                    self._executor.execute(self._transaction, jobs, now_ms, disk_full=self._disk_full)
                    for jobs, _ in batch
                ]
                self._transaction.commit()
        except StoreError as error:
            self._transaction.rollback()
            self._disk_full = self._disk_full or isinstance(error, DiskFull)
            self.failure = error
            outcomes = [refused(jobs, "full") for jobs, _ in batch]
        for (_, done), found in zip(batch, outcomes, strict=True):
            done(found)

    def _upkeep(self) -> None:
        """Look at the disk every second, and sweep what has expired every hour."""
        if time.monotonic() < self._upkeep_at:
            return
        self._upkeep_at = time.monotonic() + _UPKEEP_S
        self._disk_full = shutil.disk_usage(self._file.parent).free < self._reserve_bytes
        self._note()
        hour = time.time_ns() // 1_000_000 // _HOUR_MS
        if hour > self._swept_hour:
            self._swept_hour = hour
            try:
                with own_words():
                    self._transaction.begin()
                    self._transaction.expire(hour)
                    self._transaction.commit()
            except StoreError as error:
                self._transaction.rollback()
                self.failure = error

    def _note(self) -> None:
        number = last_entry_number(self._connection)
        if number != self._noted:
            self._note_progress(number)
            self._noted = number

    def _read_loop(self) -> None:
        connection = open_reader(self._file)
        reader = SqliteReader(connection)
        while (job := self._reads.get()) is not None:
            requests, done = job
            connection.execute("BEGIN")
            try:
                answers = [read(reader, request) for request in requests]
            finally:
                connection.execute("COMMIT")
            done(answers)
        connection.close()
