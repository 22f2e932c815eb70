"""A look at the network through the API: it goes on by itself, is told, can be stopped, and names nobody."""

import asyncio
import base64
import json
from pathlib import Path

import msgspec
import pytest

from skvoz.client.commands import CreateAccount, RelayAddress
from skvoz.crypto import sha256
from skvoz.node.dialer import Dialer
from skvoz.node.ways import Kind, Way
from tests.api.programs import Program, Words, alone, program, served
from tests.node.checkup.blocked_network import servers
from tests.node.people import Person, client_id, until, world

CANARY = "canary7f3a"


async def finished(one: Program) -> Words:
    async def look() -> Words | None:
        found = await one.result("network.get")
        return None if found["state"] == "running" else found

    found = await until(look)
    assert found is not None
    return found


def test_a_look_at_a_network_is_told_as_it_goes_on(tmp_path: Path) -> None:
    async def scenario() -> None:
        anna, _ = await alone(tmp_path)
        async with served(anna) as one, program(tmp_path) as listener:
            await listener.result("event.subscribe")
            assert (await one.result("network.get"))["state"] == "none"
            begun = await one.result("network.check")
            assert (begun["state"], begun["total"], begun["relays"]) == ("running", 2, ["127.0.0.1"])
            found = await finished(one)
            assert [finding["code"] for finding in found["findings"]] == ["address_refused"]
            assert [step["code"] for step in found["steps"]][-1] == "wait"
            assert [step["code"] for step in found["not_tried"]] == ["together", "udp"]
            told: Words = {}
            async with asyncio.timeout(20):
                while told.get("params", {}).get("state") != "done":
                    words = msgspec.json.decode(await listener.websocket.recv())
                    told = words if words.get("method") == "checkup" else told
            assert told["params"] == found
        await anna.sleep()

    asyncio.run(scenario())


def test_a_healthy_relay_is_measured_and_nothing_is_found(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as here:
            anna = await here.person("Anna")
            async with served(anna) as one:
                await one.result("network.check")
                found = await finished(one)
                assert (found["findings"], found["steps"], found["seen"]) == ([], [], [])
                (way,) = found["ways"]
                assert way["works"]
                assert way["kbit_s"] > 0
                assert found["done"] == found["total"]

    asyncio.run(scenario())


def test_it_can_be_stopped_and_the_node_goes_on_connecting(tmp_path: Path) -> None:
    async def scenario() -> None:
        met = 0

        async def deaf(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
            nonlocal met
            met += 1
            await reader.read(-1)

        async with servers() as around:
            port = await around.serve(deaf)
            anna = Person(tmp_path)
            await anna.wake()
            relay = RelayAddress(public_key=bytes(1216), addresses=(f"ws://127.0.0.1:{port}/",))
            await anna.do(CreateAccount(client_id=client_id(), name="Anna", relay=relay))
            async with served(anna) as one:
                await one.result("network.check")
                assert (await one.result("network.check", together=True))["state"] == "running"
                stopped = await one.result("network.stop")
                assert stopped["state"] == "stopped"
                assert "time" in [step["code"] for step in stopped["not_tried"]]
                assert await one.result("network.stop") == stopped
                assert await anna.node.checkup.wait() == anna.node.checkup.report
                await one.result("network.check")
            await anna.sleep()  # ends what runs
            assert met

    asyncio.run(scenario())


def test_nobody_else_begins_a_connection_meanwhile(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as here:
            dialer, way = Dialer(), Way(kind=Kind.WSS, address=here.url)
            async with dialer.alone():
                waiting = asyncio.create_task(dialer.dial(way))
                await (await dialer.open(way)).close()
                assert not waiting.done()
            await (await waiting).close()

    asyncio.run(scenario())


@pytest.mark.parametrize("scheme", ["ws", "wss"])
def test_nothing_of_it_names_anybody(tmp_path: Path, scheme: str) -> None:
    """An address, an id, a name: each would show in what is given to whoever helps."""

    async def scenario() -> None:
        async with servers() as around:
            port = await around.says(b"no")
            anna = Person(tmp_path)
            await anna.wake()
            key = CANARY.encode() * 121 + bytes(6)
            address = f"{scheme}://localhost:{port}/{CANARY}"
            relay = RelayAddress(public_key=key, addresses=(address,))
            await anna.do(CreateAccount(client_id=client_id(), name=CANARY, relay=relay))
            relay_id = sha256(key)
            async with served(anna) as one:
                await one.result("network.check")
                found = await finished(one)
                assert found.pop("relays") == ["localhost"]
                assert found["findings"]
                report = anna.node.checkup.report
                for told in (json.dumps(found), repr(report), str(report), repr(anna.node.checkup)):
                    for personal in (
                        CANARY,
                        "localhost",
                        str(port),
                        "127.0.0.1",
                        relay_id.hex(),
                        base64.b64encode(relay_id).decode(),
                        str(tmp_path),
                    ):
                        assert personal not in told
            await anna.sleep()

    asyncio.run(scenario())
