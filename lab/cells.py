"""What a cell of the table says, and what its colours mean; pure."""

from typing import Final, Literal

import msgspec

from lab.chat import FILE_PATIENCE_S, PATIENCE_S

Colour = Literal["green", "yellow", "red", "grey"]
TEXT_S_MOST: Final = 10.0
"""The slowest text of a green cell."""
SWITCH_S_MOST: Final = 30.0
"""With free choice: how long the chat may stall after a tactic began."""
SWITCH_TWO_STAGE_S_MOST: Final = 60.0
"""The same where the tactic strikes a while after it saw something."""


class Cell(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One row under one tactic; seconds, shares of 1, bytes of frames that the box saw."""

    row: str
    tactic: str
    delivered: float = 0.0
    median_s: float | None = None
    worst_s: float | None = None
    down_s: float | None = None
    up_s: float | None = None
    text_bytes: int = 0
    switch_s: float | None = None
    lost: int = 0
    twice: int = 0
    over: str = ""
    colour: Colour = "grey"
    why: str = ""


def judge(cell: Cell, not_counted: str, *, moves_files: bool, is_two_stage: bool) -> Cell:
    """Give a cell its colour and the reason for it; `not_counted` says why it proves nothing, if so."""
    colour, why = _judge(cell, moves_files=moves_files, is_two_stage=is_two_stage)
    if not_counted:
        colour, why = "grey", not_counted
    return msgspec.structs.replace(cell, colour=colour, why=why)


def _judge(cell: Cell, *, moves_files: bool, is_two_stage: bool) -> tuple[Colour, str]:
    if cell.lost or cell.twice:
        return "red", f"{cell.lost} lost and {cell.twice} twice"
    if cell.switch_s is None and cell.delivered < 1:
        return "red", f"{cell.delivered:.0%} of the texts within {PATIENCE_S:.0f} s"
    if cell.switch_s is not None and cell.delivered == 0:
        return "red", "the chat did not come back"
    most = SWITCH_TWO_STAGE_S_MOST if is_two_stage else SWITCH_S_MOST
    if cell.switch_s is not None and cell.switch_s > most:
        return "yellow", f"the switch took {cell.switch_s:.0f} s"
    if cell.switch_s is None and (cell.worst_s or 0.0) > TEXT_S_MOST:
        return "yellow", f"the slowest text took {cell.worst_s:.0f} s"
    if moves_files and (cell.down_s is None or cell.up_s is None):
        return "yellow", f"100 kB did not move within {FILE_PATIENCE_S:.0f} s"
    return "green", ""
