"""A way to a server that counts packets, and freezes a connection after some, as networks do; or is slow.

Packets are TCP segments of both directions on the client's side of the way, those without data too; the
kernel counts them (tcp_info of linux/tcp.h). They carry what they would on Ethernet.
"""

import asyncio
import itertools
import socket
import struct
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

_SEGMENTS_AT: Final = 136
_TCP_INFO_SIZE: Final = 144
_SEGMENT_BYTES: Final = 1_400
_HEADER_BYTES: Final = 52


@dataclass
class Flow:
    """One connection on the way; `packets`: until its last byte was carried on, so without its end."""

    opened_at: float
    packets: int = 0
    bytes_up: int = 0
    bytes_down: int = 0
    is_frozen: bool = False


@dataclass
class Way:
    """All that went over it."""

    port: int
    freeze_after: int | None = None
    bytes_s: float | None = None
    """What goes through in each direction, of all flows together, with headers."""
    flows: list[Flow] = field(default_factory=list[Flow])
    open_now: int = 0
    open_most: int = 0
    _free_at: dict[bool, float] = field(default_factory=dict[bool, float])

    async def passes(self, size: int, *, upwards: bool) -> None:
        """Wait until so many bytes are through."""
        if self.bytes_s is not None:
            loop = asyncio.get_running_loop()
            begins_at = max(self._free_at.get(upwards, 0.0), loop.time())
            self._free_at[upwards] = begins_at + (size + _HEADER_BYTES) / self.bytes_s
            await asyncio.sleep(self._free_at[upwards] - loop.time())

    @property
    def frozen(self) -> list[Flow]:
        return [flow for flow in self.flows if flow.is_frozen]

    @property
    def apart(self) -> list[float]:
        """Seconds between the beginnings of connections."""
        times = [flow.opened_at for flow in self.flows]
        return [later - earlier for earlier, later in itertools.pairwise(times)]


def segments(opened: socket.socket) -> int:
    """Return how many segments a connection had, in both directions."""
    info = opened.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
    assert len(info) >= _TCP_INFO_SIZE
    return sum(struct.unpack_from("=II", info, _SEGMENTS_AT))


@asynccontextmanager
async def counted_way(
    target: int, *, freeze_after: int | None = None, bytes_s: float | None = None
) -> AsyncGenerator[Way]:
    """Forward connections to a port of this machine."""
    loop = asyncio.get_running_loop()
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, _SEGMENT_BYTES)
    if bytes_s is not None:  # what is slow lets nobody think that all is through
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * _SEGMENT_BYTES)
    listener.settimeout(0)
    way = Way(listener.getsockname()[1], freeze_after, bytes_s)
    tasks: set[asyncio.Task[None]] = set()
    accepted: list[socket.socket] = []

    async def carry(near: socket.socket) -> None:
        flow = Flow(loop.time())
        way.flows.append(flow)
        way.open_now += 1
        way.open_most = max(way.open_most, way.open_now)
        pumps: list[asyncio.Task[None]] = []
        with near, socket.socket() as far:
            try:
                far.settimeout(0)
                near.settimeout(0)
                await loop.sock_connect(far, ("127.0.0.1", target))
                pumps = [
                    asyncio.create_task(pump(near, far, flow, upwards=True)),
                    asyncio.create_task(pump(far, near, flow, upwards=False)),
                ]
                await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            finally:
                way.open_now -= 1
                for one in pumps:
                    one.cancel()
                await asyncio.gather(*pumps, return_exceptions=True)

    async def pump(source: socket.socket, sink: socket.socket, flow: Flow, *, upwards: bool) -> None:
        near = source if upwards else sink
        while data := await loop.sock_recv(source, _SEGMENT_BYTES):
            flow.packets = segments(near)
            if way.freeze_after is not None and flow.packets > way.freeze_after:
                flow.is_frozen = True
                while await loop.sock_recv(near, _SEGMENT_BYTES):  # until its end is given up
                    pass
                return
            if upwards:
                flow.bytes_up += len(data)
            else:
                flow.bytes_down += len(data)
            await way.passes(len(data), upwards=upwards)
            await loop.sock_sendall(sink, data)

    def accept() -> None:  # no task: one that is cancelled just then would lose the socket
        try:
            near, _ = listener.accept()
        except BlockingIOError:
            return
        accepted.append(near)
        task = asyncio.ensure_future(carry(near))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    loop.add_reader(listener, accept)
    try:
        yield way
    finally:
        loop.remove_reader(listener)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for near in (listener, *accepted):
            near.close()
