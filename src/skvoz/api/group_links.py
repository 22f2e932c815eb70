"""Links into groups: one's own with who asks by it, and those that were opened here."""

from typing import Final, Literal

from skvoz.api import params as asked
from skvoz.api import showing
from skvoz.api.looking_after import looks_after
from skvoz.api.question import Question, required
from skvoz.api.views import ContactWord, View
from skvoz.base.errors import NotFound
from skvoz.base.ids import AccountId, LogId
from skvoz.client.cards import verify_card
from skvoz.client.links import link_of
from skvoz.client.records import Asker, Joining, JoiningState
from skvoz.store.queries import Queries

JoiningWord = Literal["opening", "shown", "asking", "asked", "failed"]
_JOINING_WORDS: Final[dict[JoiningState, JoiningWord]] = {
    JoiningState.OPENING: "opening",
    JoiningState.SHOWN: "shown",
    JoiningState.ASKING: "asking",
    JoiningState.ASKED: "asked",
    JoiningState.FAILED: "failed",
}


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


def group_link(queries: Queries, params: asked.ChatParams) -> GroupLinkView:
    """Return one's own link into a group, and who asks by it; nothing to who is no admin."""
    chat = required(queries.chat(params.chat_id), NotFound("there is no such chat"))
    account = required(queries.account(), NotFound("this home has no account yet"))
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
