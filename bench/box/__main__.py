"""`./dev bench box`: what the lab's box carries without loss; needs root, as the lab does.

A TCP stream from the client outside, as fast as it goes; and UDP datagrams of 200 bytes at a steady rate, of
which none may be lost. With no rule, and with rules that look at every packet of the flow but let it pass.
What the box took of its core is told too: on a machine that does other things, that is the figure to look at.
"""

import argparse
import json
import subprocess
import sys
from typing import Any

from bench.machine import figure, machine
from lab.places import CLEAN
from lab.world import World, why_not

MBIT_LEAST = 200.0
PACKETS_S = 20_000
TACTICS = ("none", "sni-drop", "curtain", "tls-in-tls")
PORT = 9000


def load(world: World, kind: str, seconds: float, rate: int = 0) -> dict[str, Any]:
    """Send from the client outside, and return what the receiver counted and what the box did."""
    program = [sys.executable, "-m", "bench.box.load"]
    there = [CLEAN.at(10), str(PORT)]
    receiver = world.start("outside", [*program, f"{kind}-receive", *there], stdout=subprocess.PIPE)
    if receiver.stdout is None or receiver.stdout.readline() != b"ready\n":
        raise SystemExit("the receiver doesn't start")
    sent = world.run(
        "client", [*program, f"{kind}-send", *there, str(seconds), str(rate)], timeout_s=seconds + 60
    )
    received = json.loads(receiver.stdout.readline())
    receiver.wait()
    return {**received, **json.loads(sent.stdout), **world.box.counts()}


def main() -> int:
    """Measure, and tell whether all targets hold."""
    parser = argparse.ArgumentParser(prog="./dev bench box")
    parser.add_argument("--seconds", type=float, default=5.0)
    seconds = parser.parse_args().seconds
    if reason := why_not():
        print(reason)
        return 1
    print(machine())
    held = True
    with World() as world:
        for tactic in TACTICS:
            world.box.use(tactic)
            print(f"  rule: {tactic}")
            stream = load(world, "tcp", seconds)
            held &= figure("TCP", stream["bytes"] * 8 / stream["seconds"] / 1e6, "Mbit/s", least=MBIT_LEAST)
            figure("TCP for each second of the box's core", stream["bytes"] * 8 / stream["busy_us"], "Mbit")
            held &= figure("frames lost by the box", stream["lost"], "", most=0)
            world.box.use(tactic)
            udp = load(world, "udp", seconds, PACKETS_S)
            held &= figure("UDP sent", udp["sent"] / udp["sent_seconds"], "1/s", least=0.98 * PACKETS_S)
            figure("frames for each second of the box's core", udp["passed"] / udp["busy_us"] * 1e6, "")
            held &= figure("UDP datagrams lost", udp["sent"] - udp["received"], "", most=0)
            held &= figure("frames lost by the box", udp["lost"], "", most=0)
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
