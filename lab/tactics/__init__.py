"""Blocking tactics by name; each says where it is documented."""

from typing import Final

from lab.packets import Packet
from lab.tactics.addresses import AddressBlock, Shutdown, SourceAllowList, TwoStage
from lab.tactics.allow_lists import AddressAllowList, NameAllowList
from lab.tactics.base import PASS, Tactic, Verdict
from lab.tactics.curtains import ConnectionCount, Curtain, CurtainAndCount
from lab.tactics.datagrams import Calls, Quic
from lab.tactics.names import (
    EncryptedHello,
    Fingerprint,
    NameDrop,
    NameDropByPacket,
    NameDropLate,
    NameReset,
    NameResetByPacket,
)
from lab.tactics.probing import ActiveProbing
from lab.tactics.resolving import Poisoning
from lab.tactics.shapes import FullyEncrypted, TlsInTls
from lab.tactics.throttles import Degradation, SlowLeg, Throttle


class Nothing(Tactic):
    """No rule: all passes."""

    name = "none"

    def on_packet(self, packet: Packet, now: float) -> Verdict:
        """Let it pass."""
        return PASS


BLOCKING: Final[dict[str, type[Tactic]]] = {
    tactic.name: tactic
    for tactic in (
        *(AddressBlock, TwoStage, Poisoning, NameReset, NameDrop, NameResetByPacket, NameDropByPacket),
        *(NameDropLate, EncryptedHello, Curtain, CurtainAndCount, ConnectionCount, Throttle, Degradation),
        *(Quic, FullyEncrypted, Fingerprint, TlsInTls, ActiveProbing, Calls, NameAllowList, AddressAllowList),
        *(SourceAllowList, SlowLeg, Shutdown),
    )
}
"""All that block something, in the order of reports."""
TACTICS: Final[dict[str, type[Tactic]]] = {Nothing.name: Nothing, **BLOCKING}
"""The same, and `none`."""

__all__ = ["BLOCKING", "TACTICS", "Nothing", "Tactic"]
