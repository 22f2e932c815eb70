"""Links into groups: one's own with who asks by it, and those that were opened here."""

from typing import Final

from skvoz.api import params as asked
from skvoz.api import showing
from skvoz.api.group_views import (
    AskerView,
    GroupLinkView,
    JoiningListView,
    JoiningView,
    JoiningWord,
)
from skvoz.api.looking_after import looks_after
from skvoz.api.lookups import known_chat, own_account
from skvoz.api.question import Question
from skvoz.client.cards import verify_card
from skvoz.client.links import link_of
from skvoz.client.records import Asker, Joining, JoiningState
from skvoz.store.queries import Queries

_JOINING_WORDS: Final[dict[JoiningState, JoiningWord]] = {
    JoiningState.OPENING: "opening",
    JoiningState.SHOWN: "shown",
    JoiningState.ASKING: "asking",
    JoiningState.ASKED: "asked",
    JoiningState.FAILED: "failed",
}


def group_link(queries: Queries, params: asked.ChatParams) -> GroupLinkView:
    """Return one's own link into a group, and who asks by it; nothing to who is no admin."""
    chat = known_chat(queries, params.chat_id)
    account = own_account(queries)
    group_id = chat.main.group_id
    if not looks_after(queries, account, chat.main):
        return GroupLinkView(link="", ready=False, askers=())
    askers = tuple(_asker(queries, one) for one in queries.askers(group_id))
    found = queries.group_link(group_id)
    if found is None:
        return GroupLinkView(link="", ready=False, askers=askers)
    inbox, relay = found
    link = link_of(inbox, relay, account.account_id).encode()
    return GroupLinkView(link=link, ready=inbox.stocked, askers=askers)


def _asker(queries: Queries, asker: Asker) -> AskerView:
    contact = queries.contact(asker.account_id)
    own_name = "" if contact is None else contact.own_name
    return AskerView(
        account_id=asker.account_id,
        name=own_name or verify_card(asker.card).name,
        state=None if contact is None else showing.contact_view(contact).state,
        asked_ms=asker.asked_ms,
    )


def group_joining(queries: Queries, _: asked.NoParams) -> JoiningListView:
    """Return the links of groups that were opened here, the latest first."""
    return JoiningListView(joinings=tuple(map(_joining, queries.joinings())))


def _joining(joining: Joining) -> JoiningView:
    return JoiningView(
        log_id=joining.log_id,
        state=_JOINING_WORDS[joining.state],
        title=joining.title,
        members=joining.members,
        admin_name=joining.admin_name,
        asked_ms=joining.asked_ms,
        failure=joining.failure,
    )


QUESTIONS: Final[dict[str, Question]] = {
    "group.link": Question(params=asked.ChatParams, result=GroupLinkView, read=group_link),
    "group.joining": Question(params=asked.NoParams, result=JoiningListView, read=group_joining),
}
