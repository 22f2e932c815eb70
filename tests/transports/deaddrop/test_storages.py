"""Each kind of storage, against a real server of it; and which of them let one alone create an object."""

import asyncio
import contextlib
import gc
import secrets
from pathlib import Path

import pytest

from skvoz.base.errors import BadRequest, Conflict, SkvozError, TransportError
from skvoz.transports.deaddrop import (
    StorageRefuses,
    find_drop,
    is_exclusive,
    make_drop,
    open_storage,
    place_shown,
    settled,
)
from skvoz.transports.deaddrop.imap import ImapStorage
from skvoz.transports.deaddrop.objects import SIZES
from tests.transports.deaddrop.servers import PASSWORD, rclone, storage_url

slow = pytest.mark.slow
KINDS = (
    "folder",
    "webdav",
    "sftp",
    pytest.param("s3", marks=slow),
    pytest.param("mail", marks=pytest.mark.peer),
)


def data(size: int = SIZES[0]) -> bytes:
    return secrets.token_bytes(size)


@pytest.mark.parametrize("kind", KINDS)
def test_a_storage_keeps_objects_and_lets_one_create_each(tmp_path: Path, kind: str) -> None:
    async def scenario() -> None:
        async with storage_url(kind, tmp_path) as url:
            found = await make_drop(url, PASSWORD)
            storage = open_storage(found.key.url, PASSWORD)
            name, content = secrets.token_hex(16), data(SIZES[2])
            assert await storage.get(name) is None
            assert await storage.create(name, content)
            assert not await storage.create(name, data())
            assert await storage.get(name) == content
            assert name in await storage.names()
            await storage.put(name, data(SIZES[-1]))
            assert len(await storage.get(name) or b"") == SIZES[-1]
            await storage.put(name, data(SIZES[-1] + 100))
            assert len(await storage.get(name) or b"") == SIZES[-1] + 1
            await storage.delete(name)
            await storage.delete(name)
            assert await storage.get(name) is None
            assert len(await storage.names()) == 1  # the mark, and nothing of the probe
            assert storage.spent_bytes > SIZES[-1]
            await storage.close()
            assert (await find_drop(found.key)).keys.relay_id == found.keys.relay_id

    asyncio.run(scenario())


@pytest.mark.parametrize("kind", ["webdav", "sftp"])
def test_a_wrong_password_and_a_wrong_place_are_said_in_a_word(tmp_path: Path, kind: str) -> None:
    async def scenario() -> None:
        async with storage_url(kind, tmp_path) as url:
            with pytest.raises(StorageRefuses, match="password"):
                await make_drop(url, "another password")
            with pytest.raises(TransportError, match="folder isn't there"):
                await make_drop(url + "/nowhere", PASSWORD)
            settled_url = await settled(url)
        with pytest.raises(TransportError, match="can't be reached"):
            await open_storage(settled_url, PASSWORD).names()

    asyncio.run(scenario())


def test_another_host_key_is_refused_before_a_password_goes_there(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with storage_url("sftp", tmp_path) as url:
            for wrong in (f"{url}?hostkey=SHA256%3Anot-this-one", url):
                with pytest.raises(StorageRefuses, match="another key"):
                    await open_storage(wrong, PASSWORD).names()

    asyncio.run(scenario())


@pytest.mark.peer
def test_of_two_messages_of_one_name_the_first_counts_and_the_rest_is_cleared_away(tmp_path: Path) -> None:
    """Who crashed between adding a message and finding that it came too late leaves one behind."""

    async def scenario() -> None:
        async with storage_url("mail", tmp_path) as url:
            storage = open_storage(url, PASSWORD)
            assert isinstance(storage, ImapStorage)
            name, first, second = secrets.token_hex(16), data(), data()
            assert await storage.create(name, first)
            await storage._do(lambda connection: storage._append(connection, name, second))
            assert await storage.get(name) == first
            assert not await storage.create(name, data())
            await storage.delete(name)
            assert await storage.get(name) is None
            await storage.close()
            with pytest.raises(StorageRefuses, match="password"):
                await make_drop(url, "another password")
            with pytest.raises(TransportError, match="folder isn't there"):
                await make_drop(url.replace("INBOX", "Nowhere"), PASSWORD)

    asyncio.run(scenario())


@pytest.mark.parametrize(("kind", "create"), [("webdav", "put"), ("sftp", "new"), ("s3", "")])
def test_the_probe_finds_where_two_can_take_the_same_place(tmp_path: Path, kind: str, create: str) -> None:
    """Servers of rclone 1.75 that write over what is there, whatever they are asked."""

    async def scenario() -> None:
        async with rclone(kind, tmp_path / "served") as served:
            url = await settled(served)
            if create:
                url += f"{'&' if '?' in url else '?'}create={create}"
            assert not await is_exclusive(lambda: open_storage(url, PASSWORD))
            with pytest.raises(Conflict, match="at once"):
                await make_drop(url, PASSWORD)

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "url",
    [
        "",
        "drop",
        "gopher://x/y",
        "file://host/path",
        "dav://example.org/drop",
        "davs://anna:secret@example.org/drop",
        "davs://anna@example.org/drop?create=magic",
        "s3://example.org/drop",
        "s3://key@example.org",
        "sftp://anna@/drop",
        "imap://anna@example.org/INBOX",
        "imaps://anna@example.org/",
        "imaps://anna@example.org/a%22b",
        "davs://anna@example.org:port/drop",
        "davs://[::1/drop",
        "davs://anna@example.org/a%0ab",
    ],
)
def test_what_is_no_storage_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(BadRequest) as refused:
        open_storage(url, PASSWORD)
    assert "secret" not in str(refused.value)
    assert url == "" or url not in str(refused.value)


def test_a_place_is_shown_without_its_user_and_options() -> None:
    assert place_shown("sftp://anna@example.org:22/drop?hostkey=x") == "sftp://example.org:22/drop"


@pytest.mark.parametrize("last", [b"LOGIN", b"SELECT", b"LOGOUT"])
def test_a_mail_server_that_goes_without_a_word_leaves_nothing_open(last: bytes) -> None:
    """A server may close on a wrong password, or before it says good-bye."""

    async def scenario() -> None:
        lines = 0

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal lines
            writer.write(b"* OK ready\r\n")
            while last not in (line := await reader.readline()) and line:
                lines += 1
                known = b"* CAPABILITY IMAP4rev1\r\n" if b"CAPABILITY" in line else b""
                writer.write(known + line.split()[0] + b" OK done\r\n")
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            storage = open_storage(f"imap://anna@127.0.0.1:{port}/INBOX", PASSWORD)
            with contextlib.suppress(TransportError):
                await storage.names()
            await storage.close()
        assert lines >= [b"LOGIN", b"SELECT", b"LOGOUT"].index(last) + 1

    asyncio.run(scenario())
    gc.collect()  # a socket that is still open is told of here, and fails the test


def test_a_storage_that_is_something_else_is_told_so(tmp_path: Path) -> None:
    async def scenario(answer: bytes) -> SkvozError:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            storage = open_storage(f"dav://anna@127.0.0.1:{port}/drop", PASSWORD)
            with pytest.raises(TransportError) as failed:
                await storage.names()
            await storage.close()
            return failed.value

    login_page = b"HTTP/1.1 302 Found\r\nLocation: http://login.lan/\r\nContent-Length: 0\r\n\r\n"
    for answer in (
        b"SSH-2.0-x\r\n\r\n",
        login_page,
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
        b"",
    ):
        assert "PASSWORD" not in str(asyncio.run(scenario(answer)))
