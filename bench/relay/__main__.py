"""`./dev bench relay`: durable live deliveries a second on one core, beside mosquitto at QoS 1.

100 clients in pairs, 1 KB, each with a window of entries under way. Servers take turns on core 0, the load is
on core 1. Our relay syncs the disk before it acknowledges; mosquitto doesn't. TLS is left out on both sides;
ours seals every message all the same. What each used of its core is said, so that one sees what the
bottleneck was.
"""

import argparse
import contextlib
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.machine import figure, machine
from bench.processes import pinned, relay, stopped_after

SERVER_CORE, LOAD_CORE = 0, 1
RATIO_LEAST = 0.5
PACKAGE_HINT = "mosquitto is missing (Debian: apt-get install mosquitto): no comparison"


def load(name: str, *arguments: str) -> dict[str, Any]:
    """Run a load and return its figures."""
    command = pinned(LOAD_CORE, sys.executable, "-m", f"bench.relay.{name}", *arguments)
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


def measure_relay(options: list[str], folder: Path) -> dict[str, Any]:
    """Run our relay under load."""
    with relay(folder / "relay", core=SERVER_CORE) as running:
        public_key = running.public_key.hex()
        place = ["--port", str(running.port), "--server-pid", str(running.pid)]
        return load("sealed_load", *place, "--public-key", public_key, *options)


def measure_mosquitto(server: str, options: list[str], folder: Path) -> dict[str, Any]:
    """Run mosquitto under the same load."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    config = folder / "mosquitto.conf"
    config.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_inflight_messages 0\nmax_queued_messages 0\n"
    )
    command = pinned(SERVER_CORE, server, "-c", str(config))
    with (
        subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True) as process,
        stopped_after(process),
    ):
        for _ in range(100):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", int(port)), 1):
                break
            time.sleep(0.05)
        return load("mqtt_load", "--port", port, "--server-pid", str(process.pid), *options)


def report(found: dict[str, list[dict[str, Any]]]) -> bool:
    """Print medians and their ratio; return whether it is what it should be."""
    median = {
        name: {key: statistics.median(one[key] for one in rounds) for key in rounds[0]}
        for name, rounds in found.items()
    }
    for name, values in median.items():
        figure(f"{name}: deliveries", values["per_s"], "/s")
        figure(f"{name}: deliveries a CPU second of the server", values["per_s"] / values["server_cpu"], "")
        if values["load_cpu"] > 0.9 > values["server_cpu"]:
            print(f"    {name}: the load was the bottleneck")
    if "mosquitto" not in median:
        print(f"    {PACKAGE_HINT}")
        return False
    ours, theirs = median["skvoz"], median["mosquitto"]
    return figure("ratio", ours["per_s"] / theirs["per_s"], "x", least=RATIO_LEAST)


def main() -> None:
    """Measure both in turns and print the medians and their ratio."""
    parser = argparse.ArgumentParser(prog="./dev bench relay", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--clients", type=int, default=100)
    parser.add_argument("--size", type=int, default=1024)
    parser.add_argument("--window", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=5.0)
    chosen = parser.parse_args()
    options = [f"--{name}={getattr(chosen, name)}" for name in ("clients", "size", "window", "seconds")]
    mosquitto = shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin")
    print(f"machine: {machine()}")
    print(f"\n{chosen.clients} clients in pairs, {chosen.size} B, {chosen.window} under way each")
    figures: dict[str, list[dict[str, Any]]] = {}
    for _ in range(chosen.rounds):
        with tempfile.TemporaryDirectory() as folder:
            figures.setdefault("skvoz", []).append(measure_relay(options, Path(folder)))
            if mosquitto is not None:
                figures.setdefault("mosquitto", []).append(
                    measure_mosquitto(mosquitto, options, Path(folder))
                )
        for name, rounds in figures.items():
            print(f"  {name:10}", json.dumps(rounds[-1]), flush=True)
    sys.exit(not report(figures))


if __name__ == "__main__":
    main()
