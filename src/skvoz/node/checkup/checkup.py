"""A checkup: every way to every relay of a node is tried, and where one fails it is asked why.

It takes a minute at most and can be stopped; what was measured by then is kept. While it runs, the node
begins no other connection: handshakes take turns, and those of a blocked way would take them all.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Literal, TypeVar

from msgspec.structs import replace

from skvoz.base.errors import BadRequest
from skvoz.base.ids import RelayId
from skvoz.base.value import Value
from skvoz.node.checkup.judging import Finding, Step, judge, next_steps
from skvoz.node.checkup.measured import TOGETHER, Place, RelayMeasured, Trial
from skvoz.node.checkup.probing import (
    HELLO_S,
    Resolver,
    Spot,
    another_name,
    ask_name,
    greet_tls,
    spot_of,
    system_resolver,
    touch,
)
from skvoz.node.checkup.trial import try_way
from skvoz.node.dialer import Dialer, network_name
from skvoz.node.ways import Kind, Way
from skvoz.transports.https import look, see_page

CHECKUP_S: Final = 60.0
"""Then it ends with what it has."""
RELAYS_MAX: Final = 4
WAYS_MAX: Final = 8
"""Of one relay."""
PLACES_MAX: Final = 2
"""Of one relay, where connections are asked why they fail."""
PAGE_S: Final = 4.0
PAGE_PORT: Final = 80
_MET_NOTHING: Final = ("reset", "silent")
T = TypeVar("T")
CheckupWord = Literal["none", "running", "done", "stopped"]


class Target(Value, frozen=True, kw_only=True):
    """A relay that is looked at."""

    relay_id: RelayId
    public_key: bytes
    addresses: tuple[str, ...]


class Report(Value, frozen=True, kw_only=True):
    """What is known so far; only `relays`, what people call them, names anybody."""

    state: CheckupWord = "none"
    done: int = 0
    total: int = 0
    relays: tuple[str, ...] = ()
    measured: tuple[RelayMeasured, ...] = ()
    findings: tuple[Finding, ...] = ()
    steps: tuple[Step, ...] = ()
    is_cut_short: bool = False
    has_tried_together: bool = False


class Checkup:
    """The latest checkup of a node; one at a time."""

    def __init__(
        self,
        dialer: Dialer,
        targets: Callable[[], Sequence[Target]],
        broke: Callable[[BaseException], None],
        *,
        resolver: Resolver = system_resolver,
        page_port: int = PAGE_PORT,
    ) -> None:
        """Look at `targets`; `broke` hears of a bug that ended a checkup."""
        self._dialer = dialer
        self._broke = broke
        self._targets = targets
        self._resolver = resolver
        self._page_port = page_port
        self._running: asyncio.Task[None] | None = None
        self._measured: dict[int, RelayMeasured] = {}
        self.report = Report()

    def start(self, *, together: bool = False) -> None:
        """Begin anew, unless one runs; `together` also begins several connections at once, as a browser may.

        Some networks answer that by cutting a machine off for a minute.
        """
        if self._running is not None and not self._running.done():
            return
        self._measured = {}
        reached = [(one, self._ways(one)) for one in self._targets()]
        wanted = [(one, ways) for one, ways in reached if ways][:RELAYS_MAX]
        self.report = Report(
            state="running",
            total=sum(len(ways) + 1 for _, ways in wanted),
            relays=tuple(_called(one) for one, _ in wanted),
        )
        self._running = asyncio.create_task(self._run(wanted, together=together))
        self._running.add_done_callback(self._ended)

    def _ways(self, target: Target) -> tuple[Way, ...]:
        """Return the ways that are tried: a dead drop is no relay, and answers nothing."""
        ways = self._dialer.reach(target.relay_id, target.addresses)
        return tuple(way for way in ways if way.kind is not Kind.DROP)[:WAYS_MAX]

    async def stop(self) -> None:
        """End what runs; what it has found is kept."""
        if self._running is not None and not self._running.done():
            self._running.cancel()
            await asyncio.wait((self._running,))

    async def wait(self) -> Report:
        """Wait until nothing runs, and return what was found."""
        if self._running is not None:
            await asyncio.wait((self._running,))
        return self.report

    def _ended(self, running: asyncio.Task[None]) -> None:
        error = None if running.cancelled() else running.exception()
        if error is not None:
            self._broke(error)

    async def _run(self, wanted: list[tuple[Target, tuple[Way, ...]]], *, together: bool) -> None:
        is_cut_short = False
        loading = asyncio.Lock()
        try:
            async with self._dialer.alone(), asyncio.timeout(CHECKUP_S):
                async with asyncio.TaskGroup() as tasks:
                    for number, (target, ways) in enumerate(wanted, 1):
                        tasks.create_task(self._measure(number, target, ways, loading))
                if together:
                    await self._begin_together(wanted)
        except TimeoutError:
            is_cut_short = True
        except BaseException:
            self._conclude("stopped", is_cut_short=True, has_tried_together=False)
            raise
        self._conclude("done", is_cut_short=is_cut_short, has_tried_together=together and not is_cut_short)

    def _conclude(self, state: CheckupWord, *, is_cut_short: bool, has_tried_together: bool) -> None:
        measured = tuple(self._measured[number] for number in sorted(self._measured))
        findings = judge(measured, has_network=any(network_name()))
        self.report = replace(
            self.report,
            state=state,
            measured=measured,
            findings=findings,
            steps=next_steps(findings, measured),
            is_cut_short=is_cut_short,
            has_tried_together=has_tried_together,
        )

    def _step(self, one: RelayMeasured) -> None:
        self._measured[one.relay] = one
        self.report = replace(self.report, done=min(self.report.total, self.report.done + 1))

    async def _measure(
        self, number: int, target: Target, ways: tuple[Way, ...], loading: asyncio.Lock
    ) -> None:
        one = RelayMeasured(relay=number, is_complete=False)
        self._measured[number] = one
        for way in ways:
            trial = await self._try(way, target, loading)
            one = replace(one, trials=(*one.trials, trial))
            self._step(one)
        if any(trial.came_up or trial.carried for trial in one.trials):
            # What alone doesn't come up may have had bad luck.
            one = replace(one, trials=await self._try_again(ways, one.trials, target, loading))
            self._measured[number] = one
        tried = list(zip(ways, one.trials, strict=True))
        for spot in _spots_in_doubt(tried):
            place = await self._look_at(spot, browser_came_up=_browser_came_up(spot, tried))
            one = replace(one, places=(*one.places, place))
            self._measured[number] = one
        self._step(replace(one, is_complete=True))

    async def _try(self, way: Way, target: Target, loading: asyncio.Lock) -> Trial:
        trial = await try_way(way, target.relay_id, target.public_key, self._dialer.open, loading)
        if way.kind is Kind.WSS and trial.carried and not trial.works:
            # A stream can break by accident; what breaks twice is broken.
            again = await try_way(way, target.relay_id, target.public_key, self._dialer.open, loading)
            if again.works or again.carried:
                return again
        return trial

    async def _try_again(
        self, ways: tuple[Way, ...], trials: tuple[Trial, ...], target: Target, loading: asyncio.Lock
    ) -> tuple[Trial, ...]:
        found: list[Trial] = []
        for way, trial in zip(ways, trials, strict=True):
            again = not way.through and not trial.came_up and not trial.carried
            found.append(await self._try(way, target, loading) if again else trial)
        return tuple(found)

    async def _look_at(self, spot: Spot, *, browser_came_up: bool) -> Place:
        """Ask why a place doesn't answer, the least conspicuous question first."""
        name, addresses = await ask_name(spot, self._resolver)
        place = Place(is_tls=spot.is_tls, name=name)
        touches = [await self._in_turn(spot, lambda one=one: touch(one, spot.port)) for one in addresses]
        place = replace(place, touches=tuple(touches))
        opened = next((one for one, word in zip(addresses, touches, strict=True) if word == "open"), None)
        if spot.is_tls and opened is not None:
            place = await self._greet(place, spot, opened, browser_came_up=browser_came_up)
        if addresses and place.plain != "answered" and place.browser != "answered":
            page = await see_page(spot.host, self._page_port, PAGE_S)
            place = replace(place, page=page)
        return place

    async def _greet(self, place: Place, spot: Spot, address: str, *, browser_came_up: bool) -> Place:
        plain = await self._in_turn(spot, lambda: greet_tls(address, spot.port, spot.host))
        browser = "answered" if browser_came_up else None
        if browser is None:
            authority = self._dialer.authority
            browser = await self._in_turn(spot, lambda: look(spot.host, spot.port, HELLO_S, authority))
        other = talk = None
        if plain in _MET_NOTHING and browser in _MET_NOTHING:
            name = another_name(spot.host)
            other = await self._in_turn(spot, lambda: greet_tls(address, spot.port, name, judges=False))
        elif plain == "answered" and browser in _MET_NOTHING:
            # A browser's hello is longer: what ends every connection after some packets strikes it alone.
            talk = await self._in_turn(spot, lambda: greet_tls(address, spot.port, spot.host, asks=True))
        return replace(place, plain=plain, browser=browser, other=other, talk=talk)

    async def _in_turn(self, spot: Spot, ask: Callable[[], Awaitable[T]]) -> T:
        async with self._dialer.turn(spot.turn) if spot.is_tls else contextlib.nullcontext():
            return await ask()

    async def _begin_together(self, wanted: list[tuple[Target, tuple[Way, ...]]]) -> None:
        """Begin several connections at once with the first relay that answers a browser."""
        for number, (_, ways) in enumerate(wanted, 1):
            one = self._measured[number]
            if not one.works:
                continue
            for spot in _spots(ways):
                if not spot.is_tls:
                    continue
                asked = (look(spot.host, spot.port, HELLO_S, self._dialer.authority) for _ in range(TOGETHER))
                met = await asyncio.gather(*asked)
                self._measured[number] = replace(one, together=met.count("answered"))
                return


def _called(target: Target) -> str:
    """Return what a relay's own people call it: its host."""
    for address in target.addresses:
        with contextlib.suppress(BadRequest):
            return spot_of(address).host
    return ""


def _spots(ways: Sequence[Way]) -> list[Spot]:
    """Return the places of ways on which this machine itself connects to the relay."""
    found: dict[Spot, None] = {}
    for way in ways:
        if not way.through and way.kind in {Kind.WSS, Kind.HTTPS}:
            with contextlib.suppress(BadRequest):
                found[spot_of(way.address)] = None
    return list(found)


def _spots_in_doubt(tried: Sequence[tuple[Way, Trial]]) -> list[Spot]:
    """Return the places of ways that didn't come up, of as many as there is time for."""
    return _spots([way for way, trial in tried if not trial.came_up])[:PLACES_MAX]


def _browser_came_up(spot: Spot, tried: Sequence[tuple[Way, Trial]]) -> bool:
    """Tell whether single requests, which begin as a browser does, came up at a place."""
    return any(trial.came_up and spot in _spots([way]) for way, trial in tried if way.kind is Kind.HTTPS)
