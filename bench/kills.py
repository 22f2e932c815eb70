"""`./dev bench kills`: a relay is killed with -9 again and again, under load and while people talk."""

import argparse
import asyncio
import dataclasses
import secrets
import sys
import tempfile
from pathlib import Path

from bench.machine import figure, machine
from tests.node.kills import talk_through_kills
from tests.server.kills import kill_often


def main() -> None:
    """Print what was lost, doubled or damaged; all of it is to be nothing."""
    parser = argparse.ArgumentParser(prog="./dev bench kills", description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--people-kills", type=int, default=40)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**32))
    options = parser.parse_args()
    print(f"machine: {machine()}\nseed: {options.seed}")
    with tempfile.TemporaryDirectory() as folder:
        load = asyncio.run(kill_often(Path(folder) / "relay", kills=options.kills, seed=options.seed))
        people = asyncio.run(
            talk_through_kills(Path(folder) / "people", kills=options.people_kills, seed=options.seed)
        )
    held: list[bool] = []
    for name, found, facts in (
        ("a relay under load", dataclasses.asdict(load), ("kills", "acknowledged", "seconds")),
        ("three people who talk", dataclasses.asdict(people), ("kills", "messages", "seconds")),
    ):
        print(f"\n{name}: " + ", ".join(f"{found.pop(fact):,} {fact}" for fact in facts))
        held += [figure(fault.replace("_", " "), count, "", most=0) for fault, count in found.items()]
    sys.exit(not all(held))


if __name__ == "__main__":
    main()
