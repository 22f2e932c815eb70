"""Runs every check, each under its name, and says at the end which failed; `./dev test` calls it."""

import os
import subprocess
import sys
import time
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
BIN = TOP / ".venv" / "bin"
PYTHON = str(BIN / "python")


def checks(*, quick: bool) -> list[tuple[str, list[str]]]:
    pytest = [PYTHON, "-m", "pytest", "-q", "-n", "4", "--dist", "worksteal", "--durations=30"]
    found = [
        ("format", [str(BIN / "ruff"), "format", "--check", "."]),
        ("lint", [str(BIN / "ruff"), "check", "."]),
        ("import contracts", [str(BIN / "lint-imports")]),
        ("types", [str(BIN / "pyright"), "--threads", "2"]),
    ]
    if quick:
        return [
            *found[:3],
            ("tests", [*pytest, "-m", "not slow and not interop and not peer and not browser"]),
        ]
    return [*found, ("tests", pytest)]


def main() -> int:
    quick = "--quick" in sys.argv[1:]
    failed: list[str] = []
    for name, command in checks(quick=quick):
        started = time.monotonic()
        print(f"== {name}", flush=True)
        done = subprocess.run(command, cwd=TOP, env={**os.environ, "SKVOZ_KEYRING": "off"}, check=False)
        print(f"== {name}: {'ok' if done.returncode == 0 else 'FAILED'}, {time.monotonic() - started:.0f} s")
        if done.returncode:
            failed.append(name)
    print("every check passed" if not failed else f"failed: {', '.join(failed)}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
