"""Measures the rows under one tactic, all at the same time, each at an address of its own behind the box."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from lab.cells import Cell
from lab.chat import PATIENCE_S, Chat, Letter, in_time, median_s, share_in_time, switch_s, worst_s
from lab.rows import Row
from lab.scenes import going_on
from lab.stage import Stage

TEXTS: Final = 6
"""A handful: enough to see a stall, few enough for many cells."""
TEXTS_BY_TACTIC: Final = {"two-stage": 35}
"""Enough to be there when a tactic strikes that waits for a while."""
TEXT_EVERY_S: Final = 1.0
USUAL_S: Final = 5.0
"""What takes longer than this has met the block."""
EVERY_S_BY_TACTIC: Final = {"slow": 8.0}
"""A leg of 14 kbit/s carries no text a second, with what is around it."""
Rule = Callable[[], AbstractContextManager[None]]
"""Lets a tactic hold while a block runs."""
Result = TypeVar("Result")
_CALM_TEXTS: Final = 6
"""So many texts in a row that came as usual mean that the switch is over."""
_STALL_MOST_S: Final = 75.0
_LIVED_S: Final = 21.0
"""A node takes a connection that breaks sooner for a way that fails: a live one has to be older."""
_SETTLE_S: Final = 60.0


async def measure(stage: Stage, rows: Sequence[Row], tactic: str, rule: Rule) -> list[Cell]:
    """Measure rows under a tactic; then let everything arrive with nothing blocked, and count it.

    Whatever goes wrong with the lab itself is raised, and all nodes behind the box are stopped then.
    """
    try:
        return await _measure(stage, rows, tactic, rule)
    finally:
        await asyncio.gather(*(stage.chats[row.name].inside.sleep() for row in rows))


async def _measure(stage: Stage, rows: Sequence[Row], tactic: str, rule: Rule) -> list[Cell]:
    began = {row.name: len(stage.chats[row.name].letters) for row in rows}
    free = [row for row in rows if row.is_free]
    for row in free:
        await (await stage.wake(row)).write_many(2, TEXT_EVERY_S)
    alive_since = time.monotonic()
    with rule():
        tasks = [
            _measure_free(stage, row, tactic, alive_since)
            if row.is_free
            else _measure_forced(stage, row, tactic)
            for row in rows
        ]
        async with contextlib.AsyncExitStack() as doing:
            for row in rows:
                chat = stage.chats[row.name]
                await doing.enter_async_context(going_on(row, chat.inside, chat.outside))
            cells = await side_by_side(tasks)
    await side_by_side(_settle(stage, row) for row in rows)
    for cell in cells:
        letters = stage.chats[cell.row].letters[began[cell.row] :]
        cell.lost = sum(not one.arrivals for one in letters)
        cell.twice = sum(len(one.arrivals) > 1 for one in letters)
    return cells


async def side_by_side(works: Iterable[Coroutine[Any, Any, Result]]) -> list[Result]:
    """Wait for all; where one fails the others end with it, lest they go on under the next tactic."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _measure_forced(stage: Stage, row: Row, tactic: str) -> Cell:
    spent = _Spent(stage, row)
    chat = await stage.wake(row)
    every_s = EVERY_S_BY_TACTIC.get(tactic, TEXT_EVERY_S)
    letters = await chat.write_many(TEXTS_BY_TACTIC.get(tactic, TEXTS), every_s)
    cell = Cell(
        row=row.name,
        tactic=tactic,
        delivered=share_in_time(letters),
        median_s=median_s(letters),
        worst_s=worst_s(letters),
        text_bytes=spent.bytes() // len(letters),
    )
    return await _with_files(cell, chat)


async def _measure_free(stage: Stage, row: Row, tactic: str, alive_since: float) -> Cell:
    """Go on with a live chat until it flows again, and note when it did."""
    chat, spent = stage.chats[row.name], _Spent(stage, row)
    texts = TEXTS_BY_TACTIC.get(tactic, TEXTS)
    every_s = EVERY_S_BY_TACTIC.get(tactic, TEXT_EVERY_S)
    since, letters = await _talk_until_calm(chat, texts, every_s)
    struck = worst_s(letters)
    if struck is not None and struck <= USUAL_S:
        # It looks at beginnings, perhaps, and had nothing to look at: live connections end, as on the move.
        await asyncio.sleep(max(0.0, alive_since + _LIVED_S - time.monotonic()))
        await asyncio.to_thread(stage.cut_connections, row)
        since, more = await _talk_until_calm(chat, texts, every_s)
        letters += more
    await chat.arrived(letters, PATIENCE_S)
    calm = letters[-_CALM_TEXTS:]
    cell = Cell(
        row=row.name,
        tactic=tactic,
        delivered=share_in_time(calm) if _is_calm(letters) else 0.0,
        median_s=median_s(calm),
        worst_s=worst_s(letters),
        switch_s=switch_s(letters, since, USUAL_S),
        text_bytes=spent.bytes() // len(letters),
    )
    return await _with_files(cell, chat)


async def _with_files(cell: Cell, chat: Chat) -> Cell:
    if cell.delivered == 1:
        cell.down_s = await chat.move_file(up=False)
        if cell.down_s is not None:  # else it is slow anyway
            cell.up_s = await chat.move_file(up=True)
    cell.over = " ".join(sorted({seen_from_outside(one) for one in await chat.inside.addresses_in_use()}))
    return cell


def seen_from_outside(address: str) -> str:
    """Return of an address, with what carries it, what a table has room for: the transport and the host."""
    direct, _, through = address.partition(" (")
    if direct.startswith("drop:"):  # its name is made of a key
        return "drop"
    if through and not through.startswith("socks5:"):
        return f"hop:{urlsplit(through.rstrip(')')).hostname}"
    return f"{'socks' if through else urlsplit(direct).scheme}:{urlsplit(direct).hostname}"


class _Spent:
    """Bytes that a person's machine sent and got since this was made, of frames."""

    def __init__(self, stage: Stage, row: Row) -> None:
        self._read = lambda: stage.bytes_moved(row)
        self._before = self._read()

    def bytes(self) -> int:
        """Return how many it was."""
        return self._read() - self._before


async def _talk_until_calm(chat: Chat, texts: int, every_s: float) -> tuple[float, list[Letter]]:
    """Write so many texts at least, and on until they come as usual; return since when, and them."""
    since = time.monotonic()
    letters: list[Letter] = []
    while time.monotonic() - since < _STALL_MOST_S + texts * every_s:
        letters.append(await chat.write())
        await asyncio.sleep(every_s)
        if len(letters) > texts and _is_calm(letters):
            break
    return since, letters


def _is_calm(letters: list[Letter]) -> bool:
    """Tell whether everything came, and the latest texts as usual; one may still be under way."""
    latest = letters[-_CALM_TEXTS - 1 : -1]
    return all(one.arrivals for one in letters[:-1]) and in_time(latest)[-1:] < [USUAL_S]


async def _settle(stage: Stage, row: Row) -> None:
    """Bring what is under way to its end with nothing blocked, by a fresh start where need be; then stop."""
    chat = stage.chats[row.name]
    if not await chat.settle(2.0):
        await chat.inside.sleep()
        await stage.wake(row)
        with contextlib.suppress(TimeoutError):
            await chat.settle(_SETTLE_S)
    await chat.inside.sleep()
