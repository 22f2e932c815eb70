"""The relay's rules over a drop's journal: whoever reads the same records comes to the same state.

Nothing here depends on a clock, on chance or on who reads: a record carries its author's time, rates don't
count, and each record is judged by itself.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from skvoz.base.errors import Malformed
from skvoz.base.value import Value
from skvoz.logs import Quotas
from skvoz.relay import Admission, Executor
from skvoz.relay.seam import Job, LogRequest, Outcome, Progress
from skvoz.transports.deaddrop.records import NO_CHAIN, Record
from skvoz.transports.deaddrop.rows import BlobRow, Room, Rows, Spot
from skvoz.wire.frames import Append, Attach, Rekey

NOBODY: Final = -1
"""In place of a session's number, in what others wrote."""
_OFTEN: Final = 1_000_000.0
_MANY: Final = 1_000_000
DROP_QUOTAS: Final = Quotas(
    log_bytes_max=64 * 1024 * 1024,
    log_entries_max=50_000,
    log_blobs_max=1_024,
    log_blob_bytes_max=1024 * 1024 * 1024,
    appends_per_s=_OFTEN,
    append_burst=_MANY,
    contests_per_s=_OFTEN,
    contest_burst=_MANY,
    takes_per_s=_OFTEN,
    take_burst=_MANY,
    knocks_per_s=_OFTEN,
    knock_burst=_MANY,
    opens_per_s=_OFTEN,
    open_burst=_MANY,
    session_opens_per_s=_OFTEN,
    session_open_burst=_MANY,
    lookups_per_s=_OFTEN,
    lookup_burst=_MANY,
    reserves_per_s=_OFTEN,
    reserve_burst=_MANY,
)
"""What every drop grants: all who use one have to judge alike, so nobody sets it. No rates."""
_RECORDS_REMEMBERED: Final = 64


class _State(Value, frozen=True, array_like=True, forbid_unknown_fields=True):
    version: int
    slot: int
    chain: bytes
    rooms: list[Room]
    blobs: list[BlobRow]
    swept_ms: int


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_State)


class Replica:
    """What the records up to `slot` come to; `chain` says which ones they were."""

    def __init__(self, record_at: Callable[[int], Record | None]) -> None:
        """`record_at` returns the record of a slot that was taken before, while it can be had."""
        self._record_at = record_at
        self._remembered: OrderedDict[int, Record | None] = OrderedDict()
        self.rows = Rows(self._body_at)
        self.slot = 0
        self.chain = NO_CHAIN
        self.swept_ms = 0
        """When, by the clock of who did it, what had expired was let go the last time."""
        self._trier = Executor(quotas=DROP_QUOTAS, admission=Admission())

    def take(self, slot: int, chain: bytes, record: Record | None) -> list[Outcome]:
        """Take the next slot's record, None for one that holds nothing of use.

        The outcomes are those of its requests, whose sessions are their places in the record.
        """
        self.slot, self.chain = slot, chain
        if record is None:
            return []
        self._remember(slot, record)
        if record.expired_hour:
            self.rows.expire(record.expired_hour)
            self.swept_ms = record.time_ms
        executor = Executor(quotas=DROP_QUOTAS, admission=Admission())
        noted = (Progress(0, one.blob, one.written) for one in record.noted)
        work: tuple[LogRequest, ...] = (*record.requests, *noted)
        outcomes: list[Outcome] = []
        for index, request in enumerate(work):
            self.rows.spot = Spot(slot, index)
            outcomes += executor.execute(self.rows, [Job(index, request)], record.time_ms)
        return outcomes

    def judge(self, jobs: Sequence[Job], now_ms: int) -> list[tuple[Outcome, bool]]:
        """Tell what would become of jobs in the next slot, and of each whether it would change anything."""
        found: list[tuple[Outcome, bool]] = []
        self.rows.begin_trial()
        try:
            for index, job in enumerate(jobs):
                self.rows.spot = Spot(self.slot + 1, index)
                before = self.rows.changes
                (outcome,) = self._trier.execute(self.rows, [job], now_ms)
                found.append((outcome, self.rows.changes > before))
        finally:
            self.rows.end_trial()
        return found

    def attach(self, job: Job, now_ms: int) -> Outcome:
        """Let a session read a log; nobody else learns of it."""
        if not isinstance(job.request, Attach):
            raise TypeError("only who attaches reads without writing")
        ((outcome, _),) = self.judge([job], now_ms)
        return outcome

    def export_state(self) -> bytes:
        """Return all of it but the bodies of entries; the same for everybody at this slot."""
        rooms, blobs = self.rows.rooms, self.rows.blobs
        return _encoder.encode(
            _State(
                1,
                self.slot,
                self.chain,
                [rooms[log_id] for log_id in sorted(rooms)],
                [blobs[blob_id] for blob_id in sorted(blobs)],
                self.swept_ms,
            )
        )

    def restore_state(self, data: bytes) -> None:
        """Begin from what `export_state` gave; raise `Malformed`."""
        try:
            state = _decoder.decode(data)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            raise Malformed("a drop's state doesn't parse") from None
        if state.version != 1:
            raise Malformed("a drop's state is of another version")
        self._remembered.clear()
        self.rows = Rows(self._body_at)
        self.rows.rooms = {room.log.log_id: room for room in state.rooms}
        self.rows.blobs = {row.blob.blob_id: row for row in state.blobs}
        self.slot, self.chain, self.swept_ms = state.slot, state.chain, state.swept_ms

    def _remember(self, slot: int, record: Record | None) -> None:
        self._remembered[slot] = record
        if len(self._remembered) > _RECORDS_REMEMBERED:
            self._remembered.popitem(last=False)

    def _body_at(self, spot: Spot) -> bytes | None:
        if spot.slot in self._remembered:
            record = self._remembered[spot.slot]
        else:
            record = self._record_at(spot.slot)
            self._remember(spot.slot, record)
        if record is None or spot.index >= len(record.requests):
            return None
        request = record.requests[spot.index]
        return request.body if isinstance(request, Append | Rekey) else None
