"""What of a message may be shown on a terminal, and what a search looks into.

Markdown is meant to be readable as it is, and taking its marks away would damage what people type
(`2*3*4`, `__init__`). So the plain form of a text is the text, with mentions shown as names.
"""

from typing import Final

from skvoz.content.actions import (
    Action,
    ClosePoll,
    Delete,
    Edit,
    Pin,
    Reaction,
    Text,
    Unknown,
    Unreact,
    Vote,
)
from skvoz.content.reports import Report

_REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"


def _stand_ins() -> dict[int, str]:
    """Return what to show for each character that could take over a terminal or reorder a line."""
    pictures = {code: chr(0x2400 + code) for code in range(0x20) if chr(code) not in "\n\t"}
    replaced = [
        *range(0x80, 0xA0),  # C1 controls: a terminal may take 0x9B for ESC [
        *range(0x2028, 0x202F),  # line and paragraph separators, bidirectional embeddings and overrides
        *range(0x2066, 0x206A),  # bidirectional isolates
        *range(0xD800, 0xE000),  # lone surrogates can't be printed at all
        *range(0xFFF9, 0xFFFC),  # interlinear annotation hides text
        0xFEFF,
    ]
    return pictures | {0x7F: "\N{SYMBOL FOR DELETE}"} | dict.fromkeys(replaced, _REPLACEMENT)


_STAND_INS: Final = _stand_ins()
_STAND_INS_ON_ONE_LINE: Final = _STAND_INS | {ord("\n"): " ", ord("\t"): " "}


def plain_text(action: Action | Unknown) -> str:
    """Return the words of an action: what a search indexes; empty where there are none.

    It may hold any character: put it through `displayable` before it reaches a terminal.
    """
    match action:
        case Text() | Edit() | Unknown():
            return action.text
        case Reaction():
            return action.emoji
        case Delete() | Unreact() | Pin() | Vote() | ClosePoll() | Report():
            return ""


def displayable(text: str, *, one_line: bool = False) -> str:
    """Return a text in which nothing can command a terminal or reorder a line.

    Escapes and other controls become visible signs. Line feed and tab stay, or become spaces with
    `one_line`.
    """
    return text.translate(_STAND_INS_ON_ONE_LINE if one_line else _STAND_INS)
