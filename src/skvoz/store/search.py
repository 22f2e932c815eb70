"""Search over the words of messages: case and ё are folded, the last word may be unfinished."""

import re
import unicodedata

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

    def change(self, old: Message | None, new: Message | None) -> None:
        """Index what a message says now in place of what it said, in the transaction that writes it."""
        if old is not None and new is not None and (old.sequence, old.text) == (new.sequence, new.text):
            return
        if old is not None and old.text:
            # The index keeps no texts, and takes words out only if they are named again.
            self._database.run(
                "INSERT INTO message_text (message_text, rowid, folded) VALUES ('delete', ?, ?)",
                (old.sequence, fold(old.text)),
            )
        if new is not None and new.text:
            self._database.run(
                "INSERT INTO message_text (rowid, folded) VALUES (?, ?)", (new.sequence, fold(new.text))
            )
