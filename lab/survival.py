"""Writes the document of a run: a table for people, a picture, and the figures as JSON."""

import importlib
from pathlib import Path
from typing import Final

import msgspec

from lab.cells import SWITCH_S_MOST, SWITCH_TWO_STAGE_S_MOST, TEXT_S_MOST, Cell
from lab.chat import FILE_PATIENCE_S, PATIENCE_S
from lab.matrix import Run
from lab.measuring import TEXTS
from lab.peers.base import TEXT_TIMEOUT_S
from lab.tactics import BLOCKING

_MARKS: Final = {"green": "🟢", "yellow": "🟡", "red": "🔴", "grey": "⚪"}
_COLOURS: Final = {
    "green": "#4c9f5f",
    "yellow": "#e3c04f",
    "red": "#c9504a",
    "grey": "#c8c8c8",
    "": "#ffffff",
}
_HEAD: Final = Path(__file__).parent / "survival_head.txt"


def write(found: Run, folder: Path) -> None:
    """Write `survival.md`, `survival.json` and `survival.svg` into a folder."""
    (folder / "survival.json").write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n")
    (folder / "survival.md").write_text(_document(found))
    _draw(found, folder / "survival.svg")


def _document(found: Run) -> str:
    head = _HEAD.read_text().format(
        date=found.date,
        commit=found.commit or "unknown",
        seed=found.seed,
        minutes=found.took_s / 60,
        machine=found.machine,
        text=TEXT_S_MOST,
        file=FILE_PATIENCE_S,
        switch=SWITCH_S_MOST,
        two=SWITCH_TWO_STAGE_S_MOST,
        patience=PATIENCE_S,
        peer_texts=TEXTS,
        peer_s=TEXT_TIMEOUT_S,
    )
    notes = "".join(f"- {note}\n" for note in found.notes)
    parts = [head, *([f"## About this run\n\n{notes}"] if notes else []), "## The table\n", _overview(found)]
    for row, title in found.rows.items():
        parts += [f"## {title[0].upper()}{title[1:]}\n", _details(found, row)]
    if found.taken_for:
        parts += ["## What nDPI takes them for\n", _opinions(found)]
    if found.not_run:
        missing = "".join(f"- {name}: {what}\n" for name, what in found.not_run.items())
        parts.append(f"## Not run\n\n{missing}")
    parts += ["## The tactics\n", _tactics(found)]
    return "\n".join(parts)


def _cell(found: Run, row: str, tactic: str) -> Cell | None:
    return next((one for one in found.cells if (one.row, one.tactic) == (row, tactic)), None)


def _overview(found: Run) -> str:
    lines = ["| tactic | " + " | ".join(found.rows.values()) + " |", "|---" * (len(found.rows) + 1) + "|"]
    for tactic in found.tactics:
        cells = [_cell(found, row, tactic) for row in found.rows]
        lines.append(
            f"| {tactic} | " + " | ".join(_MARKS[one.colour] if one else "–" for one in cells) + " |"
        )
    return "\n".join(lines) + "\n"


def _details(found: Run, row: str) -> str:
    lines = [
        "| tactic | | in time | median | worst | 100 kB down | up | bytes a text | switch | over | why |",
        "|---|---|--:|--:|--:|--:|--:|--:|--:|---|---|",
    ]
    for tactic in found.tactics:
        cell = _cell(found, row, tactic)
        if cell is not None:
            figures = [
                f"{cell.delivered:.0%}",
                *(_seconds(one) for one in (cell.median_s, cell.worst_s, cell.down_s, cell.up_s)),
                f"{cell.text_bytes:,}" if cell.text_bytes else "",
                _seconds(cell.switch_s),
            ]
            where = cell.over.replace(".example", "")
            words = [tactic, _MARKS[cell.colour], *figures, where, cell.why]
            lines.append("| " + " | ".join(words) + " |")
    return "\n".join(lines) + "\n"


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.1f} s"


def _tactics(found: Run) -> str:
    lines = [
        f"- **{name}**: {' '.join((BLOCKING[name].__doc__ or '').split())}"
        for name in found.tactics
        if name in BLOCKING
    ]
    return "\n".join(lines) + "\n"


def _opinions(found: Run) -> str:
    lines = ["Each by itself, with nothing blocked, as nfstream tells of the flows that the box saw.\n"]
    lines += ["| way | taken for |", "|---|---|"]
    lines += [f"| {found.rows[name]} | {', '.join(said)} |" for name, said in found.taken_for.items()]
    return "\n".join(lines) + "\n"


def _draw(found: Run, file: Path) -> None:
    """Draw the table; without matplotlib there is no picture, and that is said."""
    try:
        # By name: it is installed by `./dev lab` alone.
        figures = importlib.import_module("matplotlib.figure")
        patches = importlib.import_module("matplotlib.patches")
    except ImportError:
        print("no picture: matplotlib is missing")
        return
    rows, tactics = list(found.rows), found.tactics
    figure = figures.Figure(figsize=(2.4 + 0.42 * len(tactics), 1.8 + 0.42 * len(rows)), layout="constrained")
    axes = figure.add_subplot()
    for down, row in enumerate(rows):
        for right, tactic in enumerate(tactics):
            cell = _cell(found, row, tactic)
            colour = _COLOURS[cell.colour if cell else ""]
            axes.add_patch(patches.Rectangle((right, down), 0.94, 0.94, color=colour))
            if cell is not None and cell.switch_s:
                words = f"{cell.switch_s:.0f} s"
                axes.text(right + 0.47, down + 0.47, words, ha="center", va="center", fontsize=6)
    axes.set(xlim=(0, len(tactics)), ylim=(len(rows), 0), aspect="equal")
    axes.set_xticks([number + 0.47 for number in range(len(tactics))], tactics, rotation=60, ha="right")
    axes.set_yticks([number + 0.47 for number in range(len(rows))], [found.rows[row] for row in rows])
    axes.tick_params(length=0, labelsize=8)
    axes.spines[:].set_visible(False)
    axes.set_title(
        f"{found.date}, seed {found.seed}: green gets through, yellow slowly, red not, grey is not counted",
        fontsize=8,
    )
    figure.savefig(file, metadata={"Date": None})
