"""Runs cases and counts what became of them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.vectors.kinds import CASE_KINDS, FILE_KINDS
from tests.vectors.outcome import NotOursError


@dataclass(slots=True)
class Tally:
    """What became of the cases of one kind."""

    passed: int = 0
    failures: list[str] = field(default_factory=list[str])
    not_ours: dict[str, int] = field(default_factory=dict[str, int])


def cases_of(kind: str, path: Path) -> list[Any]:
    """Read the cases of one file: the items of a JSON list, one JSON object, or the raw bytes."""
    data = path.read_bytes()
    if kind in FILE_KINDS:
        return [data]
    parsed: Any = json.loads(data)
    return parsed if isinstance(parsed, list) else [parsed]  # pyright: ignore[reportUnknownVariableType] - JSON


def run_case(kind: str, path: Path, case: Any) -> None:
    """Run one case; returning means that it passed."""
    if kind in FILE_KINDS:
        FILE_KINDS[kind](path.name, case)
    else:
        CASE_KINDS[kind](case)


def run_files(kind: str, paths: list[Path]) -> Tally:
    """Run every case of the files."""
    tally = Tally()
    for path, number, case in _all_cases(kind, paths, tally):
        try:
            run_case(kind, path, case)
        except NotOursError as error:
            tally.not_ours[str(error)] = tally.not_ours.get(str(error), 0) + 1
        except Exception as error:  # noqa: BLE001 - whatever escapes a checker is a failure to be counted
            tally.failures.append(f"{path.name} #{number}: {type(error).__name__}: {error}")
        else:
            tally.passed += 1
    return tally


def _all_cases(kind: str, paths: list[Path], tally: Tally) -> Iterator[tuple[Path, int, Any]]:
    for path in paths:
        try:
            cases = cases_of(kind, path)
        except (OSError, ValueError, RecursionError) as error:
            tally.failures.append(f"{path.name}: can't be read: {type(error).__name__}")
            continue
        for number, case in enumerate(cases):
            yield path, number, case
