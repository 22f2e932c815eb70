"""Search over what messages say and how their files are named: ё is е, the last word may be unfinished."""

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


def _searchable(message: Message) -> str:
    """Return what a message is found by: its words and the names of its files."""
    return fold("\n".join(filter(None, (message.text, *message.file_names))))


class MessageWords:
    """Keeps the search index in step with the messages."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def change(self, old: Message | None, new: Message | None) -> None:
        """Index what a message says now in place of what it said, in the transaction that writes it."""
        said = None if old is None else (old.sequence, _searchable(old))
        says = None if new is None else (new.sequence, _searchable(new))
        if said == says:
            return
        if said is not None and said[1]:
            # The index keeps no texts, and takes words out only if they are named again.
            self._database.run(
                "INSERT INTO message_text (message_text, rowid, folded) VALUES ('delete', ?, ?)", said
            )
        if says is not None and says[1]:
            self._database.run("INSERT INTO message_text (rowid, folded) VALUES (?, ?)", says)
