"""`./dev bench node [latency] [catch-up] [chats] [help]`: messages between nodes, absences, full homes.

Relay and nodes are processes of their own on this machine, their databases are on its disk and synced as
always. People are reached over the API on their homes' Unix sockets, as by any program.
"""

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from bench.machine import figure, machine
from bench.node import catch_up, command_line, latency, many_chats

SUBJECTS: Final = ("latency", "catch-up", "chats", "help")


def report_disk(folder: Path) -> None:
    """Print what one sync of this disk costs: a message waits for three of them."""
    took: list[float] = []
    with (folder / "sync").open("wb", buffering=0) as file:
        for _ in range(200):
            file.write(os.urandom(8192))
            started = time.perf_counter()
            os.fdatasync(file.fileno())
            took.append((time.perf_counter() - started) * 1000)
    figure("a sync of this disk, median", statistics.median(took), "ms")


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(prog="./dev bench node", description=__doc__)
    parser.add_argument("subjects", nargs="*", metavar="subject", help=f"some of {', '.join(SUBJECTS)}")
    parser.add_argument("--per-s", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--entries", type=int, default=6_000)
    parser.add_argument("--chats", type=int, default=1_000)
    parser.add_argument("--messages", type=int, default=100)
    options = parser.parse_args()
    subjects = options.subjects or SUBJECTS
    if not set(subjects) <= set(SUBJECTS):
        parser.error(f"subjects are {', '.join(SUBJECTS)}")
    print(f"machine: {machine()}")
    held: list[bool] = []
    for subject in subjects:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            match subject:
                case "latency":
                    report_disk(folder)
                    held.append(
                        asyncio.run(latency.measure(folder, per_s=options.per_s, seconds=options.seconds))
                    )
                case "catch-up":
                    held.append(asyncio.run(catch_up.measure(folder, entries=options.entries)))
                case "chats":
                    held.append(
                        asyncio.run(
                            many_chats.measure(folder, chats=options.chats, messages=options.messages)
                        )
                    )
                case _:
                    held.append(command_line.measure())
    sys.exit(not all(held))


if __name__ == "__main__":
    main()
