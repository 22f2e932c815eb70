"""Questions about polls."""

from typing import Final

from skvoz.api import params as asked
from skvoz.api import showing
from skvoz.api.lookups import known_message, own_account
from skvoz.api.message_views import OptionVotesView, VotesView
from skvoz.api.question import Question
from skvoz.client.polls import people_by_option
from skvoz.store.queries import Queries


def poll_votes(queries: Queries, params: asked.MessageParams) -> VotesView:
    """Return who chose what in a poll, by name."""
    message = known_message(queries, params.message_id)
    own = own_account(queries)
    options = () if message.poll is None else message.poll[1]
    shown: list[OptionVotesView] = []
    people = people_by_option(message, queries.votes(message))
    for text, accounts in zip(options, people, strict=True):
        names = [showing.name_of(one, own, queries.contact(one)) for one in accounts]
        shown.append(OptionVotesView(text=text, names=tuple(sorted(names, key=str.lower))))
    return VotesView(options=tuple(shown))


QUESTIONS: Final[dict[str, Question]] = {
    "poll.votes": Question(params=asked.MessageParams, result=VotesView, read=poll_votes),
}
