"""What a blocking tactic is: a seeded class that says of every packet what becomes of it.

A subclass has a `name`, a docstring that names its source, `on_packet`, and its `case`: what it must block
and what it must let through. It keeps what it knows in itself: a box makes a new one whenever it is told to
use it, so flows that were open before are unknown to it. A packet lies in a buffer that is used again:
whoever keeps bytes of it copies them.
"""

import random
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Generic, TypeVar

from lab.controls import Control, Decoy
from lab.packets import Flow, Packet
from lab.places import SUSPICIOUS, text_of

FLOWS_MAX: Final = 20_000
"""What a box remembers, the oldest goes first; more than any run opens."""


@dataclass(frozen=True, slots=True)
class Pass:
    """The packet goes on."""


@dataclass(frozen=True, slots=True)
class Drop:
    """The packet is gone."""


@dataclass(frozen=True, slots=True)
class Delay:
    """The packet goes on later; those that are behind it don't wait."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Inject:
    """Frames of the box's own go out first; then the packet itself, if it `passes`."""

    to_client: tuple[bytes, ...] = ()
    to_far: tuple[bytes, ...] = ()
    passes: bool = False


Verdict = Pass | Drop | Delay | Inject
PASS: Final = Pass()
DROP: Final = Drop()


@dataclass(frozen=True, kw_only=True)
class Case:
    """What a tactic must block, and what it must let through, for its cells to count (`lab/grounds.py`).

    `decoy` is nothing where all is off. `time_scale` is what the case's waits were made for.
    """

    control: Control
    decoy: Decoy | None = Decoy(SUSPICIOUS)  # noqa: RUF009  # it is a value
    time_scale: float = 1.0
    is_probed: bool = False


class Tactic(ABC):
    """One rule of a box; `time_scale` divides the long times of a rule, never those below ten seconds."""

    name: ClassVar[str]
    case: ClassVar[Case]

    def __init__(self, seed: int = 1, time_scale: float = 1.0) -> None:
        self.random = random.Random(seed)  # noqa: S311  # a box tosses coins, it keeps no secrets
        self.time_scale = time_scale
        self.log: Callable[[dict[str, Any]], None] = lambda _: None

    @abstractmethod
    def on_packet(self, packet: Packet, now: float) -> Verdict:
        """Say what becomes of a packet; `now` is seconds of a clock that never goes back."""

    def on_probed(self, address: str, port: int, *, is_suspicious: bool) -> None:  # noqa: B027  # most don't ask
        """Hear what the prober found; only a tactic that asked for it does something."""

    def scaled(self, seconds: float) -> float:
        """Shorten a long time of a rule by the lab's scale."""
        return seconds / self.time_scale

    def trigger(self, event: str, packet: Packet, **details: object) -> None:
        """Write a line of the log: what the rule did, and to whom."""
        self.log(
            {
                "tactic": self.name,
                "event": event,
                "protocol": packet.protocol,
                "client": f"{text_of(packet.client)}:{packet.client_port}",
                "far": f"{text_of(packet.far)}:{packet.far_port}",
                **details,
            }
        )


State = TypeVar("State")


class FlowTable(dict[Flow, State], Generic[State]):
    """What is known of flows, of the latest `FLOWS_MAX` of them."""

    def __init__(self, fresh: Callable[[], State]) -> None:
        super().__init__()
        self._fresh = fresh

    def of(self, packet: Packet) -> State:
        """Return the state of a packet's flow; of a TCP connection that begins, a fresh one."""
        flow = packet.flow
        state = None if packet.opens else self.get(flow)
        if state is None:
            state = self[flow] = self._fresh()
            if len(self) > FLOWS_MAX:
                del self[next(iter(self))]
        return state
