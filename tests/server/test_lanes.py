"""Sessions over single HTTP requests, and what strangers are told who send some."""

import asyncio
import secrets
import tracemalloc
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest

from skvoz.base.ids import LogId
from skvoz.client.inputs import Attached, RelayConnected
from skvoz.crypto import DEFAULT_SUITE, sha256, suite
from skvoz.server import RelayService, lanes, listener
from skvoz.server import door as door_module
from skvoz.server import requests as requests_module
from skvoz.server.requests import NOT_FOUND
from skvoz.wire.lanes import PIECE_SIZE_MAX, REQUEST_SIZE_MAX, LaneRequest, parse_lane_answer
from skvoz.wire.sealed import MESSAGE_SIZE_MAX, ask_for_key, greet
from tests.server.lane_client import Lane, exchange, post
from tests.server.real_relay import Client, running

LOG = LogId(b"l" * 16)
UPGRADE = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"


@asynccontextmanager
async def by_lane(folder: Path) -> AsyncGenerator[tuple[RelayService, Client, Lane]]:
    """Run a relay and give it with a client that came over a lane."""
    async with running(folder) as (service, other):
        client = Client(service.public_key, other.url)
        lane = Lane(service.port)
        await client.connect(lane)
        yield service, client, lane


def test_what_is_said_over_a_lane_is_read_over_another_way_and_back(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with by_lane(tmp_path) as (service, client, lane):
            other = Client(service.public_key, client.url)
            await other.connect()
            await client.enter_room(LOG)
            other.attach(LOG)
            big = secrets.token_bytes(60_000)
            ids = [client.append(LOG, body) for body in (b"small", big)]
            await client.until(lambda _: client.stored() == ids)
            await other.until(lambda _: other.bodies() == [b"small", big])
            other.append(LOG, big[::-1])
            await other.until(lambda _: len(other.stored()) == 1)
            await client.until(lambda _: big[::-1] in client.bodies())
            assert lane.requests > 30
            await other.close()

    asyncio.run(scenario())


def test_lost_answers_and_repeated_requests_lose_and_double_nothing(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with by_lane(tmp_path) as (_, client, lane):
            await client.enter_room(LOG)
            bodies = [b"%d" % number * 500 for number in range(40)]
            for number, body in enumerate(bodies):
                client.append(LOG, body)
                for message in client.session.flush():
                    await lane.send(message)
                repeated = lane.request(0)
                await lane.ask(repeated)
                lane.loses_answers = number % 3
                await lane.step(0)
                await lane.ask(repeated)
            lane.loses_answers = 0
            await client.until(lambda _: len(client.stored()) == 40)
            reader = Client(client.session.public_key, client.url)
            await reader.connect(Lane(lane.port))
            reader.attach(LOG)
            await reader.until(lambda _: len(reader.bodies()) == 40)
            assert reader.bodies() == bodies

    asyncio.run(scenario())


def test_a_session_goes_on_over_another_lane_and_the_old_one_is_gone(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with by_lane(tmp_path) as (service, client, lane):
            await client.enter_room(LOG)
            client.append(LOG, b"first")
            await client.until(lambda _: len(client.stored()) == 1)
            client.session.lost()
            await client.connect(Lane(service.port))
            client.append(LOG, b"second")
            await client.until(lambda _: len(client.stored()) == 2)
            assert sum(isinstance(one, RelayConnected) for one in client.inputs) == 2
            # An attach would have been answered: it was the same session that went on reading.
            assert sum(isinstance(one, Attached) for one in client.inputs) == 1
            assert await lane.ask(lane.request(0)) is None
            # And over a WebSocket, while the lane waits.
            client.session.lost()
            await client.connect()
            client.append(LOG, b"third")
            await client.until(lambda _: len(client.stored()) == 3)
            assert sum(isinstance(one, Attached) for one in client.inputs) == 1

    asyncio.run(scenario())


def test_a_request_waits_for_what_comes_and_a_newer_one_takes_its_place(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with by_lane(tmp_path) as (_, client, lane):
            await client.enter_room(LOG)
            for message in client.session.flush():
                await lane.send(message)
            await lane.step(0)
            waiting = asyncio.ensure_future(lane.ask(lane.request(60)))
            await asyncio.sleep(0.2)
            assert not waiting.done()
            newer = asyncio.ensure_future(lane.ask(lane.request(60)))
            body = await asyncio.wait_for(waiting, 5)
            assert body is not None
            assert parse_lane_answer(body).piece == b""
            other = Client(client.session.public_key, client.url)
            await other.connect()
            other.append(LOG, b"now")
            await other.until(lambda _: len(other.stored()) == 1)
            body = await asyncio.wait_for(newer, 5)
            assert body is not None
            assert parse_lane_answer(body).piece
            await other.close()

    asyncio.run(scenario())


def greeting(public_key: bytes) -> bytes:
    message, _ = greet(suite(DEFAULT_SUITE), public_key, secrets.token_bytes)
    return message


def first(message: bytes, **changed: object) -> bytes:
    """Return the first request of a lane."""
    piece = len(message).to_bytes(4) + message
    lane = secrets.token_bytes(32)
    request = LaneRequest(lane=lane, place=0, received=0, wanted=4096, wait_s=9, piece=piece)
    return msgspec.structs.replace(request, **changed).encode()


def test_nonsense_is_answered_as_an_unknown_address_is(tmp_path: Path) -> None:
    """Whoever knows the path and not the relay can't tell that there is one."""

    async def scenario() -> None:
        async with running(tmp_path) as (service, _):
            hello = greeting(service.public_key)
            damaged = hello[:-1] + bytes([hello[-1] ^ 1])
            stranger = greeting(suite(DEFAULT_SUITE).generate_key_pair(secrets.token_bytes).public_key)
            started = asyncio.get_running_loop().time()
            probes = [
                post("/unknown", b"x"),
                post("/unknown", first(hello)),
                post("/", first(hello), method="PUT"),
                post("/?", first(hello)),
                post("/", b""),
                post("/", b"x" * 5_000),
                post("/", bytes(55)),
                post("/", first(hello)[:-1]),
                post("/", first(hello, place=1)),
                post("/", first(hello, received=1)),
                post("/", first(b"")),
                post("/", first(damaged)),
                post("/", first(damaged, wait_s=0)),
                post("/", first(stranger)),
                post("/", first(hello[:2000])),
                post("/", first(ask_for_key(bytes(32)))),
                post("/", first(hello, piece=b"\xff" * 3_000)),
                post("/", b"\x02" + first(hello)[1:]),
                post("/", bytes(REQUEST_SIZE_MAX + 1)),
                post("/unknown", bytes(REQUEST_SIZE_MAX + 1)),
                b"POST / HTTP/1.1\r\n\r\n",
                b"OPTIONS / HTTP/1.1\r\nHost: a\r\n\r\n",
                b"nonsense\r\n\r\n",
                b"GET /unknown HTTP/1.1\r\nHost: a\r\n\r\n",
                b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
                UPGRADE + b"\r\n",
                UPGRADE + b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: =\r\n\r\n",
            ]
            for probe in probes:
                assert await exchange(service.port, probe) == NOT_FOUND, probe[:60]
            assert asyncio.get_running_loop().time() - started < 5
            assert await exchange(service.port, post("/", first(hello))) != NOT_FOUND
            asked = await exchange(service.port, post("/", first(ask_for_key(sha256(service.public_key)))))
            assert asked.endswith(service.public_key)

    asyncio.run(scenario())


def test_two_at_once_who_guess_a_lane_learn_nothing_either(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as (service, _):
            request = post("/", first(b"x" * 2_673, lane=bytes(32), wait_s=0))
            answers = await asyncio.gather(*(exchange(service.port, request) for _ in range(5)))
            assert set(answers) == {NOT_FOUND}

    asyncio.run(scenario())


def test_a_greeting_that_is_played_again_moves_no_session(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with by_lane(tmp_path) as (service, client, _):
            await client.enter_room(LOG)
            message = client.session.connected()  # resumes; and is recorded by somebody on the way
            lane = Lane(service.port)
            await lane.send(message)
            client.inputs += client.session.received(await lane.receive())
            client.append(LOG, b"mine")
            for frames in client.session.flush():
                await lane.send(frames)
            await lane.step()
            for _ in range(3):
                assert await exchange(service.port, post("/", first(message))) != NOT_FOUND
            assert await lane.ask(lane.request(0)) is not None

    asyncio.run(scenario())


def test_a_lane_that_says_what_makes_no_sense_ends(tmp_path: Path) -> None:
    async def scenario(break_it: str) -> None:
        async with by_lane(tmp_path) as (_, client, lane):
            request = lane.request(5)
            bad: dict[str, dict[str, Any]] = {
                "garbage": {"piece": (100).to_bytes(4) + bytes(100)},
                "too long": {"piece": (MESSAGE_SIZE_MAX + 1).to_bytes(4)},
                "more than was sent": {"received": 2**40},
            }
            assert await lane.ask(msgspec.structs.replace(request, **bad[break_it])) is None
            assert await lane.ask(lane.request(0)) is None
            client.session.lost()
            await client.connect(Lane(lane.port))

    for one in ("garbage", "too long", "more than was sent"):
        asyncio.run(scenario(one))


@pytest.mark.slow
def test_lanes_that_nobody_asks_any_more_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "SILENCE_S", 0.1)

    async def scenario() -> None:
        async with by_lane(tmp_path) as (service, _, lane):
            waits = asyncio.ensure_future(lane.ask(lane.request(2)))
            await asyncio.sleep(0.3)
            service._lanes.drop_silent()
            assert await waits is not None
            await asyncio.sleep(0.2)
            service._lanes.drop_silent()
            assert await lane.ask(lane.request(0)) is None
            assert not service._lanes._by_id
            assert service._lanes._held == 0

    asyncio.run(scenario())


def test_what_lanes_hold_together_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        async with by_lane(tmp_path) as (service, _, lane):
            monkeypatch.setattr(lanes, "HELD_BYTES_MAX", 50_000)
            half = LaneRequest(
                lane=lane.lane_id,
                place=lane.going.acknowledged,
                received=lane.coming.received,
                wanted=1,
                wait_s=0,
                piece=(100_000).to_bytes(4) + bytes(60_000),
            )
            assert await lane.ask(half) is None
            assert service._lanes._held == 0
            monkeypatch.setattr(lanes, "LANES_MAX", 0)
            hello = first(greeting(service.public_key))
            assert await exchange(service.port, post("/", hello)) == NOT_FOUND

    asyncio.run(scenario())


@pytest.mark.slow
def test_who_drips_a_request_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests_module, "REQUEST_S", 0.3)
    monkeypatch.setattr(door_module, "REQUEST_LINE_S", 0.3)
    monkeypatch.setattr(listener, "_HANDSHAKE_S", 0.3)

    async def scenario() -> None:
        async with running(tmp_path) as (service, _):
            for beginning in (b"", b"G", b"P", b"GET / HTTP/1.1\r\nHost", post("/", b"twelve bytes")[:-1]):
                with suppress(ConnectionResetError):
                    assert await exchange(service.port, beginning) == b""

    asyncio.run(scenario())


def test_a_relay_that_stops_answers_who_waits(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with by_lane(tmp_path) as (service, _, lane):
            waiting = asyncio.ensure_future(lane.ask(lane.request(60)))
            await asyncio.sleep(0.1)
            service._lanes.close_all()
            assert await asyncio.wait_for(waiting, 5) is None

    asyncio.run(scenario())


def question(service: RelayService) -> bytes:
    return ask_for_key(sha256(service.public_key))


def test_a_request_that_waits_keeps_nothing_of_its_body(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with by_lane(tmp_path) as (service, _, lane):
            await lane.step(0)
            waiting = msgspec.structs.replace(lane.request(60), place=2**63, piece=bytes(PIECE_SIZE_MAX))
            tracemalloc.start()
            try:
                before, _ = tracemalloc.get_traced_memory()
                _, writer = await asyncio.open_connection("127.0.0.1", service.port)
                writer.write(post("/", waiting.encode()))
                await writer.drain()
                await asyncio.sleep(0.3)
                kept = tracemalloc.get_traced_memory()[0] - before
            finally:
                tracemalloc.stop()
            assert any(one.waiter is not None for one in service._lanes._by_id.values())
            assert kept < PIECE_SIZE_MAX / 2
            assert service._requests.arriving_bytes == 0
            writer.close()

    asyncio.run(scenario())


@pytest.mark.slow
def test_open_requests_and_what_arrives_of_them_are_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        async with by_lane(tmp_path) as (service, _, lane):
            monkeypatch.setattr(requests_module, "REQUESTS_MAX", 1)
            waiting = asyncio.ensure_future(lane.ask(lane.request(5)))
            await asyncio.sleep(0.2)
            assert await exchange(service.port, post("/", first(question(service)))) == NOT_FOUND
            assert service._requests.open == 1
            assert await waiting is not None
            await asyncio.sleep(0.1)
            assert service._requests.open == 0
            monkeypatch.setattr(requests_module, "ARRIVING_BYTES_MAX", 1_000)
            assert await exchange(service.port, post("/", first(greeting(service.public_key)))) == NOT_FOUND
            await asyncio.sleep(0.1)
            assert service._requests.arriving_bytes == 0

    asyncio.run(scenario())


def test_a_lane_asks_once_for_the_key_and_greets_before_it_says_much(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as (service, _):
            asks = question(service)
            row = len(asks).to_bytes(4) + asks
            assert await exchange(service.port, post("/", first(asks, piece=row * 2))) == NOT_FOUND
            much = row + MESSAGE_SIZE_MAX.to_bytes(4) + bytes(lanes.UNGREETED_BYTES_MAX)
            assert await exchange(service.port, post("/", first(asks, piece=much))) == NOT_FOUND
            assert service._lanes._held == 0
            assert not service._lanes._by_id

    asyncio.run(scenario())


def test_where_lanes_hold_too_much_who_holds_most_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        async with by_lane(tmp_path) as (service, client, lane):
            await client.enter_room(LOG)
            hog = Lane(service.port)
            greedy = Client(service.public_key, client.url)
            await greedy.connect(hog)
            monkeypatch.setattr(lanes, "HELD_BYTES_MAX", 50_000)
            hog.going.add(bytes(49_000))
            fill = msgspec.structs.replace(hog.request(0), piece=hog.going.piece(48_900))
            assert await hog.ask(fill) is not None
            client.append(LOG, secrets.token_bytes(20_000))
            lane.piece_max = 16_384
            await client.until(lambda _: len(client.stored()) == 1)
            assert await hog.ask(hog.request(0)) is None

    asyncio.run(scenario())


@pytest.mark.slow
def test_bytes_that_do_not_move_end_a_lane_that_goes_on_asking(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes, "SILENCE_S", 0.3)

    async def scenario(half: bytes) -> None:
        async with by_lane(tmp_path / str(len(half))) as (service, client, lane):
            await client.enter_room(LOG)
            client.append(LOG, b"said, and its answer is never taken")
            for message in [] if half else client.session.flush():
                await lane.send(message)
            lane.going._buffer += half
            told = lane.request(0)
            assert await lane.ask(told) is not None
            silent = msgspec.structs.replace(told, place=told.place + len(told.piece), piece=b"")
            for _ in range(3):
                await asyncio.sleep(0.2)
                assert await lane.ask(silent) is not None
            service._lanes.drop_silent()
            assert await lane.ask(silent) is None

    for half in (b"", (1_000).to_bytes(4) + bytes(500)):
        asyncio.run(scenario(half))


def test_lanes_without_a_session_end_and_make_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        async with by_lane(tmp_path) as (service, client, lane):
            await client.enter_room(LOG)
            monkeypatch.setattr(lanes, "LANES_MAX", 3)
            ids = [bytes([number]) * 32 for number in range(3)]
            for one in ids:
                body = first(question(service), lane=one)
                assert await exchange(service.port, post("/", body)) != NOT_FOUND
            assert set(service._lanes._by_id) == {lane.lane_id, *ids[1:]}
            monkeypatch.setattr(lanes, "CONFIRMED_WITHIN_S", 0.0)
            service._lanes.drop_silent()
            assert set(service._lanes._by_id) == {lane.lane_id}
            assert not service._lanes._unconfirmed
            client.append(LOG, b"goes on")
            await client.until(lambda _: len(client.stored()) == 1)

    asyncio.run(scenario())
