"""`./dev bench relay`: durable live deliveries a second on one core, beside mosquitto at QoS 1.

100 clients in pairs, 1 KB, each with a window of entries under way. Servers take turns on core 0, the load is
on core 1. Our relay syncs the disk before it acknowledges; mosquitto doesn't. Its TLS is left out on both
sides; ours seals every message all the same.
"""

import argparse
import contextlib
import json
import os
import platform
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

BENCH = Path(__file__).parent
SERVER_CORE, LOAD_CORE = "0", "1"
QUOTAS = """
appends_per_s = 1000000.0
append_burst = 1000000
opens_per_s = 1000.0
log_entries_max = 100000000
log_bytes_max = 1000000000000
"""
SERVE = """
import sys
from pathlib import Path
from skvoz.server import create_home, read_settings, serve
home = create_home(Path(sys.argv[1]))
serve(home.folder, read_settings(home.config_file),
      lambda service: print(service.port, service.public_key.hex(), flush=True))
"""


def pinned(core: str, *command: str) -> list[str]:
    """Return a command that runs on one core, where the machine has several."""
    if (os.cpu_count() or 1) < 2 or shutil.which("taskset") is None:
        return list(command)
    return ["taskset", "-c", core, *command]


@contextlib.contextmanager
def stopped_after(process: subprocess.Popen[str]) -> Generator[None]:
    """Stop a process whatever happens, and tell the CPU seconds that it used."""
    try:
        yield
    finally:
        process.terminate()
        process.wait(20)


def load(script: str, *arguments: str) -> dict[str, Any]:
    """Run a load and return its figures."""
    command = pinned(LOAD_CORE, sys.executable, str(BENCH / script), *arguments)
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def cpu_s(pid: int) -> float:
    """Return the CPU seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure_relay(options: list[str], folder: Path) -> dict[str, Any]:
    """Run our relay under load."""
    home = folder / "relay"
    home.mkdir(mode=0o700)
    (home / "relay.toml").write_text(f'listen = "127.0.0.1:0"\nreserve_bytes = 1\n[quotas]\n{QUOTAS}')
    command = pinned(SERVER_CORE, sys.executable, "-c", SERVE, str(home))
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process, stopped_after(process):
        assert process.stdout is not None
        port, public_key = process.stdout.readline().split()
        found = load("relay_load.py", "--port", port, "--public-key", public_key, *options)
        return found | {"server_cpu_s": round(cpu_s(process.pid), 1)}


def measure_mosquitto(options: list[str], folder: Path) -> dict[str, Any]:
    """Run mosquitto under the same load."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = folder / "mosquitto.conf"
    config.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_inflight_messages 0\nmax_queued_messages 0\n"
    )
    server = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
    command = pinned(SERVER_CORE, server, "-c", str(config))
    with (
        subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True) as process,
        stopped_after(process),
    ):
        for _ in range(100):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.05)
        found = load("mqtt_load.py", "--port", str(port), *options)
        return found | {"server_cpu_s": round(cpu_s(process.pid), 1)}


def main() -> None:
    """Measure both in turns and print the medians and their ratio."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--clients", type=int, default=100)
    parser.add_argument("--size", type=int, default=1024)
    parser.add_argument("--window", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=5.0)
    chosen = parser.parse_args()
    options = [f"--{name}={getattr(chosen, name)}" for name in ("clients", "size", "window", "seconds")]
    has_mosquitto = shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin") is not None
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()};"
        f" {chosen.clients} clients in pairs, {chosen.size} B, {chosen.window} under way each"
    )
    figures: dict[str, list[dict[str, Any]]] = {"skvoz": [], "mosquitto": []}
    for _ in range(chosen.rounds):
        for name, measure in (("skvoz", measure_relay), ("mosquitto", measure_mosquitto)):
            if name == "mosquitto" and not has_mosquitto:
                continue
            with tempfile.TemporaryDirectory() as folder:
                found = measure(options, Path(folder))
                figures[name].append(found)
                print(f"  {name:10}", json.dumps(found), flush=True)
    median = {
        name: statistics.median(one["per_s"] for one in found) for name, found in figures.items() if found
    }
    print(f"skvoz: {median['skvoz']:,.0f} durable deliveries/s")
    if has_mosquitto:
        ratio = median["skvoz"] / median["mosquitto"]
        print(f"mosquitto QoS 1, nothing synced: {median['mosquitto']:,.0f}/s; ratio {ratio:.2f}x (>= 0.5x)")
    else:
        print("mosquitto is not installed (Debian: mosquitto): no comparison")


if __name__ == "__main__":
    main()
