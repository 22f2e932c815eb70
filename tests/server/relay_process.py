"""A relay in a process of its own, for tests that kill it."""

import asyncio
import contextlib
import signal
import sys
from pathlib import Path

_SERVE = """
import sys
from pathlib import Path
from skvoz.server import create_home, read_settings, serve
home = create_home(Path(sys.argv[1]))
serve(home.folder, read_settings(home.config_file),
      lambda service: print(service.port, service.public_key.hex(), flush=True))
"""


class RelayProcess:
    """Started and stopped as often as one likes; keeps its home and its port."""

    def __init__(self, folder: Path, *, quotas: str = "", prepare: str = "") -> None:
        """`prepare`: Python that the process runs first."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.url = ""
        self.public_key = b""
        self._folder = folder
        self._port = 0
        self._quotas = quotas
        self._prepare = prepare
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it and wait until it listens, at the same port as before."""
        config = f'listen = "127.0.0.1:{self._port}"\nreserve_bytes = 1\n[quotas]\n{self._quotas}'
        (self._folder / "relay.toml").write_text(config)
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            self._prepare + _SERVE,
            str(self._folder),
            stdout=asyncio.subprocess.PIPE,
        )
        assert self._process.stdout is not None
        port, public_key = (await asyncio.wait_for(self._process.stdout.readline(), 30)).split()
        self._port = int(port)
        self.url = f"ws://127.0.0.1:{self._port}/"
        self.public_key = bytes.fromhex(public_key.decode())

    async def stop(self, how: signal.Signals) -> int:
        """Stop it and return its exit code."""
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(how)
        return await self._process.wait()
