"""The records as a bot sees them: its own chats, and of events those about them.

What is out of its sight looks as if it did not exist, so an answer never tells that there is something.
"""

from collections.abc import Iterator
from typing import Final

import msgspec
from msgspec.structs import replace

from skvoz.api.scopes import BOT_EVENTS
from skvoz.base.ids import MessageId
from skvoz.base.value import Value
from skvoz.client.records import Bot, Conversation, ConversationKind, LoggedEvent, Message, Receipt
from skvoz.store.queries import Chat, Queries


class _About(Value, frozen=True):
    chat_id: bytes = b""


_about: Final = msgspec.msgpack.Decoder(_About)


class BotQueries(Queries):
    """Reads on behalf of a bot, for the questions that `skvoz.api.scopes` names."""

    def __init__(self, whole: Queries, bot: Bot) -> None:
        super().__init__(whole._records)  # noqa: SLF001  # the same records, of which less is shown
        self.bot = bot

    def shows(self, chat_id: bytes) -> bool:
        """Tell whether a chat is one of the bot's."""
        return self.bot.chats is None or chat_id in self.bot.chats

    def chat(self, chat_id: bytes) -> Chat | None:
        """Return one chat, or nothing; the devices' own conversation is nobody else's."""
        found = super().chat(chat_id) if self.shows(chat_id) else None
        return None if found is None or found.main.kind is ConversationKind.SELF else found

    def _chat(self, chat_id: bytes, found: list[Conversation]) -> Chat:
        # What a person began to write and may never send is nobody else's.
        return super()._chat(chat_id, [replace(one, draft="", draft_reply_to=None) for one in found])

    def message(self, message_id: MessageId) -> Message | None:
        """Return one message, or nothing."""
        found = super().message(message_id)
        return found if found is not None and self.chat(found.chat_id) is not None else None

    def messages(self, chat_id: bytes, *, before: int | None, limit: int) -> list[Message]:
        """Return messages as `Queries.messages`; none of another chat."""
        return super().messages(chat_id, before=before, limit=limit) if self.shows(chat_id) else []

    def messages_after(self, chat_id: bytes, *, after: int, limit: int) -> list[Message]:
        """Return messages as `Queries.messages_after`; none of another chat."""
        return super().messages_after(chat_id, after=after, limit=limit) if self.shows(chat_id) else []

    def search(self, query: str, *, chat_id: bytes | None, before: int | None, limit: int) -> list[Message]:
        """Return messages as `Queries.search`; none of another chat."""
        found: list[Message] = []
        for one in self._searched(chat_id):
            found += super().search(query, chat_id=one, before=before, limit=limit)
        return sorted(found, key=lambda message: -message.sequence)[:limit]

    def search_after(self, query: str, *, chat_id: bytes | None, after: int, limit: int) -> list[Message]:
        """Return messages as `Queries.search_after`; none of another chat."""
        found: list[Message] = []
        for one in self._searched(chat_id):
            found += super().search_after(query, chat_id=one, after=after, limit=limit)
        return sorted(found, key=lambda message: message.sequence)[:limit]

    def _searched(self, chat_id: bytes | None) -> Iterator[bytes | None]:
        """Yield the chats to look through; None stands for all at once."""
        if chat_id is not None:
            yield from [chat_id] if self.shows(chat_id) else []
        elif self.bot.chats is None:
            yield None
        else:
            yield from self.bot.chats

    def receipts(self, message_id: MessageId) -> list[Receipt]:
        """Return receipts as `Queries.receipts`; none of a message in another chat."""
        return super().receipts(message_id) if self.message(message_id) is not None else []

    def event_page(self, *, after: int, limit: int) -> tuple[list[LoggedEvent], int]:
        """Return what is told to the bot of a page of events, and the last sequence of that page."""
        found, through = super().event_page(after=after, limit=limit)
        return [event for event in found if self._tells(event)], through

    def _tells(self, event: LoggedEvent) -> bool:
        if event.kind not in BOT_EVENTS:
            return False
        chat_id = _about.decode(event.body).chat_id
        return bool(chat_id) and self.shows(chat_id)
