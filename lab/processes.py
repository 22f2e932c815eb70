"""Where a program of the lab runs: on this machine as it is, or in a network namespace of the lab's world."""

import contextlib
import signal
import socket
import subprocess
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_STOP_TIMEOUT_S: Final = 10.0
_POLL_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class Where:
    """A network namespace by its name, or this machine's own network where that is empty."""

    namespace: str = ""

    def command(self, *words: str) -> list[str]:
        """Return the command that runs `words` there."""
        return ["ip", "netns", "exec", self.namespace, *words] if self.namespace else list(words)


HERE: Final = Where()


@contextlib.contextmanager
def running(
    where: Where,
    words: Sequence[str],
    log: Path,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Generator[subprocess.Popen[bytes]]:
    """Run a program in a where while the block runs; what it prints goes into `log`."""
    with (
        log.open("ab") as file,
        subprocess.Popen(
            where.command(*words), stdout=file, stderr=file, env=environment, cwd=folder
        ) as process,
    ):
        try:
            yield process
        finally:
            stop(process)


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a program, by force where it doesn't end by itself."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(_STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def wait_for_port(where: Where, host: str, port: int, seconds: float = 20.0) -> None:
    """Wait until something accepts connections there. Raises `TimeoutError`."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if where.namespace:
            # A socket belongs to the namespace that its process is in, so another process has to look.
            words = where.command("ss", "-Hltn", f"sport = :{port}")
            if subprocess.run(words, capture_output=True, check=False).stdout.strip():
                return
        else:
            with contextlib.suppress(OSError), socket.create_connection((host, port), 1.0):
                return
        time.sleep(_POLL_S)
    raise TimeoutError(f"nothing listens at port {port}")
