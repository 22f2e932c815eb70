"""What is carried beside a conversation's relay: keys of epochs, contents, and what arrived."""

from skvoz.base.ids import GroupId, MessageId
from skvoz.client.records.base import Record


class CarryKey(Record, frozen=True, array_like=True, kw_only=True):
    """What seals carried contents of one epoch; kept for a while longer than the epoch."""

    table = "carry_key"
    key = ("group_id", "epoch")
    group_id: GroupId
    epoch: int
    secret: bytes
    linked: bool
    """Nobody was removed on the way from the epoch before: its members may have this secret too."""
    since_ms: int


class Parcel(Record, frozen=True, array_like=True, kw_only=True):
    """A content that others may lack: one of ours, or one that came to us beside the relay."""

    table = "parcel"
    key = ("group_id", "number")
    columns = ("message_id",)
    group_id: GroupId
    number: int
    """In the order in which they were said or came here."""
    message_id: MessageId
    epoch: int
    """In which its author said it."""
    device_key: bytes
    signature: bytes
    content: bytes
    kept_ms: int


class Arrived(Record, frozen=True, array_like=True, kw_only=True):
    """A content that arrived, by whichever way: whatever comes again is dropped."""

    table = "arrived"
    key = ("group_id", "message_id")
    columns = ("arrived_ms",)
    group_id: GroupId
    message_id: MessageId
    epoch: int
    """Not before the one in which its author said it."""
    arrived_ms: int
