"""A node finds a way that works, leaves one that freezes, and comes back: nothing is lost, nothing twice."""

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from skvoz.client.commands import CreateAccount
from skvoz.client.records import MessageState, Relay
from skvoz.server import Settings
from skvoz.transports.pace import Pace
from tests.node.barrier import Barrier, Mood, barrier
from tests.node.people import Person, World, client_id, until, world


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("skvoz.node.relays.FROZEN_AFTER_S", 1.5)
    monkeypatch.setattr("skvoz.transports.wss.websocket._OPEN_TIMEOUT_S", 1.5)
    monkeypatch.setattr("skvoz.node.ways.BLOCKED_FIRST_S", 4.0)
    # Handshakes follow each other closely here: what they wait for is tried by tests/node/test_curtain.py.
    monkeypatch.setattr("skvoz.transports.pace._JITTER_S", 0.0)
    monkeypatch.setitem(vars(Pace)["__init__"].__kwdefaults__, "apart_s", 0.02)


async def person_with_two_ways(here: World, name: str, port: int) -> Person:
    """Make somebody who reaches the relay by a WebSocket through a barrier, and by requests beside it."""
    made = Person(here.folder / name)
    here.people.append(made)
    await made.wake()
    addresses = (f"ws://127.0.0.1:{port}/", here.url.replace("ws:", "http:"))
    relay = msgspec.structs.replace(here.address, addresses=addresses)
    await made.do(CreateAccount(client_id=client_id(), name=name, relay=relay))
    return made


async def person_with_one_way(here: World, name: str) -> Person:
    """Make somebody who reaches the relay by requests: what they tell their contacts of it is nothing new."""
    return await here.person(name, url=here.url.replace("ws:", "http:"))


async def goes_by(person: Person, kind: str) -> None:
    """Wait until all sessions are up over a kind of address; quiet ones hear of a freeze from others."""

    async def look() -> bool:
        states = person.node.relay_states()
        return bool(states) and all(
            one.state == "connected" and one.address.startswith(f"{kind}:") for one in states
        )

    await until(look)


@asynccontextmanager
async def two_people(folder: Path) -> AsyncGenerator[tuple[World, Person, Person, Barrier]]:
    """Anna has one way, Boris two, and they have met."""
    async with world(folder) as here, barrier(here.relay.port) as way:
        anna = await person_with_one_way(here, "Anna")
        boris = await person_with_two_ways(here, "Boris", way.port)
        await here.introduce(anna, boris)
        await goes_by(boris, "ws")
        yield here, anna, boris, way


@pytest.mark.slow
@pytest.mark.parametrize("mood", ["shut", "frozen", "deaf"])
def test_where_one_way_is_blocked_from_the_start_the_other_is_found(tmp_path: Path, mood: Mood) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as here, barrier(here.relay.port) as way:
            way.mood = mood
            anna = await person_with_one_way(here, "Anna")
            boris = await person_with_two_ways(here, "Boris", way.port)
            async with asyncio.timeout(30):
                await here.introduce(anna, boris)
                await goes_by(boris, "http")
            assert way.met

    asyncio.run(scenario())


@pytest.mark.slow
@pytest.mark.parametrize("mood", ["shut", "frozen", "deaf"])
def test_a_way_that_is_blocked_in_the_middle_loses_and_doubles_nothing(tmp_path: Path, mood: Mood) -> None:
    """Deaf: the relay has stored what was written, and its answer never came: so it goes out over both."""

    async def scenario() -> None:
        async with two_people(tmp_path) as (_, anna, boris, way):
            to_boris, to_anna = await boris.account_id(), await anna.account_id()
            way.mood = mood
            texts = ["one", "two", "three"]
            for text in texts:
                await boris.send(to_anna, text)
            await anna.wait_for(to_boris, ["hello", *texts])
            await anna.send(to_boris, "four")
            await boris.wait_for(to_anna, ["hello", *texts, "four"])
            await anna.wait_for(to_boris, ["hello", *texts, "four"])
            assert await anna.counted("entries_dropped") == 0

    asyncio.run(scenario())


@pytest.mark.slow
def test_a_node_comes_back_to_its_better_way_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("skvoz.node.ways.BLOCKED_FIRST_S", 1.0)

    async def scenario() -> None:
        async with two_people(tmp_path) as (here, anna, boris, way):
            to_boris, to_anna = await boris.account_id(), await anna.account_id()
            way.mood = "frozen"
            await boris.send(to_anna, "over the other")
            await goes_by(boris, "http")
            met = way.met
            way.mood = "open"
            await goes_by(boris, "ws")
            assert way.met > met
            await boris.send(to_anna, "and back")
            await anna.wait_for(to_boris, ["hello", "over the other", "and back"])
            # The relay was away: that is no way's fault for long.
            await here.stop_relay()
            await asyncio.sleep(1)
            await here.start_relay()
            await goes_by(boris, "ws")

    asyncio.run(scenario())


@pytest.mark.slow
def test_who_only_listens_hears_of_a_freeze_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is owed on a connection that says nothing: in the middle of a talk it is tried all the same."""
    monkeypatch.setattr("skvoz.node.ways.PING_LEAST_S", 1.0)

    async def scenario() -> None:
        async with two_people(tmp_path) as (_, anna, boris, way):
            to_boris, to_anna = await boris.account_id(), await anna.account_id()
            way.mood = "frozen"
            await anna.send(to_boris, "are you there?")
            await boris.wait_for(to_anna, ["hello", "are you there?"])
            assert await boris.counted("entries_dropped") == 0

    asyncio.run(scenario())


def test_a_home_is_ready_at_once_where_every_address_is_a_black_hole(tmp_path: Path) -> None:
    """Whatever is there takes connections and says nothing; what is written waits, and goes out later."""

    async def scenario() -> None:
        async with two_people(tmp_path) as (here, anna, boris, way):
            to_boris, to_anna = await boris.account_id(), await anna.account_id()
            await boris.sleep()
            port, relay = here.relay.port, here.address
            way.mood = "frozen"
            await here.stop_relay()
            with socket.create_server(("127.0.0.1", port)):  # nobody accepts
                async with asyncio.timeout(5):
                    await boris.wake()
                    sent = await boris.send(to_anna, "into the dark")
                    assert (await boris.message(sent)).state is MessageState.QUEUED
                    made = await boris.link()
                assert made.startswith("skvoz:")
                stranger = Person(tmp_path / "Carl")
                here.people.append(stranger)
                async with asyncio.timeout(5):
                    await stranger.wake()
                    await stranger.do(CreateAccount(client_id=client_id(), name="Carl", relay=relay))
                states = [one.state for one in boris.node.relay_states()]
                assert "connected" not in states
            way.mood = "open"
            await here.start_relay()
            await anna.wait_for(to_boris, ["hello", "into the dark"])

    asyncio.run(scenario())


def test_a_home_starts_at_once_whatever_its_ways_do(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_people(tmp_path) as (here, anna, boris, way):
            to_boris, to_anna = await boris.account_id(), await anna.account_id()
            way.mood = "frozen"
            await boris.sleep()
            await here.stop_relay()
            async with asyncio.timeout(5):
                await boris.wake()
                await boris.send(to_anna, "written before there was a way")
            await here.start_relay()
            await anna.wait_for(to_boris, ["hello", "written before there was a way"])

    asyncio.run(scenario())


@pytest.mark.slow
def test_a_relay_tells_where_else_it_is_and_that_is_where_it_is_found(tmp_path: Path) -> None:
    """The address that Boris gave is blocked later; only the relay itself has ever told him another one."""

    async def scenario() -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        async with barrier(port) as given, barrier(port) as told:
            addresses = (f"ws://127.0.0.1:{told.port}/",)
            settings = Settings(port=port, reserve_bytes=0, addresses=addresses)
            async with world(tmp_path, settings) as here:
                anna = await person_with_one_way(here, "Anna")
                boris = await here.person("Boris", url=f"ws://127.0.0.1:{given.port}/")
                await here.introduce(anna, boris)
                assert [relay.told for relay in await boris.records(Relay)] == [addresses]
                given.mood = "frozen"
                before = told.met
                await boris.send(await anna.account_id(), "found you")
                await anna.wait_for(await boris.account_id(), ["hello", "found you"])
                assert told.met > before

    asyncio.run(scenario())
