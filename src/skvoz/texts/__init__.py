"""What people read, in their language.

English stands in the code: `say("…")` gives the text in the language that was chosen, and `explain` does so
for errors. Other languages are gettext catalogues, `LANGUAGE/LC_MESSAGES/skvoz.po`, beside their compiled
form. click, which makes part of what the command line prints, reads the same catalogues.
"""

import gettext
import os
from pathlib import Path
from typing import Final

from skvoz.base.errors import SkvozError

DOMAIN: Final = "skvoz"
LANGUAGES: Final = ("en", "ru")


def choose_language(language: str | None = None) -> None:
    """Speak `language`, or that of the environment (`LANGUAGE`, `LC_ALL`, `LC_MESSAGES`, `LANG`)."""
    if language is not None:
        os.environ["LANGUAGE"] = language
    gettext.bindtextdomain(DOMAIN, str(Path(__file__).parent))
    gettext.textdomain(DOMAIN)


def say(text: str, /, **values: object) -> str:
    """Return `text` in the chosen language with `{names}` filled in."""
    spoken = gettext.dgettext(DOMAIN, text) if text else ""
    return spoken.format(**values) if values else spoken


def count(one: str, many: str, number: int, /, **values: object) -> str:
    """Return the form for `number`, which may be used as `{number}`."""
    return gettext.dngettext(DOMAIN, one, many, number).format(number=number, **values)


def explain(error: SkvozError) -> str:
    """Return an error's reason in the chosen language; after a colon may stand the system's own words."""
    text = str(error)
    spoken = say(text)
    return ": ".join(map(say, text.split(": "))) if spoken == text else spoken


def later(text: str) -> str:
    """Return `text` as it is, for `say` to be given where it is shown; so it is found for the catalogues."""
    return text
