"""Which segments of a room a reader has come to see, by carry closers."""

from typing import Final

from skvoz.logs import SEGMENTS_VISIBLE_MAX, Segment
from skvoz.relay.ports import LogTransaction

SEGMENTS_NEAR: Final = 64
"""Who has to be followed through more segments costs the store a long search, which is rated."""
SEGMENTS_MAX: Final = 4_096
"""No search is longer."""


def carried_on(
    transaction: LogTransaction, log_id: bytes, segment: Segment, after: int, most: int
) -> tuple[dict[int, Segment], bool]:
    """Find the segments that a reader of `segment` has come to see at position `after`, by carry.

    Returns them by number, and whether looking at `most` of them was enough.
    """
    found = {segment.number: segment}
    waiting = [segment]
    walked = 0
    while waiting and walked < most:
        walked += 1
        current = waiting.pop()
        if not current.carried:
            continue
        for child in transaction.carried_children(log_id, current.number):
            if child.number <= after:
                found[child.number] = child
                waiting.append(child)
    return found, not waiting


def visible(found: dict[int, Segment]) -> tuple[dict[int, bytes], tuple[int, ...]]:
    """Return of the latest segments the key hashes by number, and the numbers of those that are closed."""
    kept = [found[number] for number in sorted(found)[-SEGMENTS_VISIBLE_MAX:]]
    return (
        {one.number: one.key_hash for one in kept},
        tuple(one.number for one in kept if one.closed_at),
    )
