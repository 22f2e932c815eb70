"""What a day costs in which nothing is said: `python -m lab.idle [--settle-s N] [--measure-s N]`.

A node that may use `https` alone idles behind a box that lets all pass. Its requests wait longer each time
that nothing came, so it is left alone first until they wait as long as they do all day (four minutes); then
its bytes are counted for a while, both ways, as frames with all their headers, and multiplied to a day.
"""

import argparse
import asyncio
import sys
import time
from typing import Final

from bench.machine import figure
from lab.rows import ROWS
from lab.stage import stage
from lab.world import World

MB_A_DAY_MOST: Final = 3.0
_DAY_S: Final = 86_400
_SETTLE_S: Final = 480.0
_MEASURE_S: Final = 720.0
"""Three times the longest wait: each of a node's sessions has asked three times."""


async def measure(settle_s: float, measure_s: float) -> bool:
    """Print what was counted and how it was multiplied; tell whether the target holds."""
    row = next(one for one in ROWS if one.name == "https-domestic")
    with World(clients=2) as world:
        async with stage(world, (row,), seed=1) as here:
            await here.wake(row)
            await asyncio.sleep(settle_s)
            before, since = here.bytes_moved(row), time.monotonic()
            await asyncio.sleep(measure_s)
            spent, took_s = here.bytes_moved(row) - before, time.monotonic() - since
    print(
        f"idle on https: {spent:,} bytes of frames in {took_s:.0f} s after {settle_s:.0f} s of settling; "
        f"times {_DAY_S / took_s:.0f} is a day"
    )
    return figure("an idle day on https", spent * _DAY_S / took_s / 1e6, "MB", most=MB_A_DAY_MOST)


def main() -> int:
    """Measure."""
    parser = argparse.ArgumentParser(prog="python -m lab.idle", description=__doc__)
    parser.add_argument("--settle-s", type=float, default=_SETTLE_S)
    parser.add_argument("--measure-s", type=float, default=_MEASURE_S)
    options = parser.parse_args()
    return not asyncio.run(measure(options.settle_s, options.measure_s))


if __name__ == "__main__":
    sys.exit(main())
