"""Finds every text that people may read in the source, and keeps the catalogues in step.

`python -m tests.texts.catalogue` adds new texts to each `.po` file, drops those that are gone, and compiles.
What is found: the first argument of `say` and of `later`, both of `count`, the docstrings of commands (their
help), and the texts of errors of ours: up to a colon where something variable follows. In the page's
JavaScript: the same of `say` and `count`, where the texts stand in double quotes. What the page can show goes
into its own catalogue, `web/texts/LANGUAGE.json`, too.
"""

import ast
import io
import json
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from skvoz.base import errors
from skvoz.texts import DOMAIN, LANGUAGES

SOURCE: Final = Path(__file__).resolve().parents[2] / "src" / "skvoz"
ERRORS: Final = frozenset(
    name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, Exception)
) - {"PeerError", "Malformed", "Invalid", "DecryptFailed"}
"""What strangers send is dropped and counted; its texts are for developers."""
SHOWN: Final = ERRORS | {"later"}
"""What the node answers with, and the page says."""
SILENT_ROOMS: Final = ("mls", "wire", "crypto")
"""Their errors mean a bug or a stranger; nobody reads them."""
COMMAND_DECORATORS: Final = frozenset({"command", "group"})
OF_CLICK: Final["tuple[Text, ...]"] = (
    "Aborted!",
    "Choose from:\n\t{choices}",
    "Commands",
    "Error: {message}",
    "Invalid value for {param_hint}: {message}",
    "Invalid value: {message}",
    "Missing argument",
    "Missing command.",
    "Missing option",
    "No such command {name!r}.",
    "No such option {name!r}.",
    "Option {name!r} does not take a value.",
    "Options",
    "Show the version and exit.",
    "Show this message and exit.",
    "Try '{command} {option}' for help.",
    "Usage:",
    "default: {default}",
    "{value!r} is not a valid {number_type}.",
    "{value} is not in the range {range}.",
    "{name} {filename!r} does not exist.",
    "{name} {filename!r} is a file.",
    "{name} {filename!r} is a directory.",
    "file",
    "directory",
    "integer range",
    "required",
    "%(prog)s, version %(version)s",
    "Error: The two entered values do not match.",
    ("{value!r} is not {choice}.", "{value!r} is not one of {choices}."),
    ("Got unexpected extra argument ({args})", "Got unexpected extra arguments ({args})"),
    ("Option {name!r} requires an argument.", "Option {name!r} requires {nargs} arguments."),
    ("Did you mean {possibility}?", "(Did you mean one of: {possibilities}?)"),
)
"""What click says itself, in its words."""

OF_SYSTEM: Final = (
    "Address already in use",
    "No space left on device",
    "No such file or directory",
    "Not a directory",
    "Operation not permitted",
    "Permission denied",
    "Read-only file system",
    "it is not this machine's",
    "its path is too long",
)
"""What stands after a colon in our errors, most often."""

_ALWAYS: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""In the header, where a real date would make every run another file."""

Text = str | tuple[str, str]


def texts_of(source: str) -> Iterator[Text]:
    """Yield every text in a module that people may read."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Name(id="say" | "later"), args=[ast.Constant(value=str(text)), *_]):
                yield text
            case ast.Call(
                func=ast.Name(id="count"),
                args=[ast.Constant(value=str(one)), ast.Constant(value=str(many)), _],
            ):
                yield one, many
            case ast.Call(func=ast.Name(id=name), args=[argument, *_]) if name in ERRORS:
                yield from _error_text(argument)
            case ast.FunctionDef(decorator_list=decorators):
                text = ast.get_docstring(node)
                if text is not None and any(_makes_command(one) for one in decorators):
                    yield text
            case _:
                pass


def _error_text(argument: ast.expr) -> Iterator[str]:
    match argument:
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr(values=[ast.Constant(value=str(text)), *_]):
            yield text.removesuffix(": ")
        case _:
            pass


def _makes_command(decorator: ast.expr) -> bool:
    function = decorator.func if isinstance(decorator, ast.Call) else decorator
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return name in COMMAND_DECORATORS


_STRING: Final = r'("(?:[^"\\\n]|\\.)*")'
_SAID: Final = re.compile(rf"\bsay\(\s*{_STRING}\s*[,)]")
_COUNTED: Final = re.compile(rf"\bcount\(\s*{_STRING}\s*,\s*{_STRING}\s*,")


def texts_of_script(source: str) -> Iterator[Text]:
    """Yield every text in a module of the page."""
    for found in _SAID.finditer(source):
        yield json.loads(found[1])
    for found in _COUNTED.finditer(source):
        yield json.loads(found[1]), json.loads(found[2])


def scripts() -> list[Path]:
    """Return the modules of the page."""
    return [path for path in sorted((SOURCE / "web").rglob("*.js")) if path.parent.name != "vendor"]


BEHIND_OTHER_DOORS: Final = (
    *("bot", "cli", "relay", "server"),
    *("access.py", "addresses.py", "bots.py", "caller.py", "home.py", "listening.py", "qr_codes.py"),
    *("reports.py", "scopes.py"),
)
"""Rooms and modules whose errors the page never shows."""


def page_texts() -> set[Text]:
    """Return what the page can show: its own texts, those of errors, and what the node has it say later."""
    found: set[Text] = set(OF_SYSTEM)
    for path in scripts():
        found.update(texts_of_script(path.read_text("utf-8")))
    for path in sources():
        if not {path.name, path.relative_to(SOURCE).parts[0]}.isdisjoint(BEHIND_OTHER_DOORS):
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in SHOWN:
                found.update(_error_text(node.args[0]) if node.args else ())
    return found


def short_key(text: str) -> str:
    """Return what stands for an English text in the page's catalogue, as `core/texts.js` computes it.

    24 bits of FNV-1a over UTF-16, in base 36: the texts themselves would be a quarter of what is sent.
    """
    value = 0x811C9DC5
    units = text.encode("utf-16-le")
    for low, high in zip(units[::2], units[1::2], strict=True):
        value = (value ^ (low | high << 8)) * 0x01000193 & 0xFFFFFFFF
    value >>= 8
    digits = ""
    while value or not digits:
        value, digit = divmod(value, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
    return digits


def page_catalogue(catalogue: Catalog) -> bytes:
    """Return a catalogue as the page reads it: forms in gettext's order, under the English's short key.

    Texts that begin alike stand together, so that less is sent of them.
    """
    wanted = page_texts()
    texts: dict[str, object] = {}
    for message in catalogue:
        if message.id and message.id in wanted:
            english = message.id if isinstance(message.id, str) else "\0".join(message.id)
            if short_key(english) in texts:
                raise ValueError(f"two texts have one key, so change one of them: {english!r}")
            texts[short_key(english)] = message.string
    together = dict(sorted(texts.items(), key=lambda item: (str(item[1]), item[0])))
    return json.dumps(together, ensure_ascii=False, indent=0, separators=(",", ":")).encode() + b"\n"


def page_file(language: str) -> Path:
    """Return the path of the page's catalogue of a language."""
    return SOURCE / "web" / "texts" / f"{language}.json"


def sources() -> list[Path]:
    """Return the modules of Python in which a text may stand."""
    found = sorted(SOURCE.rglob("*.py"))
    return [path for path in found if path.relative_to(SOURCE).parts[0] not in SILENT_ROOMS]


def all_texts() -> dict[Text, None]:
    """Return the texts of the whole source, each once, in order."""
    found: dict[Text, None] = dict.fromkeys((*OF_CLICK, *OF_SYSTEM))
    for path in sources():
        found.update(dict.fromkeys(texts_of(path.read_text("utf-8"))))
    for path in scripts():
        found.update(dict.fromkeys(texts_of_script(path.read_text("utf-8"))))
    return found


def po_file(language: str) -> Path:
    """Return the path of a language's catalogue."""
    return SOURCE / "texts" / language / "LC_MESSAGES" / f"{DOMAIN}.po"


def read(language: str) -> Catalog:
    """Read a catalogue, or begin one."""
    file = po_file(language)
    if not file.exists():
        return Catalog(locale=language, domain=DOMAIN)
    with file.open("rb") as stream:
        return read_po(stream, locale=language, domain=DOMAIN)


def compiled(catalogue: Catalog) -> bytes:
    """Return a catalogue as gettext reads it."""
    buffer = io.BytesIO()
    write_mo(buffer, catalogue)
    return buffer.getvalue()


def renewed(language: str) -> Catalog:
    """Return a catalogue that has just the texts of the source, with the translations that are there."""
    old = read(language)
    new = Catalog(
        locale=language,
        domain=DOMAIN,
        header_comment=f"# Skvoz in {language}.",
        project="Skvoz",
        version="0",
        msgid_bugs_address="none",
        last_translator="the project",
        creation_date=_ALWAYS,
        revision_date=_ALWAYS,
        fuzzy=False,
    )
    for text in all_texts():
        known = old.get(text)
        new.add(text, known.string if known is not None and known.id == text else None)
    return new


def is_translated(message: Message) -> bool:
    """Tell whether a text has all its forms in the catalogue's language."""
    forms = message.string if isinstance(message.string, (tuple, list)) else (message.string,)
    return all(forms)


def main() -> None:
    """Bring all catalogues up to date and say what has no translation."""
    missing = 0
    for language in LANGUAGES[1:]:
        catalogue = renewed(language)
        file = po_file(language)
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("wb") as stream:
            write_po(stream, catalogue, width=110, no_location=True, omit_header=False, sort_output=False)
        file.with_suffix(".mo").write_bytes(compiled(read(language)))
        page_file(language).parent.mkdir(exist_ok=True)
        page_file(language).write_bytes(page_catalogue(read(language)))
        for message in catalogue:
            if message.id and not is_translated(message):
                missing += 1
                print(f"{language}: not translated: {message.id!r}")
    sys.exit(1 if missing else 0)


if __name__ == "__main__":
    main()
