"""What else may stand at a relay's address, or between: it is told in plain words, and nothing is lost."""

import asyncio
import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from skvoz.base.errors import BadRequest, TransportError
from skvoz.base.ids import LogId
from skvoz.transports.https import HttpsConnection, Network, connect, lane
from skvoz.transports.pace import Pace
from skvoz.wire.lanes import LaneAnswer
from tests.server.real_relay import Client, running
from tests.transports.meeting import meeting

LOG = LogId(b"l" * 16)
PAGE = b"<html>Sign in to go on</html>"


def answer(
    body: bytes, kind: str = "application/octet-stream", status: str = "200 OK", more: str = ""
) -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\n{more}Content-Length: {len(body)}\r\n"
    return f"{head}Connection: close\r\n\r\n".encode() + body


def takes_nothing(place: int) -> bytes:
    return answer(LaneAnswer(received=0, place=place, waiting=0, piece=b"").encode())


class Between:
    """Stands between: carries requests on to a relay, or answers itself as `stranger` says."""

    def __init__(self, relay_port: int) -> None:
        self.relay_port = relay_port
        self.port = 0
        self.stranger: bytes | str = ""
        self.met: list[str] = []
        self._news = asyncio.Condition()

    async def met_more_than(self, count: int) -> None:
        async with self._news:
            await self._news.wait_for(lambda: len(self.met) > count)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._answer(reader, writer)
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            async with self._news:
                self.met.append(head.decode().split(" ")[1])
                self._news.notify_all()
            size = next(
                int(line.partition(b":")[2])
                for line in head.split(b"\r\n")
                if line.lower().startswith(b"content-length")
            )
            body = await reader.readexactly(size)
            match self.stranger:
                case bytes() as said:
                    writer.write(said)
                case "drip":
                    writer.write(answer(bytes(1_000))[:-1_000])
                    for _ in range(100):
                        writer.write(b"x")
                        await asyncio.sleep(0.05)
                case "freeze":
                    await asyncio.sleep(20)
                case "lose":
                    await self._relay(head + body)
                case _:
                    writer.write(await self._relay(head + body))
            await writer.drain()

    async def _relay(self, request: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.relay_port)
        try:
            writer.write(request)
            return await reader.read()
        finally:
            writer.close()


@asynccontextmanager
async def between(relay_port: int = 0) -> AsyncGenerator[Between]:
    stands = Between(relay_port)
    async with meeting(stands.serve) as stands.port:
        yield stands


async def open_lane(port: int, path: str = "/") -> HttpsConnection:
    return await connect(f"http://127.0.0.1:{port}{path}", Network(Pace(apart_s=0.01)))


@pytest.mark.parametrize(
    ("stranger", "words"),
    [
        (answer(PAGE, "text/html"), "something else"),
        (answer(PAGE, "text/html", "404 Not Found"), "something else"),
        (answer(b"", "text/html", "302 Found", "Location: http://127.0.0.1:1/portal\r\n"), "something else"),
        (answer(PAGE), "something else"),
        (answer(b""), "something else"),
        (answer(bytes(2_000_000)), "something else"),
        (takes_nothing(0), "doesn't take"),
        (takes_nothing(2**60), "doesn't take"),
        (answer(LaneAnswer(received=2**60, place=0, waiting=0, piece=b"").encode()), "something else"),
        (answer(b"", status="502 Bad Gateway"), "trouble"),
        (secrets.token_bytes(500), "gone|reached"),
        (b"", "gone|reached"),
        (answer(bytes(100))[:-50], "gone"),
        ("drip", "in time"),
        ("freeze", "in time"),
    ],
)
def test_a_stranger_in_place_of_a_relay_is_told_in_plain_words(
    stranger: bytes | str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lane, "ANSWER_S", 0.5)
    monkeypatch.setattr(lane, "_WAIT_SAYING_S", 0)

    async def scenario() -> None:
        async with between() as stands, await open_lane(stands.port, "/secret") as connection:
            stands.stranger = stranger
            await connection.send(b"hello")
            with pytest.raises(TransportError, match=words) as refused:
                async with asyncio.timeout(5):
                    await connection.receive()
            assert not any(part in str(refused.value) for part in ("127.0.0.1", "secret", "Sign in", "wreq"))
            assert set(stands.met) == {"/secret"}

    asyncio.run(scenario())


def test_nobody_there_is_told_too() -> None:
    async def scenario() -> None:
        async with await open_lane(1) as connection:
            await connection.send(b"hello")
            with pytest.raises(TransportError, match="can't be reached"):
                await connection.receive()

    asyncio.run(scenario())


@pytest.mark.parametrize("url", ["ftp://a/", "https://", "https://a:b@c/", "https://[/", "nonsense"])
def test_other_addresses_are_refused(url: str) -> None:
    async def scenario() -> None:
        with pytest.raises(BadRequest):
            await connect(url, Network(Pace()))

    asyncio.run(scenario())


async def in_a_room(client: Client, connection: HttpsConnection) -> None:
    await client.connect(connection)
    await client.enter_room(LOG)


@pytest.mark.slow
@pytest.mark.parametrize(
    "stranger",
    [answer(PAGE, "text/html"), answer(secrets.token_bytes(300)), takes_nothing(0), b"", "drip", "lose"],
)
def test_a_session_that_meets_a_stranger_loses_nothing(
    tmp_path: Path, stranger: bytes | str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A captive portal comes up in the middle: the lane ends, and the session goes on over another."""
    monkeypatch.setattr(lane, "ANSWER_S", 0.5)

    async def scenario() -> None:
        async with running(tmp_path) as (service, other), between(service.port) as stands:
            client = Client(service.public_key, other.url)
            async with await open_lane(stands.port) as connection:
                await in_a_room(client, connection)
                client.append(LOG, b"first")
                await client.until(lambda _: len(client.stored()) == 1)
                client.append(LOG, b"second")
                stands.stranger = stranger
                with pytest.raises(TransportError):
                    await client.until(lambda _: len(client.stored()) == 2)
            client.session.lost()
            stands.stranger = ""
            async with await open_lane(stands.port) as connection:
                await client.connect(connection)
                await client.until(lambda _: len(client.stored()) == 2)
                other.attach(LOG)
                await other.until(lambda _: len(other.bodies()) == 2)
                assert other.bodies() == [b"first", b"second"]

    asyncio.run(scenario())


@pytest.mark.slow
def test_trouble_that_passes_is_lived_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One lost answer, one frozen connection, one front without its relay: the lane goes on by itself."""
    monkeypatch.setattr(lane, "ANSWER_S", 0.5)

    async def scenario() -> None:
        async with running(tmp_path) as (service, other), between(service.port) as stands:
            client = Client(service.public_key, other.url)
            async with await open_lane(stands.port) as connection:
                await in_a_room(client, connection)
                for number, trouble in enumerate(("lose", "freeze", answer(b"", status="503 No")), 1):
                    stands.stranger = trouble
                    met = len(stands.met)
                    client.append(LOG, b"%d" % number)
                    wanted = client.until(lambda _, number=number: len(client.stored()) == number)
                    until = asyncio.ensure_future(wanted)
                    await stands.met_more_than(met)
                    stands.stranger = ""
                    await until
                other.attach(LOG)
                await other.until(lambda _: len(other.bodies()) == 3)
                assert other.bodies() == [b"1", b"2", b"3"]

    asyncio.run(scenario())


def test_who_sends_much_waits_until_it_is_taken(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with between() as stands, await open_lane(stands.port) as connection:
            stands.stranger = "freeze"
            await connection.send(bytes(lane._HELD_MAX + 1))
            waiting = asyncio.ensure_future(connection.send(b"more"))
            await asyncio.sleep(0.1)
            assert not waiting.done()
            await connection.close()
            with pytest.raises(TransportError):
                await waiting
            with pytest.raises(TransportError):
                await connection.receive()

    asyncio.run(scenario())
