"""Catching up after a week away: from the start of a node to everything being in its store."""

import asyncio
import time
from pathlib import Path
from typing import Final

from bench.machine import figure
from bench.node.people import Person, awake, introduce, until
from bench.processes import cpu_s, relay

LEAST_PER_S: Final = 1_500
_AT_A_TIME: Final = 200
"""Calls under way while the past is written."""


async def measure(folder: Path, *, entries: int) -> bool:
    """Print how fast a node takes up what two others wrote while it was away: half in a direct chat."""
    with relay(folder / "relay") as running:
        async with (
            awake(folder / "anna") as anna,
            awake(folder / "clara") as clara,
            awake(folder / "boris") as boris,
        ):
            for person, name in ((anna, "Anna"), (clara, "Clara"), (boris, "Boris")):
                await person.create_account(name, running)
            for one, other in ((boris, anna), (boris, clara), (anna, clara)):
                await introduce(one, other)
            group = await _group(anna, boris, clara)
            direct, in_group = boris.account_id, group
        async with awake(folder / "boris") as boris:
            before = await boris.unread()
        async with awake(folder / "anna") as anna, awake(folder / "clara") as clara:
            started = time.perf_counter()
            await asyncio.gather(
                _write(anna, [direct] * (entries // 2) + [in_group] * (entries // 6)),
                _write(clara, [in_group] * (entries // 3)),
            )
            written_in = time.perf_counter() - started
        count = entries // 2 + entries // 6 + entries // 3
        async with awake(folder / "boris") as boris:
            asked_at = time.perf_counter()

            async def all_there() -> bool:
                return await boris.unread() >= before + count

            await until(all_there)
            ended = time.perf_counter()
            used = cpu_s(boris.pid)
        print(
            f"\ncatching up: {count:,} entries of a direct chat and a group (written in {written_in:.0f} s)"
        )
        answered_s = asked_at - boris.started_at
        figure("entries a processor second, the start included", count / used, "")
        print(f"    the node's processor time: {used:.2f} s; its API answered after {answered_s:.2f} s")
        return figure(
            "entries into the store, from the start on",
            count / (ended - boris.started_at),
            "/s",
            least=LEAST_PER_S,
        )


async def _group(creator: Person, *members: Person) -> str:
    ids = [member.account_id for member in members]
    made = await creator.api.wish("group.create", title="All of us", members=ids)
    chat_id: str = made["chat_id"]
    await creator.api.wish("message.send", chat_id=chat_id, text="hello, all of you")
    for member in members:

        async def joined(member: Person = member) -> bool:
            return any(chat["chat_id"] == chat_id and chat["unread"] for chat in await member.chats())

        await until(joined)
    return chat_id


async def _write(person: Person, chats: list[str]) -> None:
    """Write one message for each of `chats`, and wait until the relay has the last of each chat."""
    last: dict[str, str] = {}
    for start in range(0, len(chats), _AT_A_TIME):
        some = chats[start : start + _AT_A_TIME]
        answers = await asyncio.gather(
            *(
                person.api.wish(
                    "message.send",
                    chat_id=chat_id,
                    text=f"number {start + place}, written while you were away",
                )
                for place, chat_id in enumerate(some)
            )
        )
        last |= {chat_id: answer["message_id"] for chat_id, answer in zip(some, answers, strict=True)}
    for message_id in last.values():

        async def stored(message_id: str = message_id) -> bool:
            return (await person.api.ask("message.get", message_id=message_id))["state"] != "queued"

        await until(stored)
