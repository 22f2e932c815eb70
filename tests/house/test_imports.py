"""Whatever module a program begins with, all that it needs can be imported."""

import ast
import subprocess
import sys
from collections.abc import Iterable
from functools import cache

import pytest

from tests.house.test_house import TOP, modules

_PROGRAM = """
import importlib, sys
for name in sys.argv[1:]:
    for known in [one for one in sys.modules if one.split(".")[0] == "skvoz"]:
        del sys.modules[known]
    try:
        importlib.import_module(name)
    except ImportError as error:
        print(name, error)
"""


@cache
def texts() -> dict[str, str]:
    """Return all modules by their dotted names."""
    dotted = {
        "skvoz." + name.removesuffix(".py").removesuffix("/__init__").replace("/", "."): text
        for name, text in modules().items()
    }
    return {name: text for name, text in dotted.items() if not name.endswith("__main__")}


def imported(statements: Iterable[ast.stmt | ast.ExceptHandler]) -> set[str]:
    """Return which of our modules are imported as soon as these statements run."""
    found: set[str] = set()
    for one in statements:
        match one:
            case ast.Import():
                found.update(alias.name for alias in one.names)
            case ast.ImportFrom(module=str(module)):
                inner = {f"{module}.{alias.name}" for alias in one.names}
                found.update(inner & texts().keys() or {module})
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                found |= imported(one.orelse)
            case ast.If():
                found |= imported([*one.body, *one.orelse])
            case ast.Try():
                found |= imported([*one.body, *one.handlers, *one.orelse, *one.finalbody])
            case ast.ExceptHandler() | ast.With():
                found |= imported(one.body)
            case _:
                pass
    return found & texts().keys()


def in_circles(needs: dict[str, set[str]]) -> list[str]:
    """Return what needs itself in the end: only there does it matter which module comes first."""

    def needed_by(name: str) -> set[str]:
        seen: set[str] = set()
        waiting = [name]
        while waiting:
            new = needs[waiting.pop()] - seen
            seen |= new
            waiting += new
        return seen

    return sorted(name for name in needs if name in needed_by(name))


def test_circles_are_found() -> None:
    assert in_circles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}, "e": {"e"}, "f": set()}) == [
        "b",
        "c",
        "e",
    ]


@pytest.mark.slow
def test_every_module_can_be_imported_first() -> None:
    """Of a circle any module may be the first that is met; nothing else depends on the order."""
    needs = {name: imported(ast.parse(text).body) for name, text in texts().items()}
    circles = in_circles(needs)
    assert "skvoz.client.messages" in circles
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, *circles], cwd=TOP, capture_output=True, text=True, check=True
    )
    assert done.stdout == ""
