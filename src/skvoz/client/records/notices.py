"""What changed in a chat, for people to read between its messages."""

from typing import Literal

from skvoz.base.ids import AccountId, GroupId
from skvoz.client.records.base import Record

NoticeKind = Literal["admin", "expiry", "member_added", "member_left", "member_removed", "not_admin", "title"]


class Notice(Record, frozen=True, array_like=True, kw_only=True):
    """A change of a chat that its members should see: of its people, their roles, its name, its timer."""

    table = "notice"
    key = ("sequence",)
    columns = ("chat_id", "group_id")
    sequence: int
    """Its place among the messages of this home."""
    chat_id: bytes
    group_id: GroupId
    what: NoticeKind
    actor: AccountId
    """Who did it."""
    subject: AccountId | None = None
    """To whom, where it is about a person."""
    title: str = ""
    """The new name, where that changed."""
    expiry_s: int | None = None
    """The new timer, where that changed."""
    noticed_ms: int
    """As the clock of this device said."""
