"""What all commands share: help in the person's language, and `--json`."""

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

import click

from skvoz.texts import say

F = TypeVar("F", bound=Callable[..., Any])


class Command(click.Command):
    """A command whose docstring is its help, in the chosen language."""

    def __init__(self, name: str | None, **attributes: Any) -> None:  # noqa: ANN401  # click's own
        attributes["help"] = say(inspect.cleandoc(attributes.get("help") or ""))
        super().__init__(name, **attributes)


class Group(click.Group):
    """A group of commands, likewise."""

    command_class = Command

    def __init__(self, name: str | None = None, **attributes: Any) -> None:  # noqa: ANN401  # click's own
        attributes["help"] = say(inspect.cleandoc(attributes.get("help") or ""))
        super().__init__(name, **attributes)


Group.group_class = Group


def json_option(function: F) -> F:
    """Add `--json`: one object a line, for programs."""
    return click.option("--json", "as_json", is_flag=True, help=say("Print one JSON object a line."))(
        function
    )
