"""A load for a relay: pairs of clients, each pair in a room, entries with a window, on picows and uvloop.

Prints one JSON line: deliveries a second, the milliseconds from append to delivery at the other one, and
what load and server used of a core.
"""

import argparse
import asyncio
import json
import secrets
import struct
import time
from collections import deque
from functools import partial

import uvloop
from picows import (
    WSFrame,
    WSListener,
    WSMsgType,
    WSTransport,
    ws_connect,  # pyright: ignore[reportUnknownVariableType]  # half typed
)

from bench.processes import cpu_s
from skvoz.crypto import DEFAULT_SUITE, sha256, suite
from skvoz.wire.frames import (
    Append,
    Attach,
    Attached,
    Credit,
    Down,
    Entries,
    Kind,
    No,
    Ok,
    Open,
    Stored,
    Up,
    credit_cost,
)
from skvoz.wire.sealed import Greeting, SealedSession, greet

KEY = b"k" * 32
SUITE = suite(DEFAULT_SUITE)


class Client(WSListener):
    """One of a pair; appends with a window of entries that the relay has not stored yet."""

    def __init__(self, public_key: bytes, log: bytes, options: argparse.Namespace) -> None:
        self.deliveries = 0
        self.latencies: list[float] = []
        self.running = True
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._public_key = public_key
        self._log = log
        self._window: int = options.window
        self._padding = bytes(options.size - 8)
        self._greeting: Greeting | None = None
        self._sealed: SealedSession | None = None
        self._transport: WSTransport | None = None
        self._numbers = iter(range(10, 2**31))
        self._prefix = secrets.token_bytes(12)
        self._unanswered = 0
        self._head = 0
        self._started = False
        self._frames: deque[Up] = deque()

    def on_ws_connected(self, transport: WSTransport) -> None:
        """Greet the relay."""
        self._transport = transport
        message, self._greeting = greet(SUITE, self._public_key, secrets.token_bytes)
        transport.send(WSMsgType.BINARY, message)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Take a message, and answer with at most one."""
        if frame.msg_type is not WSMsgType.BINARY:
            return
        message = frame.get_payload_as_bytes()
        out: list[Up] = []
        if self._sealed is None:
            assert self._greeting is not None
            _, self._sealed = self._greeting.finish(message)
            out += [
                Open(1, self._log, Kind.ROOM, sha256(KEY), sha256(KEY), None, b"", None),
                Attach(2, self._log, KEY, 0),
            ]
        else:
            cost = 0
            for down in self._sealed.open_down(message):
                cost += credit_cost(down)
                self._take(down)
            if cost:
                out.append(Credit(cost))
        self._fill(out)
        self._send(transport, out)

    def start(self) -> None:
        """Append the first window."""
        self._started = True
        assert self._transport is not None
        out: list[Up] = []
        self._fill(out)
        self._send(self._transport, out)

    def _send(self, transport: WSTransport, out: list[Up]) -> None:
        if out and self._sealed is not None:
            transport.send(WSMsgType.BINARY, self._sealed.seal_up(out))

    def _take(self, down: Down) -> None:
        match down:
            case Entries():
                for entry in down.entries:
                    if entry.body is not None:
                        self.deliveries += 1
                        if not self.deliveries & 15:
                            (sent,) = struct.unpack_from(">d", entry.body)
                            self.latencies.append(time.perf_counter() - sent)
                self._head = down.through
            case Stored():
                self._unanswered -= 1
            case Attached():
                self.ready.set_result(None)
            case No():
                raise SystemExit(f"refused: {down.code}")
            case Ok():
                pass
            case _:
                raise SystemExit(f"unexpected: {down!r}")

    def _fill(self, out: list[Up]) -> None:
        while self._started and self.running and self._unanswered < self._window:
            number = next(self._numbers)
            body = struct.pack(">d", time.perf_counter()) + self._padding
            entry = self._prefix + number.to_bytes(4)
            out.append(Append(number, self._log, KEY, entry, body, self._head))
            self._unanswered += 1


def _itself(client: Client) -> Client:
    return client


async def run(options: argparse.Namespace) -> None:
    """Connect everybody, warm up, measure, print."""
    public_key = bytes.fromhex(options.public_key)
    clients: list[Client] = []
    log = b""
    for number in range(options.clients):
        log = log if number & 1 else secrets.token_bytes(16)
        client = Client(public_key, log, options)
        await ws_connect(partial(_itself, client), f"ws://127.0.0.1:{options.port}/")
        await client.ready
        clients.append(client)
    for client in clients:
        client.start()
    await asyncio.sleep(options.warm_s)
    before, started = sum(client.deliveries for client in clients), time.perf_counter()
    cpu_before, server_before = time.process_time(), cpu_s(options.server_pid)
    for client in clients:
        client.latencies.clear()
    await asyncio.sleep(options.seconds)
    seconds = time.perf_counter() - started
    cpu, server_cpu = time.process_time() - cpu_before, cpu_s(options.server_pid) - server_before
    delivered = sum(client.deliveries for client in clients) - before
    latencies = sorted(one for client in clients for one in client.latencies)
    for client in clients:
        client.running = False
    print(
        json.dumps(
            {
                "per_s": round(delivered / seconds),
                "p50_ms": round(latencies[len(latencies) // 2] * 1000, 2),
                "p99_ms": round(latencies[len(latencies) * 99 // 100] * 1000, 2),
                "load_cpu": round(cpu / seconds, 2),
                "server_cpu": round(server_cpu / seconds, 2),
            }
        )
    )


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--public-key", required=True)
    parser.add_argument("--server-pid", type=int, required=True)
    parser.add_argument("--clients", type=int, default=100)
    parser.add_argument("--size", type=int, default=1024)
    parser.add_argument("--window", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--warm-s", type=float, default=1.0)
    uvloop.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
