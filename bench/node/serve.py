"""A node in a process of its own, with its API on its home's socket: `python -m bench.node.serve HOME`."""

import asyncio
import signal
import sys
from pathlib import Path

from skvoz.api.service import serve
from skvoz.node.node import Node, open_home
from skvoz.store import Protection


async def run(folder: Path) -> None:
    """Serve until SIGTERM."""
    # The API's server takes SIGTERM, and once it has stopped raises it again: then nobody else may be hit.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, lambda: None)
    with open_home(folder, str, Protection.FILE) as opened:
        node = Node(opened)
        await node.start()
        try:
            await serve(node, opened.home.socket_file)
        finally:
            await node.close()


if __name__ == "__main__":
    asyncio.run(run(Path(sys.argv[1])))
