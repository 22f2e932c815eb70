"""What waits for the admins of groups."""

from typing import Final

from skvoz.api import params as asked
from skvoz.api import showing
from skvoz.api.group_views import (
    AttentionListView,
    AttentionView,
    ComplaintView,
    ReportedListView,
    ReportedView,
)
from skvoz.api.lookups import known_chat, own_account
from skvoz.api.question import Question
from skvoz.base.ids import AccountId, MessageId
from skvoz.client.complaints import REASONS
from skvoz.client.composing import WRITABLE
from skvoz.client.records import Account, ComplaintHeard, Conversation, ConversationKind
from skvoz.store.queries import Queries

_REASON_WORDS: Final = {number: word for word, number in REASONS.items()}


def group_reported(queries: Queries, params: asked.ChatParams) -> ReportedListView:
    """Return what members complain about in a group; nothing to who is no admin of it."""
    chat = known_chat(queries, params.chat_id)
    account = own_account(queries)
    group_id = chat.main.group_id
    if not looks_after(queries, account, chat.main):
        return ReportedListView(messages=())
    members = {one.account_id for one in queries.participants(group_id)}
    by_message: dict[MessageId, list[ComplaintHeard]] = {}
    for one in queries.complaints(group_id):
        by_message.setdefault(one.message_id, []).append(one)
    return ReportedListView(
        messages=tuple(_reported(queries, account, members, found) for found in by_message.values())
    )


def _reported(
    queries: Queries, account: Account, members: set[AccountId], found: list[ComplaintHeard]
) -> ReportedView:
    message = queries.message(found[0].message_id)
    author = found[0].author if message is None else message.author
    return ReportedView(
        message_id=found[0].message_id,
        sequence=None if message is None else message.sequence,
        text="" if message is None else message.text,
        deleted=message is not None and message.deleted,
        author=author,
        author_name=showing.name_of(author, account, queries.contact(author)),
        author_member=author in members,
        complaints=tuple(
            ComplaintView(
                account_id=one.reporter,
                name=showing.shown_name(queries.contact(one.reporter)),
                member=one.reporter in members,
                reason=_REASON_WORDS[one.reason],
                note=one.note,
                quote=one.quote,
                received_ms=one.received_ms,
            )
            for one in found
        ),
    )


def looks_after(queries: Queries, account: Account, group: Conversation) -> bool:
    """Tell whether we are an admin of a group that goes on."""
    if group.kind is not ConversationKind.GROUP or group.state not in WRITABLE:
        return False
    people = queries.participants(group.group_id)
    return any(one.admin and one.account_id == account.account_id for one in people)


def group_attention(queries: Queries, _: asked.NoParams) -> AttentionListView:
    """Return in which groups something waits for us as an admin."""
    account = own_account(queries)
    groups = [group for group in queries.groups_with_matters() if looks_after(queries, account, group)]
    return AttentionListView(groups=tuple(_attention(queries, group) for group in groups))


def _attention(queries: Queries, group: Conversation) -> AttentionView:
    return AttentionView(
        chat_id=group.chat_id,
        complaints=len({one.message_id for one in queries.complaints(group.group_id)}),
        askers=len(queries.askers(group.group_id)),
    )


QUESTIONS: Final[dict[str, Question]] = {
    "group.reported": Question(params=asked.ChatParams, result=ReportedListView, read=group_reported),
    "group.attention": Question(params=asked.NoParams, result=AttentionListView, read=group_attention),
}
