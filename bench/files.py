"""`./dev bench files`: a file from a disk, through two nodes and a relay, to a disk; all are own processes.

Beside it somebody writes messages, and is to notice little.
"""

import argparse
import asyncio
import base64
import contextlib
import hashlib
import os
import random
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import msgspec

from bench.api_client import CallRefused
from bench.machine import figure, machine
from bench.node.people import Person, awake, introduce, until
from bench.processes import cpu_s, relay, resident_mb
from skvoz.api.caller import Caller, socket_file

MB_PER_S_LEAST: Final = 60.0
MEMORY_MB_MOST: Final = 200.0
_MIB: Final = 1024 * 1024
_PATIENCE_S: Final = 300.0
_PAUSE_S: Final = 0.1
_STEPS: Final = ("put into the sender's home", "to the relay", "to the reader's home", "saved to a file")


def main() -> None:
    """Print how fast a file moves, and what that takes."""
    parser = argparse.ArgumentParser(prog="./dev bench files", description=__doc__)
    parser.add_argument("--mib", type=int, default=1024, help="size of the file")
    options = parser.parse_args()
    print(f"machine: {machine()}")
    with tempfile.TemporaryDirectory() as folder:
        held = asyncio.run(_measure(Path(folder), options.mib * _MIB))
    sys.exit(not held)


async def _measure(folder: Path, size: int) -> bool:
    source = folder / "source"
    _write(source, size)
    with relay(folder / "relay") as running:
        async with awake(folder / "anna") as anna, awake(folder / "boris") as boris:
            await anna.create_account("Anna", running)
            await boris.create_account("Boris", running)
            await introduce(boris, anna)
            pids = {"relay": running.pid, "sender": anna.pid, "reader": boris.pid}
            before = {name: cpu_s(pid) for name, pid in pids.items()}
            started = time.perf_counter()
            steps, talk = await _move(folder, anna, boris, source)
            passed = time.perf_counter() - started
            used = {name: (cpu_s(pid) - before[name]) / passed for name, pid in pids.items()}
            memory = {name: resident_mb(pid, peak=True) for name, pid in pids.items()}
    if _digest(source) != _digest(folder / "saved"):
        raise RuntimeError("what arrived is not what was sent")
    print(f"\na file of {size / _MIB:,.0f} MiB, from disk to disk over both APIs: {passed:.1f} s")
    print("    of a core: " + ", ".join(f"{name} {share:.0%}" for name, share in used.items()))
    for name, took_s in steps.items():
        figure(name, size / 1e6 / took_s, "MB/s")
    held = [figure("all of it, one after the other", size / 1e6 / passed, "MB/s", least=MB_PER_S_LEAST)]
    held += [
        figure(f"peak memory of the {name}", peak, "MB", most=MEMORY_MB_MOST) for name, peak in memory.items()
    ]
    talk.sort()
    figure("half of the messages meanwhile within", talk[len(talk) // 2] * 1000, "ms")
    figure("the slowest message meanwhile", talk[-1] * 1000, "ms")
    return all(held)


async def _move(
    folder: Path, anna: Person, boris: Person, source: Path
) -> tuple[dict[str, float], list[float]]:
    """Move a file; return how long each step took, and each message that was sent meanwhile, in seconds."""
    talked: list[float] = []
    over = asyncio.Event()
    talking = asyncio.create_task(_talk(anna, boris, talked, over))
    moments = [time.perf_counter()]
    file_id = await asyncio.to_thread(_put, folder / "anna", source)
    moments.append(time.perf_counter())
    files = [{"file_id": msgspec.to_builtins(file_id)}]
    sent = await anna.api.wish("message.send", chat_id=boris.account_id, text="", files=files)
    found: list[str] = []

    async def came() -> bool:
        with contextlib.suppress(CallRefused):
            message = await boris.api.ask("message.get", message_id=sent["message_id"])
            found[:] = [file["file_id"] for file in message["files"]]
        return bool(found)

    await until(came, _PATIENCE_S)
    moments.append(time.perf_counter())
    [arrived] = found
    await boris.api.wish("file.fetch", file_id=arrived)

    async def is_here() -> bool:
        file: dict[str, Any] = await boris.api.ask("file.get", file_id=arrived)
        if file["failure"]:
            raise RuntimeError(file["failure"])
        return file["state"] == "here"

    await until(is_here, _PATIENCE_S)
    moments.append(time.perf_counter())
    await asyncio.to_thread(_save, folder, arrived)
    moments.append(time.perf_counter())
    over.set()
    await talking
    took = [after - at for at, after in pairwise(moments)]
    return dict(zip(_STEPS, took, strict=True)), talked


async def _talk(writer: Person, reader: Person, talked: list[float], over: asyncio.Event) -> None:
    """Send a short message now and then, and note how long each takes to be received, in seconds."""
    sent: dict[str, float] = {}

    def take(event: dict[str, Any]) -> None:
        if event.get("kind") == "message.received" and event["data"]["message_id"] in sent:
            talked.append(time.perf_counter() - sent[event["data"]["message_id"]])

    reader.api.on_event = take
    await reader.api.subscribe()
    while not over.is_set():
        at = time.perf_counter()
        answer = await writer.api.wish("message.send", chat_id=reader.account_id, text="meanwhile")
        sent[answer["message_id"]] = at
        await asyncio.sleep(_PAUSE_S)


def _put(home: Path, source: Path) -> bytes:
    with source.open("rb") as file:
        size = source.stat().st_size
        return Caller(socket_file(home)).put_file(file, size, "video.mp4", "video/mp4")


def _save(folder: Path, file_id: str) -> None:
    with (folder / "saved").open("wb", buffering=0) as saved:
        Caller(socket_file(folder / "boris")).get_file(base64.b64decode(file_id), saved)
        os.fsync(saved.fileno())


def _write(file: Path, size: int) -> None:
    chance = random.Random(1)
    with file.open("wb") as written:
        while written.tell() < size:
            written.write(chance.randbytes(min(_MIB, size - written.tell())))
        written.flush()
        os.fsync(written.fileno())


def _digest(file: Path) -> str:
    with file.open("rb") as read:
        return hashlib.file_digest(read, "sha256").hexdigest()


if __name__ == "__main__":
    main()
