"""A node goes over another relay by itself, and nothing is lost or told twice where that one means harm."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import pytest
from websockets.asyncio.client import ClientConnection

from skvoz.base.errors import TransportError
from skvoz.client.records import Inbox
from skvoz.crypto import sha256
from skvoz.node.dialer import Dialer
from skvoz.node.ways import Way
from skvoz.relay import Carriage
from skvoz.server import Settings
from skvoz.transports.connection import MessageConnection
from tests.node.people import Person, World, until, world

Fault = Literal["repeats", "garbles", "drops"]
pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("skvoz.node.relays.FROZEN_AFTER_S", 1.5)


@asynccontextmanager
async def two_relays(folder: Path) -> AsyncGenerator[tuple[World, World, Person, Person]]:
    """Boris lives at the near relay, Anna at the far one; both carry."""
    carrying = Settings(port=0, reserve_bytes=0, carriage=Carriage(local=True))
    async with world(folder / "near", carrying) as near, world(folder / "far", carrying) as far:
        anna = await far.person("Anna")
        boris = await near.person("Boris")
        yield near, far, anna, boris


async def is_carried(person: Person) -> bool:
    states = person.node.relay_states()
    return any(" (" in one.address and one.state == "connected" for one in states)


@pytest.fixture
def blocked(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """Return ports that nobody's node gets to directly, by whatever way."""
    ports = set[int]()

    def block(opened: Callable[..., Awaitable[MessageConnection]]) -> object:
        async def open_way(self: Dialer, way: Way, *within_s: float) -> MessageConnection:
            if urlsplit(way.address).port in ports:
                raise TransportError("blocked")
            return await opened(self, way, *within_s)

        return open_way

    for name in ("_open_websocket", "_open_requests"):
        monkeypatch.setattr(Dialer, name, block(getattr(Dialer, name)))
    return ports


async def has_opened(person: Person) -> bool:
    """Tell whether the inbox of a link is at its relay."""
    inboxes = await person.records(Inbox)
    return bool(inboxes) and all(one.opened for one in inboxes)


@pytest.mark.parametrize("fault", ["repeats", "garbles", "drops"])
def test_a_hop_that_meddles_loses_and_doubles_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Fault
) -> None:
    """The session inside notices, ends, and is resumed by another way."""
    count = 0
    send = ClientConnection.send

    async def meddle(self: ClientConnection, message: bytes) -> None:
        nonlocal count
        is_carried_message = self.protocol.logger.name == "skvoz.onward" and len(message) > 500
        count += is_carried_message
        if not is_carried_message or count < 8:
            await send(self, message)
        elif fault == "repeats":
            await send(self, message)
            await send(self, message)
        elif fault == "garbles":
            await send(self, message[:-1] + bytes([message[-1] ^ 1]))

    async def scenario() -> None:
        async with two_relays(tmp_path) as (_, far, anna, boris):
            await far.introduce(anna, boris)  # the room is at the relay of who opened the link
            to_boris, to_anna = await boris.account_id(), await anna.account_id()
            await until(lambda: is_carried(anna))
            monkeypatch.setattr(ClientConnection, "send", meddle)
            texts = [f"text {number}" for number in range(12)]
            for text in texts:
                await anna.send(to_boris, text)
                await asyncio.sleep(0.05)
            await boris.wait_for(to_anna, ["hello", *texts])
            await boris.send(to_anna, "heard you")
            await anna.wait_for(to_boris, ["hello", *texts, "heard you"])
            assert count >= 8
            assert await anna.counted("entries_dropped") == 0
            assert await boris.counted("entries_dropped") == 0

    asyncio.run(scenario())


def test_where_the_relay_that_carries_is_away_people_are_reached_without_it(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_relays(tmp_path) as (_, far, anna, boris):
            await far.introduce(anna, boris)
            to_boris, to_anna = await boris.account_id(), await anna.account_id()
            await until(lambda: is_carried(anna))
            await far.stop_relay()
            await anna.send(to_boris, "straight")
            await boris.wait_for(to_anna, ["hello", "straight"])

    asyncio.run(scenario())


def test_where_the_own_relay_is_blocked_another_one_leads_to_it(
    tmp_path: Path, blocked: set[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By itself: in the middle, and from the start of a node; and back, once nothing is blocked any more."""
    monkeypatch.setattr("skvoz.node.ways.BLOCKED_FIRST_S", 2.0)

    async def scenario() -> None:
        async with two_relays(tmp_path) as (near, far, anna, boris):
            await far.introduce(anna, boris)
            to_boris, to_anna = await boris.account_id(), await anna.account_id()
            home_id = sha256(near.relay.public_key)

            async def all_go(*, by_hop: bool) -> bool:
                states = [one for one in boris.node.relay_states() if one.relay_id == home_id]
                return bool(states) and all(
                    (" (" in one.address) is by_hop and one.state == "connected" for one in states
                )

            async def goes_over_the_other() -> bool:
                return await all_go(by_hop=True)

            async def goes_straight() -> bool:
                return await all_go(by_hop=False)

            assert not await goes_over_the_other()
            await near.stop_relay()
            blocked.add(near.settings.port)
            await near.start_relay()
            await boris.send(to_anna, "around")
            await anna.wait_for(to_boris, ["hello", "around"])
            await until(goes_over_the_other)
            await boris.sleep()
            await anna.send(to_boris, "and back")
            await boris.wake()
            await boris.wait_for(to_anna, ["hello", "around", "and back"])
            await until(goes_over_the_other)
            blocked.clear()
            await until(goes_straight)

    asyncio.run(scenario())
