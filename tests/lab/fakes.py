"""Rules that are none: they must not make any ground."""

from typing import Final

from lab.packets import Packet
from lab.tactics.base import DROP, PASS, Tactic, Verdict


class BlocksNothing(Tactic):
    name = "blocks-nothing"

    def on_packet(self, packet: Packet, now: float) -> Verdict:
        return PASS


class BlocksEverything(Tactic):
    name = "blocks-everything"

    def on_packet(self, packet: Packet, now: float) -> Verdict:
        return DROP


TACTICS: Final = {one.name: one for one in (BlocksNothing, BlocksEverything)}
