"""`Event`: what people and programs are told. Durable, numbered, and made of ids only."""

from typing import ClassVar, Literal

from skvoz.base.ids import AccountId, GroupId, LogId, MessageId
from skvoz.base.value import Value

LinkFailure = Literal["used", "invalid", "expired", "denied"]
ChatChange = Literal[
    "accepted",
    "admin",
    "archived",
    "deleted",
    "expiry",
    "found",
    "frozen",
    "gone",
    "leaving",
    "left",
    "lost",
    "member_added",
    "member_removed",
    "muted",
    "not_admin",
    "pinned",
    "read",
    "removed",
    "title",
]
"""`actor` and `subject` are set where somebody did it (title, expiry) to somebody (members, admins)."""
FileChange = Literal["attached", "failed", "forgotten", "here", "paused", "resumed", "uploaded"]
MessageChange = Literal[
    "delivered", "deleted", "edited", "expired", "failed", "pinned", "reaction", "read", "sent", "vote"
]
GroupMatter = Literal["asker", "complaint", "link"]
JoiningChange = Literal["asked", "ended", "failed", "joined", "shown"]


class EventBase(Value, frozen=True, kw_only=True):
    """The base of all events; `kind` is its name in the API."""

    kind: ClassVar[str]


class AccountCreated(EventBase, frozen=True, kw_only=True):
    """This home has a person now."""

    kind = "account.created"
    account_id: AccountId


class FoldersChanged(EventBase, frozen=True, kw_only=True):
    """The folders of chats are others now."""

    kind = "folder.changed"


class LinkCreated(EventBase, frozen=True, kw_only=True):
    """A link exists; it works once the relay holds its inbox (`ready`)."""

    kind = "link.changed"
    log_id: LogId
    ready: bool


class LinkUsed(EventBase, frozen=True, kw_only=True):
    """Somebody came through a link of ours."""

    kind = "link.used"
    log_id: LogId
    account_id: AccountId


class LinkFailed(EventBase, frozen=True, kw_only=True):
    """A link that we opened led nowhere."""

    kind = "link.failed"
    log_id: LogId
    reason: LinkFailure


class ContactChanged(EventBase, frozen=True, kw_only=True):
    """A person is new here, or their name, state or key changed."""

    kind = "contact.changed"
    account_id: AccountId
    key_changed: bool = False


class ChatCreated(EventBase, frozen=True, kw_only=True):
    """A conversation is there: made here, or joined by a Welcome."""

    kind = "chat.created"
    chat_id: bytes
    group_id: GroupId
    is_request: bool


class ChatChanged(EventBase, frozen=True, kw_only=True):
    """Title, members, roles, expiry, read mark or state changed; `what` names which."""

    kind = "chat.changed"
    chat_id: bytes
    group_id: GroupId
    what: ChatChange
    actor: AccountId | None = None
    subject: AccountId | None = None


class MessageReceived(EventBase, frozen=True, kw_only=True):
    """A message of somebody else's is stored."""

    kind = "message.received"
    chat_id: bytes
    message_id: MessageId
    sequence: int


class MessageQueued(EventBase, frozen=True, kw_only=True):
    """A message of ours is stored and will go out."""

    kind = "message.queued"
    chat_id: bytes
    message_id: MessageId
    sequence: int


class MessageChanged(EventBase, frozen=True, kw_only=True):
    """Edited, deleted, expired, reacted to, voted on, pinned or not, or come further; `what` names which."""

    kind = "message.changed"
    chat_id: bytes
    message_id: MessageId
    what: MessageChange


class GapNoticed(EventBase, frozen=True, kw_only=True):
    """A message may be missing in a chat, or (`filled`) the missing one came."""

    kind = "message.missing"
    chat_id: bytes
    message_id: MessageId
    filled: bool


class FileChanged(EventBase, frozen=True, kw_only=True):
    """A file went further on its way, or came to a stop; `what` names how."""

    kind = "file.changed"
    chat_id: bytes
    message_id: MessageId | None
    file_id: bytes
    what: FileChange


class GroupAttention(EventBase, frozen=True, kw_only=True):
    """Something waits for a group's admins, or does no longer; `what` names what."""

    kind = "group.attention"
    chat_id: bytes
    what: GroupMatter


class JoiningChanged(EventBase, frozen=True, kw_only=True):
    """A group's link that was opened here came further; `what` names how, `chat_id` is where one is in.

    `reason` is that of `link.failed` where it came to nothing, else empty.
    """

    kind = "group.joining"
    log_id: LogId
    what: JoiningChange
    reason: str = ""
    chat_id: bytes = b""


class RequestFailed(EventBase, frozen=True, kw_only=True):
    """Something asked for could not be done after all; `chat_id` is empty where it was not about a chat.

    `reason` is one of `bad`, `bad_package`, `not_allowed`, `not_delivered`, `not_reachable`,
    `relay_refused`, `too_big`.
    """

    kind = "request.failed"
    chat_id: bytes
    reason: str


Event = (
    AccountCreated
    | FoldersChanged
    | LinkCreated
    | LinkUsed
    | LinkFailed
    | ContactChanged
    | ChatCreated
    | ChatChanged
    | MessageReceived
    | MessageQueued
    | MessageChanged
    | GapNoticed
    | FileChanged
    | GroupAttention
    | JoiningChanged
    | RequestFailed
)
