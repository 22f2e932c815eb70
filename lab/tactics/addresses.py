"""Rules about addresses and ports."""

import random
from typing import Final

from lab.controls import After, Datagrams, Decoy, Each, Fetch
from lab.packets import TCP, Packet, resets
from lab.places import CLEAN, DOMESTIC, LISTED, PLACES, SUSPICIOUS, number_of
from lab.streams import HelloReader
from lab.tactics.base import DROP, PASS, Case, FlowTable, Inject, Tactic, Verdict
from lab.tactics.names import HelloFlow, is_blocked

_STAGE_APART_S: Final = (300.0, 900.0)
_STAGE_SCALE: Final = 600.0
IRAN_ALLOWED: Final = 0.00017


class AddressBlock(Tactic):
    """All to and from chosen addresses is dropped, silently (censoredplanet.org/tspu, IMC'22; RU)."""

    name = "ip"
    case = Case(control=Fetch())
    blocked = frozenset({number_of(SUSPICIOUS.at(10)), number_of(SUSPICIOUS.at(20))})

    def on_packet(self, packet: Packet, now: float) -> Verdict:
        """Drop what goes to or comes from an address on the list."""
        if packet.far not in self.blocked:
            return PASS
        if packet.opens:
            self.trigger("drop", packet)
        return DROP


class TwoStage(Tactic):
    """A flow is recognised and only logged; 5 to 15 minutes later its address and port are blocked.

    Recognised by a blocked name in its hello. Source: tspu-docs, chapters 8 and 23; RU.
    """

    name = "two-stage"
    case = Case(
        control=After(Fetch(), wait_s=_STAGE_APART_S[1] / _STAGE_SCALE + 0.2), time_scale=_STAGE_SCALE
    )

    def __init__(self, seed: int = 1, time_scale: float = 1.0) -> None:
        super().__init__(seed, time_scale)
        self._flows = FlowTable(lambda: HelloFlow(HelloReader(reassembles=True)))
        self._blocked_at: dict[tuple[int, int], float] = {}

    def on_packet(self, packet: Packet, now: float) -> Verdict:
        """Recognise, and block what was recognised long enough ago."""
        there = (packet.far, packet.far_port)
        if there in self._blocked_at:
            return DROP if now >= self._blocked_at[there] else PASS
        if packet.protocol == TCP and packet.from_client:
            hello = self._flows.of(packet).reader.read(packet)
            if hello is not None and is_blocked(hello.name):
                after_s = self.scaled(self.random.uniform(*_STAGE_APART_S))
                self._blocked_at[there] = now + after_s
                self.trigger("recognise", packet, blocked_after_s=round(after_s, 3))
        return PASS


class SourceAllowList(Tactic):
    """Only 0.017 % of the clients' addresses reach anything abroad, and those no blocked names (n4p#630; IR).

    Whose addresses they are is the seed's choice; the lab's clients aren't among them.
    """

    name = "source-list"
    case = Case(control=Each((Fetch(SUSPICIOUS), Fetch(CLEAN))), decoy=Decoy(DOMESTIC))

    def __init__(self, seed: int = 1, time_scale: float = 1.0) -> None:
        super().__init__(seed, time_scale)
        self._seed = seed
        self._allowed: dict[int, bool] = {}
        self._flows = FlowTable(lambda: HelloFlow(HelloReader(reassembles=True)))

    def is_allowed(self, client: int) -> bool:
        """Tell whether a client's address is on the list."""
        if client not in self._allowed:
            chance = random.Random(f"{self._seed} {client}").random()  # noqa: S311  # no secret
            self._allowed[client] = chance < IRAN_ALLOWED
        return self._allowed[client]

    def on_packet(self, packet: Packet, now: float) -> Verdict:
        """Drop what goes abroad; reset blocked names of those who may."""
        if packet.far in DOMESTIC or packet.far in LISTED:
            return PASS
        if not self.is_allowed(packet.client):
            if packet.opens:
                self.trigger("drop", packet)
            return DROP
        if packet.protocol != TCP:
            return PASS
        flow = self._flows.of(packet)
        hello = flow.reader.read(packet)
        flow.condemned |= hello is not None and is_blocked(hello.name)
        if not flow.condemned:
            return PASS
        to_client, to_far = resets(packet)
        return Inject(to_client=(to_client,), to_far=(to_far,))


class Shutdown(Tactic):
    """Nothing passes (n4p#586; IR)."""

    name = "off"
    case = Case(
        control=Each((*(Fetch(place) for place in PLACES), Datagrams(50_000, b"x", place=LISTED))), decoy=None
    )

    def on_packet(self, packet: Packet, now: float) -> Verdict:
        """Drop it."""
        return DROP
