"""Rules that let a flow begin, and then let nothing of it pass any more; and those that count flows."""

from dataclasses import dataclass, field
from typing import Final

from lab.client_hello import ClientHello
from lab.controls import Browserlike, Decoy, Each, Fetch
from lab.packets import TCP, UDP, Packet
from lab.places import CLEAN, SUSPICIOUS
from lab.tactics.base import DROP, PASS, Case, FlowTable, Tactic, Verdict
from lab.tactics.names import HelloTactic

CURTAIN_PACKETS: Final = 25
"""Both directions together; about 16 KB of a download."""
BROWSERS_CIPHERS: Final = "8daaf6152771"
"""The middle part of all Chromes' JA4."""
_NEAR_S: Final = 0.4
_NEAR_MOST: Final = 3
_WINDOW_S: Final = 60.0
_LARGE: Final = Fetch(size=100_000)
_MANY: Final = Browserlike("other.suspicious.example", SUSPICIOUS.at(20), times=6, apart_s=0.05)


@dataclass(slots=True)
class _Counted:
    packets: int = 0


class Curtain(Tactic):
    """The 16 KB curtain: a flow to a suspicious network freezes after 25 packets (n4p#490; RU).

    Both directions are counted together, TCP and UDP, packets without data too. No reset, no word. A second
    source: hyperion-cs/dpi-checkers.
    """

    name = "curtain"
    case = Case(control=_LARGE, decoy=Decoy(CLEAN))

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


@dataclass(slots=True)
class _Row:
    """Hellos of one client to one name, each soon after the one before."""

    last_at: float = float("-inf")
    begun_at: float = float("-inf")
    length: int = 0
    blocked_until: float = field(default=float("-inf"))


class ConnectionCount(HelloTactic):
    """More than three handshakes with one name, less than 400 ms apart, by a browser's hello: dropped.

    So are all further ones for the rest of a minute. Only in suspicious networks. How long it really lasts is
    not known. Source: 3x-ui#5194, Xray#6293, n4p#546; RU ("Siberian").
    """

    name = "count"
    case = Case(control=_MANY)

    def __init__(self, seed: int = 1, time_scale: float = 1.0) -> None:
        super().__init__(seed, time_scale)
        self._rows: dict[tuple[int, str], _Row] = {}

    def dislikes(self, hello: ClientHello, packet: Packet, now: float) -> bool:
        """Count the hello in its row."""
        if packet.far not in SUSPICIOUS or BROWSERS_CIPHERS not in hello.ja4:
            return False
        row = self._rows.setdefault((packet.client, hello.name), _Row())
        if now - row.last_at >= _NEAR_S or now - row.begun_at >= self.scaled(_WINDOW_S):
            row.length, row.begun_at = 0, now
        row.length += 1
        row.last_at = now
        if row.length > _NEAR_MOST and now >= row.blocked_until:
            row.blocked_until = row.begun_at + self.scaled(_WINDOW_S)
        return now < row.blocked_until


class CurtainAndCount(Tactic):
    """Both at once, as it is where one of them is (n4p#490, n4p#546; RU)."""

    name = "curtain-count"
    case = Case(control=Each((_LARGE, _MANY)), decoy=Decoy(CLEAN))

    def __init__(self, seed: int = 1, time_scale: float = 1.0) -> None:
        super().__init__(seed, time_scale)
        self._both = (Curtain(seed, time_scale), ConnectionCount(seed, time_scale))

    def on_packet(self, packet: Packet, now: float) -> Verdict:
        """Ask both; each counts all packets."""
        for one in self._both:
            one.log = self.log
        verdicts = [one.on_packet(packet, now) for one in self._both]
        return DROP if DROP in verdicts else PASS
