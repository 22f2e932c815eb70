"""People who type commands: every command is a process of its own, as in a real terminal."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Self

import msgspec

PATIENCE_S = 90.0
COMMAND = [sys.executable, "-m", "skvoz.cli"]


def environment(**more: str) -> dict[str, str]:
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("SKVOZ_", "LC_", "LANG"))
    }
    return kept | {"SKVOZ_KEYRING": "off", **more}


class Running:
    """A program that runs until it is stopped; what it printed first tells that it is ready."""

    def __init__(self, *arguments: str, **variables: str) -> None:
        self.process = subprocess.Popen(
            [*COMMAND, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(**variables),
        )
        assert self.process.stdout is not None
        self.first_line = self.process.stdout.readline().decode().strip()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate(timeout=PATIENCE_S)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(how)
        _, errors = self.process.communicate(timeout=PATIENCE_S)
        if how is signal.SIGTERM:
            assert b"Traceback" not in errors, errors.decode()
        return self.process.returncode


class Terminal:
    """One person's terminal."""

    def __init__(self, home: Path, **variables: str) -> None:
        self.home = home
        self._variables = variables
        self._node: Running | None = None

    def type(self, *arguments: str | bytes, typed: str | None = None) -> "subprocess.CompletedProcess[str]":
        """Run a command and return what came of it."""
        return subprocess.run(
            [*COMMAND, *arguments],
            env=environment(SKVOZ_HOME=str(self.home), **self._variables),
            input=typed if typed is not None else "",
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )

    def does(self, *arguments: str, typed: str | None = None) -> str:
        """Run a command that must succeed and return what it printed."""
        done = self.type(*arguments, typed=typed)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def objects(self, *arguments: str) -> list[dict[str, Any]]:
        """Return the objects that a command prints, one a line."""
        return [msgspec.json.decode(line) for line in self.does(*arguments, "--json").splitlines()]

    def refused(self, *arguments: str | bytes) -> str:
        """Return the one line that says why a command is refused."""
        done = self.type(*arguments)
        assert done.returncode == 1, (done.returncode, done.stderr)
        assert done.stderr.count("\n") == 1
        assert done.stderr.startswith("skvoz: ")
        return done.stderr.removeprefix("skvoz: ").strip()

    def until(self, text: str, *arguments: str) -> str:
        """Repeat a command until it prints a text."""
        deadline = time.monotonic() + PATIENCE_S
        printed = self.does(*arguments)
        while text not in printed:
            assert time.monotonic() < deadline, printed
            printed = self.does(*arguments)
        return printed

    def start_node(self, *arguments: str) -> None:
        self._node = Running("--home", str(self.home), *arguments, **self._variables)

    def stop_node(self, how: signal.Signals = signal.SIGTERM) -> int:
        assert self._node is not None
        node, self._node = self._node, None
        return node.stop(how)

    def close(self) -> None:
        if self._node is not None:
            self.stop_node()
