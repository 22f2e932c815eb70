"""Worlds by seed: 200 that are always the same, 200 that are new in every run, and those that once failed."""

import os
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from tests.sim import world
from tests.sim.faults import Faults
from tests.sim.report import describe, live
from tests.sim.world import World

CHUNK = 20
FIXED = 200
FRESH = 200
FOUND: tuple[int, ...] = (
    *(49, 53, 108, 495, 745, 100_034, 100_078, 200_290, 201_100),
    *(3_000_341, 3_000_603, 3_002_897, 3_004_500, 3_004_613, 5_002_700, 5_101_327, 5_200_026, 5_400_616),
    *(18_000_677, 18_001_482, 30_005_615, 50_000_268, 60_007_130, 70_001_178),
    *(140_001_236, 140_001_541, 140_004_531, 150_000_354, 150_004_592),
    *(160_005_731, 160_005_847),
)
"""Seeds that found something, whatever their worlds have become since."""
TOP = Path(__file__).resolve().parents[2]


def check(seeds: range | tuple[int, ...]) -> None:
    failed = [result for result in map(live, seeds) if result.problem]
    assert not failed, "\n".join(map(describe, failed))


@pytest.mark.parametrize("first", range(0, FIXED, CHUNK))
@pytest.mark.slow
def test_fixed_worlds(first: int) -> None:
    check(range(first, first + CHUNK))


@pytest.mark.parametrize("chunk", range(FRESH // CHUNK))
@pytest.mark.slow
def test_fresh_worlds(chunk: int, fresh_sim_seed: int) -> None:
    first = fresh_sim_seed + chunk * CHUNK
    print(f"seeds {first} to {first + CHUNK - 1}")
    check(range(first, first + CHUNK))


@pytest.mark.slow
def test_a_few_worlds() -> None:
    check(range(1_000, 1_010))


@pytest.mark.slow
@pytest.mark.parametrize("seed", FOUND)
def test_found_worlds(seed: int) -> None:
    check((seed,))


@pytest.mark.slow
@pytest.mark.parametrize("seed", [5072, 5591])
def test_an_author_keeps_the_order_where_a_relay_that_refused_is_restarted(
    monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    faults = Faults(
        relay_refuses=0.3, relay_crash=0.3, network_slow=0.2, connection_cut=0.02, client_busy=0.3
    )

    def draw_faults(_: Random) -> Faults:
        return faults

    monkeypatch.setattr(world, "draw_faults", draw_faults)
    check((seed,))


@pytest.mark.slow
def test_a_seed_gives_the_same_world_again() -> None:
    assert World(4).run() == World(4).run()


@pytest.mark.slow
def test_a_world_does_not_depend_on_hash_seeds() -> None:
    told = {
        subprocess.run(
            [sys.executable, "-c", "from tests.sim.world import World; print(World(8).run().trace)"],
            cwd=TOP,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2", "3")
    }
    assert len(told) == 1
