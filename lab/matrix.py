"""Every row under every tactic: `run` measures, and tells of each cell as soon as it is known."""

import asyncio
import contextlib
import dataclasses
import datetime as dt
import itertools
import subprocess
import tempfile
import time
import traceback
from collections.abc import AsyncGenerator, Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

import msgspec
from websockets.exceptions import ConnectionClosed

from bench.api_client import CallRefused
from bench.machine import machine
from lab.browser import Chromium, open_chromium
from lab.cells import Cell, judge
from lab.grounds import tactic_on, try_ground
from lab.measuring import TEXTS, TEXTS_BY_TACTIC, measure
from lab.peers import PEERS, Peer, talk
from lab.rows import Row
from lab.sites import serve_sites
from lab.stage import CLIENTS_FIRST, Stage, stage
from lab.tactics import BLOCKING
from lab.verdicts import verdicts
from lab.world import TOP, World

TIME_SCALES: Final = {"two-stage": 30.0}
"""Where a rule's own scale is too quick to tell a chat that is struck from one that never began."""
SLOW_TO_STRIKE: Final = ("two-stage",)
_MODULE: Final = "lab.distance"
_START_S: Final = 2.0


class Run(msgspec.Struct, kw_only=True):
    """What a run found, and on what: this is the JSON beside the table."""

    date: str
    machine: str
    commit: str
    seed: int
    took_s: float
    tactics: list[str]
    rows: dict[str, str]
    not_run: dict[str, str]
    cells: list[Cell]
    taken_for: dict[str, list[str]] = {}  # msgspec gives each its own
    """What nDPI takes the flows of a row or a peer for."""
    notes: list[str] = []  # msgspec gives each its own


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to measure; a quick run tries no peers."""

    rows: tuple[Row, ...]
    tactics: tuple[str, ...]
    peers: tuple[type[Peer], ...] = PEERS
    pairs: frozenset[tuple[str, str]] | None = None
    """Rows and tactics of the cells, where not all are wanted."""
    asks_ndpi: bool = False
    seed: int = 1
    within_s: float = 3_600.0
    """No tactic is begun after so long."""

    def wants(self, row: str, tactic: str) -> bool:
        """Tell whether a cell is to be measured."""
        return self.pairs is None or (row, tactic) in self.pairs


async def run(plan: Plan, tell: Callable[[Cell], None]) -> Run:
    """Measure all that a plan wants. Needs root, Chromium and Caddy; raises `LabError`."""
    began = time.monotonic()
    cells: list[Cell] = []
    with (
        World(clients=CLIENTS_FIRST + len(plan.rows)) as world,
        tempfile.TemporaryDirectory(prefix="skvoz-lab-peers-") as folder,
    ):
        serve_sites(world)
        peers, not_run = _start_peers(world, plan, Path(folder))
        async with stage(world, plan.rows, plan.seed) as here, _browser(world) as (browser, thread):
            taken_for = await verdicts(here, plan.rows, peers) if plan.asks_ndpi else {}
            loop = asyncio.get_running_loop()
            for tactic in plan.tactics:
                if time.monotonic() - began > plan.within_s:
                    not_run[tactic] = "there was no time left"
                    continue
                trying = loop.run_in_executor(
                    thread, lambda tactic=tactic: try_ground(world, browser, tactic, seed=plan.seed)
                )
                problem = "; ".join((await trying).problems)
                try:
                    measured = await _measure_all(here, plan, tactic, peers)
                # TimeoutError is an OSError.
                except (CallRefused, ConnectionClosed, OSError, RuntimeError) as error:
                    not_run[tactic] = f"the lab failed: {type(error).__name__}: {error}"
                    traceback.print_exc()
                    continue
                for cell in measured:
                    judged = judge(
                        cell,
                        problem,
                        moves_files=cell.row in here.chats,
                        is_two_stage=tactic in SLOW_TO_STRIKE,
                    )
                    cells.append(judged)
                    tell(judged)
    return Run(
        date=dt.datetime.now(dt.UTC).date().isoformat(),
        machine=machine(),
        commit=_commit(),
        seed=plan.seed,
        took_s=time.monotonic() - began,
        tactics=[tactic for tactic in plan.tactics if tactic not in not_run],
        rows={one.name: one.title for one in itertools.chain(plan.rows, peers)},
        not_run=not_run,
        cells=cells,
        taken_for=taken_for,
    )


async def _measure_all(here: Stage, plan: Plan, tactic: str, peers: list[Peer]) -> list[Cell]:
    case = BLOCKING[tactic].case
    scaled = dataclasses.replace(case, time_scale=TIME_SCALES.get(tactic, case.time_scale))
    texts = TEXTS_BY_TACTIC.get(tactic, TEXTS)
    talking: list[asyncio.Task[list[float | None]]] = []

    @contextlib.contextmanager
    def rule() -> Generator[None]:
        with tactic_on(here.world, tactic, scaled, seed=plan.seed, module=_MODULE):
            for peer in peers:
                work = asyncio.to_thread(here.world.inside, "client", talk, peer, texts)
                talking.append(asyncio.create_task(work))
            yield

    rows = [row for row in plan.rows if row.meets(tactic) and plan.wants(row.name, tactic)]
    try:
        cells = await measure(here, rows, tactic, rule)
    finally:  # a peer speaks under one tactic at a time
        took = await asyncio.gather(*talking)
    return cells + [_peer_cell(peer, tactic, one) for peer, one in zip(peers, took, strict=True)]


def _peer_cell(peer: Peer, tactic: str, took: list[float | None]) -> Cell:
    came = sorted(one for one in took if one is not None)
    return Cell(
        row=peer.name,
        tactic=tactic,
        delivered=len(came) / len(took),
        median_s=median(came) if came else None,
        worst_s=came[-1] if came else None,
    )


def _commit() -> str:
    """Return which state of the code this is, as far as git knows."""
    asked = ["git", "describe", "--always", "--dirty", "--exclude=*"]
    found = subprocess.run(asked, cwd=TOP, capture_output=True, text=True, check=False)
    return found.stdout.strip()


def _start_peers(world: World, plan: Plan, folder: Path) -> tuple[list[Peer], dict[str, str]]:
    """Start what is installed; name what isn't."""
    started: list[Peer] = []
    not_run: dict[str, str] = {}
    for kind in plan.peers:
        peer = kind()
        missing = peer.why_not()
        if missing is None:
            peer.start(world, folder / peer.name)
            started.append(peer)
        else:
            not_run[peer.name] = missing
    if started:
        time.sleep(_START_S)
    return started, not_run


@contextlib.asynccontextmanager
async def _browser(world: World) -> AsyncGenerator[tuple[Chromium, ThreadPoolExecutor]]:
    """Keep a Chromium in a thread of its own: Playwright's objects belong to one."""
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(1) as thread:
        opening = open_chromium(world)
        browser = await loop.run_in_executor(thread, opening.__enter__)
        try:
            yield browser, thread
        finally:
            await loop.run_in_executor(thread, opening.__exit__, None, None, None)
