"""From measurements to findings, pure: what is blocked here, how it looks, and what to do next.

Measurements say what happened to this machine's own connections. Where that has more than one explanation,
the finding says what was seen and no more: a relay that is off looks like one whose address is blocked.
"""

from collections.abc import Iterator, Sequence
from enum import Enum
from typing import Final

import msgspec

from skvoz.base.value import Value
from skvoz.node.checkup.measured import SLOW_KBIT_S, TOGETHER, Place, RelayMeasured, Trial

_MET_NOTHING: Final = ("reset", "silent")
_THROTTLE_FACTOR: Final = 4
"""So many times as fast as another relay on the same network: that is no slow network."""
_BYTES_IN_KB: Final = 1000


class Code(Enum):
    """What can be found."""

    OFFLINE = "offline"
    PAGE_INSTEAD = "page_instead"
    CLOCK = "clock"
    NAME_UNKNOWN = "name_unknown"
    NAME_SILENT = "name_silent"
    NAME_FALSE = "name_false"
    ADDRESS_SILENT = "address_silent"
    ADDRESS_REFUSED = "address_refused"
    CERTIFICATE_REPLACED = "certificate_replaced"
    NAME_RESET = "name_reset"
    NAME_DROPPED = "name_dropped"
    PROGRAM_HELLO_BLOCKED = "program_hello_blocked"
    BROWSER_HELLO_BLOCKED = "browser_hello_blocked"
    TLS_RESET = "tls_reset"
    TLS_DROPPED = "tls_dropped"
    FREEZES = "freezes"
    BREAKS = "breaks"
    THROTTLED = "throttled"
    SLOW = "slow"
    MANY_BLOCKED = "many_blocked"
    NO_STREAM = "no_stream"
    STALLS = "stalls"
    RELAY_ABSENT = "relay_absent"
    UNCLEAR = "unclear"


class Step(Enum):
    """What a person can do next."""

    NOTHING = "nothing"
    CONNECT = "connect"
    LOG_IN = "log_in"
    SET_CLOCK = "set_clock"
    ASK_ELSEWHERE = "ask_elsewhere"
    ASK_ADDRESS = "ask_address"
    OTHER_NETWORK = "other_network"
    PROXY = "proxy"
    HOP = "hop"
    DROP = "drop"
    BUNDLE = "bundle"
    OTHER_RESOLVER = "other_resolver"
    TELL_OPERATOR = "tell_operator"
    WAIT = "wait"


class Finding(Value, frozen=True, kw_only=True):
    """One thing that was found, of a relay by its number, or of the network as a whole (0)."""

    code: Code
    relay: int = 0
    numbers: dict[str, int] = msgspec.field(default_factory=dict[str, int])


def judge(measured: Sequence[RelayMeasured], *, has_network: bool = True) -> tuple[Finding, ...]:
    """Return what is to be said of a network, the gravest first; nothing where all ways are well."""
    if not any(one.works for one in measured) and (not has_network or _has_no_route(measured)):
        return (Finding(code=Code.OFFLINE),)
    found = [finding for one in measured for finding in _of_relay(one, measured)]
    together = _of_network(found, measured)
    covered = {finding.code for finding in together}
    return (*together, *(finding for finding in found if finding.code not in covered))


def next_steps(findings: Sequence[Finding], measured: Sequence[RelayMeasured]) -> tuple[Step, ...]:
    """Return what helps, the likeliest first, each once; nothing where nothing was found."""
    if not findings:
        return ()
    codes = {finding.code for finding in findings}
    urgent = [step for code, step in _URGENT.items() if code in codes]
    if urgent:
        return (*dict.fromkeys(urgent), *((Step.BUNDLE,) if Code.OFFLINE in codes else ()))
    if measured and all(one.works for one in measured):
        return (Step.NOTHING,)
    cut_off = {one.relay for one in measured if not one.works}
    wanted = [step for one in findings if one.relay in cut_off for step in _STEPS.get(one.code, ())]
    if any(one.works for one in measured):  # whoever has a relay that works needs no way without one
        wanted = [step for step in wanted if step not in _WITHOUT_RELAY]
    return tuple(dict.fromkeys((*sorted(wanted, key=_WITHOUT_RELAY.__contains__), Step.WAIT)))


_URGENT: Final = {
    Code.OFFLINE: Step.CONNECT,
    Code.PAGE_INSTEAD: Step.LOG_IN,
    Code.CLOCK: Step.SET_CLOCK,
}
_WITHOUT_RELAY: Final = (Step.DROP, Step.BUNDLE)
_AROUND: Final = (Step.PROXY, Step.HOP, Step.ASK_ADDRESS, Step.OTHER_NETWORK, *_WITHOUT_RELAY)
_STEPS: Final = {
    Code.NAME_UNKNOWN: (Step.OTHER_RESOLVER, *_AROUND),
    Code.NAME_SILENT: (Step.OTHER_RESOLVER, *_AROUND),
    Code.NAME_FALSE: (Step.OTHER_RESOLVER, *_AROUND),
    Code.ADDRESS_SILENT: (Step.ASK_ELSEWHERE, *_AROUND),
    Code.ADDRESS_REFUSED: (Step.ASK_ELSEWHERE, Step.TELL_OPERATOR),
    Code.CERTIFICATE_REPLACED: _AROUND,
    Code.NAME_RESET: _AROUND,
    Code.NAME_DROPPED: _AROUND,
    Code.PROGRAM_HELLO_BLOCKED: _AROUND,
    Code.BROWSER_HELLO_BLOCKED: _AROUND,
    Code.TLS_RESET: (Step.ASK_ELSEWHERE, *_AROUND),
    Code.TLS_DROPPED: (Step.ASK_ELSEWHERE, *_AROUND),
    Code.FREEZES: _AROUND,
    Code.BREAKS: _AROUND,
    Code.STALLS: (Step.ASK_ELSEWHERE, *_AROUND),
    Code.RELAY_ABSENT: (Step.TELL_OPERATOR,),
    Code.UNCLEAR: (Step.ASK_ELSEWHERE, Step.OTHER_NETWORK),
}


def _has_no_route(measured: Sequence[RelayMeasured]) -> bool:
    """Tell whether nothing left this machine at all."""
    places = (place for one in measured for place in one.places)
    touches = [touch for place in places for touch in place.touches]
    return bool(touches) and all(touch == "no_route" for touch in touches)


def _of_network(found: list[Finding], measured: Sequence[RelayMeasured]) -> tuple[Finding, ...]:
    """Return what is true of all relays at once, and is therefore said once."""
    if len(measured) < 2 or any(one.works for one in measured):  # one is no pattern
        return ()
    everywhere = (Code.PAGE_INSTEAD, Code.CLOCK, Code.NAME_SILENT)
    relays = {one.relay for one in measured}
    return tuple(
        Finding(code=code)
        for code in everywhere
        if {finding.relay for finding in found if finding.code is code} == relays
    )


def _of_relay(one: RelayMeasured, measured: Sequence[RelayMeasured]) -> list[Finding]:
    codes = [code for place in one.places for code in _of_place(place)]
    found = [Finding(code=code, relay=one.relay) for code in dict.fromkeys(codes)]
    found += _of_trials(one, measured)
    if not found and _has_requests_alone(one):
        found.append(Finding(code=Code.NO_STREAM, relay=one.relay))
    if not found and one.is_complete and not one.works:
        found.append(Finding(code=_unexplained(one), relay=one.relay))
    if one.together is not None and one.together < TOGETHER:
        numbers = {"answered": one.together, "of": TOGETHER}
        found.append(Finding(code=Code.MANY_BLOCKED, relay=one.relay, numbers=numbers))
    return found


def _has_requests_alone(one: RelayMeasured) -> bool:
    """Tell whether single requests work where no connection that stays open came up."""
    streams = [trial for trial in one.trials if _is_direct_stream(trial)]
    requests = (trial for trial in one.trials if trial.is_direct and trial.kind == "https")
    return (
        bool(streams) and not any(trial.came_up for trial in streams) and any(one.works for one in requests)
    )


def _unexplained(one: RelayMeasured) -> Code:
    """Return what to say where every question was answered, and no way works."""
    if not any(_is_there(place) for place in one.places):
        return Code.UNCLEAR
    stalls = any(trial.is_direct and trial.end == "silent" for trial in one.trials)
    return Code.STALLS if stalls else Code.RELAY_ABSENT


def _is_there(place: Place) -> bool:
    """Tell whether somebody answers at a place who may answer there."""
    return place.plain == "answered" if place.is_tls else "open" in place.touches


def _of_place(place: Place) -> Iterator[Code]:
    """Yield what keeps connections from a place: the first thing on the way explains the rest."""
    match place.name:
        case "unknown":
            yield Code.NAME_UNKNOWN
            return
        case "silent":
            yield Code.NAME_SILENT
            return
        case "inward" if _is_somebody_else(place):
            yield Code.PAGE_INSTEAD if _is_login(place) else Code.NAME_FALSE
            return
        case _:
            pass
    if place.touches and "open" not in place.touches:
        if _is_login(place):
            yield Code.PAGE_INSTEAD
        else:
            yield Code.ADDRESS_REFUSED if "refused" in place.touches else Code.ADDRESS_SILENT
    elif place.is_tls:
        yield from _of_hellos(place)


def _is_somebody_else(place: Place) -> bool:
    """Tell whether nobody is at an address, or somebody whose certificate is not the relay's."""
    return "open" not in place.touches or place.plain in {"other_site", "untrusted"}


def _of_hellos(place: Place) -> Iterator[Code]:
    plain, browser = place.plain, place.browser
    if plain == "untimely":
        yield Code.CLOCK
    elif plain in {"other_site", "untrusted"}:
        # Whoever answers for any name says by a page of its own what it wants.
        if _is_login(place) or place.page == "page":
            yield Code.PAGE_INSTEAD
        else:
            yield Code.NAME_FALSE if plain == "other_site" else Code.CERTIFICATE_REPLACED
    elif plain in _MET_NOTHING and browser in _MET_NOTHING:
        if _is_login(place):
            yield Code.PAGE_INSTEAD
        elif place.other in _MET_NOTHING:
            yield Code.TLS_RESET if plain == "reset" else Code.TLS_DROPPED
        elif place.other is not None:
            yield Code.NAME_RESET if plain == "reset" else Code.NAME_DROPPED
    elif plain in _MET_NOTHING and browser == "answered":
        yield Code.PROGRAM_HELLO_BLOCKED
    elif plain == "answered" and browser in _MET_NOTHING:
        yield Code.STALLS if place.talk in _MET_NOTHING else Code.BROWSER_HELLO_BLOCKED


def _is_login(place: Place) -> bool:
    """Tell whether the network itself answers for the place, and leads elsewhere."""
    return place.page in {"elsewhere", "demand"}


def _of_trials(one: RelayMeasured, measured: Sequence[RelayMeasured]) -> Iterator[Finding]:
    for end, code in (("silent", Code.FREEZES), ("broken", Code.BREAKS)):
        ended = [trial.carried for trial in one.trials if _is_direct_stream(trial) and trial.end == end]
        if any(ended):
            least = min(filter(None, ended))
            numbers = {"kb": max(1, round(least / _BYTES_IN_KB))}
            yield Finding(code=code, relay=one.relay, numbers=numbers)
    speeds = [trial.kbit_s for trial in one.trials if _is_stream(trial) and trial.kbit_s is not None]
    if speeds and max(speeds) < SLOW_KBIT_S:
        yield _slow(one.relay, max(speeds), measured)


def _slow(relay: int, kbit_s: int, measured: Sequence[RelayMeasured]) -> Finding:
    """Tell a slow network from one that is slow to this relay alone."""
    others = (trial for other in measured if other.relay != relay for trial in other.trials)
    fastest = max((trial.kbit_s or 0 for trial in others if _is_stream(trial)), default=0)
    if fastest >= _THROTTLE_FACTOR * max(1, kbit_s):
        return Finding(code=Code.THROTTLED, relay=relay, numbers={"kbit_s": kbit_s, "other": fastest})
    return Finding(code=Code.SLOW, relay=relay, numbers={"kbit_s": kbit_s})


def _is_direct_stream(trial: Trial) -> bool:
    """Tell whether a trial was of one connection of this machine's own: only there something can stop."""
    return trial.is_direct and trial.kind == "wss"


def _is_stream(trial: Trial) -> bool:
    """Tell whether the speed of a trial is the network's: single requests are slow on purpose."""
    return trial.works and _is_direct_stream(trial)
