"""Rules that let a flow begin, and then let nothing of it pass any more."""

from dataclasses import dataclass

from lab.packets import TCP, UDP, Packet
from lab.places import SUSPICIOUS
from lab.tactics.base import DROP, PASS, FlowTable, Tactic, Verdict

CURTAIN_PACKETS = 25
"""Both directions together; about 16 KB of a download."""


@dataclass(slots=True)
class _Counted:
    packets: int = 0


class Curtain(Tactic):
    """The 16 KB curtain: a flow to a suspicious network freezes after 25 packets (n4p#490; RU).

    Both directions are counted together, TCP and UDP, packets without data too. No reset, no word.
    Source: net4people/bbs issue 490, hyperion-cs/dpi-checkers.
    """

    name = "curtain"

    def __init__(self, seed: int = 1, time_scale: float = 1.0) -> None:
        super().__init__(seed, time_scale)
        self._flows = FlowTable(_Counted)

    def on_packet(self, packet: Packet, now: float) -> Verdict:
        """Count, and freeze."""
        if packet.far not in SUSPICIOUS or packet.protocol not in {TCP, UDP}:
            return PASS
        flow = self._flows.of(packet)
        flow.packets += 1
        if flow.packets <= CURTAIN_PACKETS:
            return PASS
        if flow.packets == CURTAIN_PACKETS + 1:
            self.trigger("freeze", packet)
        return DROP
