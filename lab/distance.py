"""The same tactics, with the far side as far away as it is: every packet that passes takes a while.

Without it, an answer comes within a fraction of a millisecond, TCP takes packets for lost that are not, and
sends and acknowledges more of them than anywhere else; some rules count packets.
"""

from typing import Final

from lab.packets import Packet
from lab.tactics import TACTICS as NEAR
from lab.tactics.base import Delay, Pass, Tactic, Verdict

ONE_WAY_S: Final = 0.02
"""A round trip of 40 ms: the far end of Europe."""


def _far(near: type[Tactic]) -> type[Tactic]:
    """Return a tactic with the way through its box being long."""

    class Far(near):
        __doc__ = near.__doc__

        def on_packet(self, packet: Packet, now: float) -> Verdict:
            """Judge as the tactic does; what passes, passes later."""
            verdict = super().on_packet(packet, now)
            match verdict:
                case Pass():
                    return Delay(ONE_WAY_S)
                case Delay(seconds=seconds):
                    return Delay(seconds + ONE_WAY_S)
                case _:
                    return verdict

    return Far


TACTICS: Final = {name: _far(tactic) for name, tactic in NEAR.items()}
