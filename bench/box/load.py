"""A sender and a receiver of load: `python -m bench.box.load KIND ADDRESS PORT [SECONDS RATE]`."""

import contextlib
import json
import socket
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

RECEIVE_BUFFER = 33
"""SO_RCVBUFFORCE: the receiver must not be who loses."""
DATAGRAM = bytes(200)
END = b"end"
TICK_S = 0.002


def say(**said: float) -> None:
    """Print a line of JSON."""
    print(json.dumps(said), flush=True)


def tcp_receive(address: tuple[str, int]) -> None:
    """Count what one connection brings."""
    with socket.create_server(address) as listener:
        print("ready", flush=True)
        line, _ = listener.accept()
        count, started, buffer = 0, time.monotonic(), bytearray(1 << 20)
        with line:
            while size := line.recv_into(buffer):
                count += size
    say(bytes=count, seconds=time.monotonic() - started)


def tcp_send(address: tuple[str, int], seconds: float, _: int) -> None:
    """Send as fast as it goes."""
    until, block, count = time.monotonic() + seconds, bytes(1 << 18), 0
    with socket.create_connection(address) as line:
        while time.monotonic() < until:
            line.sendall(block)
            count += len(block)
    say(sent=count)


def udp_receive(address: tuple[str, int]) -> None:
    """Count datagrams until one says that it is the end, or nothing comes."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.setsockopt(socket.SOL_SOCKET, RECEIVE_BUFFER, 1 << 26)
        line.bind(address)
        line.settimeout(10)
        print("ready", flush=True)
        count = 0
        try:
            while line.recv(2048) != END:
                count += 1
        except TimeoutError:
            pass
    say(received=count)


def udp_send(address: tuple[str, int], seconds: float, rate: int) -> None:
    """Send so many a second, a few milliseconds' worth at a time."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.connect(address)
        started, count, total = time.monotonic(), 0, int(seconds * rate)
        while count < total:
            due = min(total, int((time.monotonic() - started) * rate))
            for _ in range(due - count):
                line.send(DATAGRAM)
            count = due
            time.sleep(TICK_S)
        took = time.monotonic() - started
        time.sleep(1)  # behind what is still on its way
        with contextlib.suppress(OSError):  # the first one may have been enough
            for _ in range(3):
                line.send(END)
    say(sent=count, sent_seconds=took)


def main() -> None:
    """Do one of the four."""
    kind, host, port, *rest = sys.argv[1:]
    address = (host, int(port))
    receivers: dict[str, Callable[[tuple[str, int]], None]] = {
        "tcp-receive": tcp_receive,
        "udp-receive": udp_receive,
    }
    if kind in receivers:
        receivers[kind](address)
    else:
        {"tcp-send": tcp_send, "udp-send": udp_send}[kind](address, float(rest[0]), int(rest[1]))


if __name__ == "__main__":
    main()
