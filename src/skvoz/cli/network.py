"""What `skvoz doctor` says of the network: it has it looked at, waits, and tells what was found."""

import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import click
import msgspec

from skvoz.api.checkup_views import CheckParams, CheckupView, FindingView, TriedWayView
from skvoz.api.params import NoParams
from skvoz.texts import say

if TYPE_CHECKING:
    from skvoz.api.caller import Caller

_POLL_S: Final = 0.25
_PERSONAL: Final = "relays"


def look(caller: "Caller", *, together: bool) -> CheckupView:
    """Have the network looked at and return what was found; who interrupts that gets what is there."""
    report = caller.call("network.check", CheckParams(together=together), CheckupView)
    try:
        while report.state == "running":
            _show_progress(report)
            time.sleep(_POLL_S)
            report = caller.call("network.get", NoParams(), CheckupView)
    except KeyboardInterrupt:
        report = caller.call("network.stop", NoParams(), CheckupView)
    _show_progress(None)
    return report


def _show_progress(report: CheckupView | None) -> None:
    """Keep one line of progress on a terminal; none where the report is there."""
    if sys.stderr is None or not sys.stderr.isatty():
        return
    line = ""
    if report is not None:
        line = say("Looking at the network: {done} of {total}", done=report.done, total=report.total)
    click.echo(f"\r\x1b[K{line}", nl=False, err=True)


def lines(report: CheckupView) -> Iterator[str]:
    """Yield what was found, for people."""
    if not report.relays:
        yield say("No relay is known here, so there was nothing to try.")
        return
    yield say("The network that this machine is in:")
    for way in report.ways:
        yield f"  {_of_way(way, report)}"
    if not report.findings and report.state == "done":
        yield say("Nothing is blocked here, as far as could be seen.")
    for finding in report.findings:
        yield f"- {_of_finding(finding, report)}"
    if report.steps:
        yield say("What to do:")
    for step in report.steps:
        yield f"- {say(step.text)}"
    for step in report.not_tried:
        yield say(step.text)


def _called(relay: int, report: CheckupView) -> str:
    return report.relays[relay - 1] if 0 < relay <= len(report.relays) else ""


def _of_way(way: TriedWayView, report: CheckupView) -> str:
    called = _called(way.relay, report)
    return say(way.text, relay=called, way=say(way.way), ms=way.round_trip_ms, kbit_s=way.kbit_s)


def _of_finding(finding: FindingView, report: CheckupView) -> str:
    return say(finding.text, relay=_called(finding.relay, report), **finding.numbers)


def for_support(report: CheckupView) -> dict[str, Any]:
    """Return what was found without anything that names somebody: relays are numbers, and texts say so."""
    shown = msgspec.structs.replace(
        report, relays=tuple(f"relay {number}" for number in range(1, len(report.relays) + 1))
    )
    found: dict[str, Any] = msgspec.to_builtins(shown)
    del found[_PERSONAL]
    for one, finding in zip(found["findings"], report.findings, strict=True):
        one["text"] = finding.text.format(relay=_called(finding.relay, shown), **finding.numbers)
    for one in found["ways"]:
        del one["text"], one["way"]
    return found
