"""A load for an MQTT broker as fast as the relay's own: pairs of clients, QoS 1, raw bytes on uvloop.

Prints one JSON line: deliveries a second, the milliseconds from publication to delivery at the other one, and
what load and server used of a core. MQTT 3.1.1.
"""

import argparse
import asyncio
import json
import struct
import time
from typing import cast

import uvloop

from bench.processes import cpu_s

CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK = 0x10, 0x20, 0x30, 0x40, 0x82, 0x90
QOS_1 = 0x02
READ_CHUNK = 64 * 1024


def packet(first: int, body: bytes) -> bytes:
    """Return an MQTT control packet: first byte, remaining length as a varint, body."""
    length, size = len(body), b""
    while True:
        length, digit = divmod(length, 128)
        size += bytes([digit | (0x80 if length else 0)])
        if not length:
            return bytes([first]) + size + body


class Client(asyncio.Protocol):
    """One of a pair: publishes to the partner's topic with a window of unacknowledged messages."""

    def __init__(self, name: str, partner: str, body_size: int, window: int) -> None:
        self.name, self.partner, self.window = name, partner, window
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.deliveries = 0
        self.latencies: list[float] = []
        self.running = True
        self._buffer = bytearray()
        self._padding = bytes(body_size - 8)
        self._next_id = 1
        self._unacknowledged = 0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Say CONNECT."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop has a class of its own
        name = self.name.encode()
        self._transport.write(packet(CONNECT, b"\0\4MQTT\4\2\0\0" + struct.pack(">H", len(name)) + name))

    def data_received(self, data: bytes) -> None:
        """Take whole packets out of what came."""
        buffer = self._buffer
        buffer += data
        position, out = 0, bytearray()
        while True:
            length, shift, start = 0, 0, position + 1
            while start < len(buffer):
                digit = buffer[start]
                start += 1
                length |= (digit & 0x7F) << shift
                shift += 7
                if not digit & 0x80:
                    break
            else:
                break
            if len(buffer) < start + length:
                break
            self._handle(buffer[position], buffer, start, out)
            position = start + length
        del buffer[:position]
        if self._transport is not None:
            self._fill(out)
            if out:
                self._transport.write(bytes(out))

    def start(self) -> None:
        """Publish the first window."""
        out = bytearray()
        self._started = True
        self._fill(out)
        assert self._transport is not None
        self._transport.write(bytes(out))

    _started = False

    def _handle(self, first: int, buffer: bytearray, start: int, out: bytearray) -> None:
        if first & 0xF0 == PUBLISH:
            (topic_length,) = struct.unpack_from(">H", buffer, start)
            body = start + 2 + topic_length
            out += b"\x40\x02" + buffer[body : body + 2]
            (sent,) = struct.unpack_from(">d", buffer, body + 2)
            self.deliveries += 1
            if not self.deliveries & 15:
                self.latencies.append(time.perf_counter() - sent)
        elif first == PUBACK:
            self._unacknowledged -= 1
        elif first == CONNACK:
            name = self.name.encode()
            out += packet(SUBSCRIBE, b"\0\1" + struct.pack(">H", len(name)) + name + b"\1")
        elif first == SUBACK:
            self.ready.set_result(None)

    def _fill(self, out: bytearray) -> None:
        if not self._started or not self.running:
            return
        topic = self.partner.encode()
        while self._unacknowledged < self.window:
            head = struct.pack(">H", len(topic)) + topic + struct.pack(">H", self._next_id)
            out += packet(PUBLISH | QOS_1, head + struct.pack(">d", time.perf_counter()) + self._padding)
            self._next_id = self._next_id % 0xFFFF + 1
            self._unacknowledged += 1


async def run(options: argparse.Namespace) -> None:
    """Connect everybody, warm up, measure, print."""
    loop = asyncio.get_running_loop()
    clients: list[Client] = []
    for number in range(options.clients):
        client = Client(f"c{number}", f"c{number ^ 1}", options.size, options.window)
        await loop.create_connection(lambda client=client: client, "127.0.0.1", options.port)
        clients.append(client)
    await asyncio.gather(*(client.ready for client in clients))
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
    parser.add_argument("--server-pid", type=int, required=True)
    parser.add_argument("--clients", type=int, default=100)
    parser.add_argument("--size", type=int, default=1024)
    parser.add_argument("--window", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--warm-s", type=float, default=1.0)
    uvloop.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
