"""Blocking tactics by name; each says where it is documented."""

from typing import Final

from lab.packets import Packet
from lab.tactics.addresses import AddressBlock
from lab.tactics.base import PASS, Tactic, Verdict
from lab.tactics.curtains import Curtain
from lab.tactics.names import NameReset
from lab.tactics.throttles import Throttle


class Nothing(Tactic):
    """No rule: all passes."""

    name = "none"

    def on_packet(self, packet: Packet, now: float) -> Verdict:
        """Let it pass."""
        return PASS


TACTICS: Final[dict[str, type[Tactic]]] = {
    tactic.name: tactic for tactic in (Nothing, AddressBlock, NameReset, Curtain, Throttle)
}

__all__ = ["TACTICS", "Nothing", "Tactic"]
