"""The box in the middle: carries frames between two interfaces, and does to each what a tactic says.

A process in the box's namespace: `python -m lab.box CLIENT_SIDE FAR_SIDE LOG`. It is told what to do by lines
of JSON on its standard input, and answers each with one line:

- `{"use": "curtain", "seed": 1, "time_scale": 60, "import": "module"}` begins a tactic anew, all counts at 0;
  `import` names a module whose `TACTICS` has it, where it isn't one of ours
- `{"counts": true}` gives the counts
- `{"capture": FILE}` writes all frames that come into a file as pcap; an empty name ends that
- `{"probed": "198.51.100.10", "port": 443, "suspicious": true}` is the prober's word

Triggers go to LOG as lines of JSON. What isn't IPv4 passes. Its end is the end of its input.
"""

import contextlib
import fcntl
import heapq
import importlib
import itertools
import json
import os
import select
import socket
import struct
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, BinaryIO, Final, TextIO

from lab.packets import NotIPv4, Packet
from lab.tactics import TACTICS
from lab.tactics.base import Delay, Drop, Inject, Pass, Tactic, Verdict

_SOL_PACKET: Final = 263
_PACKET_STATISTICS: Final = 6
_PACKET_IGNORE_OUTGOING: Final = 23
_SO_SNDBUFFORCE: Final = 32
_SO_RCVBUFFORCE: Final = 33
_ETH_P_ALL: Final = 3
_BUFFER_BYTES: Final = 64 * 1024 * 1024
"""What may wait in the kernel while Python does something else; without it bursts are lost."""
_BURST: Final = 64
"""Frames that are taken from one side before the other has its turn."""
_FRAME_SIZE_MAX: Final = 2048


@dataclass(slots=True)
class Counts:
    """Frames since a tactic began; `lost` were never seen by us, for which a run counts as void.

    `busy_us` is the time that the box took of a core.
    """

    from_client: int = 0
    from_far: int = 0
    bytes_from_client: int = 0
    bytes_from_far: int = 0
    passed: int = 0
    dropped: int = 0
    delayed: int = 0
    injected: int = 0
    lost: int = 0
    busy_us: int = 0


def open_side(interface: str) -> socket.socket:
    """Open an interface for raw frames."""
    side = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    side.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER_BYTES)
    side.setsockopt(socket.SOL_SOCKET, _SO_SNDBUFFORCE, _BUFFER_BYTES)
    side.setsockopt(_SOL_PACKET, _PACKET_IGNORE_OUTGOING, 1)
    side.bind((interface, _ETH_P_ALL))
    side.settimeout(0)
    return side


class Forwarder:
    """Carries frames both ways."""

    def __init__(self, client_side: socket.socket, far_side: socket.socket, log: TextIO) -> None:
        self._client_side, self._far_side = client_side, far_side
        self._log = log
        self._buffer = bytearray(_FRAME_SIZE_MAX)
        self._view = memoryview(self._buffer)
        self._later: list[tuple[float, int, socket.socket, bytes]] = []
        self._order = itertools.count()
        self._capture: BinaryIO | None = None
        self.counts = Counts()
        self.use(TACTICS["none"]())

    def use(self, tactic: Tactic) -> None:
        """Begin a tactic; what was delayed before goes out with its time."""
        tactic.log = self._write
        self.tactic = tactic
        self._judge: Callable[[Packet, float], Verdict] = tactic.on_packet
        self._lost_since_asked()
        self.counts = Counts()
        self._busy_from = time.process_time_ns()

    def capture(self, file: str) -> None:
        """Begin or end writing down what comes."""
        if self._capture is not None:
            self._capture.close()
        self._capture = open(file, "wb") if file else None  # noqa: SIM115, PTH123  # open until the next order
        if self._capture is not None:
            self._capture.write(struct.pack("=IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, 1))

    def _write(self, line: dict[str, Any]) -> None:
        self._log.write(json.dumps({"at": round(time.monotonic(), 4), **line}) + "\n")
        self._log.flush()

    def _lost_since_asked(self) -> int:
        lost = 0
        for side in (self._client_side, self._far_side):
            _, dropped = struct.unpack("II", side.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, 8))
            lost += dropped
        return lost

    def read_counts(self) -> Counts:
        """Return the counts, with what the kernel had no room for."""
        self.counts.lost += self._lost_since_asked()
        self.counts.busy_us = (time.process_time_ns() - self._busy_from) // 1000
        return self.counts

    def run(self, control: Callable[[str], object]) -> None:
        """Carry until the end of standard input; hand its lines to `control`."""
        waiting = select.poll()
        typed = sys.stdin.fileno()
        client, far = self._client_side.fileno(), self._far_side.fileno()
        for one in (typed, client, far):
            waiting.register(one, select.POLLIN)
        pending = b""
        while True:
            timeout = None
            if self._later:
                timeout = max(0.0, (self._later[0][0] - time.monotonic()) * 1000)
            ready = waiting.poll(timeout)
            for one, _ in ready:
                if one == client:
                    self._carry(self._client_side, self._far_side, from_client=True)
                elif one == far:
                    self._carry(self._far_side, self._client_side, from_client=False)
                else:
                    data = os.read(typed, 65_536)
                    if not data:
                        return
                    *lines, pending = (pending + data).split(b"\n")
                    for line in lines:
                        control(line.decode())
            if self._later:
                self.release()

    def _carry(self, source: socket.socket, sink: socket.socket, *, from_client: bool) -> None:
        counts, view, judge = self.counts, self._view, self._judge
        now = time.monotonic()
        for _ in range(_BURST):
            try:
                size = source.recv_into(self._buffer)
            except BlockingIOError:
                return
            if from_client:
                counts.from_client += 1
                counts.bytes_from_client += size
            else:
                counts.from_far += 1
                counts.bytes_from_far += size
            frame = view[:size]
            if self._capture is not None:
                seconds, rest = divmod(time.time_ns(), 10**9)
                self._capture.write(struct.pack("=IIII", seconds, rest // 1000, size, size) + frame)
            try:
                verdict = judge(Packet(frame, from_client=from_client), now)
            except NotIPv4:
                self._send(sink, frame)
                continue
            match verdict:
                case Pass():
                    counts.passed += 1
                    self._send(sink, frame)
                case Drop():
                    counts.dropped += 1
                case Delay(seconds=seconds):
                    counts.delayed += 1
                    heapq.heappush(self._later, (now + seconds, next(self._order), sink, bytes(frame)))
                case Inject():
                    self._inject(verdict, sink, frame)

    def _inject(self, verdict: Inject, sink: socket.socket, frame: memoryview) -> None:
        for made in verdict.to_client:
            self._send(self._client_side, made)
        for made in verdict.to_far:
            self._send(self._far_side, made)
        self.counts.injected += len(verdict.to_client) + len(verdict.to_far)
        if verdict.passes:
            self.counts.passed += 1
            self._send(sink, frame)
        else:
            self.counts.dropped += 1

    def release(self) -> None:
        """Send what was delayed until now."""
        now = time.monotonic()
        while self._later and self._later[0][0] <= now:
            _, _, sink, frame = heapq.heappop(self._later)
            self._send(sink, frame)

    def _send(self, sink: socket.socket, frame: bytes | memoryview) -> None:
        try:
            sink.send(frame)
        except OSError:  # no room, or the interface is going away
            self.counts.lost += 1


@dataclass(slots=True)
class Desk:
    """Takes orders for a forwarder, and answers them."""

    forwarder: Forwarder

    def order(self, line: str) -> None:
        """Carry one line out, and answer with one."""
        order = json.loads(line)
        answer: dict[str, Any] = {}
        if "use" in order:
            known = importlib.import_module(order["import"]).TACTICS if order.get("import") else TACTICS
            self.forwarder.use(known[order["use"]](order["seed"], order["time_scale"]))
        elif "counts" in order:
            answer = asdict(self.forwarder.read_counts())
        elif "capture" in order:
            self.forwarder.capture(order["capture"])
        elif "probed" in order:
            self.forwarder.tactic.on_probed(order["probed"], order["port"], is_suspicious=order["suspicious"])
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def main() -> None:
    """Run a box until its input ends."""
    client_side, far_side, log = sys.argv[1:]
    fcntl.fcntl(sys.stdin.fileno(), fcntl.F_SETFL, os.O_NONBLOCK | os.O_RDONLY)
    with open(log, "a", encoding="utf-8") as lines, contextlib.suppress(KeyboardInterrupt):  # noqa: PTH123
        forwarder = Forwarder(open_side(client_side), open_side(far_side), lines)
        sys.stdout.write('{"ready": true}\n')
        sys.stdout.flush()
        forwarder.run(Desk(forwarder).order)


if __name__ == "__main__":
    main()
