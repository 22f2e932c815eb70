"""Rules about DNS."""

from lab import dns
from lab.controls import Each, Lookup
from lab.packets import UDP, Packet, udp_frame
from lab.places import FOREIGN_RESOLVER, RESOLVER
from lab.tactics.base import PASS, Case, Inject, Tactic, Verdict
from lab.tactics.names import is_blocked


class Poisoning(Tactic):
    """Questions over UDP for blocked names are answered "no such name" by the box, whichever the resolver.

    DNS over TCP is left alone. Source: n4p#657, #81; RU.
    """

    name = "dns"
    case = Case(
        control=Each(
            (
                Lookup(RESOLVER, "blocked.suspicious.example"),
                Lookup(FOREIGN_RESOLVER, "www.blocked.suspicious.example"),
            )
        )
    )

    def on_packet(self, packet: Packet, now: float) -> Verdict:
        """Answer in the resolver's place."""
        if packet.protocol != UDP or packet.far_port != 53 or not packet.from_client:
            return PASS
        asked = bytes(packet.payload)
        try:
            name, _, _ = dns.read_question(asked)
        except ValueError:
            return PASS
        if not is_blocked(name):
            return PASS
        self.trigger("poison", packet, asked=name)
        forged = udp_frame(
            source=(packet.far, 53),
            target=(packet.client, packet.client_port),
            payload=dns.answer(asked, None, code=dns.NO_SUCH_NAME),
            ethernet=bytes(packet.frame[6:12]) + bytes(packet.frame[:6]),
        )
        return Inject(to_client=(forged,))
