"""A node in a process of its own: `python -m lab.node_process HOME`, with options.

It is the app's own node, with its API on its home's socket. Only what opens connections is told to trust the
lab's certificates and, where one transport is measured alone, knows no others.
"""

import argparse
import asyncio
import signal
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import wreq

from skvoz.api.local import running
from skvoz.base.ids import RelayId
from skvoz.cli.lending import lend
from skvoz.node import node as node_module
from skvoz.node.dialer import Dialer
from skvoz.node.drops import Drops
from skvoz.node.node import open_home
from skvoz.node.ways import Way
from skvoz.store import Protection


class OnlyDialer(Dialer):
    """Knows ways by some transports and to some hosts only; where none is named, all."""

    def __init__(
        self,
        *,
        authority: wreq.CertStore | None,
        only: list[str],
        hosts: list[str],
        drops: Drops | None = None,
    ) -> None:
        super().__init__(authority, drops)
        self._only = only
        self._hosts = hosts

    def reach(self, relay_id: RelayId, addresses: Sequence[str]) -> tuple[Way, ...]:
        """Return the ways to a relay that are measured; people tell each other of more."""
        ways = super().reach(relay_id, addresses)
        return tuple(
            way
            for way in ways
            if (not self._only or way.kind.word in self._only)
            and (not self._hosts or urlsplit(way.address).hostname in self._hosts)
        )


async def run(folder: Path) -> None:
    """Serve until SIGTERM."""
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    with open_home(folder, str, Protection.FILE) as opened:
        async with running(opened, lend):
            await stopped.wait()


def main() -> None:
    """Run the node of a home."""
    parser = argparse.ArgumentParser(prog="python -m lab.node_process", description=__doc__)
    parser.add_argument("home", type=Path)
    parser.add_argument("--authority", type=Path)
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--host", action="append", default=[])
    options = parser.parse_args()
    authority = None
    if options.authority is not None:
        authority = wreq.CertStore.from_pem_certs([options.authority.read_text()])
    node_module.Dialer = partial(OnlyDialer, authority=authority, only=options.only, hosts=options.host)
    asyncio.run(run(options.home))


if __name__ == "__main__":
    main()
