"""From `message.send` at one node to `message.received` at another, in milliseconds."""

import asyncio
import contextlib
import time
from pathlib import Path
from typing import Any, Final

from bench.machine import figure
from bench.node.people import Person, awake, introduce, until
from bench.processes import cpu_s, relay

P50_MOST_MS: Final = 15.0
P99_MOST_MS: Final = 60.0
_WARM_UP: Final = 50
_WORDS: Final = "through and through, so that nobody else can read it and nothing is lost on the way "


async def measure(folder: Path, *, per_s: int, seconds: float) -> bool:
    """Print the figures of one writer, one reader and a relay, each a process of its own."""
    with relay(folder / "relay") as running:
        async with awake(folder / "anna") as anna, awake(folder / "boris") as boris:
            await anna.create_account("Anna", running)
            await boris.create_account("Boris", running)
            await introduce(boris, anna)
            pids = {"relay": running.pid, "sender": anna.pid, "reader": boris.pid}
            await _talk(anna, boris, per_s=per_s, count=_WARM_UP)
            before, started = {name: cpu_s(pid) for name, pid in pids.items()}, time.perf_counter()
            answered, took = await _talk(anna, boris, per_s=per_s, count=int(per_s * seconds))
            passed = time.perf_counter() - started
            used = {name: (cpu_s(pid) - before[name]) / passed for name, pid in pids.items()}
    answered.sort()
    took.sort()
    print(f"\nfrom message.send to message.received, over both APIs: {len(took)} messages, {per_s} a second")
    print("    of a core: " + ", ".join(f"{name} {share:.0%}" for name, share in used.items()))
    figure("half of the calls answered within", answered[len(answered) // 2], "ms")
    held = [
        figure("half of them within", took[len(took) // 2], "ms", most=P50_MOST_MS),
        figure("99 of 100 within", took[len(took) * 99 // 100], "ms", most=P99_MOST_MS),
        figure("all within", took[-1], "ms"),
    ]
    return all(held)


async def _talk(writer: Person, reader: Person, *, per_s: int, count: int) -> tuple[list[float], list[float]]:
    """Send messages at a steady rate, however long each takes.

    Returns the milliseconds until each call was answered, and until each message was received.
    """
    sent: dict[str, float] = {}
    answered: list[float] = []
    received: dict[str, float] = {}

    def take(event: dict[str, Any]) -> None:
        if event["kind"] == "message.received":
            received[event["data"]["message_id"]] = time.perf_counter()

    async def send(number: int) -> None:
        text = f"{number} " + _WORDS[: 20 + number * 7 % 60] * (1 + number % 3)
        at = time.perf_counter()
        answer = await writer.api.wish("message.send", chat_id=reader.account_id, text=text)
        answered.append((time.perf_counter() - at) * 1000)
        sent[answer["message_id"]] = at

    async def all_there() -> bool:
        return len(sent) == count and sent.keys() <= received.keys()

    reader.api.on_event = take
    await reader.api.subscribe()
    started = time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        for number in range(count):
            await asyncio.sleep(max(0.0, started + number / per_s - time.perf_counter()))
            tasks.create_task(send(number))
    with contextlib.suppress(TimeoutError):
        await until(all_there, 10.0)
    missing = len(sent.keys() - received.keys())
    if missing or len(sent) < count:
        raise RuntimeError(f"{missing} of {count} messages did not arrive")
    return answered, [(received[message_id] - at) * 1000 for message_id, at in sent.items()]
