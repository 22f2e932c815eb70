"""What else may stand at a WebSocket's address over TLS: told in plain words, within bounds."""

import asyncio
import base64
import hashlib
import secrets
import ssl
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from skvoz.base.errors import BadRequest, TransportError
from skvoz.transports.wss import connect, handshake
from skvoz.transports.wss.disguised import DisguisedConnection
from skvoz.wire.sealed import MESSAGE_SIZE_MAX
from tests.transports.caddy import AUTHORITY
from tests.transports.meeting import meeting

PAGE = b"<html>Sign in to go on</html>"
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture(autouse=True)
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    AUTHORITY.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))


def tls() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert("localhost").configure_cert(context)  # pyright: ignore[reportUnknownMemberType]
    return context


@asynccontextmanager
async def stranger(meet: Serve, *, with_tls: bool = True) -> AsyncGenerator[str]:
    """Let somebody answer at an address; what they do is ended with the block."""

    async def serve_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await meet(reader, writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.transport.abort()

    async with meeting(serve_one, tls() if with_tls else None) as port:
        yield f"wss://localhost:{port}/secret"


def says(answer: bytes) -> Serve:
    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.write_eof() if writer.can_write_eof() else writer.close()

    return meet


async def drips(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    for byte in b"HTTP/1.1 101 Switching Protocols\r\nA: " + bytes(1000):
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.05)


async def never_ends_its_headers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 101 Switching Protocols\r\n")
    for _ in range(5_000):
        writer.write(b"X-More: %b\r\n" % (b"x" * 1000))
        await writer.drain()


async def only_ever_goes_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    for _ in range(1_000):
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n" * 10)
        await writer.drain()


async def says_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(20)


async def says_html_at_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(answer("200 OK"))


async def hangs_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    pass


def after_upgrade(*pieces: bytes) -> Serve:
    """Answer as a WebSocket does, and then say this."""

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        key = next(
            line.partition(b":")[2].strip()
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"sec-websocket-key")
        )
        accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
        writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: %b\r\n\r\n" % accept
        )
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        await reader.read()

    return meet


def frame(kind: int, body: bytes, *, is_last: bool = True) -> bytes:
    return bytes([kind | (0x80 if is_last else 0), 127]) + len(body).to_bytes(8) + body


def answer(status: str, more: str = "", body: bytes = PAGE) -> bytes:
    return f"HTTP/1.1 {status}\r\n{more}Content-Length: {len(body)}\r\n\r\n".encode() + body


def is_told(error: BaseException, words: str) -> bool:
    told = str(error)
    assert not any(part in told for part in ("localhost", "127.0.0.1", "secret", "curl", "Sign in"))
    return any(word in told for word in words.split("|"))


@pytest.mark.parametrize(
    ("meet", "words"),
    [
        (says(answer("200 OK", "Content-Type: text/html\r\n")), "something else"),
        (says(answer("404 Not Found")), "something else"),
        (says(answer("502 Bad Gateway")), "something else"),
        (says(secrets.token_bytes(500)), "something else|reached"),
        (never_ends_its_headers, "something else|reached|in time"),
        (only_ever_goes_on, "something else|reached|in time"),
        (hangs_up, "reached"),
        (drips, "in time"),
        (says_nothing, "in time"),
    ],
)
def test_a_stranger_in_place_of_a_relay_is_told_in_plain_words(
    meet: Serve, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handshake, "OPEN_TIMEOUT_S", 0.5)

    async def scenario() -> None:
        async with stranger(meet) as url:
            with pytest.raises(TransportError) as refused:
                async with asyncio.timeout(10):
                    await connect(url)
            assert is_told(refused.value, words)

    asyncio.run(scenario())


def test_what_speaks_no_tls_or_has_a_strange_certificate_is_told_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        async with stranger(says_html_at_once, with_tls=False) as url:
            with pytest.raises(TransportError) as refused:
                await connect(url)
            assert is_told(refused.value, "reached")
        with pytest.raises(TransportError) as refused:
            await connect("wss://localhost:1/secret")
        assert is_told(refused.value, "reached")
        async with stranger(says_nothing) as url:
            with pytest.raises(TransportError) as refused:
                await connect(url.replace("localhost", "127.0.0.1"))
            assert is_told(refused.value, "not trusted")
            monkeypatch.delenv("SSL_CERT_FILE")
            with pytest.raises(TransportError) as refused:
                await connect(url)
            assert is_told(refused.value, "not trusted")

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "url", ["ftp://a/", "wss://", "wss://a:b@c/", "wss://[/", "wss://a:0/", "wss://a b/"]
)
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(BadRequest):
        asyncio.run(connect(url))


@pytest.mark.parametrize(
    ("meet", "words"),
    [
        (after_upgrade(frame(1, b"text")), "something else"),
        (after_upgrade(frame(2, bytes(MESSAGE_SIZE_MAX + 1))), "something else"),
        (
            after_upgrade(*[frame(2 if n == 0 else 0, bytes(60_000), is_last=False) for n in range(40)]),
            "else",
        ),
        (after_upgrade(b"\xff\x05abcde"), "gone|something else"),
        (after_upgrade(b"\x83\x05abcde"), "gone|something else"),
        (after_upgrade(b"\x82\x85maskabcde"), "gone|something else"),
        (after_upgrade(frame(0, b"no beginning")), "gone|something else"),
        (after_upgrade(b"\x88\x02\x03\xe8"), "gone"),
        (after_upgrade(b"\x8a\x00" * 1000, b"\x88\x00"), "gone"),
    ],
)
def test_whoever_speaks_otherwise_on_a_websocket_is_left(meet: Serve, words: str) -> None:
    async def scenario() -> None:
        async with stranger(meet) as url, await connect(url) as connection:
            with pytest.raises(TransportError) as refused:
                async with asyncio.timeout(2):
                    await connection.receive()
            assert is_told(refused.value, words)
            with pytest.raises(TransportError, match="gone"):
                await connection.send(b"more")

    asyncio.run(scenario())


@asynccontextmanager
async def echoing(meet: Callable[[ServerConnection], Awaitable[None]]) -> AsyncGenerator[DisguisedConnection]:
    async with serve(meet, "127.0.0.1", 0, ssl=tls(), compression=None, max_size=None) as server:
        url = f"wss://localhost:{next(iter(server.sockets)).getsockname()[1]}/secret"
        async with await connect(url) as connection:
            assert isinstance(connection, DisguisedConnection)
            yield connection


def test_messages_of_every_size_go_both_ways_at_once() -> None:
    async def echo(other: ServerConnection) -> None:
        async for message in other:
            await other.ping()
            await other.send([message[: len(message) // 2], message[len(message) // 2 :]])

    sizes = [0, 1, 125, 126, 65_535, 65_536, 65_537, 300_000, MESSAGE_SIZE_MAX]
    bodies = [secrets.token_bytes(size) for size in sizes]

    async def scenario() -> None:
        async with echoing(echo) as connection:
            before = connection.heard_at

            async def say() -> None:
                for body in bodies:
                    await connection.send(body)

            saying = asyncio.create_task(say())
            assert [await connection.receive() for _ in bodies] == bodies
            await saying
            assert connection.heard_at > before

    asyncio.run(scenario())


def test_a_relay_that_sends_faster_than_is_read_has_to_wait() -> None:
    """What waits on this side stays in the kernel: the relay gets rid of some megabytes and no more."""
    sent = 0

    async def flood(other: ServerConnection) -> None:
        nonlocal sent
        for _ in range(1_000):
            await other.send(bytes(100_000))
            sent += 100_000

    async def scenario() -> None:
        async with echoing(flood) as connection:
            before = -1
            while before < sent:
                before = sent
                await asyncio.sleep(0.2)
            assert sent < 20_000_000
            assert len(await connection.receive()) == 100_000

    asyncio.run(scenario())


def test_what_the_other_end_takes_is_a_sign_of_life_and_what_it_leaves_is_none() -> None:
    async def scenario() -> None:
        reads = asyncio.Event()

        async def take(other: ServerConnection) -> None:
            async for message in other:
                if message == b"last":
                    reads.set()

        async with echoing(take) as connection:
            before = connection.heard_at
            await connection.send(bytes(300_000))
            await connection.send(b"last")
            await reads.wait()
            heard = connection.heard_at
            assert heard > before
            await asyncio.sleep(0.05)
            assert connection.heard_at == heard

    asyncio.run(scenario())


def test_others_have_their_turn_while_a_relay_sends_fast() -> None:
    async def flood(other: ServerConnection) -> None:
        while True:
            await other.send(bytes(10_000))

    turns = 0

    async def count_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def scenario() -> None:
        async with echoing(flood) as connection:
            counting = asyncio.create_task(count_turns())
            for _ in range(200):
                await connection.receive()
            counting.cancel()
            assert turns > 10

    asyncio.run(scenario())


def test_closing_ends_what_waits_and_the_other_end_hears_of_it() -> None:
    async def scenario() -> None:
        ended = asyncio.Event()

        async def wait(other: ServerConnection) -> None:
            with pytest.raises(ConnectionClosed):
                await other.recv()
            ended.set()

        async with echoing(wait) as connection:
            waiting = asyncio.ensure_future(connection.receive())
            await asyncio.sleep(0.05)
            await connection.close()
            await connection.close()
            with pytest.raises(TransportError, match="gone"):
                await waiting
            async with asyncio.timeout(5):
                await ended.wait()

    asyncio.run(scenario())


@pytest.mark.parametrize("begins_tls", ["begins TLS", ""])
def test_who_gives_up_on_a_handshake_waits_for_nothing(
    begins_tls: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread is left alone, which the end of a program doesn't wait for; and it ends by itself."""
    monkeypatch.setattr(handshake, "OPEN_TIMEOUT_S", 1.0)

    async def scenario() -> None:
        async with stranger(says_nothing, with_tls=bool(begins_tls)) as url:
            opening = asyncio.ensure_future(connect(url))
            await asyncio.sleep(0.1)
            opening.cancel()
            with pytest.raises(asyncio.CancelledError):
                await opening
            left = [thread for thread in threading.enumerate() if thread.name == "handshake"]
            assert left
            for thread in left:
                assert thread.daemon
                await asyncio.to_thread(thread.join, 8)
                assert not thread.is_alive()

    asyncio.run(scenario())


def test_a_relay_leads_nobody_to_another_host() -> None:
    met: list[str] = []

    async def note(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        met.append((await reader.readuntil(b"\r\n")).decode())

    async def scenario() -> None:
        async with stranger(note) as other:
            for kind in ("wss", "https"):
                led = answer("302 Found", f"Location: {other.replace('wss', kind)}\r\n")
                async with stranger(says(led)) as url:
                    with pytest.raises(TransportError, match="something else"):
                        await connect(url)
        assert not met

    asyncio.run(scenario())


def test_no_proxy_of_the_environment_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ALL_PROXY", "all_proxy", "HTTPS_PROXY", "https_proxy", "wss_proxy"):
        monkeypatch.setenv(name, "socks5h://127.0.0.1:1")

    async def echo(other: ServerConnection) -> None:
        await other.send(await other.recv())

    async def scenario() -> None:
        async with echoing(echo) as connection:
            await connection.send(b"straight")
            assert await connection.receive() == b"straight"

    asyncio.run(scenario())
