"""What admins of groups have before them."""

from skvoz.base.ids import AccountId, GroupId, MessageId
from skvoz.client.records.base import Record


class ComplaintHeard(Record, frozen=True, array_like=True, kw_only=True):
    """A complaint about a message of a group that this home's person looks after."""

    table = "complaint_heard"
    key = ("group_id", "message_id", "reporter")
    columns = ("message_id", "reporter")
    group_id: GroupId
    message_id: MessageId
    reporter: AccountId
    author: AccountId
    """Of the message, as the reporter says: the message itself may not be here."""
    reason: int
    note: str
    quote: str
    """What the message says, as the reporter says."""
    received_ms: int
    number: int
    """The order in which they came."""
