"""People for measurements: each with a home and a node in a process of its own, reached over its API."""

import asyncio
import contextlib
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec

from bench.api_client import ApiClient, connect
from bench.processes import RunningRelay, stopped_after

_PAGE = 200
_START_TIMEOUT_S = 30.0
_POLL_S = 0.005


async def until(holds: Callable[[], Awaitable[bool]], seconds: float = 60.0, pause_s: float = 0.02) -> None:
    """Wait until something is so. Raises `TimeoutError`."""
    async with asyncio.timeout(seconds):
        while not await holds():  # noqa: ASYNC110  # what is waited for is in another process
            await asyncio.sleep(pause_s)


class Person:
    """Somebody whose node runs; made by `awake`."""

    def __init__(self, process: subprocess.Popen[str], api: ApiClient, started_at: float) -> None:
        self.pid = process.pid
        self.api = api
        self.started_at = started_at
        """When the process was asked for, by `time.perf_counter`."""
        self.account_id = ""

    async def chats(self) -> list[dict[str, Any]]:
        """Return all chats, page by page."""
        found: list[dict[str, Any]] = []
        cursor: str | None = None
        while True:
            page = await self.api.ask("chat.list", cursor=cursor, limit=_PAGE)
            found += page["chats"]
            cursor = page["next_cursor"]
            if cursor is None:
                return found

    async def unread(self) -> int:
        """Return how many messages of others came."""
        return sum(chat["unread"] for chat in await self.chats())

    async def contacts(self) -> set[str]:
        """Return the account ids of everybody who is known."""
        return {one["account_id"] for one in (await self.api.ask("contact.list"))["contacts"]}

    async def create_account(self, name: str, relay: RunningRelay) -> None:
        """Begin to live at a relay."""
        # The API's JSON has bytes in base64, as msgspec writes them.
        address = {"public_key": msgspec.to_builtins(relay.public_key), "addresses": [relay.address]}
        await self.api.wish("account.create", name=name, relay=address)
        await self.know_oneself()

    async def know_oneself(self) -> None:
        """Learn the home's account id."""
        self.account_id = (await self.api.ask("account.get"))["account_id"]


@contextlib.asynccontextmanager
async def awake(folder: Path) -> AsyncGenerator[Person]:
    """Run a home's node in a process of its own; it is there once its API answers."""
    started_at = time.perf_counter()
    command = [sys.executable, "-m", "bench.node.serve", str(folder)]
    with (
        subprocess.Popen(command, text=True) as process,  # noqa: ASYNC220  # starting takes a millisecond
        stopped_after(process),
    ):
        api = await _reach(process, folder / "api.sock")
        try:
            yield Person(process, api, started_at)
        finally:
            await api.close()


async def _reach(process: subprocess.Popen[str], socket_file: Path) -> ApiClient:
    async with asyncio.timeout(_START_TIMEOUT_S):
        while process.poll() is None:
            with contextlib.suppress(OSError):
                return await connect(socket_file)
            await asyncio.sleep(_POLL_S)
    raise RuntimeError("a node ended before it could be asked anything")


async def introduce(inviter: Person, guest: Person) -> None:
    """Let two people meet through a single-use link, until both can invite each other to groups."""
    link = (await inviter.api.wish("link.create"))["link"]
    await guest.api.wish("link.accept", link=link, text="hello")

    async def met() -> bool:
        return guest.account_id in await inviter.contacts()

    await until(met)
    await inviter.api.wish("message.send", chat_id=guest.account_id, text="hello to you")

    async def heard() -> bool:
        return await guest.unread() > 0

    await until(heard)
