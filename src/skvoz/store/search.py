"""Search over the words of messages: case and ё are folded, the last word may be unfinished."""

import re
import unicodedata

from skvoz.base.ids import MessageId
from skvoz.client.records import Message
from skvoz.store.database import Database

_WORD = re.compile(r"\w+")
QUERY_WORDS_MAX = 16
"""More words than this narrow nothing further."""


def fold(text: str) -> str:
    """Return `text` as it is searched: NFC, without case, ё as е; as long as the original if that is NFC."""
    return unicodedata.normalize("NFC", text).lower().replace("ё", "е")


def match_expression(query: str) -> str:
    """Return the FTS5 expression for what a person typed: all words, the last one as a beginning."""
    words = _WORD.findall(fold(query))[:QUERY_WORDS_MAX]
    return " ".join(f'"{word}"' for word in words) + "*" if words else ""


def highlights(text: str, query: str) -> list[tuple[int, int]]:
    """Return (start, length) of the parts of `text` that match the query, in characters."""
    words = _WORD.findall(fold(query))[:QUERY_WORDS_MAX]
    folded = fold(text)
    if not words or len(folded) != len(text):
        return []
    return [
        (found.start(), len(found[0]) if found[0] in words else len(words[-1]))
        for found in _WORD.finditer(folded)
        if found[0] in words or found[0].startswith(words[-1])
    ]


class MessageWords:
    """Keeps the search index in step with the messages."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._changes: dict[bytes, Message | None] = {}

    def change(self, message_id: MessageId | bytes, message: Message | None) -> None:
        """Note that a message is new, changed or gone."""
        self._changes[message_id] = message

    def write(self) -> None:
        """Write what was noted; inside of the transaction that writes the messages."""
        for message_id, message in self._changes.items():
            text = "" if message is None or message.deleted else message.text
            known = self._database.rows(
                "SELECT sequence FROM message_word WHERE message_id = ?", (message_id,)
            )
            if known:
                self._database.run("DELETE FROM message_text WHERE rowid = ?", known[0])
            if message is not None and text:
                self._database.run(
                    "INSERT INTO message_text (rowid, folded) VALUES (?, ?)", (message.sequence, fold(text))
                )
                if not known:
                    self._database.run(
                        "INSERT INTO message_word VALUES (?, ?)", (message_id, message.sequence)
                    )
            elif known:
                self._database.run("DELETE FROM message_word WHERE message_id = ?", (message_id,))
        self._changes.clear()
