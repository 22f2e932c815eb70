"""What a bot's token may reach, all in one place: whatever is not named here is the owner's alone.

A method or an event is added here once somebody has thought about what a stranger's program could learn or
do by it. Methods of accounts, keys, devices, links, contacts and bots stay out for good.
"""

from collections.abc import Callable
from typing import Any, Final, Literal

import msgspec

from skvoz.api.lookups import known_chat, known_message
from skvoz.base.errors import NotAllowed
from skvoz.base.value import Value
from skvoz.client import commands
from skvoz.client.events import (
    ChatChanged,
    ChatCreated,
    GapNoticed,
    MessageChanged,
    MessageQueued,
    MessageReceived,
    RequestFailed,
)
from skvoz.store.queries import Queries

ScopeWord = Literal["owner", "read", "write"]


def _chat(queries: Queries, command: Any) -> None:  # noqa: ANN401  # any command with a `chat_id`
    known_chat(queries, command.chat_id)


def _message(queries: Queries, command: Any) -> None:  # noqa: ANN401  # any command with a `message_id`
    known_message(queries, command.message_id)


class Reading(Value, frozen=True, kw_only=True):
    """A question that may be asked over the records of a bot's own chats."""


class Writing(Value, frozen=True, kw_only=True):
    """A wish that may be said, with these fields and no others, about what a bot sees."""

    fields: frozenset[str]
    sees: Callable[[Queries, Any], None]

    def check(self, queries: Queries, command: commands.Command) -> None:
        """Raise `NotFound` for what the bot doesn't see, and `NotAllowed` for a field that it may not set."""
        for field in msgspec.structs.fields(command):
            may_be_set = field.name in self.fields or field.name == "client_id"
            if not may_be_set and getattr(command, field.name) != field.default:
                raise NotAllowed("a bot's token does not reach a part of this")
        self.sees(queries, command)


READING: Final = Reading()
BOT_METHODS: Final[dict[str, Reading | Writing]] = {
    "bot.self": READING,
    "chat.list": READING,
    "chat.get": READING,
    "chat.members": READING,
    "chat.gaps": READING,
    "chat.pins": READING,
    "message.get": READING,
    "message.list": READING,
    "message.search": READING,
    "message.receipts": READING,
    "poll.votes": READING,
    "event.list": READING,
    "event.subscribe": READING,
    "chat.read": Writing(fields=frozenset({"chat_id", "message_id"}), sees=_chat),
    "message.send": Writing(fields=frozenset({"chat_id", "text", "reply_to", "mentions"}), sees=_chat),
    "poll.create": Writing(fields=frozenset({"chat_id", "question", "options", "several"}), sees=_chat),
    "poll.vote": Writing(fields=frozenset({"message_id", "choices"}), sees=_message),
    "poll.close": Writing(fields=frozenset({"message_id"}), sees=_message),
    "location.send": Writing(
        fields=frozenset({"chat_id", "latitude_e7", "longitude_e7", "label", "reply_to"}), sees=_chat
    ),
    "message.edit": Writing(fields=frozenset({"message_id", "text", "mentions"}), sees=_message),
    "message.pin": Writing(fields=frozenset({"message_id", "pinned"}), sees=_message),
    "message.delete": Writing(fields=frozenset({"message_id", "for_everyone"}), sees=_message),
    "message.react": Writing(fields=frozenset({"message_id", "emoji", "present"}), sees=_message),
}
"""What a token reaches, by the method's name."""
BOT_EVENTS: Final = frozenset(
    kind.kind
    for kind in (
        ChatChanged,
        ChatCreated,
        GapNoticed,
        MessageChanged,
        MessageQueued,
        MessageReceived,
        RequestFailed,
    )
)
"""Kinds of events that a token is told of, where they are about one of its chats."""


def scope_of(method: str) -> ScopeWord:
    """Return who may call a method: the owner alone, or a bot that reads, or one that writes too."""
    found = BOT_METHODS.get(method)
    if found is None:
        return "owner"
    return "write" if isinstance(found, Writing) else "read"
