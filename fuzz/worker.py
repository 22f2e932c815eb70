"""Runs one target in this process, and prints one line of JSON about it at the end: `fuzz.__main__` reads it.

python -m fuzz.worker TARGET --seconds 60 --seed 7 --folder FOLDER
"""

import argparse
import importlib
import importlib.util
import json
import os
import time
import traceback
from contextlib import nullcontext
from hashlib import sha256
from pathlib import Path
from typing import Any, NoReturn

from fuzz import scratch
from fuzz.engine import Escaped, Figures, limit_process, run_blindly, run_guided
from fuzz.targets import load


def main() -> NoReturn:
    """Run for as long as asked."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("target")
    arguments.add_argument("--seconds", type=float, required=True)
    arguments.add_argument("--seed", type=int, required=True)
    arguments.add_argument("--folder", type=Path, required=True)
    arguments.add_argument("--blind", action="store_true")
    options = arguments.parse_args()
    folder: Path = options.folder
    kept = folder / "corpus"
    kept.mkdir(parents=True, exist_ok=True)
    guided = not options.blind and importlib.util.find_spec("atheris") is not None
    watched: Any = nullcontext()
    if guided:
        atheris: Any = importlib.import_module("atheris")
        watched = atheris.instrument_imports(include=["skvoz"])
    with watched:
        target = load(options.target)
    guided = guided and target.guided
    limit_process()
    begun = time.monotonic()

    def done(figures: Figures, escaped: Escaped | None) -> NoReturn:
        crash = None if escaped is None else _kept_crash(folder, escaped)
        answer = {
            "executions": figures.executions,
            "taken": figures.taken,
            "corpus": figures.corpus,
            "seconds": time.monotonic() - begun,
            "guided": guided,
            "crash": crash,
        }
        print(json.dumps(answer), flush=True)
        scratch.clean_up()
        os._exit(0 if escaped is None else 1)  # libFuzzer holds the process, and nothing here is to be tidied

    if guided:
        run_guided(target, seed=options.seed, seconds=options.seconds, kept=kept, done=done)
    figures = Figures()
    try:
        run_blindly(target, figures, seed=options.seed, seconds=options.seconds)
    except Escaped as escaped:
        done(figures, escaped)
    done(figures, None)


def _kept_crash(folder: Path, escaped: Escaped) -> str:
    """Store the input, print what escaped to stderr, and return the input's path."""
    file = folder / f"crash-{sha256(escaped.data).hexdigest()[:16]}"
    file.write_bytes(escaped.data)
    traceback.print_exception(escaped)
    return str(file)


if __name__ == "__main__":
    main()
