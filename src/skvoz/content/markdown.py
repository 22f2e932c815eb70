r"""Mentions as links in Markdown (draft-ietf-mimi-content-08 §5.4, §9.6).

People see `Hello @Alice` with a mention of six characters from the seventh on; on the wire it is
`Hello [@Alice](mimi://skvoz.invalid/u/…)`. Positions and lengths count Unicode code points. In the
shown part of the link `\`, `[` and `]` are escaped by a backslash; everything else in a text
travels as it was typed.
"""

import re
from collections.abc import Iterable
from typing import Final

from skvoz.base.errors import BadRequest
from skvoz.base.ids import AccountId
from skvoz.base.value import Value
from skvoz.content.addresses import ACCOUNT_URI_PREFIX, account_in, account_uri

LABEL_LENGTH_MAX: Final = 128
"""Characters shown for a mention; also bounds how far one bracket makes the scan look ahead."""

# A pair of a backslash and what it escapes comes first, so that `\[` never begins a mention.
_TOKEN: Final = re.compile(
    r"\\[\s\S]"
    rf"|\[(?P<label>(?:[^\[\]\\\n]|\\[^\n]){{1,{LABEL_LENGTH_MAX}}})\]"
    rf"\((?P<uri>{re.escape(ACCOUNT_URI_PREFIX)}[A-Za-z0-9_-]{{43}})\)"
)
_ESCAPABLE: Final = re.compile(r"[\\\[\]]")
_ESCAPED: Final = re.compile(r"\\([^\n])")


class Mention(Value, frozen=True, kw_only=True):
    """Somebody is named in a text, from character `start` on, for `length` characters.

    What stands there was chosen by the author: show the account's own name instead where it differs.
    """

    account_id: AccountId
    start: int
    length: int


def with_links(text: str, mentions: Iterable[Mention]) -> str:
    """Return Markdown in which the mentions are links; `BadRequest` if they overlap or lie outside."""
    pieces: list[str] = []
    at = 0
    for mention in sorted(mentions, key=lambda mention: mention.start):
        end = mention.start + mention.length
        label = text[mention.start : end]
        if mention.start < at or not 1 <= mention.length <= LABEL_LENGTH_MAX or end > len(text):
            raise BadRequest("a mention is outside of the text, too long, or overlaps another")
        if "\n" in label:
            raise BadRequest("a mention spans two lines")
        before = text[at : mention.start]
        if (len(before) - len(before.rstrip("\\"))) % 2:
            before += "\\"  # a single one would escape the link's bracket
        pieces += [before, "[", _ESCAPABLE.sub(r"\\\g<0>", label), "](", account_uri(mention.account_id), ")"]
        at = end
    pieces.append(text[at:])
    return "".join(pieces)


def without_links(markdown: str) -> tuple[str, tuple[Mention, ...]]:
    """Return the text as people see it, and who is mentioned where; the inverse of `with_links`."""
    if ACCOUNT_URI_PREFIX not in markdown:
        return markdown, ()
    pieces: list[str] = []
    mentions: list[Mention] = []
    at = length = 0
    for token in _TOKEN.finditer(markdown):
        if token["uri"] is None:
            continue
        account_id = account_in(token["uri"])
        if account_id is None:
            continue
        before = markdown[at : token.start()]
        label = _ESCAPED.sub(r"\1", token["label"])
        length += len(before)
        mentions.append(Mention(account_id=account_id, start=length, length=len(label)))
        pieces += [before, label]
        length += len(label)
        at = token.end()
    pieces.append(markdown[at:])
    return "".join(pieces), tuple(mentions)
