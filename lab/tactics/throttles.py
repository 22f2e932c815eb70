"""Rules that let too little through."""

from dataclasses import dataclass, field
from typing import Final

from lab.controls import Decoy, Fetch
from lab.packets import Packet
from lab.places import CLEAN, LISTED, RESOLVER, SUSPICIOUS, number_of
from lab.tactics.base import DROP, PASS, Case, Delay, FlowTable, Tactic, Verdict

THROTTLE_BYTES_S: Final = 130_000 / 8
THROTTLE_BURST_BYTES: Final = 6_000.0
"""Four full packets; what was measured abroad fits a small bucket."""
LEG_BYTES_S: Final = 14_000 / 8
LEG_QUEUE_S: Final = 4.0
"""What waits longer than this is dropped; slow mobile networks queue rather than drop."""
PASS_SHARE: Final = 0.05


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
    case = Case(control=Fetch(size=100_000), decoy=Decoy(CLEAN))

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


class Degradation(Tactic):
    """Of all packets to and from suspicious networks one in twenty passes (tspu-docs 17.3; RU).

    The real rule holds for recognised protocols, and passes 2 to 10 %.
    """

    name = "five-percent"
    case = Case(control=Fetch(), decoy=Decoy(CLEAN))

    def on_packet(self, packet: Packet, now: float) -> Verdict:
        """Toss a coin."""
        if packet.far not in SUSPICIOUS or self.random.random() < PASS_SHARE:
            return PASS
        if packet.opens:
            self.trigger("drop", packet)
        return DROP


class SlowLeg(Tactic):
    """Off the white list a client has 14 kbit/s in each direction, for all together (n4p#516, #650; RU)."""

    name = "slow"
    case = Case(control=Fetch(CLEAN, size=20_000), decoy=Decoy(LISTED))
    _resolver = number_of(RESOLVER)

    def __init__(self, seed: int = 1, time_scale: float = 1.0) -> None:
        super().__init__(seed, time_scale)
        self._free_at: dict[tuple[int, bool], float] = {}

    def on_packet(self, packet: Packet, now: float) -> Verdict:
        """Put it into the client's queue, unless that is too long."""
        if packet.far in LISTED or packet.far == self._resolver:
            return PASS
        queue = (packet.client, packet.from_client)
        waits_s = max(0.0, self._free_at.get(queue, now) - now)
        if waits_s > LEG_QUEUE_S:
            return DROP
        takes_s = packet.wire_size / LEG_BYTES_S
        self._free_at[queue] = now + waits_s + takes_s
        if packet.opens:
            self.trigger("slow", packet)
        return Delay(waits_s + takes_s)
