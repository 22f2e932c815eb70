"""What admins of groups have before them, and links of groups that we opened ourselves."""

from enum import IntEnum

from skvoz.base.ids import AccountId, GroupId, LogId, MessageId
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


class AskerState(IntEnum):
    """Where somebody's request to be let into a group stands."""

    WAITING = 0
    DECLINED = 1
    APPROVED = 2


class Asker(Record, frozen=True, array_like=True, kw_only=True):
    """Somebody who asked an admin, by the group's link, to be let in; kept a while after it is settled."""

    table = "asker"
    key = ("group_id", "account_id")
    group_id: GroupId
    account_id: AccountId
    state: AskerState
    card: bytes
    key_package: bytes
    recipient: bytes
    """Where the Welcome goes, as `invitations.recipient` writes it."""
    asked_ms: int
    """As their clock said, signed: an older request is a repeat."""
    received_ms: int


class JoiningState(IntEnum):
    """How far we have come with a group's link."""

    OPENING = 0
    """Waiting for what lies beside it."""
    SHOWN = 1
    """It says what the group is called; nothing was asked."""
    ASKING = 2
    """Waiting for our own inbox to be there."""
    ASKED = 3
    FAILED = 4


class Joining(Record, frozen=True, array_like=True, kw_only=True):
    """A group's link that we opened, until we are in or think better of it."""

    table = "joining"
    key = ("log_id",)
    columns = ("inbox_id",)
    log_id: LogId
    """The link's inbox."""
    inbox_id: LogId = LogId(b"")
    """Our own inbox for the answer."""
    state: JoiningState
    address: bytes
    """The link's inbox, as `InboxAddress`."""
    admin: AccountId
    admin_name: str = ""
    public_key: bytes = b""
    """The HPKE key of the link's inbox."""
    title: str = ""
    members: int = 0
    created_ms: int
    asked_ms: int | None = None
    failure: str = ""
