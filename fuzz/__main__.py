"""Run fuzz targets, each in a process of its own, two at a time at most.

python -m fuzz [TARGET…] --seconds 600      for so long over all of them
python -m fuzz [TARGET…] --each 60          each for so long
python -m fuzz --play TARGET FILE           give a kept input to its target once more
python -m fuzz --list

With atheris (the dependency group `fuzz`), libFuzzer chooses inputs by the coverage of `skvoz`; where it has
no wheel, inputs are valid ones changed blindly. What crashes is kept under `.fuzz/TARGET/`, beside the
inputs that reached something new, from which the next run goes on.
"""

import argparse
import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from fuzz import scratch
from fuzz.engine import limit_process
from fuzz.targets import TARGETS, load

FOLDER: Final = Path(__file__).resolve().parent.parent / ".fuzz"
WORKER: Final = "fuzz.worker"
AT_A_TIME_MAX: Final = 2
LOG_LINES_SHOWN: Final = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    seconds: float
    seed: int
    blind: bool


def main() -> int:
    """Return 1 if anything crashed."""
    arguments = argparse.ArgumentParser(prog="./dev fuzz", description="Fuzz every parser.")
    arguments.add_argument("targets", nargs="*", metavar="TARGET", help="all of them where none is named")
    arguments.add_argument("--seconds", type=float, default=60.0, help="over all targets")
    arguments.add_argument("--each", type=float, help="for each target, in place of --seconds")
    arguments.add_argument("--seed", type=int, help="what chance begins with; printed")
    arguments.add_argument("--jobs", type=int, choices=range(1, AT_A_TIME_MAX + 1), default=AT_A_TIME_MAX)
    arguments.add_argument("--blind", action="store_true", help="leave coverage out of it")
    arguments.add_argument("--play", nargs=2, metavar=("TARGET", "FILE"))
    arguments.add_argument("--list", action="store_true")
    options = arguments.parse_args()
    if options.list:
        print("\n".join(TARGETS))
        return 0
    if options.play:
        return _play(*options.play)
    names: list[str] = options.targets or list(TARGETS)
    unknown = [name for name in names if name not in TARGETS]
    if unknown:
        arguments.error(f"no such target: {' '.join(unknown)}")
    seconds = options.each if options.each is not None else options.seconds / len(names)
    seed = time.time_ns() % 2**31 if options.seed is None else options.seed
    run = _Run(seconds=seconds, seed=seed, blind=options.blind)
    with ThreadPoolExecutor(options.jobs) as pool:
        results = list(pool.map(partial(_one, run), names))
    crashed = [name for name, result in zip(names, results, strict=True) if result is None or result["crash"]]
    total = sum(result["executions"] for result in results if result is not None)
    spent = sum(result["seconds"] for result in results if result is not None)
    print(f"{len(names)} targets, {total} executions in {spent:.0f} s, {len(crashed)} crashed")
    return 1 if crashed else 0


def _one(run: _Run, name: str) -> dict[str, Any] | None:
    """Run one target in a child, and print what it did; None where the child died without a word."""
    folder = FOLDER / name
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "log"
    command = [sys.executable, "-m", WORKER, name, "--folder", str(folder)]
    command += ["--seconds", str(run.seconds), "--seed", str(run.seed), *(["--blind"] if run.blind else [])]
    with log.open("wb") as errors:
        child = subprocess.run(command, stdout=subprocess.PIPE, stderr=errors, cwd=FOLDER.parent, check=False)
    try:
        result: dict[str, Any] = json.loads(child.stdout.splitlines()[-1])
    except (IndexError, json.JSONDecodeError):
        print(f"{name}: died with {child.returncode}, seed {run.seed}; see {log}", flush=True)
        return None
    way = "guided" if result["guided"] else "blind"
    rate = result["executions"] / max(result["seconds"], 0.001)
    print(
        f"{name:<17} {way:<6} {result['executions']:>9} executions {rate:>7.0f}/s"
        f"  taken {result['taken']:>8}  corpus {result['corpus']:>5}  seed {run.seed}"
        f"  crashes {1 if result['crash'] else 0}",
        flush=True,
    )
    if result["crash"]:
        shown = Path(result["crash"]).relative_to(FOLDER.parent)
        lines = log.read_text("utf-8", "replace").splitlines()
        told = [line for line in lines if not line.startswith(("INFO:", "WARNING:"))]
        print("\n".join(told[-LOG_LINES_SHOWN:]), flush=True)
        print(f"play it again: ./dev fuzz --play {name} {shown}", flush=True)
    return result


def _play(name: str, file: str) -> int:
    if name not in TARGETS:
        print(f"no such target: {name}", file=sys.stderr)
        return 2
    target = load(name)
    limit_process()
    try:
        taken = target.takes(Path(file).read_bytes())
    finally:
        scratch.clean_up()
    print("taken" if taken else "refused, as documented")
    return 0


if __name__ == "__main__":
    sys.exit(main())
