"""How long the command line takes to say what it can do."""

import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from bench.machine import figure

MOST_MS: Final = 150.0
_RUNS: Final = 20


def measure() -> bool:
    """Print the median of some runs of `skvoz --help`, after one that warms the disk's cache."""
    script = str(Path(sys.executable).with_name("skvoz"))
    took: list[float] = []
    for _ in range(_RUNS + 1):
        started = time.perf_counter()
        subprocess.run([script, "--help"], check=True, stdout=subprocess.DEVNULL)
        took.append((time.perf_counter() - started) * 1000)
    print(f"\nthe command line, median of {_RUNS} runs")
    return figure("skvoz --help", statistics.median(took[1:]), "ms", most=MOST_MS)
