"""Inboxes, ours and other people's, and what travels through them."""

from enum import IntEnum

from skvoz.base.ids import EntryId, GroupId, LogId, RelayId
from skvoz.client.records.base import Record


class Delivery(Record, frozen=True, array_like=True, kw_only=True):
    """An invitation that has to reach somebody's inbox."""

    table = "delivery"
    key = ("entry_id",)
    entry_id: EntryId
    relay_id: RelayId
    log_id: LogId
    post_key: bytes
    body: bytes
    group_id: GroupId
    created_ms: int


class InboxKind(IntEnum):
    """Who is given an inbox's post key."""

    SINGLE_USE = 0
    LASTING = 1
    CONTACTS = 2
    """Given to contacts inside of conversations, for invitations to groups."""
    GROUP = 3
    """Behind the link of a group: it takes requests to be let in."""
    JOINING = 4
    """Given to one admin, with a request to be let into a group: the Welcome comes here."""


class Inbox(Record, frozen=True, array_like=True, kw_only=True):
    """An inbox of this account's."""

    table = "inbox"
    key = ("log_id",)
    columns = ("kind",)
    log_id: LogId
    kind: InboxKind
    relay_id: RelayId
    owner_key: bytes
    post_key: bytes
    link_secret: bytes
    private_key: bytes
    public_key: bytes
    created_ms: int
    opened: bool = False
    cursor: int = 0
    used_ms: int | None = None
    revoked: bool = False
    packages_left: int = 0
    """Packages believed to be in the pool."""
    used_by: bytes = b""
    """Who came first through a single-use link."""
    used_again: bool = False
    """Whether somebody else tried a single-use link after that."""
    stocked: bool = False
    """Whether the relay has said that it holds the offer or the packages."""
    offer: bytes = b""
    """The offer of a single-use link until it is stocked: a repeat must be the same, or it would be fresh."""
    replaced: bool = False
    """Whether contacts were told of another inbox; this one is read for a while yet."""
    group_id: GroupId = GroupId(b"")
    """The group that a link leads into."""


class MailPart(Record, frozen=True, array_like=True, kw_only=True):
    """A part of an invitation that waits for the others."""

    table = "mail_part"
    key = ("invitation_id", "number")
    invitation_id: bytes
    number: int
    count: int
    body: bytes
    log_id: LogId
    received_ms: int


class KeyPackageSecret(Record, frozen=True, array_like=True, kw_only=True):
    """The private side of a KeyPackage that somebody may use."""

    table = "key_package_secret"
    key = ("reference",)
    columns = ("log_id",)
    reference: bytes
    log_id: LogId
    bundle: bytes
    is_last_resort: bool = False
    expires_ms: int


class Approach(Record, frozen=True, array_like=True, kw_only=True):
    """A step of ours towards somebody that waits for a relay's answer (a link opened, packages taken)."""

    table = "approach"
    key = ("taker",)
    columns = ("log_id",)
    taker: bytes
    """The 16 random bytes of the `take`."""
    relay_id: RelayId
    log_id: LogId
    post_key: bytes
    purpose: str
    """`link`, `add`, or `opened` for a link that was answered: opening it again leads to the same chat."""
    body: bytes
    """What goes on after the answer, encoded by the module that asked."""
    created_ms: int
    expired: int = 0
    """Packages with expired cards that were passed over."""
