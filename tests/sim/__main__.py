"""`./dev sim`: whole worlds by seed."""

import argparse
import sys
import time
from collections.abc import Iterable
from functools import partial
from multiprocessing import get_context

from tests.sim.report import describe, live
from tests.sim.world import Result


def _results(seeds: range, jobs: int, without: frozenset[str]) -> Iterable[Result]:
    played = partial(live, without=without)
    if jobs == 1:
        yield from map(played, seeds)
        return
    with get_context("spawn").Pool(jobs) as pool:
        yield from pool.imap(played, seeds, chunksize=4)


def main() -> int:
    """Run worlds, and say which failed."""
    parser = argparse.ArgumentParser(prog="./dev sim")
    parser.add_argument("--seeds", type=int, default=100, help="how many worlds")
    parser.add_argument("--first", type=int, default=0, help="the first one's seed")
    parser.add_argument("--jobs", type=int, default=1, help="how many at a time")
    parser.add_argument("--without", action="append", default=[], help="a fault to leave out")
    wanted = parser.parse_args()
    without = frozenset[str](wanted.without)
    started, failed, messages, virtual_s = time.monotonic(), 0, 0, 0
    seeds = range(wanted.first, wanted.first + wanted.seeds)
    for result in _results(seeds, wanted.jobs, without):
        messages += result.messages
        virtual_s += result.virtual_s
        if result.problem:
            failed += 1
            print(describe(result, without), flush=True)
    elapsed_s = time.monotonic() - started
    print(
        f"{len(seeds)} worlds, {failed} failed, {messages} messages, {virtual_s / 86_400:.0f} virtual days"
        f" in {elapsed_s:.1f} s ({len(seeds) / elapsed_s:.1f} worlds/s)"
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
