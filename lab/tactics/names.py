"""Rules about the ClientHello: its name, its fingerprint, its extensions."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Final

from lab.client_hello import ENCRYPTED_CLIENT_HELLO, ClientHello
from lab.controls import Browserlike, Fetch
from lab.packets import TCP, Packet, resets
from lab.places import CLEAN, SUSPICIOUS
from lab.streams import HelloReader
from lab.tactics.base import DROP, PASS, Case, FlowTable, Inject, Tactic, Verdict

BLOCKED_NAMES: Final = ("blocked.", "relay.suspicious.")
"""How names begin that are blocked; with `www.` before them too."""
ECH_NAME: Final = "cloudflare-ech.com"
STALE_CHROME: Final = "t13d1516h2_8daaf6152771_d8a2da3f94cd"
"""Chrome 133 to 146, and whoever imitates them."""
_LATE_PACKETS: Final = (5, 8)


def is_blocked(name: str) -> bool:
    """Tell whether a name is on the list."""
    return name.removeprefix("www.").startswith(BLOCKED_NAMES)


@dataclass(slots=True)
class HelloFlow:
    """A flow whose hello is awaited; `condemned` once it was found and isn't liked."""

    reader: HelloReader
    condemned: bool = False
    packets_after: int = 0


class HelloTactic(Tactic):
    """A rule about hellos: subclasses say which they dislike, and what becomes of those flows."""

    reassembles = True

    def __init__(self, seed: int = 1, time_scale: float = 1.0) -> None:
        super().__init__(seed, time_scale)
        self._flows = FlowTable(lambda: HelloFlow(HelloReader(reassembles=self.reassembles)))

    @abstractmethod
    def dislikes(self, hello: ClientHello, packet: Packet, now: float) -> bool:
        """Tell whether a hello condemns its flow."""

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
            if hello is None or not self.dislikes(hello, packet, now):
                return PASS
            flow.condemned = True
            self.trigger("hello", packet, sni=hello.name, ja4=hello.ja4)
        return self.punish(packet, flow)


class NameDrop(HelloTactic):
    """A blocked name: nothing of its flow passes any more; TCP is put together (IMC'22, teleproxy#39; RU)."""

    name = "sni-drop"
    case = Case(control=Fetch())

    def dislikes(self, hello: ClientHello, packet: Packet, now: float) -> bool:
        """Look the name up."""
        return is_blocked(hello.name)


class NameReset(NameDrop):
    """A blocked name: both sides get resets; TCP is put together (IMC'22, teleproxy#39; RU)."""

    name = "sni-rst"

    def punish(self, packet: Packet, flow: HelloFlow) -> Verdict:
        """Reset, and let nothing pass."""
        to_client, to_far = resets(packet)
        return Inject(to_client=(to_client,), to_far=(to_far,))


class NameDropByPacket(NameDrop):
    """The same drop by a node that sees a hello only within one packet: all before 2026 (IMC'22; RU)."""

    name = "sni-drop-packet"
    reassembles = False


class NameResetByPacket(NameReset):
    """The same reset by a node that sees a hello only within one packet: all before 2026 (IMC'22; RU)."""

    name = "sni-rst-packet"
    reassembles = False


class NameDropLate(NameDrop):
    """A blocked name: five to eight more packets pass, then nothing does (IMC'22; RU)."""

    name = "sni-drop-late"

    def punish(self, packet: Packet, flow: HelloFlow) -> Verdict:
        """Let some pass; how many is the seed's choice for each flow."""
        if flow.packets_after == 0:
            flow.packets_after = 1 + self.random.randint(*_LATE_PACKETS)
        if flow.packets_after > 1:
            flow.packets_after -= 1
            return PASS
        return DROP


class EncryptedHello(HelloTactic):
    """The outer name of Cloudflare's encrypted hello together with its extension: dropped (n4p#417; RU)."""

    name = "ech"
    case = Case(control=Browserlike(ECH_NAME, CLEAN.at(20)))

    def dislikes(self, hello: ClientHello, packet: Packet, now: float) -> bool:
        """Look for both; browsers send the extension to everybody, so it alone says nothing."""
        return hello.name == ECH_NAME and ENCRYPTED_CLIENT_HELLO in hello.extensions


class Fingerprint(HelloTactic):
    """The fingerprint of an imitation that has grown old: dropped (tdesktop#30733, telemt#617; RU)."""

    name = "ja4"
    case = Case(control=Browserlike("other.suspicious.example", SUSPICIOUS.at(20), browser="Chrome146"))

    def dislikes(self, hello: ClientHello, packet: Packet, now: float) -> bool:
        """Look the fingerprint up."""
        return hello.ja4 == STALE_CHROME
