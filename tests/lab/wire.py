"""Synthetic traffic for tactics: what a client and a far side would send, as packets."""

import contextlib
import itertools
import ssl
from dataclasses import dataclass, field
from functools import cache

from lab.packets import ACK, SYN, Packet, tcp_frame, udp_frame
from lab.places import CLIENT, SUSPICIOUS, number_of
from lab.tactics.base import Pass, Tactic, Verdict

_PORTS = itertools.count(20_000)


@cache
def hello_bytes(name: str) -> bytes:
    """Return the ClientHello of a plain Python client."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_alpn_protocols(["http/1.1"])
    inward, outward = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(inward, outward, server_hostname=name)
    with contextlib.suppress(ssl.SSLWantReadError):
        client.do_handshake()
    return outward.read()


@dataclass
class Connection:
    """A TCP connection or a UDP flow through a tactic, at a clock that the test turns."""

    tactic: Tactic
    far: str = SUSPICIOUS.at(10)
    port: int = 443
    near_port: int = field(default_factory=lambda: next(_PORTS))
    now: float = 0.0
    seq_up: int = 0xFFFFFF00  # so that it goes over the end of its numbers
    seq_down: int = 5000

    @property
    def _near(self) -> tuple[int, int]:
        return (number_of(CLIENT), self.near_port)

    @property
    def _far(self) -> tuple[int, int]:
        return (number_of(self.far), self.port)

    def judge(self, frame: bytes, *, up: bool) -> Verdict:
        return self.tactic.on_packet(Packet(memoryview(frame), from_client=up), self.now)

    def open(self) -> Verdict:
        verdict = self.judge(
            tcp_frame(source=self._near, target=self._far, seq=self.seq_up, flags=SYN), up=True
        )
        self.seq_up = (self.seq_up + 1) & 0xFFFFFFFF
        if isinstance(verdict, Pass):
            self.judge(
                tcp_frame(source=self._far, target=self._near, seq=self.seq_down, flags=SYN | ACK), up=False
            )
            self.seq_down += 1
        return verdict

    def up(self, payload: bytes = b"", *, at: int | None = None) -> Verdict:
        """Send from the client; `at` is where in the stream from here, if not next."""
        seq = self.seq_up if at is None else (self.seq_up + at) & 0xFFFFFFFF
        if at is None:
            self.seq_up = (self.seq_up + len(payload)) & 0xFFFFFFFF
        frame = tcp_frame(source=self._near, target=self._far, seq=seq, ack=self.seq_down, payload=payload)
        return self.judge(frame, up=True)

    def down(self, payload: bytes = b"") -> Verdict:
        frame = tcp_frame(
            source=self._far, target=self._near, seq=self.seq_down, ack=self.seq_up, payload=payload
        )
        self.seq_down += len(payload)
        return self.judge(frame, up=False)

    def datagram(self, payload: bytes, *, up: bool = True) -> Verdict:
        source, target = (self._near, self._far) if up else (self._far, self._near)
        return self.judge(udp_frame(source=source, target=target, payload=payload), up=up)
