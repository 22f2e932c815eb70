"""The question about what changed in a chat, between its messages."""

from typing import Final

from skvoz.api import params as asked
from skvoz.api import showing
from skvoz.api.lookups import known_chat, own_account
from skvoz.api.question import Question
from skvoz.api.views import View
from skvoz.base.ids import AccountId
from skvoz.client.records import Account, Notice, NoticeKind
from skvoz.store.queries import Queries


class NoticeView(View, frozen=True, kw_only=True):
    """A change of a chat: `actor` made it, to `subject` where it is about a person.

    `sequence` is its place among the messages. `title` is the new name of a group, `expiry_s` the new timer
    for messages in seconds, None where they stay.
    """

    sequence: int
    what: NoticeKind
    actor_name: str
    actor_own: bool
    subject_name: str
    subject_own: bool
    title: str
    expiry_s: int | None
    noticed_ms: int


class NoticeListView(View, frozen=True, kw_only=True):
    """The latest changes of a chat, the oldest first."""

    notices: tuple[NoticeView, ...]


def chat_notices(queries: Queries, params: asked.ChatParams) -> NoticeListView:
    """Return what changed in a chat: who came and went and took charge, its name and its timer."""
    known_chat(queries, params.chat_id)
    own = own_account(queries)
    found = queries.notices(params.chat_id)
    return NoticeListView(notices=tuple(_shown(queries, own, notice) for notice in found))


def _shown(queries: Queries, own: Account, notice: Notice) -> NoticeView:
    def name(account_id: AccountId) -> str:
        return showing.name_of(account_id, own, queries.contact(account_id))

    return NoticeView(
        sequence=notice.sequence,
        what=notice.what,
        actor_name=name(notice.actor),
        actor_own=notice.actor == own.account_id,
        subject_name="" if notice.subject is None else name(notice.subject),
        subject_own=notice.subject == own.account_id,
        title=notice.title,
        expiry_s=notice.expiry_s,
        noticed_ms=notice.noticed_ms,
    )


QUESTIONS: Final[dict[str, Question]] = {
    "chat.notices": Question(params=asked.ChatParams, result=NoticeListView, read=chat_notices),
}
