"""Rules about what traffic looks like: random bytes, and one TLS inside of another."""

from dataclasses import dataclass
from typing import Final

from lab.controls import RandomBytes, Script
from lab.packets import TCP, Packet
from lab.places import FOREIGN
from lab.tactics.base import DROP, PASS, Case, FlowTable, Tactic, Verdict

_BITS_FEW, _BITS_MANY = 3.4, 4.6
_VERBS: Final = (b"GET ", b"PUT ", b"POST ", b"HEAD ")
_RESIDUAL_S: Final = 180.0
_FINISHED_MOST: Final = 150
"""Bytes with which a client ends its handshake."""


def looks_fully_encrypted(first: bytes) -> bool:
    """Tell whether the first payload of a client is exempt by none of the five rules (USENIX Sec'23)."""
    printable = [0x20 <= byte <= 0x7E for byte in first]
    bits = sum(byte.bit_count() for byte in first) / len(first)
    longest = max(len(run) for run in "".join("x" if one else " " for one in printable).split(" "))
    return not (
        bits <= _BITS_FEW
        or bits >= _BITS_MANY
        or all(printable[:6])
        or sum(printable) * 2 > len(first)
        or longest > 20
        or (first[0] in {0x16, 0x17} and len(first) > 2 and first[1] == 3 and first[2] <= 9)
        or first.startswith(_VERBS)
    )


@dataclass(slots=True)
class _First:
    seen: bool = False


class FullyEncrypted(Tactic):
    """Whose first payload looks like nothing but random bytes: dropped, and its server for 180 s.

    The real one does so to some 26 % of such flows, in listed ranges abroad; this one to all.
    Source: USENIX Security '23 (gfw.report), ooni/probe-cli#1026; CN.
    """

    name = "encrypted"
    case = Case(control=RandomBytes())

    def __init__(self, seed: int = 1, time_scale: float = 1.0) -> None:
        super().__init__(seed, time_scale)
        self._flows = FlowTable(_First)
        self._blocked_until: dict[tuple[int, int, int], float] = {}

    def on_packet(self, packet: Packet, now: float) -> Verdict:
        """Judge the first payload; drop what goes to a server that was judged."""
        if packet.protocol != TCP or not any(packet.far in place for place in FOREIGN):
            return PASS
        server = (packet.client, packet.far, packet.far_port)
        if now < self._blocked_until.get(server, now):
            return DROP
        flow = self._flows.of(packet)
        if flow.seen or not packet.from_client or not packet.payload:
            return PASS
        flow.seen = True
        if not looks_fully_encrypted(bytes(packet.payload)):
            return PASS
        self._blocked_until[server] = now + self.scaled(_RESIDUAL_S)
        self.trigger("block", packet)
        return DROP


@dataclass(slots=True)
class _Runs:
    """Bytes up after the outer handshake, and then down, until the client speaks again."""

    begun: bool = False
    up: int = 0
    down: int = 0
    judged: bool = False
    condemned: bool = False


class TlsInTls(Tactic):
    """A handshake inside of the first bytes of another: dropped (n4p#363, XTLS/Trojan-killer; CN, RU).

    Trojan-killer's rule: from the client's change of cipher on 650 to 750 bytes up, then 170 to 180 or 3,000
    to 7,500 down. Hellos have grown since by a key of ML-KEM: 1,850 to 2,150 up are counted too.
    """

    name = "tls-in-tls"
    case = Case(control=Script(((580, 3500), (90, 300), (200, 2000), (100, 100))))
    ups = (range(650, 751), range(1850, 2151))
    downs = (range(170, 181), range(3000, 7501))

    def __init__(self, seed: int = 1, time_scale: float = 1.0) -> None:
        super().__init__(seed, time_scale)
        self._flows = FlowTable(_Runs)

    def on_packet(self, packet: Packet, now: float) -> Verdict:
        """Add sizes up, and judge them when the client speaks for the second time."""
        if packet.protocol != TCP:
            return PASS
        flow = self._flows.of(packet)
        if flow.condemned:
            return DROP
        if flow.judged or not packet.payload:
            return PASS
        if not packet.from_client:
            # What comes before the client has said anything is tickets, which on a short way come early.
            flow.down += len(packet.payload) if flow.up > _FINISHED_MOST else 0
            return PASS
        flow.begun |= bytes(packet.payload[:3]) == b"\x14\x03\x03"
        if not flow.down:
            flow.up += len(packet.payload) if flow.begun else 0
            return PASS
        flow.judged = True
        if not any(flow.up in one for one in self.ups) or not any(flow.down in one for one in self.downs):
            return PASS
        flow.condemned = True
        self.trigger("inner hello", packet, up=flow.up, down=flow.down)
        return DROP
