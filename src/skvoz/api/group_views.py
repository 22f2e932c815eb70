"""Links into groups and what waits for their admins, as JSON shows it. Imports little, as `views`."""

from typing import Literal

from skvoz.api.views import ContactWord, View
from skvoz.base.ids import AccountId, LogId, MessageId

JoiningWord = Literal["opening", "shown", "asking", "asked", "failed"]


class AskerView(View, frozen=True, kw_only=True):
    """Somebody who asks to be let in; the name is their own claim.

    `state` is None for who is not known here.
    """

    account_id: AccountId
    name: str
    state: ContactWord | None
    asked_ms: int


class GroupLinkView(View, frozen=True, kw_only=True):
    """One's own link into a group; empty where there is none. It works once `ready`.

    `askers` wait for an answer, the first first.
    """

    link: str
    ready: bool
    askers: tuple[AskerView, ...]


class JoiningView(View, frozen=True, kw_only=True):
    """A group's link that was opened here: what its maker says of the group, and how far one has come.

    `failure` is a reason of `link.failed`.
    """

    log_id: LogId
    state: JoiningWord
    title: str
    members: int
    admin_name: str
    asked_ms: int | None
    failure: str


class JoiningListView(View, frozen=True, kw_only=True):
    """Links of groups that were opened here, the latest first."""

    joinings: tuple[JoiningView, ...]


class ComplaintView(View, frozen=True, kw_only=True):
    """What one member says against a message; `member`: whether they are in the group now.

    `quote` is what the message says, as they say.
    """

    account_id: AccountId
    name: str
    member: bool
    reason: str
    note: str
    quote: str
    received_ms: int


class ReportedView(View, frozen=True, kw_only=True):
    """A message that members complain about; `sequence` and `text` are those of the message that is here.

    Without a `sequence` it is not here, and who wrote it is what the complaints say.
    """

    message_id: MessageId
    sequence: int | None
    text: str
    deleted: bool
    author: AccountId
    author_name: str
    author_member: bool
    complaints: tuple[ComplaintView, ...]


class ReportedListView(View, frozen=True, kw_only=True):
    """Messages of a group that members complain about, in the order of the first complaint."""

    messages: tuple[ReportedView, ...]


class AttentionView(View, frozen=True, kw_only=True):
    """How much waits for the admins of one group: messages that are reported, and people who ask to join."""

    chat_id: bytes
    complaints: int
    askers: int


class AttentionListView(View, frozen=True, kw_only=True):
    """The groups of ours as an admin in which something waits."""

    groups: tuple[AttentionView, ...]
