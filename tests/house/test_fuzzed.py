"""Whatever takes bytes from outside has a fuzz target; the list in `fuzz/parsers.py` can't rot."""

import ast
import re
from typing import Final

from fuzz.parsers import NOT_FUZZED, PARSERS
from fuzz.targets import TARGETS
from tests.house.test_house import modules

_NAMES: Final = re.compile(
    r"(parse|open|read|verify|decode|unpack|unpad|receive|received|restore|stored|finish)(_\w+)?"
)
_MORE_NAMES: Final = frozenset(
    {"check_key", "check_proof", "answer_key_request", "answer_proof_request", "root_key_of", "handle"}
)
_FROM_OUTSIDE: Final = re.compile(r"\b(bytes|str|Reader|memoryview|Path|Raw|Input)\b")


def parsers_in(module: str, text: str) -> set[str]:
    """Find public functions and methods that are named like parsers and take what may come from outside."""
    found: set[str] = set()

    def visit(node: ast.AST, prefix: str) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.ClassDef) and not child.name.startswith("_"):
                visit(child, f"{prefix}{child.name}.")
            elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                named = _NAMES.fullmatch(child.name) or child.name in _MORE_NAMES
                arguments = (*child.args.posonlyargs, *child.args.args, *child.args.kwonlyargs)
                annotations = [ast.unparse(one.annotation) for one in arguments if one.annotation is not None]
                if named and any(_FROM_OUTSIDE.search(annotation) for annotation in annotations):
                    found.add(f"{module}:{prefix}{child.name}")

    visit(ast.parse(text), "")
    return found


def test_every_parser_has_a_target() -> None:
    # Commands have such names too, and hand what is typed on.
    rooms = {name: text for name, text in modules().items() if not name.startswith("cli/")}
    found = set[str]().union(*(parsers_in(name, text) for name, text in rooms.items()))
    listed = {parser for parsers in PARSERS.values() for parser in parsers} | set(NOT_FUZZED)
    assert sorted(found - listed) == []
    assert sorted(listed - found) == []


def test_every_target_that_is_named_exists() -> None:
    assert set(PARSERS) <= set(TARGETS)


def test_parsers_are_recognised() -> None:
    text = (
        "def parse_x(data: bytes): ...\ndef _parse(data: bytes): ...\ndef parse_y(number: int): ...\n"
        "class A:\n    def open(self, text: str): ...\nclass _B:\n    def open(self, text: str): ...\n"
    )
    assert parsers_in("m.py", text) == {"m.py:parse_x", "m.py:A.open"}
