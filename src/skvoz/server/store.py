"""The relay's store: one writer thread with group commit, one reader thread, and those of the blobs.

A transaction takes whatever queued while the last one was being synced, so that the cost of a sync is
shared by all who wait for it. Outcomes are handed back after the commit, never before. A full disk refuses
and goes on; any other failure ends both threads, since who can't trust its disk must not acknowledge.
"""

import contextlib
import queue
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from skvoz.base.errors import DiskFull
from skvoz.relay.executor import Executor
from skvoz.relay.reading import read
from skvoz.relay.seam import Job, Outcome, ReadAnswer, ReadRequest
from skvoz.server.blob_store import BlobStore
from skvoz.server.database import free_page_bytes, last_entry_number, open_reader, own_words
from skvoz.server.log_reader import SqliteReader
from skvoz.server.write_transaction import SqliteTransaction

JOBS_PER_COMMIT_MAX: Final = 4_096
"""Bounds how long one transaction gets."""
_UPKEEP_S: Final = 1.0
_HOUR_MS: Final = 3_600_000
_DISK_EDGE: Final = 8
"""A file that can reuse its own pages still needs a journal: this part of the reserve is for it."""
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
        blobs: BlobStore,
        reserve_bytes: int,
        note_progress: Callable[[int], None],
        failed: Callable[[BaseException], None],
    ) -> None:
        """Take over an open database.

        `note_progress` is told now and then how many entries it has ever had; `failed`, on the thread that
        broke, why nothing will be answered any more.
        """
        self._file = file
        self._connection = connection
        self._transaction = SqliteTransaction(connection)
        self._executor = executor
        self._blobs = blobs
        self._reserve_bytes = reserve_bytes
        self._note_progress = note_progress
        self._failed = failed
        self._noted: int | None = None
        self._jobs: queue.SimpleQueue[tuple[Sequence[Job], Executed] | None] = queue.SimpleQueue()
        self._reads: queue.SimpleQueue[tuple[Sequence[ReadRequest], Answered] | None] = queue.SimpleQueue()
        self._disk_full = False
        self._swept_hour = 0
        self._sweeping = True
        self._upkeep_at = 0.0
        self._threads = (
            threading.Thread(target=self._guard, args=(self._write_loop,), name="relay-writer", daemon=True),
            threading.Thread(target=self._guard, args=(self._read_loop,), name="relay-reader", daemon=True),
        )

    def start(self) -> None:
        """Start all threads; the disk has been looked at before anything is stored."""
        with own_words():
            self._look_at_disk()
            self._note()
        self._blobs.start()
        for thread in self._threads:
            thread.start()

    def execute(self, jobs: Sequence[Job], done: Executed) -> None:
        """Have jobs decided and stored; `done` is called on the writer's thread."""
        self._jobs.put((jobs, done))

    def read(self, requests: Sequence[ReadRequest], done: Answered) -> None:
        """Have requests read; `done` is called on the reader's thread."""
        self._reads.put((requests, done))

    def close(self) -> None:
        """Finish what is queued, if the store still works, and close the database."""
        self._blobs.close()
        self._jobs.put(None)
        self._reads.put(None)
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()
        try:
            with own_words():
                self._note()
        finally:
            self._connection.close()

    def _guard(self, loop: Callable[[], None]) -> None:
        try:
            loop()
        except BaseException as error:  # noqa: BLE001  # a thread's bug must end the relay, not only the thread
            self._failed(error)

    def _write_loop(self) -> None:
        while True:
            try:
                first = self._jobs.get(timeout=0 if self._sweeping else _UPKEEP_S)
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
            if batch:
                self._commit(batch)
            if item is None:
                return
            self._upkeep()

    def _commit(self, batch: Sequence[tuple[Sequence[Job], Executed]]) -> None:
        now_ms = time.time_ns() // 1_000_000
        try:
            with own_words():
                self._transaction.begin()
                outcomes = [
                    self._executor.execute(self._transaction, jobs, now_ms, disk_full=self._disk_full)
                    for jobs, _ in batch
                ]
                self._transaction.commit()
        except DiskFull:
            self._transaction.rollback()
            self._disk_full = self._blobs.disk_full = True  # until the disk is looked at again
            wait_ms = round(_UPKEEP_S * 1000)
            outcomes = [
                self._executor.refuse(jobs, "full", now_ms, retry_after_ms=wait_ms) for jobs, _ in batch
            ]
        else:
            self._blobs.remove(self._transaction.take_removed_blobs())
        for (_, done), found in zip(batch, outcomes, strict=True):
            done(found)

    def _upkeep(self) -> None:
        """Look at the disk every second, and let go what has expired, a little at a time."""
        if time.monotonic() >= self._upkeep_at:
            self._upkeep_at = time.monotonic() + _UPKEEP_S
            with own_words():
                self._look_at_disk()
                self._note()
            hour = time.time_ns() // 1_000_000 // _HOUR_MS
            if hour != self._swept_hour:
                self._swept_hour = hour
                self._sweeping = True
        if self._sweeping:
            try:
                with own_words():
                    self._transaction.begin()
                    self._sweeping = self._transaction.expire(self._swept_hour)
                    self._transaction.commit()
            except DiskFull:
                self._transaction.rollback()
                self._sweeping = False
            else:
                self._blobs.remove(self._transaction.take_removed_blobs())

    def _look_at_disk(self) -> None:
        free = shutil.disk_usage(self._file.parent).free
        reusable = free_page_bytes(self._connection)
        below = free + reusable < self._reserve_bytes or free < self._reserve_bytes // _DISK_EDGE
        self._disk_full = self._blobs.disk_full = below

    def _note(self) -> None:
        number = last_entry_number(self._connection)
        if number != self._noted:
            try:
                self._note_progress(number)
            except OSError:
                return  # a full disk; the old mark stays true
            self._noted = number

    def _read_loop(self) -> None:
        with own_words(), contextlib.closing(open_reader(self._file)) as connection:
            reader = SqliteReader(connection)
            while (job := self._reads.get()) is not None:
                requests, done = job
                connection.execute("BEGIN")
                answers = [read(reader, request) for request in requests]
                connection.execute("COMMIT")
                done(answers)
