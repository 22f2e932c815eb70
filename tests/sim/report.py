"""Playing a seed and saying what came of it, for people who want to play it again."""

import subprocess
import traceback
from pathlib import Path

from tests.sim.world import Result, World


def commit() -> str:
    """Return the commit that is tried, with a mark where files were changed since."""
    top = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--abbrev=12"],
        cwd=top,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or "unknown"


def live(seed: int, without: frozenset[str] = frozenset()) -> Result:
    """Live through the world of a seed, without some faults; what stops it, a bug, is its problem."""
    world = World(seed)
    if without:
        world = World(seed, only=frozenset(world.faults.names()) - without)
    try:
        return world.run()
    except Exception:  # noqa: BLE001 - whatever a bug raises
        return world.result(traceback.format_exc())


def describe(result: Result, without: frozenset[str] = frozenset()) -> str:
    """Say what failed, where, and how to play it again."""
    left_out = "".join(f" --without {name}" for name in sorted(without))
    return (
        f"seed {result.seed} at {commit()}: {result.problem}\n"
        f"  faults: {', '.join(result.faults) or 'none'}\n"
        f"  play it again: ./dev sim --seeds 1 --first {result.seed}{left_out}"
    )
