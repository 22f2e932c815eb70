"""What all commands share: help in the person's language, and `--json`."""

import inspect
import math
from collections.abc import Callable
from typing import Any, TypeVar

import click

from skvoz.texts import say

NUMBER_MAX = 2**53 - 1
"""What programs of other languages can count to as well; nothing here is numbered higher."""

F = TypeVar("F", bound=Callable[..., Any])


class Number(click.ParamType[int]):
    """A whole number that names something, not below `least`."""

    name = "number"

    def __init__(self, least: int = 1) -> None:
        self._least = least

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number; fail where it is none, or too small or large to name anything."""
        text = str(value)
        short = text.isascii() and text.isdigit() and len(text) < len(str(NUMBER_MAX))
        if not short or int(text) < self._least:
            why = say("{value} is not a number from {least} up", value=repr(text), least=self._least)
            self.fail(why, param, ctx)
        return int(text)


class Seconds(click.ParamType[float]):
    """A length of time in seconds, from 0 up."""

    name = "seconds"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the seconds; fail where they are none, or endless."""
        try:
            seconds = float(str(value))
        except ValueError:
            seconds = math.nan
        if not 0 <= seconds <= NUMBER_MAX:
            why = say("{value} is not a number from {least} up", value=repr(str(value)), least=0)
            self.fail(why, param, ctx)
        return seconds


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
