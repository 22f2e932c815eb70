"""Single requests to a relay behind a real front: few packets, and whatever stands in its place."""

import asyncio
import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trustme

from skvoz.base.errors import TransportError
from skvoz.base.ids import LogId
from skvoz.server import RelayService
from skvoz.transports.https import HttpsConnection, Network, connect
from skvoz.transports.https.budget import PACKETS_MAX
from skvoz.transports.pace import Pace
from tests.server.real_relay import Client, running
from tests.transports.caddy import front, needs_caddy, trusted
from tests.transports.counted_way import Way, counted_way

pytestmark = [needs_caddy, pytest.mark.peer]
LOG = LogId(b"l" * 16)


@asynccontextmanager
async def behind_front(
    folder: Path, freeze_after: int | None = None
) -> AsyncGenerator[tuple[RelayService, Client, Way]]:
    """Run a relay, Caddy and a way to it; the client given has a WebSocket."""
    async with (
        running(folder / "relay") as (service, client),
        front(folder / "front", service.port) as port,
        counted_way(port, freeze_after=freeze_after) as way,
    ):
        yield service, client, way


async def lane(way: Way, network: Network | None = None) -> HttpsConnection:
    return await connect(f"https://localhost:{way.port}/", network or Network(Pace(), trusted()))


async def exchange_bodies(client: Client, other: Client, bodies: list[bytes]) -> None:
    """Let each say all of it and the other read it."""
    for number, body in enumerate(bodies, 1):
        client.append(LOG, body)
        await client.until(lambda _, number=number: len(client.stored()) == number)
    await other.until(lambda _: other.bodies() == bodies)
    for number, body in enumerate(bodies, 1):
        other.append(LOG, body[::-1])
        await other.until(lambda _, number=number: len(other.stored()) == number)
    answers = [body[::-1] for body in bodies]
    await client.until(lambda _: [one for one in client.bodies() if one is not None] == answers)


async def both_in_a_room(service: RelayService, connection: HttpsConnection, other: Client) -> Client:
    client = Client(service.public_key, other.url)
    await client.connect(connection)
    await client.enter_room(LOG)
    await other.join_room(LOG)
    return client


def test_a_network_that_freezes_connections_lets_everything_through(tmp_path: Path) -> None:
    """Each connection is frozen after 25 packets: what is said goes over many, and none is open beside it."""

    async def scenario() -> None:
        async with behind_front(tmp_path, freeze_after=25) as (service, other, way), await lane(way) as lane_:
            client = await both_in_a_room(service, lane_, other)
            await exchange_bodies(client, other, [secrets.token_bytes(size) for size in (1_000, 6_000)])
            assert len(way.flows) > 5
            assert way.open_most == 1
            assert min(way.apart) >= 0.5

    asyncio.run(scenario())


def test_where_nothing_freezes_one_connection_does_after_a_while(tmp_path: Path) -> None:
    async def scenario() -> None:
        network = Network(Pace(), trusted())
        async with behind_front(tmp_path) as (service, other, way), await lane(way, network) as lane_:
            client = await both_in_a_room(service, lane_, other)
            async with asyncio.timeout(20):
                while network.allowance(f"localhost:{way.port}").packets < PACKETS_MAX:  # noqa: ASYNC110
                    await asyncio.sleep(0.1)
            before = len(way.flows)
            await exchange_bodies(client, other, [secrets.token_bytes(50_000) for _ in range(2)])
            # Once packets needn't be saved, it goes on over one that doesn't wait so as to save them.
            assert len(way.flows) <= before + 1
            assert sum(flow.bytes_down for flow in way.flows[before - 1 :]) > 100_000

    asyncio.run(scenario())


def test_a_message_reaches_somebody_who_only_waits(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with behind_front(tmp_path) as (service, other, way), await lane(way) as lane_:
            client = await both_in_a_room(service, lane_, other)
            loop = asyncio.get_running_loop()
            for pause_s in (2, 6):
                await asyncio.sleep(pause_s)
                started = loop.time()
                client.inputs.clear()
                client.append(LOG, b"called back")
                await client.until(lambda _: len(client.stored()) == 1)
                assert loop.time() - started < 3
                await asyncio.sleep(pause_s)
                started = loop.time()
                other.inputs.clear()
                other.append(LOG, b"heard at once")
                await other.until(lambda _: len(other.stored()) == 1)
                await client.until(lambda _: b"heard at once" in client.bodies())
                assert loop.time() - started < 3

    asyncio.run(scenario())


def test_a_certificate_of_another_authority_is_refused(tmp_path: Path) -> None:
    async def scenario(network: Network) -> None:
        async with (
            running(tmp_path / "relay") as (service, _),
            front(tmp_path / "front", service.port) as port,
            counted_way(port) as way,
            await lane(way, network) as connection,
        ):
            await connection.send(b"anything")
            with pytest.raises(TransportError, match="certificate"):
                await connection.receive()
            with pytest.raises(TransportError, match="certificate"):
                await connection.send(b"anything")

    asyncio.run(scenario(Network(Pace(), trusted(trustme.CA()))))
    asyncio.run(scenario(Network(Pace())))


def test_a_certificate_for_another_name_is_refused(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with (
            running(tmp_path / "relay") as (service, _),
            front(tmp_path / "front", service.port) as port,
        ):
            network = Network(Pace(), trusted())
            async with await connect(f"https://127.0.0.1:{port}/", network) as connection:
                await connection.send(b"anything")
                with pytest.raises(TransportError):
                    await connection.receive()

    asyncio.run(scenario())
