"""A relay of somebody else's is reached through our own: it never sees the address of who talks there."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

import pytest
from picows import WSTransport
from websockets.asyncio.client import ClientConnection

from skvoz.client.records import Inbox, MessageState
from skvoz.relay import Carriage
from skvoz.server import Settings, disclose
from skvoz.server.listener import Connections
from skvoz.server.onward import Onwards
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


async def has_opened(person: Person) -> bool:
    """Tell whether the inbox of a link is at its relay."""
    inboxes = await person.records(Inbox)
    return bool(inboxes) and all(one.opened for one in inboxes)


def test_the_far_relay_sees_the_near_ones_address_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[Connections, object]] = []
    went: list[object] = []
    opened, open_onward = Connections.opened, Onwards._open

    def see(self: Connections, transport: WSTransport) -> int:
        seen.append((self, transport.underlying_transport.get_extra_info("peername")))
        return opened(self, transport)

    async def go(self: Onwards, address: str) -> ClientConnection:
        connection = await open_onward(self, address)
        went.append(connection.local_address)
        return connection

    monkeypatch.setattr(Connections, "opened", see)
    monkeypatch.setattr(Onwards, "_open", go)

    async def scenario() -> None:
        async with two_relays(tmp_path) as (near, far, anna, boris):
            link = await anna.link()
            await until(lambda: has_opened(anna))
            await anna.sleep()  # she goes to her relay directly
            seen.clear()

            async def all_went_by_the_near_relay() -> bool:
                at_far = {peer for connections, peer in seen if connections is far.relay._connections}
                return bool(at_far) and at_far <= set(went)

            to_anna = await boris.accept_link(link, "who am I?")
            [first] = [one.message_id for one in await boris.messages(to_anna)]
            await boris.wait_for_state(first, MessageState.SENT)
            await until(all_went_by_the_near_relay)
            assert any(connections is near.relay._connections for connections, _ in seen)
            assert await is_carried(boris)
            assert not [line for line in disclose(far.relay_folder) if "127.0.0.1" in line]
            assert not [line for line in disclose(near.relay_folder) if str(far.relay.port) in line]
            await anna.wake()
            to_boris = await boris.account_id()
            await anna.wait_for(to_boris, ["who am I?"])
            await anna.send(to_boris, "somebody")
            await boris.wait_for(to_anna, ["who am I?", "somebody"])

    asyncio.run(scenario())


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
