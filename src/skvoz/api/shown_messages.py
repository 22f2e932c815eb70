"""A message as it is shown: with its author, its files, and what it answers."""

from skvoz.api import showing, views
from skvoz.api.lookups import own_account
from skvoz.client.records import Message
from skvoz.store.queries import Queries


def shown(queries: Queries, message: Message, query: str = "") -> views.MessageView:
    """Show a message; with a `query`, say where its words are."""
    own = own_account(queries)
    author, files = queries.contact(message.author), queries.files(message)
    answered = None if message.reply_to is None else queries.message(message.reply_to)
    quoted = None
    if answered is not None and answered.chat_id == message.chat_id:
        quoted = showing.quoted_view(answered, own, queries.contact(answered.author))
    votes = queries.votes(message)
    return showing.message_view(message, own, author, files, query=query, quoted=quoted, votes=votes)
