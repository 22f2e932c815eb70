"""What a checkup of the network found, as JSON shows it: nothing in it names anybody but `relays`.

A text is English, has a translation in the catalogues, and `{names}` in it: `relay`, what a relay is called
where it is shown; `way`, a transport, whose word is to be said too; and numbers.
"""

from typing import Literal

from skvoz.api.params import Params
from skvoz.api.views import View

CheckupWord = Literal["none", "running", "done", "stopped"]


class CheckParams(Params, frozen=True, kw_only=True):
    """With `together`, several connections are begun at once: some networks cut a machine off for that."""

    together: bool = False


class FindingView(View, frozen=True, kw_only=True):
    """One thing that was found, of a relay by its number from 1, or of the network as a whole (0)."""

    code: str
    relay: int
    numbers: dict[str, int]
    text: str


class StepView(View, frozen=True, kw_only=True):
    """Something to do next, or something that was not tried."""

    code: str
    text: str


class TriedWayView(View, frozen=True, kw_only=True):
    """How one way to a relay did; `kbit_s` where it is a connection that stays open."""

    relay: int
    kind: str
    way: str
    direct: bool
    works: bool
    end: str
    round_trip_ms: int | None
    carried_bytes: int
    kbit_s: int | None
    text: str


class SeenPlaceView(View, frozen=True, kw_only=True):
    """What single questions were answered at one place where a way failed; null: it was not asked."""

    relay: int
    name: str | None
    touches: tuple[str, ...]
    plain: str | None
    browser: str | None
    other: str | None
    talk: str | None
    page: str | None


class CheckupView(View, frozen=True, kw_only=True):
    """The latest checkup, as far as it has come: `done` of `total` steps.

    `relays` are what their people call them, and the only personal thing here.
    """

    state: CheckupWord
    done: int
    total: int
    relays: tuple[str, ...]
    ways: tuple[TriedWayView, ...]
    findings: tuple[FindingView, ...]
    steps: tuple[StepView, ...]
    not_tried: tuple[StepView, ...]
    seen: tuple[SeenPlaceView, ...]
