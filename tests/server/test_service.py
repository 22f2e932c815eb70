import asyncio
import sqlite3
from pathlib import Path

import pytest
from websockets.asyncio.client import connect as raw_connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from skvoz.base.errors import HomeBusy, NotFound, SchemaTooNew, StoreError
from skvoz.base.ids import EntryId, LogId
from skvoz.client.effects import Channel, Trim
from skvoz.client.inputs import Attached, BaseMoved, EntryRefused, LogOpened, RelayConnected, RequestRefused
from skvoz.server import RelayService, Settings, create_home
from skvoz.server.disclosure import disclosed_in
from skvoz.server.door import Door
from skvoz.server.service import _say_less
from tests.server.real_relay import OWNER, Client, running

LOG = LogId(b"l" * 16)


def test_what_one_client_appends_another_reads(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as (service, writer):
            reader = Client(service.public_key, writer.url)
            await reader.connect()
            writer.open_room(LOG)
            await writer.until(lambda found: any(isinstance(one, LogOpened) for one in found))
            reader.attach(LOG)
            await reader.until(lambda found: any(isinstance(one, Attached) for one in found))
            ids = [writer.append(LOG, b"body %d" % number) for number in range(50)]
            await writer.until(lambda _: len(writer.stored()) == 50)
            await reader.until(lambda _: len(reader.bodies()) == 50)
            assert writer.stored() == ids
            assert reader.bodies() == [b"body %d" % number for number in range(50)]
            await reader.close()

    asyncio.run(scenario())


def test_a_restarted_relay_has_everything(tmp_path: Path) -> None:
    async def first() -> bytes:
        async with running(tmp_path) as (service, client):
            client.open_room(LOG)
            client.append(LOG, b"kept", None)
            await client.until(lambda _: len(client.stored()) == 1)
            return service.public_key

    async def second() -> bytes:
        async with running(tmp_path) as (service, client):
            assert not service.was_restored
            client.attach(LOG)
            await client.until(lambda _: client.bodies() == [b"kept"])
            return service.public_key

    assert asyncio.run(first()) == asyncio.run(second())


def test_a_repeat_after_a_restart_is_known(tmp_path: Path) -> None:
    async def first() -> None:
        async with running(tmp_path) as (_, client):
            client.open_room(LOG)
            client.append(LOG, b"once", entry)
            await client.until(lambda _: len(client.stored()) == 1)

    async def second() -> None:
        async with running(tmp_path) as (_, client):
            client.append(LOG, b"once", entry)
            client.attach(LOG)
            await client.until(lambda _: len(client.stored()) == 1 and client.bodies() == [b"once"])

    entry = EntryId(b"e" * 16)
    asyncio.run(first())
    asyncio.run(second())


def test_an_older_copy_put_back_gets_another_store_id(tmp_path: Path) -> None:
    database = tmp_path / "relay.db"

    async def write(count: int) -> bytes:
        async with running(tmp_path) as (_, client):
            client.open_room(LOG)
            for number in range(count):
                client.append(LOG, b"%d" % number)
            await client.until(lambda _: len(client.stored()) == count)
            return next(one.store_id for one in client.inputs if isinstance(one, RelayConnected))

    before = asyncio.run(write(1))
    copy = database.read_bytes()
    assert asyncio.run(write(2)) == before
    database.write_bytes(copy)
    assert asyncio.run(write(0)) != before


def test_unknown_log_and_wrong_key_are_answered_alike(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as (_, client):
            client.open_room(LOG)
            client.attach(LogId(b"x" * 16))
            client.attach(LOG, key=b"w" * 32)
            await client.until(lambda found: sum(isinstance(one, RequestRefused) for one in found) == 2)
            refusals = [one for one in client.inputs if isinstance(one, RequestRefused)]
            assert {one.code for one in refusals} == {"denied"}

    asyncio.run(scenario())


@pytest.mark.slow
def test_below_the_reserve_nothing_is_stored(tmp_path: Path) -> None:
    async def scenario() -> None:
        create_home(tmp_path)
        service = await RelayService(tmp_path, Settings(port=0, reserve_bytes=2**60)).start()
        client = Client(service.public_key, f"ws://127.0.0.1:{service.port}/")
        await asyncio.sleep(1.5)  # the disk is looked at every second
        await client.connect()
        client.open_room(LOG)
        await client.until(lambda found: any(isinstance(one, RequestRefused) for one in found))
        assert [one.code for one in client.inputs if isinstance(one, RequestRefused)] == ["full"]
        await client.close()
        await service.close()

    asyncio.run(scenario())


@pytest.mark.slow
def test_a_full_database_refuses_and_loses_nothing(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as (service, client):
            client.open_room(LOG)
            client.append(LOG, b"before")
            await client.until(lambda _: len(client.stored()) == 1)
            connection = service._store._connection
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
            connection.execute(f"PRAGMA max_page_count = {pages + 1}")
            large = client.append(LOG, bytes(60_000))
            await client.until(lambda found: any(isinstance(one, EntryRefused) for one in found))
            connection.execute("PRAGMA max_page_count = 100000")
            await asyncio.sleep(1.2)  # until the disk is looked at again
            client.session.say_again(LOG)
            early = client.append(LOG, b"early")
            await client.until(lambda found: sum(isinstance(one, EntryRefused) for one in found) == 2)
            refused = [one for one in client.inputs if isinstance(one, EntryRefused)]
            assert [(one.code, one.retry_after_ms) for one in refused] == [("full", 1_000), ("slow", 1)]
            client.session.say_again(LOG)
            client.append(LOG, bytes(60_000), large)
            client.append(LOG, b"early", early)
            client.append(LOG, b"after")
            await client.until(lambda _: len(client.stored()) == 4)
            client.attach(LOG)
            await client.until(lambda _: client.bodies() == [b"before", bytes(60_000), b"early", b"after"])

    asyncio.run(scenario())


@pytest.mark.parametrize("message", [b"", b"\x01", bytes(2000), b"\xff" * 4000, b"\x01" + bytes(1136 + 600)])
def test_garbage_is_shown_the_door_and_harms_nobody(tmp_path: Path, message: bytes) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as (_, client):
            async with raw_connect(client.url, proxy=None) as stranger:
                await stranger.send(message)
                with pytest.raises(ConnectionClosed):
                    await asyncio.wait_for(stranger.recv(), 10)
            async with raw_connect(client.url, proxy=None) as stranger:
                await stranger.send("text")
                with pytest.raises(ConnectionClosed):
                    await asyncio.wait_for(stranger.recv(), 10)
            client.open_room(LOG)
            await client.until(lambda found: any(isinstance(one, LogOpened) for one in found))

    asyncio.run(scenario())


def test_an_upgrade_that_can_not_be_quoted_is_closed_without_a_word(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        asyncio.get_running_loop().set_exception_handler(_say_less)
        async with running(tmp_path) as (service, client):
            reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
            writer.write(
                b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 1\x913\r\n\r\n"
            )
            async with asyncio.timeout(20):
                await reader.read()
            writer.close()
            client.open_room(LOG)
            await client.until(lambda found: any(isinstance(one, LogOpened) for one in found))

    asyncio.run(scenario())
    assert not caplog.records


def test_who_is_at_the_door_does_not_keep_a_relay_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        create_home(tmp_path)
        service = RelayService(tmp_path, Settings(port=0, reserve_bytes=0))
        door, came = service._door, asyncio.Event()

        def opened() -> Door:
            came.set()
            return door()

        monkeypatch.setattr(service, "_door", opened)
        await service.start()
        reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
        writer.write(b"GET ")
        await came.wait()
        closing = asyncio.create_task(service.close())
        await asyncio.sleep(0)
        writer.write(
            b"/ HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        async with asyncio.timeout(10):
            assert (await reader.read()).startswith(b"HTTP/1.1 404")
            writer.close()
            await closing

    asyncio.run(scenario())


def test_a_failed_callback_is_logged_without_its_words(caplog: pytest.LogCaptureFixture) -> None:
    loop = asyncio.new_event_loop()
    _say_less(loop, {"message": "secret", "exception": ValueError("secret")})
    loop.close()
    assert [record.getMessage() for record in caplog.records] == ["a callback failed: ValueError"]


def test_another_path_is_not_found(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as (_, client):
            with pytest.raises(InvalidStatus, match="404"):
                await raw_connect(client.url + "other", proxy=None)

    asyncio.run(scenario())


def test_a_relay_is_run_once(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path):
            with pytest.raises(HomeBusy):
                RelayService(tmp_path, Settings())

    asyncio.run(scenario())
    with pytest.raises(NotFound):
        RelayService(tmp_path / "nowhere", Settings())


def test_a_newer_or_damaged_database_is_refused(tmp_path: Path) -> None:
    create_home(tmp_path)
    connection = sqlite3.connect(tmp_path / "relay.db")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(SchemaTooNew):
        RelayService(tmp_path, Settings())
    (tmp_path / "relay.db").write_bytes(b"not a database at all" * 1000)
    with pytest.raises(StoreError, match="damaged"):
        RelayService(tmp_path, Settings())


def test_a_disclosure_has_every_row_and_no_body(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as (_, client):
            client.open_room(LOG)
            client.append(LOG, b"SEALED-BODY" * 20)
            await client.until(lambda _: len(client.stored()) == 1)

    asyncio.run(scenario())
    connection = sqlite3.connect(tmp_path / "relay.db")
    lines = [one.text for one in disclosed_in(connection)]
    assert "log: 1" in lines
    assert "entry: 1" in lines
    assert any(LOG.hex() in line for line in lines)
    assert not any("SEALED-BODY" in line for line in lines)
    connection.execute("ALTER TABLE entry ADD COLUMN address TEXT")
    with pytest.raises(StoreError, match="does not name"):
        [one.text for one in disclosed_in(connection)]
    connection.execute("CREATE TABLE people (name)")
    with pytest.raises(StoreError, match="table"):
        [one.text for one in disclosed_in(connection)]
    connection.close()


def test_reading_from_beyond_the_base_says_so(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as (service, client):
            client.open_room(LOG)
            for number in range(5):
                client.append(LOG, b"%d" % number)
            await client.until(lambda _: len(client.stored()) == 5)
            client.session.request(
                Trim(relay_id=client.relay_id, channel=Channel.ROOMS, log_id=LOG, owner_key=OWNER, before=4)
            )
            other = Client(service.public_key, client.url)
            client.append(LOG, b"after")
            await client.until(lambda _: len(client.stored()) == 6)
            await other.connect()
            other.attach(LOG)
            await other.until(lambda _: len(other.bodies()) == 3)
            assert other.bodies() == [b"3", b"4", b"after"]
            assert [one.position for one in other.inputs if isinstance(one, BaseMoved)] == [3]
            await other.close()

    asyncio.run(scenario())
