"""What `skvoz doctor` says of a network, in words."""

from skvoz.api.checkups import shown
from skvoz.cli.network import for_support, lines
from skvoz.node.checkup import Report, judge, next_steps
from skvoz.node.checkup.measured import Place, RelayMeasured, Trial

FROZEN = Trial(
    kind="wss", is_direct=True, is_tls=True, end="silent", came_up=True, round_trip_ms=40, carried=16_400
)
WELL = Trial(
    kind="https", is_direct=True, is_tls=True, end="fine", came_up=True, round_trip_ms=300, carried=9_000
)
SHUT = Trial(kind="hop", is_direct=False, is_tls=True, end="unreached")
MEASURED = (
    RelayMeasured(relay=1, trials=(FROZEN, WELL)),
    RelayMeasured(relay=2, trials=(SHUT,), places=(Place(is_tls=True, name="unknown"),)),
)
FOUND = judge(MEASURED)
REPORT = shown(
    Report(
        state="done",
        done=5,
        total=5,
        relays=("one.example", "two.example"),
        measured=MEASURED,
        findings=FOUND,
        steps=next_steps(FOUND, MEASURED),
    )
)


def test_everything_that_was_found_is_said_with_the_relays_names() -> None:
    said = list(lines(REPORT))
    assert said[:6] == [
        "The network that this machine is in:",
        "  one.example, a connection that stays open: comes up, and doesn't hold",
        "  one.example, single requests: works, answers within 300 ms",
        "  two.example, over another relay that carries: doesn't work",
        "- one.example: a connection stops without a word after about 16 kB.",
        "- two.example: this network says that there is no such name.",
    ]
    assert said[6] == "What to do:"
    assert said[-1] == "Not tried: UDP. No relay offers anything over it."


def test_support_gets_numbers_in_place_of_names() -> None:
    told = for_support(REPORT)
    assert "example" not in str(told)
    assert told["findings"][1]["text"] == "relay 2: this network says that there is no such name."
    assert told["seen"][0]["name"] == "unknown"


def test_without_a_relay_nothing_was_tried() -> None:
    assert list(lines(shown(Report(state="done")))) == [
        "No relay is known here, so there was nothing to try."
    ]
