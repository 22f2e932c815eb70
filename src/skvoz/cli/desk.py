"""A person's place: the home that a command is about, and the API of its node."""

import contextlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from skvoz.base.errors import BadRequest
from skvoz.base.value import Value
from skvoz.texts import say

if TYPE_CHECKING:
    from collections.abc import Generator

    from skvoz.api.caller import Caller

PASSPHRASE_FILE_VARIABLE: Final = "SKVOZ_PASSPHRASE_FILE"  # noqa: S105  # a name, not a secret


def ask_passphrase() -> str:
    """Return the home's passphrase from the file that SKVOZ_PASSPHRASE_FILE names, or from the person."""
    return _filed_passphrase() or click.prompt(say("Passphrase of this home"), hide_input=True, err=True)


def can_ask() -> bool:
    """Tell whether there is a file with the passphrase, or a person at a terminal."""
    has_terminal = sys.stdin is not None and sys.stdin.isatty()
    return PASSPHRASE_FILE_VARIABLE in os.environ or has_terminal


def new_passphrase() -> str:
    """Return a new passphrase likewise, typed twice."""
    return _filed_passphrase() or click.prompt(
        say("New passphrase"), hide_input=True, confirmation_prompt=say("Once more"), err=True
    )


def _filed_passphrase() -> str:
    file = os.environ.get(PASSPHRASE_FILE_VARIABLE)
    if file is None:
        if sys.stdin is None or not sys.stdin.isatty():
            raise BadRequest("this home has a passphrase, and there is nobody to ask for it")
        return ""
    try:
        passphrase = Path(file).read_text("utf-8").removesuffix("\n")
    except (OSError, UnicodeDecodeError):
        raise BadRequest("the passphrase's file can't be read") from None
    if not passphrase:
        raise BadRequest("the passphrase's file is empty")
    return passphrase


class Desk(Value, frozen=True):
    """Which home a command is about."""

    folder: Path

    def running_node(self) -> "Caller | None":
        """Return what speaks with this home's node, which runs already; nothing where none does."""
        from skvoz.api.caller import Caller, socket_file  # noqa: PLC0415  # not every command speaks with a node

        caller = Caller(socket_file(self.folder))
        return caller if caller.is_answered() else None

    @contextlib.contextmanager
    def reach(self) -> "Generator[Caller]":
        """Speak with this home's node: the running one, or one that runs until the block ends."""
        from skvoz.api.caller import reach  # noqa: PLC0415  # not every command speaks with a node

        with reach(self.folder, ask_passphrase) as caller:
            yield caller


pass_desk = click.make_pass_decorator(Desk)
