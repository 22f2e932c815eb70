"""A home with many chats: how soon its node is there, and how much memory it takes.

The chats are real: each is an MLS group that somebody made and this home joined, in a log of its own at a
relay. Only the history is put straight into the store, as 100,000 messages would take minutes to say.
"""

import asyncio
import contextlib
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from bench.machine import figure
from bench.node.history import fill
from bench.node.people import Person, awake, introduce, until
from bench.processes import RunningRelay, cpu_s, relay, resident_mb
from skvoz.client.records import Conversation

READY_MOST_S: Final = 1.5
MEMORY_MOST_MB: Final = 150.0
_PEERS: Final = 8
_AT_A_TIME: Final = 4
_STARTS: Final = 5
_TIMEOUT_S: Final = 400.0
_LOOK_S: Final = 2.0
"""Listing a thousand chats costs the node that is to join more of them."""
_QUIET_S: Final = 4.0
"""Longer than a new member waits before it renews its keys."""


async def measure(folder: Path, *, chats: int, messages: int) -> bool:
    """Print how soon a node answers for all its chats and reads all their rooms, and its memory."""
    home = folder / "boris"
    with relay(folder / "relay") as running:
        began = time.perf_counter()
        async with awake(folder / "peer0") as peer:
            await peer.create_account("Anna", running)
            async with awake(home) as boris:
                await boris.create_account("Boris", running)
                await introduce(boris, peer)
                waiting = await _make_groups(peer, boris.account_id, iter(range(_STARTS)))
                await _meet_all(folder, running, boris, chats)
            await asyncio.to_thread(_fill, home, messages, waiting)
            print(f"\n{chats:,} chats of {messages} messages (made in {time.perf_counter() - began:.0f} s)")
            starts: list[_Start] = []
            for chat_id in waiting:
                await peer.api.wish("message.send", chat_id=chat_id, text="this waits in the least used room")
                async with awake(home) as boris:
                    starts.append(await _start(boris, chats, chat_id))
    listed_s = statistics.median(start.listed_s for start in starts)
    read_s = statistics.median(start.read_s for start in starts)
    held = [
        figure("all chats listed over the API after", listed_s, "s", most=READY_MOST_S),
        figure("the least used room read after", read_s, "s", most=READY_MOST_S),
        figure("memory at most", max(start.memory_mb for start in starts), "MB", most=MEMORY_MOST_MB),
    ]
    return all(held)


@dataclass(frozen=True, slots=True)
class _Start:
    """What one start took: seconds from the start of the process, and memory at its peak."""

    listed_s: float
    read_s: float
    memory_mb: float


async def _start(boris: Person, chats: int, least_used: str) -> _Start:
    listed = {chat["chat_id"] for chat in await boris.chats()}
    listed_s = time.perf_counter() - boris.started_at
    # A chat whose message is read while pages are asked for moves from the last page to the first.
    if len(listed | {least_used}) < chats:
        raise RuntimeError(f"{len(listed)} of {chats} chats were listed")

    async def is_read() -> bool:
        return (await boris.api.ask("chat.get", chat_id=least_used))["unread"] > 0

    await until(is_read)
    read_s = time.perf_counter() - boris.started_at
    return _Start(listed_s, read_s, resident_mb(boris.pid, peak=True))


async def _meet_all(folder: Path, running: RunningRelay, boris: Person, chats: int) -> None:
    """Have people come through links, and then make groups with Boris until there are enough chats."""
    async with contextlib.AsyncExitStack() as stack:
        peers: list[Person] = []
        for number in range(1, _PEERS):
            peer = await stack.enter_async_context(awake(folder / f"peer{number}"))
            await peer.create_account(f"Peer {number}", running)
            await introduce(boris, peer)
            peers.append(peer)
        numbers = iter(range(chats - _PEERS - _STARTS))
        makers = (_make_groups(peer, boris.account_id, numbers) for peer in peers for _ in range(_AT_A_TIME))
        await asyncio.gather(*makers)

        async def joined() -> bool:
            return len(await boris.chats()) == chats

        await until(joined, _TIMEOUT_S, _LOOK_S)
        await _settled(running.pid)


async def _make_groups(peer: Person, member: str, numbers: Iterator[int]) -> list[str]:
    chat_ids: list[str] = []
    for number in numbers:
        made = await peer.api.wish("group.create", title=f"Group {number}", members=[member])
        chat_ids.append(made["chat_id"])
        await peer.api.wish("message.send", chat_id=made["chat_id"], text="hello")
    return chat_ids


async def _settled(relay_pid: int) -> None:
    """Wait until the relay has nothing to do: everybody has renewed their keys after joining."""
    used = -1.0

    async def quiet() -> bool:
        nonlocal used
        before, used = used, cpu_s(relay_pid)
        return used - before < 0.02

    await until(quiet, _TIMEOUT_S, _QUIET_S)


def _fill(home: Path, messages: int, least_used: list[str]) -> None:
    """Put a history into every chat; the first of `least_used` was used longest ago, then the second."""
    order = {chat_id: place for place, chat_id in enumerate(least_used)}

    def place(conversation: Conversation) -> int:
        return order.get(msgspec.to_builtins(conversation.chat_id), len(order))

    fill(home, lambda _: messages, place)
