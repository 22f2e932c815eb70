"""The bytes of blobs: files in a folder beside the database, written on one thread and read on another.

A part is in its file and synced before the database hears of it; a file goes after its row is gone. What a
crash leaves between these is put right at the next start: files without a row, and rows without their bytes.
"""

import contextlib
import os
import queue
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from skvoz.base.errors import StoreError
from skvoz.base.value import Value
from skvoz.relay import PartWriter, fetch
from skvoz.relay.seam import PartJob, PartOutcome
from skvoz.server.blob_rows import SqliteBlobs
from skvoz.server.database import open_reader, own_words
from skvoz.server.home import sync_folder
from skvoz.transports.allocation import keep_memory
from skvoz.wire.frames import Fetch

PARTS_PER_SYNC_MAX: Final = 16
"""Parts of up to 1 MiB that share a sync: what a message's own sync may have to wait behind."""
_FOLDER_MODE: Final = 0o700
_FILE_MODE: Final = 0o600
Done = Callable[[list[PartOutcome]], None]


class BlobFolder:
    """`BlobFiles` in a folder; used by one thread at a time for writing, and by another for reading."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[bytes, int] = {}
        self._grew = False

    def make(self) -> None:
        """Make the folder where it is missing."""
        with own_words():
            self._folder.mkdir(mode=_FOLDER_MODE, exist_ok=True)

    def write_at(self, blob_id: bytes, offset: int, body: bytes) -> None:
        """Write into a blob's file, making it where it is missing; raise `DiskFull` or `StoreError`."""
        with own_words():
            descriptor = self._open.get(blob_id)
            if descriptor is None:
                file = self._file(blob_id)
                self._grew = self._grew or not file.exists()
                descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, _FILE_MODE)
                self._open[blob_id] = descriptor
            done = os.pwrite(descriptor, body, offset)
            while done < len(body):
                done += os.pwrite(descriptor, memoryview(body)[done:], offset + done)

    def sync(self) -> None:
        """Put everything that was written on stable storage; raise `DiskFull` or `StoreError`."""
        descriptors = list(self._open.values())
        self._open.clear()
        with contextlib.ExitStack() as closing, own_words():
            for descriptor in descriptors:
                closing.callback(os.close, descriptor)
            for descriptor in descriptors:
                os.fdatasync(descriptor)
            if self._grew:
                sync_folder(self._folder)
                self._grew = False

    def bytes_at(self, blob_id: bytes, offset: int, size: int) -> bytes | None:
        """Return bytes of a blob's file; None where it is not there or too short."""
        try:
            descriptor = os.open(self._file(blob_id), os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreError(f"a blob's file can't be read: {error.strerror}") from None
        try:
            with own_words():
                body = os.pread(descriptor, size, offset)
        finally:
            os.close(descriptor)
        return body if len(body) == size else None

    def remove(self, blob_ids: Sequence[bytes]) -> None:
        """Remove files; one that is not there is as good as removed."""
        with own_words():
            for blob_id in blob_ids:
                self._file(blob_id).unlink(missing_ok=True)

    def sizes(self) -> dict[bytes, int]:
        """Return the size of each blob's file; raise `StoreError` for a file that is none of ours."""
        found: dict[bytes, int] = {}
        with own_words(), contextlib.suppress(FileNotFoundError), os.scandir(self._folder) as entries:
            for entry in entries:
                found[id_of(entry.name)] = entry.stat().st_size
        return found

    def _file(self, blob_id: bytes) -> Path:
        return self._folder / blob_id.hex()


def id_of(name: str) -> bytes:
    """Return the id of the blob whose file has this name; raise `StoreError` where it is none of ours."""
    try:
        blob_id = bytes.fromhex(name)
    except ValueError:
        blob_id = b""
    if blob_id.hex() != name or len(blob_id) != 16:
        raise StoreError("the folder of blobs has a file that is none of them")
    return blob_id


def put_right(rows: SqliteBlobs, files: BlobFolder) -> None:
    """Remove files without rows, and, in the caller's transaction, rows whose bytes are not all there.

    The latter is what is left of a database that was put back from a copy without its blobs.
    """
    written = rows.all_written()
    sizes = files.sizes()
    for blob_id, size in written.items():
        if sizes.get(blob_id, 0) < size:
            rows.delete(blob_id)
    files.remove([blob_id for blob_id in sizes if blob_id not in written])


class BlobStore:
    """Writes and reads parts on threads of its own, and tells their outcomes from there."""

    def __init__(self, database: Path, files: BlobFolder, failed: Callable[[BaseException], None]) -> None:
        """`failed` is told, on the thread that broke, why nothing will be answered any more."""
        self._database = database
        self._files = files
        self._failed = failed
        self._writer = PartWriter()
        self._writes: queue.SimpleQueue[_Writing | _Removing | None] = queue.SimpleQueue()
        self._reads: queue.SimpleQueue[tuple[PartJob, Done] | None] = queue.SimpleQueue()
        self.disk_full = False
        """Set by the store when the high-water mark is passed."""
        self._threads = (
            threading.Thread(
                target=self._guard, args=(self._write_loop,), name="relay-blob-writer", daemon=True
            ),
            threading.Thread(
                target=self._guard, args=(self._read_loop,), name="relay-blob-reader", daemon=True
            ),
        )

    def start(self) -> None:
        """Start both threads."""
        keep_memory()
        for thread in self._threads:
            thread.start()

    def write(self, jobs: Sequence[PartJob], done: Done) -> None:
        """Have parts written; `done` is called on the writer's thread."""
        self._writes.put(_Writing(jobs, done))

    def read(self, job: PartJob, done: Done) -> None:
        """Have a part read; `done` is called on the reader's thread."""
        self._reads.put((job, done))

    def remove(self, blob_ids: Sequence[bytes]) -> None:
        """Remove the files of blobs whose rows are gone for good."""
        if blob_ids:
            self._writes.put(_Removing(blob_ids))

    def close(self) -> None:
        """Finish what is queued."""
        self._writes.put(None)
        self._reads.put(None)
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()

    def _guard(self, loop: Callable[[], None]) -> None:
        try:
            loop()
        except BaseException as error:  # noqa: BLE001  # a thread's bug must end the relay, not only the thread
            self._failed(error)

    def _write_loop(self) -> None:
        with own_words(), contextlib.closing(open_reader(self._database)) as connection:
            rows = SqliteBlobs(connection)
            item = self._writes.get()
            while item is not None:
                if isinstance(item, _Writing):
                    batch, item = self._gather(item)
                    self._write_batch(rows, batch)
                else:
                    self._writer.forget(item.blob_ids)
                    self._files.remove(item.blob_ids)
                    item = _NOTHING
                if item is _NOTHING:
                    item = self._writes.get()

    def _gather(self, first: "_Writing") -> "tuple[list[_Writing], _Writing | _Removing | None]":
        """Return what is to be written together, and what comes then where that was looked at already."""
        batch = [first]
        size = len(first.jobs)
        while size < PARTS_PER_SYNC_MAX and not self._writes.empty():
            item = self._writes.get()
            if not isinstance(item, _Writing):
                return batch, item
            batch.append(item)
            size += len(item.jobs)
        return batch, _NOTHING

    def _write_batch(self, rows: SqliteBlobs, batch: "list[_Writing]") -> None:
        jobs = [job for writing in batch for job in writing.jobs]
        outcomes = self._writer.write(rows, self._files, jobs, disk_full=self.disk_full)
        start = 0
        for writing in batch:
            writing.done(outcomes[start : start + len(writing.jobs)])
            start += len(writing.jobs)

    def _read_loop(self) -> None:
        with own_words(), contextlib.closing(open_reader(self._database)) as connection:
            rows = SqliteBlobs(connection)
            while (item := self._reads.get()) is not None:
                job, done = item
                if isinstance(job.request, Fetch):
                    result = fetch(rows, self._files, job.request)
                    done([PartOutcome(job.session, job.request, result)])


class _Writing(Value, frozen=True):
    """Parts to be written, and whom to tell."""

    jobs: Sequence[PartJob]
    done: Done


class _Removing(Value, frozen=True):
    """Blobs whose files are to be removed."""

    blob_ids: Sequence[bytes]


_NOTHING: Final = _Removing(())
