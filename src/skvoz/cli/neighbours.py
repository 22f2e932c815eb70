"""Homes beside this one, under the same parent folder: listed, opened and made from its page.

A node that is started for one of them ends with the node that started it.
"""

import asyncio
import contextlib
import os
import re
import sys
import time
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Final

from skvoz.api.caller import Caller, socket_file
from skvoz.api.params import NeighbourParams, NoParams
from skvoz.api.service import Service
from skvoz.api.views import HomeListView, HomeView, PageView
from skvoz.base.errors import BadRequest, Conflict, NotFound, StoreError
from skvoz.cli.desk import PASSPHRASE_FILE_VARIABLE

NAME: Final = re.compile(r"[\w-]{1,40}")
"""No dots and no slashes: a name leads nowhere else."""
_START_S: Final = 20.0
_POLL_S: Final = 0.1
_PREFIX: Final = "skvoz"


class Neighbours:
    """Answers the page about the homes beside one's own."""

    def __init__(self, own: Path, relay: str) -> None:
        self._own = own.absolute()
        self._relay = relay
        self._started: list[Process] = []

    async def list(self, _: NoParams) -> HomeListView:
        """Return the homes here by name; a folder is one if it has a home's lock and key."""
        found = await asyncio.to_thread(self._found)
        return HomeListView(homes=tuple(HomeView(name=one.name, own=one == self._own) for one in found))

    def _found(self) -> "list[Path]":
        with contextlib.suppress(OSError):
            return sorted(
                one
                for one in self._own.parent.iterdir()
                if not one.is_symlink() and (one / "lock").is_file() and (one / "key.json").is_file()
            )
        return []

    async def open(self, params: NeighbourParams) -> PageView:
        """Return an address that opens another home's page once, after its node was started if need be."""
        found = next((one for one in await asyncio.to_thread(self._found) if one.name == params.name), None)
        if found is None or found == self._own:
            raise NotFound("there is no such home beside this one")
        return await self._page(found)

    async def add(self, params: NeighbourParams) -> PageView:
        """Make another home beside this one, and return an address that opens its page once."""
        if not NAME.fullmatch(params.name):
            raise BadRequest("a home's name has up to 40 letters, digits and hyphens")
        prefix = f"{_PREFIX}-" if self._own.name.startswith(_PREFIX) else ""
        folder = self._own.with_name(prefix + params.name)
        if folder.exists():
            raise Conflict("there is something of this name already")
        return await self._page(folder)

    async def _page(self, folder: Path) -> PageView:
        caller = Caller(socket_file(folder))
        if not await asyncio.to_thread(caller.is_answered):
            # The passphrase that opened this home is not the other one's: its page asks.
            kept = {name: value for name, value in os.environ.items() if name != PASSPHRASE_FILE_VARIABLE}
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "skvoz.cli", "--home", str(folder), "--no-open"),
                stdin=DEVNULL,
                stdout=DEVNULL,
                stderr=DEVNULL,
                env=kept | {"SKVOZ_RELAY": self._relay},
            )
            self._started.append(process)
            if not await asyncio.to_thread(_answers_soon, caller, process):
                raise StoreError("that home could not be opened: `skvoz doctor` in a terminal says why")
        return await asyncio.to_thread(caller.call, "node.page", NoParams(), PageView)

    async def close(self) -> None:
        """End the nodes that were started here."""
        for process in self._started:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        for process in self._started:
            await process.wait()


def _answers_soon(caller: Caller, process: Process) -> bool:
    until = time.monotonic() + _START_S
    while process.returncode is None and time.monotonic() < until:
        if caller.is_answered():
            return True
        time.sleep(_POLL_S)
    return False


@contextlib.asynccontextmanager
async def neighbours(service: Service, own: Path, relay: str) -> AsyncGenerator[None]:
    """Let a service answer about the homes beside `own`, until the block ends."""
    found = Neighbours(own, relay)
    service.acts |= {"home.list": found.list, "home.open": found.open, "home.add": found.add}
    try:
        yield
    finally:
        await found.close()
