"""Our requests and WebSockets have a current Chromium's hello: a stale imitation is worse than none."""

import asyncio
import dataclasses
import shutil
import ssl
import tempfile
from typing import Final
from urllib.parse import urlsplit

import pytest
import wreq

from lab.client_hello import ClientHello, is_grease, read_client_hello
from skvoz.transports.https import requests
from skvoz.transports.https.requests import RequestLine
from skvoz.transports.wss import connect, handshake
from tests.transports.client_hello import hello_of

CHROMIUM: Final = shutil.which("chromium") or shutil.which("chromium-browser")
HELP: Final = (
    "the hello of wreq's browser is no longer that of the Chromium here: take a newer wreq, and its newest "
    "Chrome as BROWSER in transports/https/requests.py"
)


WEBSOCKET_HELP: Final = (
    "the hello of curl_cffi's browser is no longer that of the Chromium's WebSockets here: take a newer "
    "curl_cffi, and its newest Chrome as BROWSER in transports/wss/handshake.py"
)


async def ours(url: str) -> None:
    await RequestLine(url, None).post(b"", 0)


async def our_websockets(url: str) -> None:
    await connect("wss" + url.removeprefix("https"))


async def chromiums_websockets(url: str) -> None:
    await chromiums(f"data:text/html,<script>new WebSocket('wss{url.removeprefix('https')}')</script>")


async def pythons(url: str) -> None:
    parts = urlsplit(url)
    context = ssl.create_default_context()
    context.set_alpn_protocols(["h2", "http/1.1"])
    await asyncio.open_connection("127.0.0.1", parts.port, ssl=context, server_hostname=parts.hostname)


async def chromiums(url: str) -> None:
    assert CHROMIUM is not None
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        process = await asyncio.create_subprocess_exec(
            *(CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run"),
            *("--disable-background-networking", f"--user-data-dir={folder}", url),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            await process.wait()
        finally:
            if process.returncode is None:
                process.terminate()
                await process.wait()


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="chromium is missing (Debian: apt-get install chromium)")
def test_our_hello_is_that_of_the_chromium_here() -> None:
    async def scenario() -> tuple[ClientHello, ClientHello]:
        return await hello_of(ours), await hello_of(chromiums)

    own, browsers = asyncio.run(scenario())
    assert own.ja4 == browsers.ja4, HELP
    assert set(own.extensions) == set(browsers.extensions), HELP


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="chromium is missing (Debian: apt-get install chromium)")
def test_the_hello_of_our_websockets_is_that_of_the_chromiums_websockets_here() -> None:
    """A browser offers HTTP/1.1 alone for them, and leaves out what only HTTP/2 has a use for."""

    async def scenario() -> tuple[ClientHello, ClientHello]:
        return await hello_of(our_websockets), await hello_of(chromiums_websockets)

    own, browsers = asyncio.run(scenario())
    assert browsers.alpn == "http/1.1"
    assert own.ja4 == browsers.ja4, WEBSOCKET_HELP
    assert set(own.extensions) == set(browsers.extensions), WEBSOCKET_HELP


def test_an_older_browsers_websocket_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> tuple[ClientHello, ClientHello, ClientHello]:
        now, again = await hello_of(our_websockets), await hello_of(our_websockets)
        monkeypatch.setattr(handshake, "BROWSER", "chrome151")
        return now, again, await hello_of(our_websockets)

    now, again, before = asyncio.run(scenario())
    assert now.ja4 == again.ja4 != before.ja4
    assert now.extensions != again.extensions


def test_an_older_browsers_hello_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> tuple[ClientHello, ClientHello]:
        now = await hello_of(ours)
        monkeypatch.setattr(requests, "BROWSER", wreq.Emulation.Chrome131)
        return now, await hello_of(ours)

    now, before = asyncio.run(scenario())
    assert now.ja4 != before.ja4


def test_our_hello_is_none_of_pythons_and_changes_its_order() -> None:
    async def scenario() -> tuple[list[ClientHello], ClientHello]:
        return [await hello_of(ours) for _ in range(4)], await hello_of(pythons)

    own, plain = asyncio.run(scenario())
    assert len({hello.ja4 for hello in own}) == 1
    assert len({hello.extensions for hello in own}) > 1  # as browsers do since 2023
    assert own[0].ja4 != plain.ja4
    assert own[0].ja4.partition("_")[0][:4] == plain.ja4.partition("_")[0][:4] == "t13d"
    assert not set(own[0].ja4.split("_")) & set(plain.ja4.split("_"))


def test_a_change_of_a_cipher_an_extension_or_an_order_changes_the_fingerprint() -> None:
    base = ClientHello(
        version=0x0304,
        has_name=True,
        ciphers=(0x1301, 0x1302),
        extensions=(0x0000, 0x0010, 0x000D, 0x002B),
        signatures=(0x0403, 0x0804),
        alpn="h2",
    )
    changes: list[dict[str, object]] = [
        {},
        {"ciphers": (0x1301,)},
        {"ciphers": (0x1301, 0x1303)},
        {"extensions": (0x0000, 0x0010, 0x000D, 0x002B, 0x0029)},
        {"extensions": (0x0000, 0x0010, 0x000D, 0x0029)},
        {"signatures": (0x0804, 0x0403)},
        {"alpn": "http/1.1"},
        {"version": 0x0303},
        {"has_name": False},
    ]
    found = [dataclasses.replace(base, **change).ja4 for change in changes]
    assert len(set(found)) == len(changes)
    assert found[0].startswith("t13d0204h2_")
    shuffled = dataclasses.replace(base, ciphers=(0x1302, 0x1301)).ja4
    assert shuffled == found[0]


def test_grease_is_sixteen_numbers_and_a_hello_is_read_whole_or_not() -> None:
    assert sum(is_grease(number) for number in range(0x10000)) == 16
    for bad in (b"", b"GET / HTTP/1.1", bytes(100), b"\x16\x03\x01\x00\x05\x01\x00\x00\x50\x03"):
        with pytest.raises(ValueError):  # noqa: PT011  # its own words don't matter
            read_client_hello(bad)
