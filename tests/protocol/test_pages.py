"""The constants that the pages of the protocol quote are those of the code, and every page quotes some."""

import importlib
import re
from enum import Enum
from pathlib import Path
from typing import Final

import pytest

PAGES: Final = Path(__file__).resolve().parents[2] / "docs" / "protocol"
QUOTING: Final = ("wire", "relay", "mls", "people", "conversations", "content", "carrying", "drops")
ROW: Final = re.compile(
    r"^\| (?P<what>[^|]+) \| (?P<value>[^|]+) \| `(?P<place>[a-z_]+(?:\.\w+)+)` \|$", re.MULTILINE
)


def rows(page: str) -> list[tuple[str, str]]:
    """Return value and place of every row below the heading `Constants`."""
    text = (PAGES / f"{page}.md").read_text("utf-8")
    _, _, table = text.partition("\n## Constants\n")
    found = [(row["value"].strip(), row["place"]) for row in ROW.finditer(table)]
    lines = [line for line in table.splitlines() if line.startswith("|")]
    assert len(found) == len(lines) - 2, "a row of the table can't be read"
    return found


def constant(place: str) -> object:
    """Return what stands at `room.module.NAME` or below it; a class stands for its defaults."""
    parts = place.split(".")
    for end in range(len(parts) - 1, 0, -1):
        try:
            found: object = importlib.import_module(".".join(("skvoz", *parts[:end])))
        except ModuleNotFoundError:
            continue
        for name in parts[end:]:
            found = getattr(
                found() if isinstance(found, type) and not issubclass(found, Enum) else found, name
            )
        return found
    raise AssertionError(f"{place} is nowhere")


def written(value: str) -> object:
    if value.startswith("`"):
        return value.strip("`")
    if value.startswith("0x"):
        return int(value, 16)
    return float(value) if "." in value else int(value.replace(",", ""))


@pytest.mark.parametrize("page", QUOTING)
def test_quoted_constants_are_those_of_the_code(page: str) -> None:
    quoted = rows(page)
    assert len(quoted) >= 10
    wrong = [
        f"{place}: {value}, but {constant(place)!r}"
        for value, place in quoted
        if constant(place) != written(value)
    ]
    assert wrong == []


def test_a_wrong_value_is_noticed() -> None:
    assert constant("base.limits.ENTRY_SIZE_MAX") == written("65,552")
    assert constant("base.limits.ENTRY_SIZE_MAX") != written("65,553")
    assert constant("logs.Quotas.inbox_entries_max") == written("256")
    with pytest.raises(AssertionError):
        constant("nowhere.at.ALL")


def test_every_page_is_in_the_index() -> None:
    index = (PAGES / "README.md").read_text("utf-8")
    assert [page.name for page in sorted(PAGES.glob("*.md")) if f"({page.name})" not in index] == [
        "README.md"
    ]
