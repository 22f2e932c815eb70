"""Runs one target: under libFuzzer where atheris is installed, else with changes made blindly.

Either way an input has `CPU_SECONDS_MAX` of processor time and the process `MEMORY_GROWTH_MAX` bytes more
than it began with; what needs more is a crash like any other.
"""

import contextlib
import importlib
import resource
import signal
import sys
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from random import Random
from types import FrameType
from typing import Any, Final, NoReturn

from fuzz.target import INPUT_SIZE_MAX, Target, changed

CPU_SECONDS_MAX: Final = 10.0
"""Of processor time and not of the clock's, so that a busy machine is no crash."""
MEMORY_GROWTH_MAX: Final = 1024 * 1024 * 1024
CHECK_EVERY: Final = 100
CORPUS_MAX: Final = 2000
KEPT_SIZE_MAX: Final = 2000


class TooSlow(Exception):
    """An input needed more than `CPU_SECONDS_MAX`."""


class Escaped(Exception):
    """An input made something escape that is not documented; the cause is what."""

    def __init__(self, data: bytes) -> None:
        super().__init__(f"an input of {len(data)} bytes")
        self.data = data


@dataclass(slots=True)
class Figures:
    """What a run did."""

    executions: int = 0
    taken: int = 0
    corpus: int = 0


@dataclass(slots=True)
class Runner:
    """Gives inputs to a target, one after another."""

    target: Target
    figures: Figures

    def give(self, data: bytes) -> bool:
        """Run one input within the limits; tell whether it was taken, raise `Escaped`."""
        self.figures.executions += 1
        try:
            with _limited():
                taken = self.target.takes(data)
                if self.target.check is not None and self.figures.executions % CHECK_EVERY == 0:
                    self.target.check()
        except Exception as error:
            raise Escaped(data) from error
        self.figures.taken += taken
        return taken


@contextlib.contextmanager
def _limited() -> Generator[None]:
    signal.setitimer(signal.ITIMER_VIRTUAL, CPU_SECONDS_MAX)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def _too_slow(_number: int, _frame: FrameType | None) -> None:
    raise TooSlow


def limit_process() -> None:
    """Bound what this process may use; call it once, after everything is loaded."""
    signal.signal(signal.SIGVTALRM, _too_slow)
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[0]) if sys.platform == "linux" else 0
    if pages:
        most = pages * resource.getpagesize() + MEMORY_GROWTH_MAX
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def run_blindly(target: Target, figures: Figures, *, seed: int, seconds: float) -> None:
    """Change inputs by chance for so long, keeping what is taken for more changes; raise `Escaped`."""
    chance = Random(seed)
    runner = Runner(target, figures)
    corpus = list(target.seeds) or [b""]
    for data in corpus:
        runner.give(data)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        data = changed(chance, chance.choice(corpus), chance.choice(corpus))
        if runner.give(data) and len(corpus) < CORPUS_MAX and len(data) < KEPT_SIZE_MAX:
            corpus.append(data)
        figures.corpus = len(corpus)


def run_guided(
    target: Target,
    *,
    seed: int,
    seconds: float,
    kept: Path,
    done: Callable[[Figures, Escaped | None], NoReturn],
) -> NoReturn:
    """Let libFuzzer choose inputs for so long, then call `done`, which has to end this process.

    Inputs that reached something new stay in the folder `kept`.
    """
    atheris: Any = importlib.import_module("atheris")
    figures = Figures()
    runner = Runner(target, figures)
    try:
        for data in target.seeds:
            runner.give(data)
    except Escaped as escaped:
        done(figures, escaped)
    for data in target.seeds:
        (kept / sha256(data).hexdigest()[:16]).write_bytes(data)
    end = time.monotonic() + seconds

    def give(data: bytes) -> None:
        # libFuzzer does not come back: whoever it calls ends the process.
        if time.monotonic() >= end:
            figures.corpus = sum(1 for _ in kept.iterdir())
            done(figures, None)
        try:
            runner.give(data)
        except Escaped as escaped:
            done(figures, escaped)

    options = [
        f"-seed={seed % 2**31 or 1}",
        f"-max_len={INPUT_SIZE_MAX}",
        "-timeout=600",
        "-rss_limit_mb=0",
        "-verbosity=0",
    ]
    atheris.Setup([sys.argv[0], *options, f"-artifact_prefix={kept.parent}/hard-", str(kept)], give)
    atheris.Fuzz()
    raise AssertionError("libFuzzer came back")
