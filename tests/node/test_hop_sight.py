"""What relays get to see of a person who comes over another one: its address only, also where files go."""

import asyncio
import base64
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest
from picows import WSTransport
from websockets.asyncio.client import ClientConnection

from skvoz.client.records import FileState, MessageState
from skvoz.crypto import sha256
from skvoz.server import disclose
from skvoz.server.listener import Connections
from skvoz.server.onward import Onwards
from tests.node.filing import arrived, content_of, fetch, send_files, wait_for_state
from tests.node.people import Person, World, until
from tests.node.test_hop import has_opened, is_carried, two_relays

pytestmark = pytest.mark.slow
LARGE = Random(1).randbytes(4_000_000)
OTHER = Random(2).randbytes(3_000_000)


@dataclass
class Sight:
    """From where connections came to relays, and from where relays connected to others."""

    came: list[tuple[Connections, tuple[str, int]]] = field(
        default_factory=list[tuple[Connections, tuple[str, int]]]
    )
    went: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])

    def at(self, world: World) -> set[tuple[str, int]]:
        return {peer for connections, peer in self.came if connections is world.relay._connections}

    async def only_relays_came(self, world: World) -> None:
        """Wait until all who came to a relay are known to be relays that carry, and somebody came."""

        async def look() -> bool:
            return bool(self.at(world)) and self.at(world) <= set(self.went)

        await until(look, 10)


@pytest.fixture
def sight(monkeypatch: pytest.MonkeyPatch) -> Sight:
    found = Sight()
    opened, open_onward = Connections.opened, Onwards._open

    def see(self: Connections, transport: WSTransport) -> int:
        found.came.append((self, transport.underlying_transport.get_extra_info("peername")))
        return opened(self, transport)

    async def go(self: Onwards, address: str) -> ClientConnection:
        connection = await open_onward(self, address)
        found.went.append(connection.local_address)
        return connection

    monkeypatch.setattr(Connections, "opened", see)
    monkeypatch.setattr(Onwards, "_open", go)
    return found


def printed(world: World, logged: pytest.LogCaptureFixture) -> str:
    """Return all that whoever runs a relay can have printed of what it keeps, and all logs of everybody."""
    return "\n".join([*disclose(world.relay_folder), *(one.getMessage() for one in logged.records)])


def kept(world: World) -> Iterator[bytes]:
    """Yield what is in the files of a relay."""
    for file in world.relay_folder.rglob("*"):
        if file.is_file():
            yield file.read_bytes()


async def write_first(boris: Person, link: str) -> bytes:
    """Open a link, write, and wait until the far relay has it."""
    to_anna = await boris.accept_link(link, "who am I?")
    [first] = [one.message_id for one in await boris.messages(to_anna)]
    await boris.wait_for_state(first, MessageState.SENT)
    return to_anna


def test_the_far_relay_sees_the_near_ones_address_only(
    tmp_path: Path, sight: Sight, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    async def scenario() -> None:
        async with two_relays(tmp_path) as (near, far, anna, boris):
            link = await anna.link()
            await until(lambda: has_opened(anna))
            await anna.sleep()  # she goes to her relay directly
            sight.came.clear()
            to_anna = await write_first(boris, link)
            await sight.only_relays_came(far)
            assert sight.at(near)
            assert await is_carried(boris)
            ports = {port for _, port in (*sight.at(near), *sight.went)} | {near.relay.port, far.relay.port}
            for here, other in ((near, far), (far, near)):
                other_id = sha256(other.relay.public_key)
                said = printed(here, caplog)
                assert said
                assert "127.0.0.1" not in said
                assert not [port for port in ports if f":{port}" in said or f" {port})" in said]
                assert other_id.hex() not in said
                assert base64.urlsafe_b64encode(other_id).decode().rstrip("=") not in said
                assert not [one for one in kept(here) if b"127.0.0.1" in one or other_id in one]
            await anna.wake()
            to_boris = await boris.account_id()
            await anna.wait_for(to_boris, ["who am I?"])
            await anna.send(to_boris, "somebody")
            await boris.wait_for(to_anna, ["who am I?", "somebody"])

    asyncio.run(scenario())


def test_files_go_over_a_hop_as_messages_do(tmp_path: Path, sight: Sight) -> None:
    async def scenario() -> None:
        async with two_relays(tmp_path) as (near, far, anna, boris):
            await far.introduce(anna, boris)  # the room is at the relay of who opened the link
            to_boris, to_anna = await boris.account_id(), await anna.account_id()
            await boris.sleep()  # he goes to his relay directly
            sight.came.clear()
            up = await send_files(anna, to_boris, [LARGE], "look")
            await anna.wait_for_state(up, MessageState.SENT)
            await sight.only_relays_came(near)
            await anna.sleep()
            await boris.wake()
            [file] = await arrived(boris, up)
            await fetch(boris, file)
            await wait_for_state(boris, file, FileState.HERE)
            assert content_of(boris, file) == LARGE
            down = await send_files(boris, to_anna, [OTHER], "and this")
            await boris.wait_for_state(down, MessageState.SENT)
            await boris.sleep()
            sight.came.clear()
            await anna.wake()
            [file] = await arrived(anna, down)
            await fetch(anna, file)
            await wait_for_state(anna, file, FileState.HERE)
            assert content_of(anna, file) == OTHER
            await sight.only_relays_came(near)
            assert far.relay._relay._hops._held == 0

    asyncio.run(scenario())
