"""Rules about addresses and ports."""

from lab.packets import Packet
from lab.places import SUSPICIOUS, number_of
from lab.tactics.base import DROP, PASS, Tactic, Verdict


class AddressBlock(Tactic):
    """All to and from chosen addresses is dropped, silently (censoredplanet.org/tspu, IMC'22; RU)."""

    name = "ip"
    blocked = frozenset({number_of(SUSPICIOUS.at(10)), number_of(SUSPICIOUS.at(20))})

    def on_packet(self, packet: Packet, now: float) -> Verdict:
        """Drop what goes to or comes from an address on the list."""
        if packet.far not in self.blocked:
            return PASS
        if packet.opens:
            self.trigger("drop", packet)
        return DROP
