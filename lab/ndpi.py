"""What nDPI takes traffic for: a judge from the trade of deep packet inspection, whom nobody here wrote.

`opinions(file)` reads a capture that `World.box.captured` wrote. The library runs in a process of its own:
it brings pandas and workers. It is in the lab's lock, which `./dev lab` installs.
"""

import importlib.util
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_READ_S = 120


@dataclass(frozen=True, kw_only=True)
class Opinion:
    """What one flow is taken for; `name` is the server's, where it is seen."""

    far: str
    port: int
    protocol: str
    category: str
    name: str
    is_guess: bool


def why_not() -> str | None:
    """Say why nDPI can't be asked, or nothing if it can."""
    found = importlib.util.find_spec("nfstream")
    return None if found else "nDPI's opinion needs nfstream (requirements-lab.lock; `./dev lab` installs it)"


def opinions(capture: Path) -> list[Opinion]:
    """Ask about every flow of a capture. Raises `subprocess.SubprocessError`."""
    command = [sys.executable, "-m", "lab.ndpi", str(capture)]
    top = Path(__file__).resolve().parent.parent
    done = subprocess.run(command, cwd=top, check=True, capture_output=True, text=True, timeout=_READ_S)
    return [Opinion(**json.loads(line)) for line in done.stdout.splitlines()]


def main(capture: str) -> None:
    """Print an opinion on each flow."""
    nfstream: Any = importlib.import_module("nfstream")
    for flow in nfstream.NFStreamer(source=capture, n_meters=1, statistical_analysis=False):
        said = {
            "far": flow.dst_ip,
            "port": flow.dst_port,
            "protocol": flow.application_name,
            "category": flow.application_category_name,
            "name": flow.requested_server_name,
            "is_guess": bool(flow.application_is_guessed),
        }
        print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
