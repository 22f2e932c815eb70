"""Relays and nodes in processes of their own, and what they cost."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

RAISED_QUOTAS = """
appends_per_s = 1000000.0
append_burst = 1000000
opens_per_s = 100000.0
open_burst = 100000
session_opens_per_s = 100000.0
session_open_burst = 100000
takes_per_s = 100000.0
take_burst = 100000
lookups_per_s = 100000.0
lookup_burst = 100000
log_entries_max = 100000000
log_bytes_max = 1000000000000
"""
"""Benches do in seconds what takes people weeks, so rates must not be in the way."""
_SERVE_RELAY = """
import sys
from pathlib import Path
from skvoz.server import create_home, read_settings, serve
home = create_home(Path(sys.argv[1]))
serve(home.folder, read_settings(home.config_file),
      lambda service: print(service.port, service.public_key.hex(), flush=True))
"""
_STOP_TIMEOUT_S = 30


@dataclass(frozen=True, slots=True)
class RunningRelay:
    """A relay that listens on this machine."""

    pid: int
    port: int
    public_key: bytes

    @property
    def address(self) -> str:
        """Where sessions go."""
        return f"ws://127.0.0.1:{self.port}/"


def pinned(core: int, *command: str) -> list[str]:
    """Return a command that runs on one core, where the machine has several."""
    if (os.cpu_count() or 1) < 2 or shutil.which("taskset") is None:
        return list(command)
    return ["taskset", "-c", str(core), *command]


@contextlib.contextmanager
def stopped_after(process: subprocess.Popen[str]) -> Generator[None]:
    """Stop a process whatever happens."""
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def relay(folder: Path, *, core: int | None = None) -> Generator[RunningRelay]:
    """Run a relay in `folder`, on one core if that is said."""
    folder.mkdir(mode=0o700, exist_ok=True)
    config = f'listen = "127.0.0.1:0"\nreserve_bytes = 1\n[quotas]\n{RAISED_QUOTAS}'
    (folder / "relay.toml").write_text(config)
    command = [sys.executable, "-c", _SERVE_RELAY, str(folder)]
    started = command if core is None else pinned(core, *command)
    with subprocess.Popen(started, stdout=subprocess.PIPE, text=True) as process, stopped_after(process):
        assert process.stdout is not None
        port, public_key = process.stdout.readline().split()
        yield RunningRelay(process.pid, int(port), bytes.fromhex(public_key))


def cpu_s(pid: int) -> float:
    """Return the CPU seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mb(pid: int, *, peak: bool = False) -> float:
    """Return the memory that a process has in RAM, or had at most, in MB of 1,000,000 bytes."""
    name = "VmHWM:" if peak else "VmRSS:"
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) * 1024 / 1e6
