"""Bots: programs of this home's person that reach a part of the API by a token.

Who asks for a bot has made its token, and says only the SHA-256 of it: neither the records nor the answers
that are kept for repeats hold anything that opens a home.
"""

from typing import Final

import msgspec

from skvoz.base.errors import BadRequest, Conflict, NotFound
from skvoz.client.commands import Answer, CreateBot, RevokeBot
from skvoz.client.inputs import BotUsed
from skvoz.client.records import Bot, Conversation, ConversationKind
from skvoz.client.step import Step

BOTS_MAX: Final = 64
"""More than a person keeps an eye on."""
BOT_CHATS_MAX: Final = 64
"""Chats that one token names; a bot for more has a home of its own."""
TOKEN_HASH_SIZE: Final = 32
BOT_ID_SIZE: Final = 16


def create(step: Step, command: CreateBot) -> Answer:
    """Let a token open what the command says."""
    step.account()
    name = command.name.strip()
    if not name or not name.isprintable():
        raise BadRequest("a bot needs a name of printable characters")
    if len(command.token_hash) != TOKEN_HASH_SIZE:
        raise BadRequest("the SHA-256 of a token has 32 bytes")
    known = step.transaction.select(Bot)
    if any(bot.name == name for bot in known):
        raise Conflict("a bot has that name already")
    if any(bot.token_hash == command.token_hash for bot in known):
        raise Conflict("a bot has that token already")
    if len(known) >= BOTS_MAX:
        raise Conflict("there are enough bots: revoke one of them first")
    bot_id = step.environment.randomness(BOT_ID_SIZE)
    step.transaction.put(
        Bot(
            bot_id=bot_id,
            token_hash=command.token_hash,
            name=name,
            can_write=command.can_write,
            chats=_chats(step, command.chats),
            created_ms=step.now_ms,
        )
    )
    return Answer(bot_id=bot_id)


def _chats(step: Step, wished: tuple[bytes, ...] | None) -> tuple[bytes, ...] | None:
    if wished is None:
        return None
    chats = tuple(sorted(set(wished)))
    if not 0 < len(chats) <= BOT_CHATS_MAX:
        raise BadRequest("a bot is for all chats, or for 1 to 64 of them")
    for chat_id in chats:
        found = step.transaction.select(Conversation, chat_id=chat_id)
        if not any(one.kind is not ConversationKind.SELF for one in found):
            raise NotFound("there is no such chat")
    return chats


def revoke(step: Step, command: RevokeBot) -> Answer:
    """Let a bot's token open nothing any more."""
    if step.transaction.get(Bot, command.bot_id) is None:
        raise NotFound("there is no such bot")
    step.transaction.delete(Bot, command.bot_id)
    return Answer(bot_id=command.bot_id)


def used(step: Step, fact: BotUsed) -> None:
    """Note that a bot was at work; it may have been revoked since."""
    bot = step.transaction.get(Bot, fact.bot_id)
    if bot is not None:
        step.transaction.put(msgspec.structs.replace(bot, used_ms=step.now_ms))
