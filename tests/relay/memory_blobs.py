"""Blobs in memory, which lose what was not synced as a disk does."""

from collections.abc import Iterable

from skvoz.base.errors import DiskFull
from skvoz.logs import Blob


class MemoryFiles:
    """Implements `BlobFiles`; `room_bytes` is how much fits before the disk is full."""

    def __init__(self) -> None:
        self.files: dict[bytes, bytearray] = {}
        self.durable: dict[bytes, bytes] = {}
        self.room_bytes: int | None = None
        self._changed: set[bytes] = set()

    def write_at(self, blob_id: bytes, offset: int, body: bytes) -> None:
        file = self.files.setdefault(blob_id, bytearray())
        assert offset <= len(file), "a hole"
        self._changed.add(blob_id)
        if self.room_bytes is not None and len(body) > self.room_bytes:
            file[offset : offset + self.room_bytes] = body[: self.room_bytes]
            raise DiskFull("the relay's disk is full")
        if self.room_bytes is not None:
            self.room_bytes -= len(body)
        file[offset : offset + len(body)] = body

    def sync(self) -> None:
        for blob_id in self._changed:
            self.durable[blob_id] = bytes(self.files[blob_id])
        self._changed.clear()

    def bytes_at(self, blob_id: bytes, offset: int, size: int) -> bytes | None:
        body = bytes(self.files.get(blob_id, b"")[offset : offset + size])
        return body if len(body) == size else None

    def remove(self, blob_ids: Iterable[bytes]) -> None:
        for blob_id in blob_ids:
            self.files.pop(blob_id, None)
            self.durable.pop(blob_id, None)
            self._changed.discard(blob_id)

    def crash(self) -> None:
        """Lose what was not synced."""
        self.files = {blob_id: bytearray(body) for blob_id, body in self.durable.items()}
        self._changed.clear()


class MemoryRows:
    """The rows of blobs: present, and as of the last sync."""

    def __init__(self) -> None:
        self.present: dict[bytes, Blob] = {}
        self.durable: dict[bytes, Blob] = {}

    def blob(self, blob_id: bytes) -> Blob | None:
        return self.durable.get(blob_id)

    def sync(self) -> set[bytes]:
        """Make the present durable; return what is gone."""
        gone = self.durable.keys() - self.present.keys()
        self.durable = dict(self.present)
        return set(gone)

    def crash(self) -> None:
        """Go back to what was durable."""
        self.present = dict(self.durable)
