"""Methods of a checkup: begin one, stop it, look at it. It goes on by itself meanwhile."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from skvoz.api import checkup_views as views
from skvoz.api.params import NoParams
from skvoz.api.question import Method
from skvoz.node.checkup import Report
from skvoz.node.checkup.measured import Trial
from skvoz.node.checkup.words import FINDINGS, KINDS, NOT_TRIED, STEPS, WAYS
from skvoz.node.node import Node
from skvoz.store.queries import Queries


async def network_check(node: Node, params: views.CheckParams) -> views.CheckupView:
    """Begin to look at what the network does to the ways to relays, for a minute at most."""
    await node.query(Queries.last_event)  # a node that has just started knows its relays after its first task
    node.checkup.start(together=params.together)
    return shown(node.checkup.report)


async def network_stop(node: Node, _: NoParams) -> views.CheckupView:
    """Stop looking; what was found is kept."""
    await node.checkup.stop()
    return shown(node.checkup.report)


async def network_get(node: Node, _: NoParams) -> views.CheckupView:
    """Return the latest look at the network, as far as it has come; subscribers are told it as `checkup`."""
    return shown(node.checkup.report)


def shown(report: Report) -> views.CheckupView:
    """Show a report."""
    ways = tuple(_way(one.relay, trial) for one in report.measured for trial in one.trials)
    return views.CheckupView(
        state=report.state,
        done=report.done,
        total=report.total,
        relays=report.relays,
        ways=ways,
        findings=tuple(
            views.FindingView(
                code=one.code.value, relay=one.relay, numbers=one.numbers, text=FINDINGS[one.code]
            )
            for one in report.findings
        ),
        steps=tuple(views.StepView(code=step.value, text=STEPS[step]) for step in report.steps),
        not_tried=tuple(views.StepView(code=code, text=NOT_TRIED[code]) for code in _not_tried(report)),
        seen=tuple(
            views.SeenPlaceView(
                relay=one.relay,
                name=place.name,
                touches=place.touches,
                plain=place.plain,
                browser=place.browser,
                other=place.other,
                talk=place.talk,
                page=place.page,
            )
            for one in report.measured
            for place in one.places
        ),
    )


def _way(relay: int, trial: Trial) -> views.TriedWayView:
    word = "fails"
    if trial.works:
        word = "answers" if trial.kbit_s is None else "works"
    elif trial.came_up:
        word = "unsteady"
    return views.TriedWayView(
        relay=relay,
        kind=trial.kind,
        way=KINDS.get(trial.kind, trial.kind),
        direct=trial.is_direct,
        works=trial.works,
        end=trial.end,
        round_trip_ms=trial.round_trip_ms,
        carried_bytes=trial.carried,
        kbit_s=trial.kbit_s,
        text=WAYS[word],
    )


def _not_tried(report: Report) -> list[str]:
    if report.state not in {"done", "stopped"}:
        return []
    untried = {"time": report.is_cut_short, "together": not report.has_tried_together, "udp": True}
    return [code for code, is_so in untried.items() if is_so]


Doing = Callable[[Node, Any], Awaitable[views.CheckupView]]
CHECKUPS: Final[dict[str, tuple[type[views.CheckParams] | type[NoParams], Doing]]] = {
    "network.check": (views.CheckParams, network_check),
    "network.stop": (NoParams, network_stop),
    "network.get": (NoParams, network_get),
}
"""By name: what is asked with, and who does it. None is in reach of a bot's token."""
METHODS: Final[dict[str, Method]] = {
    name: Method(params=params, result=views.CheckupView, about=doing.__doc__ or "")
    for name, (params, doing) in CHECKUPS.items()
}
