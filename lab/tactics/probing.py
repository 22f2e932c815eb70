"""Servers are asked, out of band, what they are."""

from lab.client_hello import ClientHello
from lab.controls import AfterEvent, Script
from lab.packets import Packet
from lab.places import FOREIGN, number_of, text_of
from lab.tactics.base import DROP, Case, Verdict
from lab.tactics.names import HelloTactic


class ActiveProbing(HelloTactic):
    """A server abroad that is spoken to in TLS is visited by a prober (`lab/prober.py`), and blocked after.

    Source: n4p#481, #576, #60; RU, CN.
    """

    name = "probing"
    case = Case(control=AfterEvent(Script(((40, 40),)), "found out"), is_probed=True)

    def __init__(self, seed: int = 1, time_scale: float = 1.0) -> None:
        super().__init__(seed, time_scale)
        self._asked: set[tuple[int, int]] = set()
        self._blocked: set[tuple[int, int]] = set()

    def on_packet(self, packet: Packet, now: float) -> Verdict:
        """Drop what goes to a server that was found out."""
        if (packet.far, packet.far_port) in self._blocked:
            return DROP
        return super().on_packet(packet, now)

    def dislikes(self, hello: ClientHello, packet: Packet, now: float) -> bool:
        """Have each server visited once, and let the flow live."""
        there = (packet.far, packet.far_port)
        if there not in self._asked and any(packet.far in place for place in FOREIGN):
            self._asked.add(there)
            self.trigger("probe", packet, address=text_of(there[0]), port=there[1], sni=hello.name)
        return False

    def on_probed(self, address: str, port: int, *, is_suspicious: bool) -> None:
        """Block a server that isn't what it seems."""
        if is_suspicious:
            self._blocked.add((number_of(address), port))
            self.log({"tactic": self.name, "event": "found out", "address": address, "port": port})
