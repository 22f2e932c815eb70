"""From measurements to findings: one row for each, and what holds for all of them."""

from typing import Final, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from skvoz.node.checkup import Code, Step, judge, next_steps
from skvoz.node.checkup.measured import (
    TOGETHER,
    HelloWord,
    NameWord,
    PageWord,
    Place,
    RelayMeasured,
    TouchWord,
    Trial,
    TrialEnd,
)
from skvoz.node.checkup.words import FINDINGS, STEPS

STREAM: Final = Trial(
    kind="wss",
    is_direct=True,
    is_tls=True,
    end="fine",
    came_up=True,
    round_trip_ms=40,
    carried=300_000,
    kbit_s=5_000,
)
REQUESTS: Final = replace(STREAM, kind="https", carried=9_000, kbit_s=None)
NO_STREAM: Final = replace(STREAM, end="unreached", came_up=False, carried=0, kbit_s=None, round_trip_ms=None)
NO_REQUESTS: Final = replace(NO_STREAM, kind="https")
FROZEN: Final = replace(STREAM, end="silent", carried=16_400, kbit_s=None)
BOTH: Final = (STREAM, REQUESTS)
NEITHER: Final = (NO_STREAM, NO_REQUESTS)
OPEN: Final = Place(is_tls=True, name="found", touches=("open",), plain="answered", browser="answered")
NOTHING: Final = replace(OPEN, plain=None, browser=None)


def relay(*trials: Trial, place: Place | None = None, number: int = 1, together: int | None = None):  # noqa: ANN201  # in the table below
    places = () if place is None else (place,)
    return RelayMeasured(relay=number, trials=trials, places=places, together=together)


def met(
    plain: HelloWord, browser: HelloWord, other: HelloWord | None = None, page: PageWord = "nothing"
) -> Place:
    return replace(OPEN, plain=plain, browser=browser, other=other, page=page)


TABLE: Final = (
    (relay(*BOTH), ()),
    (relay(*BOTH, together=TOGETHER), ()),
    (relay(*BOTH, together=2), (Code.MANY_BLOCKED,)),
    (relay(*NEITHER, place=Place(is_tls=True, name="unknown")), (Code.NAME_UNKNOWN,)),
    (relay(*NEITHER, place=Place(is_tls=True, name="silent")), (Code.NAME_SILENT,)),
    (relay(*NEITHER, place=replace(NOTHING, name="inward", touches=("refused",))), (Code.NAME_FALSE,)),
    (
        relay(*NEITHER, place=replace(met("untrusted", "reset", page="elsewhere"), name="inward")),
        (Code.PAGE_INSTEAD,),
    ),
    (relay(*NEITHER, place=replace(met("untrusted", "reset"), name="inward")), (Code.NAME_FALSE,)),
    (relay(*NEITHER, place=replace(met("reset", "reset", "answered"), name="inward")), (Code.NAME_RESET,)),
    (relay(*NEITHER, place=replace(NOTHING, touches=("silent", "silent"))), (Code.ADDRESS_SILENT,)),
    (relay(*NEITHER, place=replace(NOTHING, touches=("silent", "refused"))), (Code.ADDRESS_REFUSED,)),
    (relay(*NEITHER, place=replace(NOTHING, touches=("refused",), page="demand")), (Code.PAGE_INSTEAD,)),
    (relay(*NEITHER, place=replace(NOTHING, touches=("no_route",))), (Code.OFFLINE,)),
    (relay(*NEITHER, place=met("reset", "reset", "answered")), (Code.NAME_RESET,)),
    (relay(*NEITHER, place=met("silent", "silent", "answered")), (Code.NAME_DROPPED,)),
    (relay(*NEITHER, place=met("silent", "silent", "answered", "page")), (Code.NAME_DROPPED,)),
    (relay(*NEITHER, place=met("reset", "silent", "reset")), (Code.TLS_RESET,)),
    (relay(*NEITHER, place=met("silent", "silent", "silent")), (Code.TLS_DROPPED,)),
    (relay(*NEITHER, place=met("silent", "silent", "silent", "elsewhere")), (Code.PAGE_INSTEAD,)),
    (relay(NO_STREAM, REQUESTS, place=met("silent", "answered")), (Code.PROGRAM_HELLO_BLOCKED,)),
    (relay(STREAM, NO_REQUESTS, place=met("answered", "reset")), (Code.BROWSER_HELLO_BLOCKED,)),
    (
        relay(*NEITHER, place=replace(met("answered", "silent"), talk="answered")),
        (Code.BROWSER_HELLO_BLOCKED,),
    ),
    (relay(*NEITHER, place=replace(met("answered", "silent"), talk="silent")), (Code.STALLS,)),
    (relay(*NEITHER, place=replace(met("answered", "reset"), talk="reset")), (Code.STALLS,)),
    (relay(*NEITHER, place=met("other_site", "untrusted")), (Code.NAME_FALSE,)),
    (relay(*NEITHER, place=met("untrusted", "untrusted")), (Code.CERTIFICATE_REPLACED,)),
    (relay(*NEITHER, place=met("untrusted", "untrusted", page="page")), (Code.PAGE_INSTEAD,)),
    (relay(*NEITHER, place=met("untimely", "untrusted")), (Code.CLOCK,)),
    (relay(*NEITHER, place=OPEN), (Code.RELAY_ABSENT,)),
    (relay(replace(NO_STREAM, end="silent"), place=OPEN), (Code.STALLS,)),
    (relay(*NEITHER), (Code.UNCLEAR,)),
    (relay(NO_STREAM, REQUESTS, place=OPEN), (Code.NO_STREAM,)),
    (relay(FROZEN, REQUESTS), (Code.FREEZES,)),
    (relay(replace(FROZEN, end="broken"), REQUESTS), (Code.BREAKS,)),
    (relay(replace(STREAM, kbit_s=140), REQUESTS), (Code.SLOW,)),
    (replace(relay(NO_STREAM), is_complete=False), ()),
)


@pytest.mark.parametrize(("measured", "codes"), TABLE, ids=range(len(TABLE)))
def test_what_follows(measured: RelayMeasured, codes: tuple[Code, ...]) -> None:
    assert tuple(finding.code for finding in judge([measured])) == codes


def test_every_finding_stands_in_the_table_and_has_its_words() -> None:
    assert {code for _, codes in TABLE for code in codes} | {Code.THROTTLED} == set(Code) == set(FINDINGS)
    assert set(Step) == set(STEPS)


def test_a_relay_that_is_slow_beside_a_quick_one_is_throttled() -> None:
    throttled = relay(replace(STREAM, kbit_s=140))
    (found,) = judge([throttled, relay(STREAM, number=2)])
    assert (found.code, found.relay, found.numbers) == (Code.THROTTLED, 1, {"kbit_s": 140, "other": 5_000})
    both_slow = judge([throttled, relay(replace(STREAM, kbit_s=150), number=2)])
    assert [found.code for found in both_slow] == [Code.SLOW, Code.SLOW]


def test_where_a_connection_stops_is_said_in_kilobytes() -> None:
    (found,) = judge([relay(FROZEN, REQUESTS)])
    assert found.numbers == {"kb": 16}


def test_what_is_true_of_all_relays_is_said_once() -> None:
    silent = Place(is_tls=True, name="silent")
    both = [relay(*NEITHER, place=silent, number=number) for number in (1, 2)]
    assert [(found.code, found.relay) for found in judge(both)] == [(Code.NAME_SILENT, 0)]
    one = [both[0], relay(*BOTH, number=2)]
    assert [(found.code, found.relay) for found in judge(one)] == [(Code.NAME_SILENT, 1)]


def test_without_any_network_nothing_else_is_said() -> None:
    silent = relay(*NEITHER, place=Place(is_tls=True, name="silent"))
    assert [found.code for found in judge([silent], has_network=False)] == [Code.OFFLINE]
    assert judge([relay(*BOTH)], has_network=False) == ()


def test_where_every_relay_is_reached_nothing_is_to_be_done() -> None:
    measured = [relay(FROZEN, REQUESTS), relay(*BOTH, number=2)]
    assert next_steps(judge(measured), measured) == (Step.NOTHING,)
    assert next_steps((), [relay(*BOTH)]) == ()


def test_what_helps_comes_before_waiting() -> None:
    measured = [relay(*NEITHER, place=met("untrusted", "untrusted", page="elsewhere"))]
    assert next_steps(judge(measured), measured) == (Step.LOG_IN,)
    measured = [relay(*NEITHER, place=Place(is_tls=True, name="unknown"))]
    steps = next_steps(judge(measured), measured)
    assert steps[0] is Step.OTHER_RESOLVER
    assert steps[-1] is Step.WAIT


def test_ways_without_a_relay_are_named_where_none_works() -> None:
    blocked = relay(*NEITHER, place=met("silent", "silent", "answered"))
    unreached = relay(*NEITHER, place=Place(is_tls=True, name="unknown"), number=2)
    for measured in ([blocked], [blocked, unreached]):
        steps = next_steps(judge(measured), measured)
        assert steps[-3:] == (Step.DROP, Step.BUNDLE, Step.WAIT)
        assert Step.HOP in steps
    measured = [blocked, relay(*BOTH, number=2)]
    steps = next_steps(judge(measured), measured)
    assert Step.HOP in steps
    assert not {Step.DROP, Step.BUNDLE} & set(steps)


def test_what_carries_on_helps_nobody_whose_relay_is_off() -> None:
    measured = [relay(*NEITHER, place=OPEN)]
    assert next_steps(judge(measured), measured) == (Step.TELL_OPERATOR, Step.WAIT)


def test_without_a_network_messages_go_by_hand() -> None:
    measured = [relay(*NEITHER, place=replace(NOTHING, touches=("no_route",)))]
    assert next_steps(judge(measured), measured) == (Step.CONNECT, Step.BUNDLE)


hellos = st.none() | st.sampled_from(get_args(HelloWord))
places = st.builds(
    Place,
    is_tls=st.booleans(),
    name=st.none() | st.sampled_from(get_args(NameWord)),
    touches=st.lists(st.sampled_from(get_args(TouchWord)), max_size=3).map(tuple),
    plain=hellos,
    browser=hellos,
    other=hellos,
    talk=hellos,
    page=st.none() | st.sampled_from(get_args(PageWord)),
)
trials = st.builds(
    Trial,
    kind=st.sampled_from(("wss", "https", "hop")),
    is_direct=st.booleans(),
    is_tls=st.booleans(),
    end=st.sampled_from(get_args(TrialEnd)),
    came_up=st.booleans(),
    round_trip_ms=st.none() | st.integers(0, 10_000),
    carried=st.integers(0, 10**6),
    kbit_s=st.none() | st.integers(1, 10**6),
)
relays = st.builds(
    RelayMeasured,
    relay=st.just(0),
    trials=st.lists(trials, max_size=4).map(tuple),
    places=st.lists(places, max_size=2).map(tuple),
    together=st.none() | st.integers(0, TOGETHER),
    is_complete=st.booleans(),
)
networks = st.lists(relays, min_size=1, max_size=3).map(
    lambda found: [replace(one, relay=number) for number, one in enumerate(found, 1)]
)


@given(networks, st.booleans())
def test_whatever_was_measured_is_judged(measured: list[RelayMeasured], has_network: bool) -> None:  # noqa: FBT001
    found = judge(measured, has_network=has_network)
    steps = next_steps(found, measured)
    assert bool(found) == bool(steps)
    assert len(set(steps)) == len(steps)
    assert len({(one.code, one.relay) for one in found}) == len(found)
    for one in found:
        assert 0 <= one.relay <= len(measured)
        FINDINGS[one.code].format(relay="a relay", **one.numbers)
    for one in measured:
        told = [finding for finding in found if finding.relay in {0, one.relay}]
        if one.is_complete and not one.works:
            assert told, "a relay that can't be reached is never passed over"


@given(networks)
def test_ways_that_are_well_give_nothing(measured: list[RelayMeasured]) -> None:
    well = [replace(one, trials=BOTH, places=(), together=None) for one in measured]
    assert judge(well) == ()
