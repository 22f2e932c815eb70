"""Questions about bots: which there are, and what the caller itself is."""

from typing import Final

from skvoz import __version__
from skvoz.api import params as asked
from skvoz.api import views
from skvoz.api.bot_queries import BotQueries
from skvoz.api.lookups import own_account
from skvoz.api.question import Question
from skvoz.store.queries import Queries


def bot_list(queries: Queries, _: asked.NoParams) -> views.BotListView:
    """Return the programs that have a token, by name."""
    return views.BotListView(
        bots=tuple(
            views.BotView(
                bot_id=bot.bot_id,
                name=bot.name,
                can_write=bot.can_write,
                chats=bot.chats,
                created_ms=bot.created_ms,
                used_ms=bot.used_ms,
            )
            for bot in queries.bots()
        )
    )


def bot_self(queries: Queries, _: asked.NoParams) -> views.BotSelfView:
    """Return what the caller is and may do, and the account that it acts as."""
    bot = queries.bot if isinstance(queries, BotQueries) else None
    account = own_account(queries)
    return views.BotSelfView(
        name="" if bot is None else bot.name,
        can_write=bot is None or bot.can_write,
        chats=None if bot is None else bot.chats,
        account_id=account.account_id,
        account_name=account.name,
        version=__version__,
        last_event=queries.last_event(),
    )


QUESTIONS: Final[dict[str, Question]] = {
    "bot.list": Question(params=asked.NoParams, result=views.BotListView, read=bot_list),
    "bot.self": Question(params=asked.NoParams, result=views.BotSelfView, read=bot_self),
}
