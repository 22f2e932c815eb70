"""The cells that every change is held to, and what they were when the document was made."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

import msgspec

from lab.cells import Cell
from lab.matrix import Plan, Run, run
from lab.rows import ROWS

PAIRS: Final = frozenset(
    {
        ("https", "curtain-count"),
        ("free", "curtain-count"),
        ("hop", "curtain-count"),
        ("deaddrop", "curtain-count"),
        ("free", "sni-drop"),
        ("https", "ja4"),
        ("wss", "ja4"),
    }
)
"""Rows and tactics: few, and each the likeliest to break by a change of its own."""


def read(folder: Path) -> Run:
    """Read the document's figures."""
    return msgspec.json.decode((folder / "survival.json").read_bytes(), type=Run)


def quick_plan(documented: Run, seed: int) -> Plan:
    """Return a plan of the quick cells that were green when the document was made."""
    pairs = PAIRS & _green(documented)
    return Plan(
        rows=tuple(row for row in ROWS if any(row.name == name for name, _ in pairs)),
        tactics=tuple(sorted({tactic for _, tactic in pairs})),
        peers=(),
        pairs=pairs,
        seed=seed,
    )


def compare(documented: Run, found: Run) -> dict[tuple[str, str], str]:
    """Return which green cells are red now, or do not count any more, and why."""
    green = _green(documented)
    worse = {
        (cell.row, cell.tactic): f"{cell.row} under {cell.tactic} was green and is {cell.colour}: {cell.why}"
        for cell in found.cells
        if (cell.row, cell.tactic) in green and cell.colour in {"red", "grey"}
    }
    for tactic, why in found.not_run.items():
        worse |= {pair: f"{tactic} was not measured: {why}" for pair in PAIRS & green if pair[1] == tactic}
    return worse


async def hold(folder: Path, seed: int, tell: Callable[[Cell], None]) -> list[str]:
    """Measure the quick cells and say which got worse; those are measured again, lest it was the machine."""
    documented = read(folder)
    plan = quick_plan(documented, seed)
    worse = compare(documented, await run(plan, tell))
    if worse:
        tactics = tuple(sorted({tactic for _, tactic in worse}))
        again = replace(plan, pairs=frozenset(worse), tactics=tactics)
        worse = compare(documented, await run(again, tell))
    return list(worse.values())


def _green(documented: Run) -> frozenset[tuple[str, str]]:
    return frozenset((cell.row, cell.tactic) for cell in documented.cells if cell.colour == "green")
