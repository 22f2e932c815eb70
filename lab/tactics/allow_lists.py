"""White lists: what isn't on them doesn't pass."""

from dataclasses import dataclass, field
from typing import Final

from lab.client_hello import begins_hello, read_client_hello
from lab.controls import Datagrams, Decoy, Each, Fetch
from lab.packets import TCP, UDP, Packet
from lab.places import CLEAN, DOMESTIC, LISTED, RESOLVER, SUSPICIOUS, number_of
from lab.streams import Assembly
from lab.tactics.base import DROP, PASS, Case, FlowTable, Tactic, Verdict

_RESOLVER: Final = number_of(RESOLVER)
LISTED_NAMES: Final = f".{LISTED.name}.example"


@dataclass(slots=True)
class _Awaited:
    first: Assembly = field(default_factory=Assembly)
    condemned: bool = False
    is_listed: bool = False


class NameAllowList(Tactic):
    """Only TLS to listed names passes, wherever it leads, and the operator's DNS; ICMP is dead.

    Source: n4p#516, hxehex/russia-mobile-internet-whitelist; RU, mobile networks.
    """

    name = "sni-list"
    case = Case(
        control=Each((
            Fetch(SUSPICIOUS), Fetch(CLEAN), Fetch(DOMESTIC), Datagrams(50_000, b"x", place=LISTED)
        )),
        decoy=Decoy(LISTED),
    )  # fmt: skip

    def __init__(self, seed: int = 1, time_scale: float = 1.0) -> None:
        super().__init__(seed, time_scale)
        self._flows = FlowTable(_Awaited)

    def on_packet(self, packet: Packet, now: float) -> Verdict:
        """Let pass what may still turn out to be listed, and what is."""
        if packet.far == _RESOLVER and packet.far_port == 53:
            return PASS
        if packet.protocol != TCP:
            return self._refuse(packet, tells=packet.protocol == UDP)
        flow = self._flows.of(packet)
        if not flow.condemned and not flow.is_listed and packet.from_client and flow.first.add(packet):
            self._judge(flow)
            if flow.condemned:
                return self._refuse(packet, tells=True)
        return DROP if flow.condemned else PASS

    def _judge(self, flow: _Awaited) -> None:
        if not begins_hello(flow.first.stream):
            flow.condemned = True
            return
        try:
            hello = read_client_hello(flow.first.stream)
        except ValueError:  # there is more to come
            return
        flow.is_listed = hello.name.endswith(LISTED_NAMES)
        flow.condemned = not flow.is_listed

    def _refuse(self, packet: Packet, *, tells: bool) -> Verdict:
        if tells:
            self.trigger("drop", packet)
        return DROP


class AddressAllowList(NameAllowList):
    """Only TLS to listed names at listed addresses passes (n4p#516, #650; RU, mobile networks)."""

    name = "ip-list"

    def on_packet(self, packet: Packet, now: float) -> Verdict:
        """Refuse other addresses before anything is said."""
        if packet.far not in LISTED and packet.far != _RESOLVER:
            return self._refuse(packet, tells=packet.opens)
        return super().on_packet(packet, now)
