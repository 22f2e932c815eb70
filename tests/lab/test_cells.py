"""What a cell's colour means, and which change of a colour is told."""

import msgspec

from lab.cells import Cell, Colour, judge
from lab.matrix import Run
from lab.quick import PAIRS, compare, quick_plan


def judged(not_counted: str = "", *, is_two_stage: bool = False, **figures: float) -> Colour:
    whole = {"delivered": 1.0, "median_s": 0.1, "worst_s": 0.2, "down_s": 1.0, "up_s": 1.0}
    cell = msgspec.convert({"row": "https", "tactic": "ip", **whole, **figures}, Cell)
    return judge(cell, not_counted, moves_files=True, is_two_stage=is_two_stage).colour


def test_green_needs_every_text_soon_and_the_file() -> None:
    assert judged() == "green"
    assert judged(worst_s=11.0) == "yellow"
    cell = Cell(row="https", tactic="ip", delivered=1.0, worst_s=0.2, down_s=1.0)
    assert judge(cell, "", moves_files=True, is_two_stage=False).colour == "yellow"
    assert judge(cell, "", moves_files=False, is_two_stage=False).colour == "green"


def test_what_is_lost_or_twice_or_never_came_is_red() -> None:
    assert judged(delivered=0.9) == "red"
    assert judged(lost=1) == "red"
    assert judged(twice=1) == "red"
    assert judged(delivered=0.0, switch_s=9.0) == "red"


def test_free_choice_has_so_long_to_switch() -> None:
    assert judged(switch_s=29.0, worst_s=29.0) == "green"
    assert judged(switch_s=31.0) == "yellow"
    assert judged(switch_s=59.0, is_two_stage=True) == "green"
    assert judged(switch_s=61.0, is_two_stage=True) == "yellow"


def test_without_its_control_nothing_counts() -> None:
    assert judged("the control isn't blocked") == "grey"
    assert judged("the control isn't blocked", lost=1) == "grey"


def a_run(*cells: Cell, **not_run: str) -> Run:
    return Run(
        date="",
        machine="",
        commit="",
        seed=1,
        took_s=1.0,
        tactics=[],
        rows={},
        not_run=not_run,
        cells=list(cells),
    )


def test_a_green_cell_that_turns_red_or_stops_counting_is_told() -> None:
    row, tactic = min(PAIRS)
    before = a_run(Cell(row=row, tactic=tactic, colour="green"), Cell(row="wss", tactic="ip", colour="red"))
    assert quick_plan(before, seed=1).pairs == {(row, tactic)}
    colours: tuple[tuple[Colour, bool], ...] = (
        ("green", False), ("yellow", False), ("red", True), ("grey", True),
    )  # fmt: skip
    for colour, is_told in colours:
        now = a_run(Cell(row=row, tactic=tactic, colour=colour), Cell(row="wss", tactic="ip", colour="red"))
        assert bool(compare(before, now)) is is_told
    assert compare(before, a_run(**{tactic: "there was no time left"}))
