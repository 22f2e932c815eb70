"""Bytes of blobs: each part that its author hands over is an object of its own.

A piece is written first; the journal says afterwards that it is there, and where it ends.
"""

from itertools import pairwise

from skvoz.base.errors import DecryptFailed, Malformed
from skvoz.base.ports import Randomness
from skvoz.crypto import sha256
from skvoz.logs import may_fetch, may_fill
from skvoz.relay.seam import PartJob, PartOutcome, Progress
from skvoz.transports.deaddrop.names import DropKeys, ObjectKind, Place
from skvoz.transports.deaddrop.objects import open_object, seal_object
from skvoz.transports.deaddrop.rows import BlobRow, Rows
from skvoz.transports.deaddrop.storage import Storage, StorageFull
from skvoz.wire.frames import Fetch, Fill, No, Part


class Pieces:
    """Writes and reads them."""

    def __init__(self, keys: DropKeys, storage: Storage, randomness: Randomness) -> None:
        self._keys = keys
        self._storage = storage
        self._randomness = randomness

    async def write(self, rows: Rows, job: PartJob) -> PartOutcome:
        """Write the next piece of a blob; another may follow once the journal says that it is there."""
        fill = job.request
        if not isinstance(fill, Fill):
            raise TypeError("only what fills is written")
        row = rows.blobs.get(fill.blob)
        blob = None if row is None else row.blob
        refusal = may_fill(blob, sha256(fill.write_key), fill.offset, len(fill.body))
        if row is None or blob is None or refusal is not None:
            code = "denied" if refusal is None else refusal.code
            return PartOutcome(job.session, fill, No(fill.request, code, 0))
        new = fill.body[blob.written - fill.offset :]
        if new:
            place = Place(ObjectKind.PIECE, row.number, len(row.ends))
            try:
                await self._storage.put(
                    self._keys.name_of(place), seal_object(self._keys, place, new, self._randomness)
                )
            except StorageFull:
                return PartOutcome(job.session, fill, No(fill.request, "full", 0))
        return PartOutcome(job.session, fill, Progress(fill.request, fill.blob, blob.written + len(new)))

    async def read(self, rows: Rows, job: PartJob) -> PartOutcome:
        """Read a part of a blob; `denied` where the drop has lost a piece of it."""
        fetch = job.request
        if not isinstance(fetch, Fetch):
            raise TypeError("only what fetches is read")
        row = rows.blobs.get(fetch.blob)
        blob = None if row is None else row.blob
        refusal = may_fetch(blob, sha256(fetch.read_key), fetch.offset, fetch.size)
        if row is None or refusal is not None:
            code = "denied" if refusal is None else refusal.code
            return PartOutcome(job.session, fetch, No(fetch.request, code, 0))
        found = await self._bytes_at(row, fetch.offset, fetch.size)
        if found is None:
            return PartOutcome(job.session, fetch, No(fetch.request, "denied", 0))
        return PartOutcome(job.session, fetch, Part(fetch.request, found))

    async def _bytes_at(self, row: BlobRow, offset: int, size: int) -> bytes | None:
        found = b""
        for part, (begin, end) in enumerate(pairwise((0, *row.ends))):
            if end <= offset or begin >= offset + size:
                continue
            piece = await self._piece(Place(ObjectKind.PIECE, row.number, part), end - begin)
            if piece is None:
                return None
            found += piece[max(0, offset - begin) : offset + size - begin]
        return found

    async def _piece(self, place: Place, size: int) -> bytes | None:
        data = await self._storage.get(self._keys.name_of(place))
        if data is None:
            return None
        try:
            piece = open_object(self._keys, place, data)
        except (DecryptFailed, Malformed):
            return None
        return piece if len(piece) == size else None
