"""Rules that let too little through."""

from dataclasses import dataclass, field
from typing import Final

from lab.packets import Packet
from lab.places import SUSPICIOUS
from lab.tactics.base import DROP, PASS, FlowTable, Tactic, Verdict

THROTTLE_BYTES_S: Final = 130_000 / 8
THROTTLE_BURST_BYTES: Final = 6_000.0
"""Four full packets; what was measured abroad fits a small bucket."""


@dataclass(slots=True)
class Bucket:
    """Bytes that may pass now; refilled at a rate up to a burst."""

    left: float
    filled_at: float = 0.0

    def takes(self, size: int, now: float, *, bytes_s: float, burst: float) -> bool:
        """Take a packet's bytes out, or tell that there are too few."""
        self.left = min(burst, self.left + (now - self.filled_at) * bytes_s)
        self.filled_at = now
        if self.left < size:
            return False
        self.left -= size
        return True


@dataclass(slots=True)
class _Policed:
    """A flow's two directions; the log tells of its first drop only."""

    up: Bucket = field(default_factory=lambda: Bucket(THROTTLE_BURST_BYTES))
    down: Bucket = field(default_factory=lambda: Bucket(THROTTLE_BURST_BYTES))
    told: bool = False


class Throttle(Tactic):
    """Each flow is policed to 130 kbit/s in each direction, by drops (IMC'21, n4p#382; RU).

    The real rule looks for names; this one holds for all flows to suspicious networks, the worst case.
    """

    name = "throttle"

    def __init__(self, seed: int = 1, time_scale: float = 1.0) -> None:
        super().__init__(seed, time_scale)
        self._flows = FlowTable(_Policed)

    def on_packet(self, packet: Packet, now: float) -> Verdict:
        """Drop what is over the rate."""
        if packet.far not in SUSPICIOUS:
            return PASS
        flow = self._flows.of(packet)
        bucket = flow.up if packet.from_client else flow.down
        if bucket.takes(packet.wire_size, now, bytes_s=THROTTLE_BYTES_S, burst=THROTTLE_BURST_BYTES):
            return PASS
        if not flow.told:
            flow.told = True
            self.trigger("throttle", packet)
        return DROP
