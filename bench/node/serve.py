"""A node in a process of its own, with its API on its home's socket: `python -m bench.node.serve HOME`."""

import asyncio
import signal
import sys
from pathlib import Path

from skvoz.api.local import running
from skvoz.node.node import open_home
from skvoz.store import Protection


async def run(folder: Path) -> None:
    """Serve until SIGTERM."""
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    with open_home(folder, str, Protection.FILE) as opened:
        async with running(opened):
            await stopped.wait()


if __name__ == "__main__":
    asyncio.run(run(Path(sys.argv[1])))
