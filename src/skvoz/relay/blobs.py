"""Blobs: making space and deleting in the store's transactions, bytes in files beside it.

Bytes are written and synced first, then the blob's row learns of it in a transaction, and only then its
author does. So a file may hold more than its row says, never less; what is beyond is written over.
"""

from collections import OrderedDict
from collections.abc import Collection, Iterable
from typing import Final

import msgspec

from skvoz.base.errors import DiskFull
from skvoz.crypto import sha256
from skvoz.logs import (
    Blob,
    Quotas,
    Rate,
    Rates,
    Refusal,
    ReserveRequest,
    filled,
    is_same_blob,
    may_discard,
    may_fetch,
    may_fill,
    renewed,
    reserve,
)
from skvoz.relay.ports import BlobFiles, BlobRows, LogTransaction
from skvoz.relay.seam import PartJob, PartOutcome, Progress
from skvoz.wire.frames import Code, Discard, Fetch, Fill, Filled, No, Ok, Part, Reserve

_REMEMBERED_MAX: Final = 256
"""Blobs whose progress the writer of parts knows without asking: as many as are written at a time."""


class Blobs:
    """Decides what the store's writer is asked about blobs."""

    def __init__(self, quotas: Quotas, rates: Rates) -> None:
        self._quotas = quotas
        self._rates = rates
        self._reserve_rate = Rate.of(quotas.reserves_per_s, quotas.reserve_burst)

    def decide(
        self,
        transaction: LogTransaction,
        request: Reserve | Discard | Progress,
        now_ms: int,
        *,
        disk_full: bool,
    ) -> Filled | Ok | No:
        """Make space, note progress, or delete."""
        match request:
            case Reserve():
                return self._reserve(transaction, request, now_ms, disk_full=disk_full)
            case Progress():
                return self._note(transaction, request, now_ms)
            case Discard():
                return _discard(transaction, request)

    def _reserve(
        self, transaction: LogTransaction, request: Reserve, now_ms: int, *, disk_full: bool
    ) -> Filled | No:
        wanted = ReserveRequest(
            blob_id=request.blob,
            write_hash=request.write_hash,
            read_hash=request.read_hash,
            chunk_size=request.chunk_size,
            chunk_count=request.chunk_count,
            retention_s=request.retention_s,
        )
        existing = transaction.blob(request.blob)
        if existing is not None:
            same = is_same_blob(existing, wanted)
            return Filled(request.request, request.blob, existing.written) if same else _no(request, "denied")
        log = transaction.log(request.log)
        segment = transaction.segment(request.log, sha256(request.key))
        branch = 0 if segment is None else segment.branch
        usage = transaction.blob_usage(request.log, branch)
        made = reserve(log, segment, wanted, usage, quotas=self._quotas, now_ms=now_ms)
        if isinstance(made, Refusal) or log is None:
            return _no(request, "denied" if not isinstance(made, Refusal) else made.code)
        if disk_full:
            return _no(request, "full")
        wait_ms = self._rates.wait_ms(("reserve", request.log, branch), self._reserve_rate, now_ms)
        if wait_ms:
            return No(request.request, "slow", wait_ms)
        transaction.save_blob(made)
        kept = renewed(log, now_ms)
        if kept is not log:
            transaction.save_log(kept)
        return Filled(request.request, request.blob, 0)

    def _note(self, transaction: LogTransaction, progress: Progress, now_ms: int) -> Filled | No:
        blob = transaction.blob(progress.blob)
        log = None if blob is None else transaction.log(blob.log_id)
        if blob is None or log is None:
            return No(progress.request, "denied", 0)  # it was deleted meanwhile
        changed = filled(blob, log, progress.written, self._quotas, now_ms)
        if changed != blob:
            transaction.save_blob(changed)
        return Filled(progress.request, progress.blob, changed.written)


def _discard(transaction: LogTransaction, request: Discard) -> Ok | No:
    if not may_discard(transaction.blob(request.blob), sha256(request.write_key)):
        return _no(request, "denied")
    transaction.delete_blob(request.blob)
    return Ok(request.request, None)


def _no(request: Reserve | Discard | Fill | Fetch, code: Code) -> No:
    return No(request.request, code, 0)


class PartWriter:
    """Writes parts into files; remembers how far each file has come, which its row learns a little later."""

    def __init__(self) -> None:
        self._blobs: OrderedDict[bytes, Blob] = OrderedDict()

    def write(
        self, rows: BlobRows, files: BlobFiles, jobs: Iterable[PartJob], *, disk_full: bool
    ) -> list[PartOutcome]:
        """Write parts in order and sync them all; an outcome for each job."""
        outcomes: list[PartOutcome] = []
        touched: set[bytes] = set()
        for job in jobs:
            fill = job.request
            if not isinstance(fill, Fill):
                raise TypeError("only what fills is written")
            result = self._write_one(rows, files, fill, disk_full=disk_full)
            if isinstance(result, Progress):
                touched.add(fill.blob)
            outcomes.append(PartOutcome(job.session, fill, result))
        try:
            files.sync()
        except DiskFull:
            self.forget(touched)
            outcomes = [
                PartOutcome(one.session, one.request, No(one.request.request, "full", 0))
                if isinstance(one.result, Progress)
                else one
                for one in outcomes
            ]
        return outcomes

    def forget(self, blob_ids: Collection[bytes]) -> None:
        """Ask their rows again before anything more is written: they were deleted, or not all was stored."""
        for blob_id in blob_ids:
            self._blobs.pop(blob_id, None)

    def _write_one(self, rows: BlobRows, files: BlobFiles, fill: Fill, *, disk_full: bool) -> Progress | No:
        blob = self._blobs.get(fill.blob) or rows.blob(fill.blob)
        refusal = may_fill(blob, sha256(fill.write_key), fill.offset, len(fill.body))
        if refusal is not None or blob is None:
            return _no(fill, "denied" if refusal is None else refusal.code)
        new = fill.body[blob.written - fill.offset :]
        if new:
            if disk_full:
                return _no(fill, "full")
            try:
                files.write_at(fill.blob, blob.written, new)
            except DiskFull:
                return _no(fill, "full")
            blob = msgspec.structs.replace(blob, written=blob.written + len(new))
        self._blobs[fill.blob] = blob
        self._blobs.move_to_end(fill.blob)
        if len(self._blobs) > _REMEMBERED_MAX:
            self._blobs.popitem(last=False)
        return Progress(fill.request, fill.blob, blob.written)


def fetch(rows: BlobRows, files: BlobFiles, request: Fetch) -> Part | No:
    """Read a part of a blob."""
    refusal = may_fetch(rows.blob(request.blob), sha256(request.read_key), request.offset, request.size)
    if refusal is not None:
        return _no(request, refusal.code)
    body = files.bytes_at(request.blob, request.offset, request.size)
    return _no(request, "denied") if body is None else Part(request.request, body)
