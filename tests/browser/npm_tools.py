"""What npm brings for the page's checks: TypeScript, esbuild, lit and axe-core, installed on first use."""

import fcntl
import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

HERE: Final = Path(__file__).parent / "npm"
REPOSITORY: Final = Path(__file__).resolve().parents[2]
CACHE: Final = REPOSITORY / ".venv" / "page-checks"


def _missing(reason: str) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def installed() -> Path:
    """Return the folder `node_modules`; skip where it can't be had."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        _missing("node and npm are not here (Debian: nodejs npm)")
    CACHE.mkdir(parents=True, exist_ok=True)
    lock = (HERE / "package-lock.json").read_bytes()
    with (CACHE / "busy").open("w") as busy:
        fcntl.flock(busy, fcntl.LOCK_EX)
        stamp = CACHE / "installed"
        if not stamp.exists() or stamp.read_bytes() != lock:
            for name in ("package.json", "package-lock.json"):
                shutil.copyfile(HERE / name, CACHE / name)
            install = [str(npm), "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            done = subprocess.run(install, cwd=CACHE, capture_output=True, check=False)
            if done.returncode:
                _missing("npm could not fetch what the page is checked with")
            stamp.write_bytes(lock)
    return CACHE / "node_modules"
