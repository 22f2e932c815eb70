"""Rules about the name in a TLS ClientHello."""

from dataclasses import dataclass, field

from lab.client_hello import ClientHello
from lab.packets import TCP, Packet, resets
from lab.streams import HelloReader
from lab.tactics.base import DROP, PASS, FlowTable, Inject, Tactic, Verdict

BLOCKED_NAMES = ("blocked.", "relay.suspicious.")
"""How names begin that are blocked; with `www.` before them too."""


def is_blocked(name: str) -> bool:
    """Tell whether a name is on the list."""
    return name.removeprefix("www.").startswith(BLOCKED_NAMES)


@dataclass(slots=True)
class HelloFlow:
    """A flow whose hello is awaited; `condemned` once it was found and isn't liked."""

    reader: HelloReader
    condemned: bool = False
    packets_after: int = field(default=0)


class HelloTactic(Tactic):
    """A rule about the hello; subclasses say which ones they dislike, and what becomes of their flows."""

    reassembles = True

    def __init__(self, seed: int = 1, time_scale: float = 1.0) -> None:
        super().__init__(seed, time_scale)
        self._flows = FlowTable(lambda: HelloFlow(HelloReader(reassembles=self.reassembles)))

    def dislikes(self, hello: ClientHello, packet: Packet) -> bool:
        """Tell whether a hello condemns its flow."""
        raise NotImplementedError

    def punish(self, packet: Packet, flow: HelloFlow) -> Verdict:
        """Say what becomes of a packet of a condemned flow, that with the hello included."""
        return DROP

    def on_packet(self, packet: Packet, now: float) -> Verdict:
        """Read the flow's hello and judge it."""
        if packet.protocol != TCP:
            return PASS
        flow = self._flows.of(packet)
        if not flow.condemned:
            hello = flow.reader.read(packet)
            if hello is None or not self.dislikes(hello, packet):
                return PASS
            flow.condemned = True
            self.trigger("hello", packet, sni=hello.name, ja4=hello.ja4)
        return self.punish(packet, flow)


class NameDrop(HelloTactic):
    """A blocked name: nothing of its flow passes any more; TCP is reassembled (IMC'22, teleproxy#39; RU)."""

    name = "sni-drop"

    def dislikes(self, hello: ClientHello, packet: Packet) -> bool:
        """Look the name up."""
        return is_blocked(hello.name)


class NameReset(NameDrop):
    """A blocked name: both sides get a reset; TCP is reassembled (IMC'22, teleproxy#39; RU)."""

    name = "sni-rst"

    def punish(self, packet: Packet, flow: HelloFlow) -> Verdict:
        """Reset, and let nothing pass."""
        to_client, to_far = resets(packet)
        return Inject(to_client=(to_client,), to_far=(to_far,))
