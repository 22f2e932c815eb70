"""When a frozen connection is given up, on a clock of the test's own: however the looks fall."""

import asyncio
from collections.abc import Sequence

import pytest

from skvoz.base.ids import LogId, RelayId
from skvoz.client.effects import Channel, Connect, DropLog, Effect
from skvoz.client.inputs import Input
from skvoz.node import relays
from skvoz.node.dialer import Dialer
from skvoz.node.relays import FROZEN_AFTER_S, Relays
from skvoz.node.ways import Kind, Way
from skvoz.transports.connection import MessageConnection
from tests.transports.virtual_time import run

RELAY = RelayId(bytes(32))
WAYS = tuple(Way(kind=Kind.WSS, address=f"wss://{name}.example/") for name in "ab")
LATE_S = relays._RETRY_FIRST_S + 0.1
"""The pause before the next way, and rounding."""


class Silent:
    """A connection that takes everything, and on which nothing comes after `heard_until_s`."""

    def __init__(self, heard_until_s: float) -> None:
        self._began = asyncio.get_running_loop().time()
        self._until_s = heard_until_s

    @property
    def heard_at(self) -> float:
        return min(asyncio.get_running_loop().time(), self._began + self._until_s)

    async def send(self, message: bytes) -> None:
        del message

    async def receive(self) -> bytes:
        await asyncio.sleep(1_000)
        return b""

    async def close(self) -> None:
        pass


class Noting(Dialer):
    """Notes when it dials."""

    def __init__(self, heard_until_s: float) -> None:
        super().__init__()
        self.dialled_at: list[float] = []
        self._heard_until_s = heard_until_s

    def reach(self, relay_id: RelayId, addresses: Sequence[str]) -> tuple[Way, ...]:
        del relay_id, addresses
        return WAYS

    async def dial(self, way: Way, *, is_hurried: bool = False) -> MessageConnection:
        del way, is_hurried
        self.dialled_at.append(asyncio.get_running_loop().time())
        return Silent(self._heard_until_s)


class Owing:
    """A session that is up, and is owed an answer to whatever it is asked."""

    is_up = True
    public_key = b""

    def __init__(self, **_: object) -> None:
        self.awaits_answer = False

    def connected(self) -> bytes:
        return b""

    def flush(self) -> list[bytes]:
        return []

    def lost(self) -> list[Input]:
        return []

    def request(self, effect: Effect) -> None:
        del effect
        self.awaits_answer = True


async def given_up_after(dialer: Noting, *, asks_after_s: float | None = None) -> float:
    """Return how long after the first connection began the second one did."""
    kept = Relays(lambda _: None, lambda _: None, dialer)
    kept.connect(Connect(relay_id=RELAY, channel=Channel.ROOMS, public_key=b"", addresses=("a", "b")))
    if asks_after_s is not None:
        await asyncio.sleep(asks_after_s)
        kept.request(DropLog(relay_id=RELAY, channel=Channel.ROOMS, log_id=LogId(bytes(32)), owner_key=b""))
    await asyncio.sleep(30)
    await kept.close()
    return dialer.dialled_at[1] - dialer.dialled_at[0]


def test_a_greeting_is_owed_an_answer_from_when_it_goes_out() -> None:
    async def scenario() -> None:
        took_s = await given_up_after(Noting(0.0))
        assert FROZEN_AFTER_S <= took_s <= FROZEN_AFTER_S + LATE_S

    run(scenario())


@pytest.mark.parametrize("asks_after_s", [4.1, 4.9])
def test_what_was_asked_between_two_looks_is_owed_from_then(
    asks_after_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relays, "RelaySession", Owing)

    async def scenario() -> None:
        took_s = await given_up_after(Noting(1.0), asks_after_s=asks_after_s)
        assert FROZEN_AFTER_S <= took_s - asks_after_s <= FROZEN_AFTER_S + LATE_S

    run(scenario())


def test_whatever_arrives_puts_the_end_off() -> None:
    async def scenario() -> None:
        took_s = await given_up_after(Noting(3.7))
        assert FROZEN_AFTER_S <= took_s - 3.7 <= FROZEN_AFTER_S + LATE_S

    run(scenario())
