"""How long a host that says nothing is waited for, on a clock of the test's own."""

import asyncio
from collections.abc import Sequence

import pytest

from skvoz.base.errors import TransportError
from skvoz.base.ids import RelayId
from skvoz.client.effects import Channel, Connect
from skvoz.node.dialer import HURRIED_S, Dialer
from skvoz.node.relays import Relays
from skvoz.node.ways import Kind, Way
from skvoz.transports.connection import MessageConnection
from tests.transports.virtual_time import run

WAYS = tuple(Way(kind=Kind.WSS, address=f"wss://{name}.example/") for name in "abc")
SILENT_S = 10.0


async def silence(*_: object, **__: object) -> MessageConnection:
    """Give up as a handshake does."""
    await asyncio.sleep(SILENT_S)
    raise TransportError("the relay's address doesn't answer in time")


async def given_up_after(dialer: Dialer, way: Way, *, is_hurried: bool) -> float:
    loop = asyncio.get_running_loop()
    since = loop.time()
    with pytest.raises(TransportError, match="in time"):
        await dialer.dial(way, is_hurried=is_hurried)
    return loop.time() - since


def test_where_there_are_other_ways_a_silent_host_gets_less_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("skvoz.transports.wss.connect", silence)

    async def scenario() -> None:
        assert await given_up_after(Dialer(), WAYS[0], is_hurried=True) == pytest.approx(HURRIED_S)
        assert await given_up_after(Dialer(), WAYS[0], is_hurried=False) == pytest.approx(SILENT_S)

    run(scenario())


def test_waiting_for_a_turn_is_not_the_hosts_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("skvoz.transports.wss.connect", silence)

    async def scenario() -> None:
        dialer = Dialer()
        async with asyncio.TaskGroup() as tasks:
            took = [tasks.create_task(given_up_after(dialer, WAYS[0], is_hurried=True)) for _ in range(2)]
        assert took[1].result() >= 2 * HURRIED_S

    run(scenario())


class Trying(Dialer):
    """Finds no way open, and notes what was tried and if it was hurried."""

    def __init__(self) -> None:
        super().__init__()
        self.tried: list[tuple[str, bool]] = []
        self.tried_at: list[float] = []

    def reach(self, relay_id: RelayId, addresses: Sequence[str]) -> tuple[Way, ...]:
        del relay_id, addresses
        return WAYS

    async def dial(self, way: Way, *, is_hurried: bool = False) -> MessageConnection:
        self.tried.append((way.address[6], is_hurried))
        self.tried_at.append(asyncio.get_running_loop().time())
        await asyncio.sleep(HURRIED_S)
        raise TransportError("the relay's address doesn't answer in time")


def test_after_a_silent_way_another_one_is_tried_at_once_and_the_same_ones_after_a_pause() -> None:
    async def scenario() -> None:
        dialer = Trying()
        relays = Relays(lambda _: None, lambda _: None, dialer)
        relays.connect(
            Connect(relay_id=RelayId(bytes(32)), channel=Channel.ROOMS, public_key=b"", addresses=("a",))
        )
        await asyncio.sleep(5 * HURRIED_S)
        await relays.close()
        first, second, third, fourth = dialer.tried_at[:4]
        assert [second - first, third - second] == pytest.approx([HURRIED_S, HURRIED_S])
        assert fourth - third >= HURRIED_S + 0.5

    run(scenario())


def test_the_last_way_that_is_left_gets_all_the_time_that_it_takes() -> None:
    async def scenario() -> None:
        dialer = Trying()
        relays = Relays(lambda _: None, lambda _: None, dialer)
        relays.connect(
            Connect(
                relay_id=RelayId(bytes(32)), channel=Channel.ROOMS, public_key=b"", addresses=("a", "b", "c")
            )
        )
        await asyncio.sleep(3.5 * HURRIED_S)
        await relays.close()
        assert dialer.tried[:3] == [("a", True), ("b", True), ("c", False)]

    run(scenario())
