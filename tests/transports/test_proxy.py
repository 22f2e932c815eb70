"""Both transports through a real SOCKS5 server, and what is said where one is no good."""

import asyncio
import contextlib
import shutil
import socket
import subprocess
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import pytest

from skvoz.base.errors import BadRequest, TransportError
from skvoz.base.ids import LogId
from skvoz.transports import MessageConnection, https, wss
from skvoz.transports.pace import Pace
from skvoz.transports.proxy import CLOSED, REFUSED, STRANGE, UNREACHED, SocksProxy, parse_proxy
from tests.server.real_relay import Client, running
from tests.transports.caddy import AUTHORITY, free_port, front, needs_caddy
from tests.transports.meeting import meeting

LOG = LogId(b"l" * 16)
MICROSOCKS: Final = shutil.which("microsocks")
Opener = Callable[[str, SocksProxy], Awaitable[MessageConnection]]
needs_proxy = pytest.mark.skipif(
    MICROSOCKS is None, reason="microsocks is missing (Debian: apt-get install microsocks)"
)


@asynccontextmanager
async def proxy_server(*arguments: str) -> AsyncGenerator[int]:
    assert MICROSOCKS is not None
    port = free_port()
    command = [MICROSOCKS, "-i", "127.0.0.1", "-p", str(port), *arguments]
    process = await asyncio.create_subprocess_exec(
        *command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(10):
            while True:
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                    break
                await asyncio.sleep(0.05)
        yield port
    finally:
        process.terminate()
        await process.wait()


async def by_websocket(url: str, proxy: SocksProxy) -> MessageConnection:
    return await wss.connect(url, proxy=proxy)


async def by_requests(url: str, proxy: SocksProxy) -> MessageConnection:
    return await https.connect("https" + url.removeprefix("wss"), https.Network(Pace()), proxy)


OPENERS: Final = pytest.mark.parametrize("opener", [by_websocket, by_requests])


async def trouble(opener: Opener, url: str, proxy: SocksProxy) -> str:
    async def talk() -> None:
        connection = await opener(url, proxy)
        try:
            await connection.send(b"hello")
            await connection.receive()
        finally:
            await connection.close()

    with pytest.raises(TransportError) as refused:
        await asyncio.wait_for(talk(), 10)
    told = str(refused.value)
    assert not any(part in told for part in ("127.0.0.1", "localhost", "hidden", str(proxy.port)))
    return told


@pytest.fixture(autouse=True)
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    AUTHORITY.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))


@needs_caddy
@needs_proxy
@pytest.mark.peer
@pytest.mark.slow
@OPENERS
def test_a_relay_is_reached_through_a_proxy_that_wants_a_password(tmp_path: Path, opener: Opener) -> None:
    async def scenario() -> None:
        async with (
            running(tmp_path / "relay") as (service, other),
            front(tmp_path / "front", service.port) as port,
            proxy_server("-u", "anna", "-P", "hid:d/en@") as proxy_port,
        ):
            proxy = parse_proxy(f"127.0.0.1:{proxy_port}", "anna", "hid:d/en@")
            connection = await opener(f"wss://localhost:{port}/", proxy)
            client = Client(service.public_key, other.url)
            try:
                await client.connect(connection)
                await client.enter_room(LOG)
                await other.join_room(LOG)
                client.append(LOG, b"through")
                await client.until(lambda _: len(client.stored()) == 1)
                await other.until(lambda _: other.bodies() == [b"through"])
            finally:
                await connection.close()

    asyncio.run(scenario())


@needs_proxy
@pytest.mark.peer
@OPENERS
def test_what_is_wrong_with_a_proxy_is_told_in_plain_words(opener: Opener) -> None:
    async def says_http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()

    async def scenario() -> None:
        url = "wss://localhost:1/hidden"
        assert await trouble(opener, url, parse_proxy(f"127.0.0.1:{free_port()}")) == UNREACHED
        async with proxy_server() as port:
            proxy = parse_proxy(f"127.0.0.1:{port}")
            assert await trouble(opener, url, proxy) == CLOSED
            assert await trouble(opener, "wss://nowhere.invalid/hidden", proxy) == CLOSED
        async with proxy_server("-u", "anna", "-P", "hidden") as port:
            assert await trouble(opener, url, parse_proxy(f"127.0.0.1:{port}")) == REFUSED
            assert await trouble(opener, url, parse_proxy(f"127.0.0.1:{port}", "anna", "wrong")) == REFUSED
        async with meeting(says_http) as port:
            assert await trouble(opener, url, parse_proxy(f"127.0.0.1:{port}")) == STRANGE

    asyncio.run(scenario())


@OPENERS
def test_names_are_left_to_the_proxy_to_resolve(opener: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the environment says of proxies."""
    for name, value in (("ALL_PROXY", "socks5h://127.0.0.1:1"), ("NO_PROXY", "*"), ("no_proxy", "*")):
        monkeypatch.setenv(name, value)
    asked: list[bytes] = []

    async def note(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        methods = await reader.readexactly(2)
        await reader.readexactly(methods[1])
        writer.write(b"\x05\x00")
        head = await reader.readexactly(5)
        assert head[3] == 3  # a name, RFC 1928 §5
        asked.append(await reader.readexactly(head[4]))
        writer.write(b"\x05\x04\x00\x01" + bytes(6))
        await writer.drain()
        writer.close()

    async def scenario() -> None:
        async with meeting(note) as port:
            proxy = parse_proxy(f"socks5://127.0.0.1:{port}")
            assert await trouble(opener, "wss://relay.example/hidden", proxy) == CLOSED

    asyncio.run(scenario())
    assert set(asked) == {b"relay.example"}


@OPENERS
def test_nothing_goes_in_the_clear_through_a_proxy(opener: Opener) -> None:
    async def scenario() -> None:
        with pytest.raises(BadRequest):
            await wss.connect("ws://relay.example/", proxy=parse_proxy("127.0.0.1:1"))
        with pytest.raises(BadRequest):
            await https.connect("http://relay.example/", https.Network(Pace()), parse_proxy("127.0.0.1:1"))

    asyncio.run(scenario())


def test_what_is_no_proxy_is_refused_and_a_password_never_shown() -> None:
    bad = ["", "http://a:1", "a", "a:0", "a:70000", "socks5://u:p@a:1", "a:1/x", "socks4://a:1", "a b:1"]
    for address in bad:
        with pytest.raises(BadRequest):
            parse_proxy(address)
    for name, password in (("", "p"), ("n" * 256, "p"), ("n", "p\n")):
        with pytest.raises(BadRequest):
            parse_proxy("a:1", name, password)
    proxy = parse_proxy("SOCKS5://[::1]:9050", "anna", "hidden")
    assert proxy.shown == "socks5://[::1]:9050"
    assert "hidden" not in repr(proxy)
    assert "hidden" not in proxy.shown + proxy.address
