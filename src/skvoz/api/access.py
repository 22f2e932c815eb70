"""Who calls: the owner of the home, or a program that presented a bot's token.

A bot's rights are looked up anew with every call, in one go with it, so a token that is revoked opens nothing
from then on.
"""

import hashlib
import secrets
from collections.abc import Callable
from typing import Final

from skvoz.api.bot_queries import BotQueries
from skvoz.api.scopes import BOT_METHODS, Writing
from skvoz.base.errors import NotAllowed, TooOften
from skvoz.client.commands import Command
from skvoz.client.records import Bot
from skvoz.logs import Rate, Rates
from skvoz.node.node import Node
from skvoz.store.queries import Queries

TOKEN_PREFIX: Final = "skvoz-bot-"  # noqa: S105  # what a token begins with, for whoever looks for leaked ones
TOKEN_SIZE: Final = 32
"""Random bytes of a token."""
CALLS: Final = Rate.of(per_s=100, burst=500)
"""Calls of one token: more than an eager bot makes, and little for the node."""
_NOTE_USE_EVERY_MS: Final = 3600 * 1000


def new_token() -> str:
    """Return a token for a new bot; the node is told its `token_hash` only."""
    return TOKEN_PREFIX + secrets.token_urlsafe(TOKEN_SIZE)


def token_hash(token: str) -> bytes:
    """Return the SHA-256 of a token."""
    # What can't be encoded was never given out, and has a hash of its own.
    return hashlib.sha256(token.encode(errors="backslashreplace")).digest()


class Access:
    """What the owner may do: everything. Whoever opened the home's own socket is the owner."""

    is_owner: bool = True

    def admit(self, method: str) -> None:
        """Let a call of an existing method come closer; raise `NotAllowed` or `TooOften`."""

    def reading(self, method: str, queries: Queries) -> Queries:
        """Return the records as they are shown in answer to a method; raise `NotAllowed`."""
        del method
        return queries

    def check(self, method: str, command: Command, queries: Queries) -> None:
        """Let a command be done; raise a `CallerError`."""


OWNER: Final = Access()


class BotAccess(Access):
    """What the holder of a token may do: what `skvoz.api.scopes` says, in the chats of its token."""

    is_owner = False

    def __init__(self, digest: bytes, tokens: "Tokens") -> None:
        self._digest = digest
        self._tokens = tokens

    def admit(self, method: str) -> None:
        """Let a call of a method in reach come closer, unless there were too many."""
        if method not in BOT_METHODS:
            raise NotAllowed("a bot's token does not reach this method")
        self._tokens.count(self._digest)

    def reading(self, method: str, queries: Queries) -> Queries:
        """Return the records as the bot sees them."""
        bot = queries.bot_with(self._digest)
        if bot is None:
            raise NotAllowed("this token opens nothing any more")
        scope = BOT_METHODS.get(method)
        if scope is None or (isinstance(scope, Writing) and not bot.can_write):
            raise NotAllowed("a bot's token does not reach this method")
        self._tokens.note_use(bot)
        return BotQueries(queries, bot)

    def check(self, method: str, command: Command, queries: Queries) -> None:
        """Let a command be done that is about a chat of the bot's."""
        seen = self.reading(method, queries)
        scope = BOT_METHODS[method]
        if not isinstance(scope, Writing):
            raise NotAllowed("a bot's token does not reach this method")
        scope.check(seen, command)


class Tokens:
    """The tokens of a home's bots."""

    def __init__(self, node: Node, clock_ms: Callable[[], int]) -> None:
        self._node = node
        self._clock_ms = clock_ms
        self._rates = Rates()
        self._noted_ms: dict[bytes, int] = {}

    async def access(self, token: str) -> BotAccess | None:
        """Return what a token gives access to; nothing for a text that is no token of a bot here."""
        if not token.startswith(TOKEN_PREFIX):
            return None
        digest = token_hash(token)
        bot = await self._node.query(lambda queries: queries.bot_with(digest))
        return None if bot is None else BotAccess(digest, self)

    def count(self, digest: bytes) -> None:
        """Count a call; raise `TooOften`."""
        wait_ms = self._rates.wait_ms(digest, CALLS, self._clock_ms())
        if wait_ms:
            raise TooOften("too many calls: wait a little", wait_ms)

    def note_use(self, bot: Bot) -> None:
        """Have it noted that a bot is at work, once an hour; called on the core's thread."""
        now_ms = self._clock_ms()
        if self._noted_ms.get(bot.bot_id, bot.used_ms or 0) + _NOTE_USE_EVERY_MS < now_ms:
            self._noted_ms[bot.bot_id] = now_ms
            self._node.bot_was_at_work(bot.bot_id)
