"""The relay's real store under the world of these tests, without its threads: the same rules must hold."""

import sqlite3
from collections.abc import Iterable

from skvoz.logs import Blob, Log
from skvoz.relay.blobs import PartWriter, fetch
from skvoz.relay.executor import Executor
from skvoz.relay.reading import read
from skvoz.relay.seam import Job, Outcome, PartJob, PartOutcome, ReadAnswer, ReadRequest
from skvoz.server import database
from skvoz.server.blob_rows import SqliteBlobs
from skvoz.server.log_reader import SqliteReader
from skvoz.server.write_transaction import SqliteTransaction
from skvoz.wire.frames import Entry, Fetch
from tests.relay.memory_blobs import MemoryFiles

_POSITIONS_MAX = 1 << 40


class SqliteStore:
    """One transaction from each first job to the next `sync`."""

    def __init__(self, store_id: bytes, executor: Executor) -> None:
        self.store_id = store_id
        self.executor = executor
        self._connection = sqlite3.connect(":memory:", isolation_level=None)
        database._migrate(self._connection)
        self._transaction = SqliteTransaction(self._connection)
        self._reader = SqliteReader(self._connection)
        self._rows = SqliteBlobs(self._connection)
        self._writer = PartWriter()
        self.files = MemoryFiles()

    def execute(self, jobs: Iterable[Job], now_ms: int, *, disk_full: bool = False) -> list[Outcome]:
        self._begin()
        return self.executor.execute(self._transaction, jobs, now_ms, disk_full=disk_full)

    def sync(self) -> None:
        if self._connection.in_transaction:
            self._transaction.commit()
            gone = self._transaction.take_removed_blobs()
            self._writer.forget(gone)
            self.files.remove(gone)

    def crash(self) -> None:
        """Lose what was not synced, and the process with what it remembers."""
        self._transaction.rollback()
        self._writer = PartWriter()
        self.files.crash()

    def write_parts(self, jobs: Iterable[PartJob], *, disk_full: bool = False) -> list[PartOutcome]:
        return self._writer.write(self._rows, self.files, jobs, disk_full=disk_full)

    def read_parts(self, jobs: Iterable[PartJob]) -> list[PartOutcome]:
        return [
            PartOutcome(job.session, job.request, fetch(self._rows, self.files, job.request))
            for job in jobs
            if isinstance(job.request, Fetch)
        ]

    def blobs(self) -> dict[bytes, Blob]:
        found = [self._rows.blob(blob_id) for blob_id in self._rows.all_written()]
        return {blob.blob_id: blob for blob in found if blob is not None}

    def read(self, requests: Iterable[ReadRequest]) -> list[ReadAnswer]:
        return [read(self._reader, request) for request in requests]

    def expire(self, hour: int) -> None:
        self._begin()
        while self._transaction.expire(hour):
            pass
        self.sync()

    def log(self, log_id: bytes) -> Log | None:
        return self._transaction.log(log_id)

    def log_ids(self) -> list[bytes]:
        return [row[0] for row in self._connection.execute("SELECT log FROM log")]

    def find_repeat(
        self, log_id: bytes, entry_id: bytes, body: bytes, next_hash: bytes | None, since: int
    ) -> int | None:
        return self._transaction.find_repeat(log_id, entry_id, body, next_hash, since)

    def all_entries(self, log_id: bytes) -> list[Entry]:
        return list(self._reader.entries(log_id, 0, _POSITIONS_MAX, _POSITIONS_MAX, _POSITIONS_MAX))

    def knock_count(self, log_id: bytes) -> int:
        return self._transaction.knock_count(log_id)

    def close(self) -> None:
        self._connection.close()

    def _begin(self) -> None:
        if not self._connection.in_transaction:
            self._transaction.begin()
