"""A world of one run: client | box | outside, each a network namespace, cabled, and removed at its end.

    with World() as world:
        world.box.use("curtain", seed=1)                      # a tactic; "none" lets all pass
        world.start("outside", [...])                         # a process there, ended with the world
        world.run("client", ["curl", ...], timeout_s=10)      # a process there, awaited
        world.inside("client", function, argument)            # a function in a thread there; its sockets stay
        world.box.counts(), world.box.triggers()              # what the box did since `use`

`client` (and `client2` with `World(clients=2)`, on one local network with it) has a default route through the
box and the operator's resolver in its `/etc/resolv.conf`. `outside` has every address of the four networks in
`lab/places.py`: bind the very address that you serve at, for others bind other ones there. Served from the
start, by `lab/outside.py`: names of the lab by both resolvers, and echoes. `lab/sites.py` adds web sites.

Needs root and Linux; `why_not()` says in words why it can't be. The addresses are the same in every world,
and worlds don't see each other, so several may run at once.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any, Final, Self, TypeVar

from lab import namespaces
from lab.namespaces import ip, why_not
from lab.places import CLIENT_NETWORK, GATEWAY, PLACES, RESOLVER

__all__ = ["Box", "LabError", "World", "why_not"]

TOP: Final = Path(__file__).resolve().parent.parent
_THREADS: Final = 16
_END_S: Final = 5.0
Result = TypeVar("Result")


class LabError(Exception):
    """The lab itself doesn't work, whatever is tried in it."""


class Box:
    """The box of a world, told what to do; `log` holds its triggers as lines of JSON."""

    def __init__(self, command: list[str], log: Path) -> None:
        self.log = log
        self.tactic = "none"
        self._from = 0
        self._lock = threading.Lock()
        log.touch()
        self._process = subprocess.Popen(
            [*command, str(log)], cwd=TOP, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._read()

    def _read(self) -> dict[str, Any]:
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            raise LabError("the box has stopped")
        return json.loads(line)

    def _ask(self, **order: object) -> dict[str, Any]:
        with self._lock:
            if self._process.stdin is not None:
                self._process.stdin.write(json.dumps(order) + "\n")
                self._process.stdin.flush()
            return self._read()

    def use(self, tactic: str, *, seed: int = 1, time_scale: float = 1.0, module: str = "") -> None:
        """Begin a tactic, by its name in `lab.tactics` or in the `TACTICS` of another module."""
        self._ask(**{"use": tactic, "seed": seed, "time_scale": time_scale, "import": module})
        self.tactic = tactic
        self._from = self.log.stat().st_size

    def counts(self) -> dict[str, int]:
        """Return what went through the box since `use` (`lab.box.Counts`)."""
        return self._ask(counts=True)

    def triggers(self) -> list[dict[str, Any]]:
        """Return what the tactic did since `use`, from the log."""
        with self.log.open("rb") as lines:
            lines.seek(self._from)
            return [json.loads(line) for line in lines.read().splitlines()]

    def probed(self, address: str, port: int, *, is_suspicious: bool) -> None:
        """Tell the tactic what the prober found."""
        self._ask(probed=address, port=port, suspicious=is_suspicious)

    @contextlib.contextmanager
    def captured(self, file: Path) -> Generator[None]:
        """Write all frames that come meanwhile into a file, as pcap."""
        self._ask(capture=str(file))
        try:
            yield
        finally:
            self._ask(capture="")

    def close(self) -> None:
        """Stop it."""
        end(self._process)


def end(process: "subprocess.Popen[Any]") -> None:
    """End a process: its input first, then by signals; harmless if it has ended."""
    if process.stdin is not None:
        with contextlib.suppress(OSError):
            process.stdin.close()
    for stop in (process.terminate, process.kill):
        if process.poll() is None:
            stop()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_END_S)
    if process.stdout is not None:
        process.stdout.close()


class World:
    """Namespaces, cables, box and services of one run; a context manager. Raises `LabError`."""

    def __init__(self, *, clients: int = 1) -> None:
        self._clients = ["client", *(f"client{number}" for number in range(2, clients + 1))]
        self._names = namespaces.unused_names(*self._clients, "lan", "box", "outside")
        self._closing = contextlib.ExitStack()
        self._threads: dict[str, ThreadPoolExecutor] = {}
        self._box: Box | None = None

    @property
    def box(self) -> Box:
        """The box in the middle."""
        if self._box is None:
            raise LabError("the world hasn't begun")
        return self._box

    def __enter__(self) -> Self:
        if reason := why_not():
            raise LabError(reason)
        namespaces.remove_leftovers()
        try:
            self._begin()
        except BaseException:
            self._closing.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()

    def _begin(self) -> None:
        self.folder = Path(self._closing.enter_context(tempfile.TemporaryDirectory(prefix="skvoz-lab-")))
        self._closing.callback(self._end_threads)
        for name in self._names.values():
            self._closing.callback(namespaces.remove, name)
            namespaces.make(name, RESOLVER)
        self._lay_cables()
        python = [*self.command("box"), "nice", "-n", "-5", sys.executable, "-m", "lab.box", "clients", "far"]
        self._box = Box(python, self.folder / "triggers.jsonl")
        self._closing.callback(self._box.close)
        services = self.start(
            "outside", [sys.executable, "-m", "lab.outside"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        if services.stdout is None or services.stdout.readline() != b"ready\n":
            raise LabError("the services outside don't start")

    def _lay_cables(self) -> None:
        lan, outside = self._names["lan"], self._names["outside"]
        ip("link", "add", "lan", "type", "bridge", "forward_delay", "0", inside=lan)
        ip("link", "set", "lan", "up", inside=lan)
        for number, client in enumerate(self._clients):
            inside = self._names[client]
            namespaces.join((inside, "net"), (lan, client))
            ip("link", "set", client, "master", "lan", inside=lan)
            ip("addr", "add", f"{CLIENT_NETWORK.at(2 + number)}/24", "dev", "net", inside=inside)
            ip("route", "add", "default", "via", GATEWAY, inside=inside)
        namespaces.join((lan, "box"), (self._names["box"], "clients"))
        ip("link", "set", "box", "master", "lan", inside=lan)
        namespaces.join((self._names["box"], "far"), (outside, "net"))
        ip("addr", "add", f"{GATEWAY}/24", "dev", "net", inside=outside)
        for place in PLACES:
            ip("route", "add", "local", place.prefix, "dev", "lo", inside=outside)

    def _end_threads(self) -> None:
        for pool in self._threads.values():
            pool.shutdown(wait=False, cancel_futures=True)

    def namespace(self, where: str) -> str:
        """Return the full name of a namespace: `client`, `client2`, `box`, `outside`."""
        return self._names[where]

    def command(self, where: str) -> list[str]:
        """Return what to put before a command so that it runs there."""
        return ["ip", "netns", "exec", self._names[where]]

    def start(
        self,
        where: str,
        arguments: Sequence[str],
        *,
        stdin: int | IO[Any] | None = subprocess.DEVNULL,
        stdout: int | IO[Any] | None = None,
        stderr: int | IO[Any] | None = None,
        env: dict[str, str] | None = None,
    ) -> "subprocess.Popen[bytes]":
        """Start a process there, at the top of the repository; it ends with the world at the latest."""
        process = subprocess.Popen(
            [*self.command(where), *arguments],
            cwd=TOP,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            env={**os.environ, **(env or {})},
        )
        self._closing.callback(end, process)
        return process

    def run(
        self, where: str, arguments: Sequence[str], *, timeout_s: float, typed: str | None = None
    ) -> "subprocess.CompletedProcess[str]":
        """Run a process there to its end. Raises `subprocess.TimeoutExpired`; its own failure is returned."""
        return subprocess.run(
            [*self.command(where), *arguments],
            cwd=TOP,
            input=typed,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    def inside(self, where: str, function: Callable[..., Result], *arguments: Any, **named: Any) -> Result:  # noqa: ANN401
        """Call a function in a thread there and return what it returns; several may be under way."""
        if where not in self._threads:
            self._threads[where] = ThreadPoolExecutor(
                _THREADS, initializer=namespaces.enter, initargs=(self._names[where],)
            )
        return self._threads[where].submit(function, *arguments, **named).result()
