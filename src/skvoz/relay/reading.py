"""Reads what a session may see."""

from typing import Final

from skvoz.relay.ports import LogReader
from skvoz.relay.seam import ReadAnswer, ReadRequest
from skvoz.wire.frames import ENTRIES_PER_FRAME_MAX, Entry, Flag

ROWS_PER_READ: Final = 512
"""Bounds one read in a log where other segments' entries lie between."""


def read(reader: LogReader, request: ReadRequest) -> ReadAnswer:
    """Read a slice of a log for a session; the answer may reach less far than was asked.

    A carry closer that may be read lets its reader see the segment that it opens.
    """
    base = reader.base(request.log)
    knocks = list(reader.knocks(request.log, request.segments)) if request.knocks else []
    entries: list[Entry] = []
    through = request.after
    if request.after < request.through:
        count_max = min(ROWS_PER_READ, ENTRIES_PER_FRAME_MAX)
        rows = reader.entries(request.log, request.after, request.through, count_max, request.bytes_max)
        segments = set(request.segments)
        for row in rows:
            if row.segment in segments:
                entries.append(row)
                if row.flags & Flag.CARRY:
                    segments.add(row.position)
        through = rows[-1].position if rows else request.through
    return ReadAnswer(
        request.session,
        request.log,
        request.attachment,
        entries,
        through,
        base,
        request.bytes_max,
        request.knocks,
        knocks,
    )
