"""Storage that stands in for a relay."""

from skvoz.base.ids import RelayId
from skvoz.client.records.base import Record


class DeadDrop(Record, frozen=True, array_like=True, kw_only=True):
    """A dead drop that this home can reach, with what opens it."""

    table = "dead_drop"
    key = ("relay_id",)
    relay_id: RelayId
    secret: bytes
    """32 bytes, from which its keys follow."""
    url: str
    """Where it is, without the password."""
    password: str
    bytes_a_day: int
    created_ms: int
    poll_s: int
    """Seconds between looks for news while it is quiet."""
