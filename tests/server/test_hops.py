"""A relay that carries is nobody's open proxy: what other ends get to see, and whom it doesn't go to."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.server import ServerConnection, serve

from skvoz.base.errors import BadRequest, TransportError
from skvoz.crypto import DEFAULT_SUITE, sha256, suite
from skvoz.relay import Carriage
from skvoz.relay.seam import Reach
from skvoz.server import RelayService, Settings, create_home
from skvoz.server.listener import CLEAR_BYTES
from skvoz.server.onward import Onwards
from skvoz.transports import hop, wss
from skvoz.wire.frames import PASS_WINDOW_BYTES
from skvoz.wire.sealed import MESSAGE_SIZE_MAX, answer_proof_request, ask_for_key

SUITE = suite(DEFAULT_SUITE)
LOCAL = Carriage(local=True)
SECRET = b"what the client says" * 40


@asynccontextmanager
async def relay(folder: Path, carriage: Carriage | None = LOCAL) -> AsyncGenerator[RelayService]:
    create_home(folder)
    service = await RelayService(folder, Settings(port=0, reserve_bytes=0, carriage=carriage)).start()
    try:
        yield service
    finally:
        await service.close()


def place(service: RelayService) -> str:
    return f"ws://127.0.0.1:{service.port}/"


async def hop_over(near: RelayService, address: str, relay_id: bytes) -> hop.HopConnection:
    onto = hop.Onto(
        relay_id=sha256(near.public_key),
        public_key=near.public_key,
        far_relay_id=relay_id,
        far_address=address,
    )
    return await hop.connect(await wss.connect(place(near)), onto)


@asynccontextmanager
async def stranger(answer: Callable[[bytes], bytes | None]) -> AsyncGenerator[tuple[int, list[bytes]]]:
    """A WebSocket server that is no relay; gives its port and what it hears."""
    heard: list[bytes] = []

    async def hear(connection: ServerConnection) -> None:
        async for message in connection:
            assert isinstance(message, bytes)
            heard.append(message)
            said = answer(message)
            if said is not None:
                await connection.send(said)

    async with serve(hear, "127.0.0.1", 0, max_size=None) as server:
        yield next(iter(server.sockets)).getsockname()[1], heard


async def refused(near: RelayService, address: str, relay_id: bytes, match: str) -> None:
    with pytest.raises((TransportError, BadRequest), match=match):
        async with await hop_over(near, address, relay_id) as carried:
            await carried.send(SECRET)


def test_what_goes_over_a_hop_comes_as_it_was(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with relay(tmp_path / "near") as near, relay(tmp_path / "far", None) as far:
            far_id = sha256(far.public_key)
            async with await hop_over(near, place(far), far_id) as carried:
                await carried.send(ask_for_key(far_id))
                assert await carried.receive() == far.public_key
                await carried.send(b"nonsense")
                with pytest.raises(TransportError, match="lost the other one"):
                    await carried.receive()

    asyncio.run(scenario())


def test_who_is_no_relay_hears_questions_and_nothing_of_the_clients(tmp_path: Path) -> None:
    pair = SUITE.generate_key_pair(lambda size: b"k" * size)
    other = SUITE.generate_key_pair(lambda size: b"o" * size)

    def knows_the_key(message: bytes) -> bytes:
        """Answer as a relay whose public key somebody has, without the private one."""
        return pair.public_key if len(message) == 33 else bytes(32)

    async def scenario() -> None:
        answers: list[tuple[Callable[[bytes], bytes | None], list[int]]] = [
            (lambda message: message, [33]),
            (lambda _: b"", [33]),
            (lambda _: other.public_key, [33]),
            (knows_the_key, [33, 1153]),
        ]
        async with relay(tmp_path / "near") as near:
            for answer, sizes in answers:
                async with stranger(answer) as (port, heard):
                    address = f"ws://127.0.0.1:{port}/path"
                    await refused(near, address, sha256(pair.public_key), "doesn't reach")
                    assert [len(one) for one in heard] == sizes
                    assert not any(SECRET in one for one in heard)
            async with relay(tmp_path / "far", None) as far:
                await refused(near, place(far), sha256(pair.public_key), "doesn't reach")

    asyncio.run(scenario())


def test_a_program_that_speaks_no_websocket_gets_one_request(tmp_path: Path) -> None:
    heard = bytearray()

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.extend(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"220 mail.example ESMTP\r\n")
        heard.extend(await reader.read())
        writer.close()

    async def scenario() -> None:
        server = await asyncio.start_server(hear, "127.0.0.1", 0)
        async with server, relay(tmp_path / "near") as near:
            port = server.sockets[0].getsockname()[1]
            await refused(near, f"ws://127.0.0.1:{port}/x", bytes(32), "doesn't reach")

    asyncio.run(scenario())
    assert heard.startswith(b"GET /x HTTP/1.1\r\n")
    assert heard.count(b"\r\n\r\n") == 1
    assert heard.endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    "address",
    [
        "ws://127.0.0.1:443/",
        "wss://127.0.0.1/",
        "wss://localhost/",
        "wss://relay.example:25/",
        "wss://relay.example:8443/",
        "https://relay.example/",
        "wss://somebody@relay.example/",
    ],
)
def test_only_public_addresses_at_few_ports_are_gone_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    async def never(*_: object) -> None:
        raise AssertionError("connected")

    monkeypatch.setattr("skvoz.server.onward.Onwards._open", never)

    async def scenario() -> None:
        async with relay(tmp_path / "near", Carriage()) as near:
            await refused(near, address, bytes(32), "doesn't carry to")
        async with relay(tmp_path / "none", None) as near:
            await refused(near, "wss://relay.example/", bytes(32), "doesn't carry to")

    asyncio.run(scenario())


def test_a_public_name_that_leads_into_a_local_network_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    met: list[object] = []

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        met.append(reader)
        writer.close()

    async def scenario() -> None:
        server = await asyncio.start_server(meet, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        loop = asyncio.get_running_loop()

        async def look_up(*_: object, **__: object) -> list[object]:
            return [(2, 1, 6, "", ("127.0.0.1", port))]

        async with server, relay(tmp_path / "near", Carriage(ports=frozenset({port}))) as near:
            connected = await wss.connect(place(near))
            monkeypatch.setattr(type(loop), "getaddrinfo", look_up)
            onto = hop.Onto(
                relay_id=sha256(near.public_key),
                public_key=near.public_key,
                far_relay_id=bytes(32),
                far_address=f"wss://relay.example:{port}/",
            )
            with pytest.raises(TransportError, match="doesn't reach"):
                await hop.connect(connected, onto)

    asyncio.run(scenario())
    assert not met


FAR = SUITE.generate_key_pair(lambda size: b"k" * size)


async def prove(connection: ServerConnection) -> None:
    """Be the relay whose key this is."""
    assert await connection.recv()
    await connection.send(FAR.public_key)
    question = await connection.recv()
    assert isinstance(question, bytes)
    proof = answer_proof_request(SUITE, FAR.private_key, FAR.public_key, question)
    assert proof is not None
    await connection.send(proof)


def test_a_client_waits_while_the_far_relay_takes_nothing(tmp_path: Path) -> None:
    """What waits at the relay that carries is bounded; the rest waits at the client."""

    async def scenario() -> None:
        hold = asyncio.Event()

        async def hear(connection: ServerConnection) -> None:
            await prove(connection)
            await hold.wait()

        async with (
            serve(hear, "127.0.0.1", 0, max_size=None, max_queue=1, close_timeout=0.1) as server,
            relay(tmp_path / "near") as near,
        ):
            port = next(iter(server.sockets)).getsockname()[1]
            async with await hop_over(near, f"ws://127.0.0.1:{port}/", sha256(FAR.public_key)) as carried:
                sent = 0

                async def pour() -> None:
                    nonlocal sent
                    for _ in range(400):
                        await carried.send(bytes(128 * 1024))
                        sent += 1

                hearing = asyncio.create_task(carried.receive())
                pouring = asyncio.create_task(pour())
                await asyncio.wait((pouring,), timeout=1)
                assert not pouring.done()
                assert carried._untaken <= PASS_WINDOW_BYTES + 128 * 1024
                assert near._relay._hops._held <= PASS_WINDOW_BYTES + 128 * 1024
                hold.set()
                for task in (hearing, pouring):
                    task.cancel()
                await asyncio.gather(hearing, pouring, return_exceptions=True)

    asyncio.run(scenario())


def test_a_far_relay_waits_while_the_client_takes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The relay that carries has one message of it unread, and little more than another one to send."""
    ends: list[ClientConnection] = []
    open_onward = Onwards._open

    async def note(self: Onwards, address: str) -> ClientConnection:
        ends.append(await open_onward(self, address))
        return ends[-1]

    monkeypatch.setattr(Onwards, "_open", note)

    async def scenario() -> None:
        sent = 0

        async def pour(connection: ServerConnection) -> None:
            nonlocal sent
            await prove(connection)
            for _ in range(40):
                await connection.send(bytes(1024 * 1024))
                sent += 1

        async with (
            serve(pour, "127.0.0.1", 0, close_timeout=0.1) as server,
            relay(tmp_path / "near") as near,
        ):
            port = next(iter(server.sockets)).getsockname()[1]
            async with await hop_over(near, f"ws://127.0.0.1:{port}/", sha256(FAR.public_key)) as carried:
                before = -1
                while before != sent:  # until it waits
                    before = sent
                    await asyncio.sleep(0.3)
                assert 0 < sent < 40
                [transport] = near._connections._open.values()
                waiting = transport.underlying_transport.get_write_buffer_size()
                assert CLEAR_BYTES < waiting <= CLEAR_BYTES + MESSAGE_SIZE_MAX
                assert len(ends[0].recv_messages.frames) <= 1
                for _ in range(40):
                    assert len(await carried.receive()) == 1024 * 1024

    asyncio.run(scenario())


def test_a_bug_at_the_other_end_of_a_hop_ends_the_hop_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise KeyError

    monkeypatch.setattr("skvoz.server.onward.Onwards._open", broken)

    async def scenario() -> None:
        async with relay(tmp_path / "near") as near:
            for _ in range(2):
                await refused(near, "ws://127.0.0.1:1/", bytes(32), "doesn't reach")
            assert not near._relay._hops._hops

    asyncio.run(scenario())


def test_a_hop_that_is_begun_while_another_one_closes_keeps_its_place() -> None:
    problems: list[object] = []

    async def scenario() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, problem: problems.append(problem))
        onwards = Onwards(lambda _: None, lambda _: True, LOCAL)
        asked = asyncio.Event()
        async with stranger(lambda _: asked.set()) as (port, _):
            onwards.reach(Reach(1, 7, f"ws://127.0.0.1:{port}/", bytes(32)))
            first = onwards._tasks[1]
            await asked.wait()
            onwards.let_go(1)
            onwards.reach(Reach(2, 7, f"ws://127.0.0.1:{port}/", bytes(32)))
            await asyncio.wait((first,))
            await asyncio.sleep(0)
            assert onwards._hops == {7: 2}
            await onwards.close()
            assert not onwards._hops

    asyncio.run(scenario())
    assert not problems
