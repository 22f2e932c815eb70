"""A home that is locked while its node goes on running: who is answered what, and what is forgotten."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from skvoz.api import locking
from skvoz.api.access import new_token, token_hash
from skvoz.api.caller import socket_file
from skvoz.api.local import running, running_with_page
from skvoz.api.locking import FREE_TRIES, WAIT_MS_MAX, Locking, Tries
from skvoz.api.methods import METHODS
from skvoz.api.service import Service
from skvoz.base.errors import TooOften
from skvoz.client.commands import CreateAccount, CreateBot, CreateGroup, RelayAddress
from skvoz.node.node import Node, open_home
from skvoz.store import Protection, protection
from tests.api.programs import post, program
from tests.node.people import client_id

PASSPHRASE = "хорёк в саду"
ANSWERED_LOCKED = {"node.status", "node.page", "home.unlock"}


class Clock:
    now_ms = 1_700_000_000_000

    def __call__(self) -> int:
        return self.now_ms


@dataclass
class App:
    folder: Path
    service: Service
    clock: Clock

    @property
    def locking(self) -> Locking:
        found = self.service.acts["home.unlock"].__self__  # type: ignore[attr-defined]  # a bound method
        assert isinstance(found, Locking)
        return found


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protection, "_MEMORY_KIB", 64)
    monkeypatch.setattr(protection, "_TIME_COST", 1)
    monkeypatch.setenv("SKVOZ_KEYRING", "off")


@asynccontextmanager
async def app(folder: Path, kind: Protection = Protection.PASSPHRASE) -> AsyncGenerator[App]:
    clock = Clock()
    with open_home(folder, lambda: PASSPHRASE, kind) as opened:
        async with running_with_page(opened, "", clock) as (service, _):
            yield App(folder, service, clock)


async def begin(one: App) -> bytes:
    """Make an account whose relay can't be reached, and a group of its own."""
    relay = RelayAddress(public_key=bytes(1216), addresses=("ws://127.0.0.1:9/",))
    node = one.service.node
    await node.command(CreateAccount(client_id=client_id(), name="Anna", relay=relay))
    made = await node.command(CreateGroup(client_id=client_id(), title="Notes", members=()))
    assert made.chat_id is not None
    return made.chat_id


def body(method: str, **params: object) -> bytes:
    return msgspec.json.encode({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})


async def posted(folder: Path, words: bytes, *headers: str) -> tuple[int, dict[str, Any]]:
    status, told = await post(folder, words, f"content-length: {len(words)}", *headers)
    return status, msgspec.json.decode(told)


async def answer(one: App, method: str, **params: object) -> dict[str, Any]:
    return (await posted(one.folder, body(method, **params)))[1]


async def kind_of_refusal(one: App, method: str, **params: object) -> str:
    return (await answer(one, method, **params))["error"]["data"]["kind"]


def test_a_locked_home_answers_nothing_but_how_it_is_and_the_passphrase(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with app(tmp_path) as one:
            await begin(one)
            assert "result" in await answer(one, "home.lock")
            status = (await answer(one, "node.status"))["result"]
            assert status["locked"]
            assert status["relays"] == []
            for method in sorted(METHODS.keys() - ANSWERED_LOCKED):
                # Whatever it is asked with: a locked home does not even look at it.
                assert await kind_of_refusal(one, method) in {"locked", "bad_request"}, method
            for method in ("chat.list", "account.get", "home.lock", "home.used", "file.progress"):
                assert await kind_of_refusal(one, method) == "locked", method
            assert await kind_of_refusal(one, "home.protect", passphrase="", present=PASSPHRASE) == "locked"
            # The store is closed: its WAL is gone with the last connection, and its key opens nothing here.
            assert one.locking.is_locked
            assert not (tmp_path / "skvoz.db-wal").exists()
            assert await kind_of_refusal(one, "home.unlock", passphrase="хорек в саду") == "wrong_passphrase"
            assert (await answer(one, "node.status"))["result"]["locked"]
            assert "result" in await answer(one, "home.unlock", passphrase=PASSPHRASE)
            assert not (await answer(one, "node.status"))["result"]["locked"]
            [chat] = (await answer(one, "chat.list"))["result"]["chats"]
            assert chat["title"] == "Notes"
        open_home(tmp_path, lambda: PASSPHRASE).close()

    asyncio.run(scenario())


def test_who_has_it_locked_is_answered_however_long_that_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    close = Node.close

    async def close_slowly(node: Node) -> None:
        await asyncio.sleep(0.2)
        await close(node)

    monkeypatch.setattr(locking, "_ANSWER_S", 0.05)
    monkeypatch.setattr(Node, "close", close_slowly)

    async def scenario() -> None:
        async with app(tmp_path) as one:
            await begin(one)
            assert "result" in await answer(one, "home.lock")

    asyncio.run(scenario())


def test_who_was_connected_is_cut_off_and_comes_back(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with app(tmp_path) as one:
            await begin(one)
            async with program(tmp_path) as other, program(tmp_path) as locker:
                await other.result("event.subscribe", after=0)
                assert await locker.result("home.lock") == {}
                async with asyncio.timeout(20):
                    await other.websocket.wait_closed()
                with pytest.raises(ConnectionClosed):
                    await locker.answer()
            async with program(tmp_path) as back:
                assert (await back.refusal("event.subscribe", after=0))["data"]["kind"] == "locked"
                assert await back.result("home.unlock", passphrase=PASSPHRASE) == {}
                assert not (await back.result("node.status"))["locked"]
            async with program(tmp_path) as back:
                await back.result("event.subscribe", after=0)

    asyncio.run(scenario())


def test_bots_and_files_wait_until_it_is_open(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with app(tmp_path) as one:
            chat_id = await begin(one)
            token = new_token()
            digest = token_hash(token)
            bot = CreateBot(
                client_id=client_id(), name="b", token_hash=digest, can_write=True, chats=(chat_id,)
            )
            await one.service.node.command(bot)
            header = f"authorization: Bearer {token}"
            for method in (name for name in METHODS if name.startswith("home.")):
                _, told = await posted(tmp_path, body(method, passphrase=PASSPHRASE), header)
                assert told["error"]["data"]["kind"] == "not_allowed", method
            await answer(one, "home.lock")
            for method in ("home.unlock", "node.status", "chat.list"):
                status, told = await posted(tmp_path, body(method, passphrase=PASSPHRASE), header)
                assert (status, told["data"]["kind"]) == (503, "locked")
            with pytest.raises(InvalidStatus) as refused:
                async with program(tmp_path, token):
                    pass
            assert refused.value.response.status_code == 503
            reader, writer = await asyncio.open_unix_connection(str(socket_file(tmp_path)))
            writer.write(b"GET /files/00 HTTP/1.1\r\nhost: node\r\nconnection: close\r\n\r\n")
            assert (await reader.read()).startswith(b"HTTP/1.1 503")
            writer.close()
            await answer(one, "home.unlock", passphrase=PASSPHRASE)
            assert "result" in (await posted(tmp_path, body("bot.self"), header))[1]

    asyncio.run(scenario())


def test_a_home_without_a_passphrase_is_not_locked_and_can_be_given_one(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with app(tmp_path, Protection.FILE) as one:
            await begin(one)
            assert await kind_of_refusal(one, "home.lock") == "conflict"
            assert await kind_of_refusal(one, "home.protect", passphrase="short") == "bad_request"
            assert (await answer(one, "node.status"))["result"]["key_protection"] == "file"
            await answer(one, "home.protect", passphrase=PASSPHRASE)
            assert (await answer(one, "node.status"))["result"]["key_protection"] == "passphrase"
            assert await kind_of_refusal(one, "home.protect", passphrase="") == "wrong_passphrase"
            refused = await kind_of_refusal(one, "home.protect", passphrase="another one", present="guess")
            assert refused == "wrong_passphrase"
            await answer(one, "home.protect", passphrase="another one", present=PASSPHRASE)
            await answer(one, "home.lock")
            assert await kind_of_refusal(one, "home.unlock", passphrase=PASSPHRASE) == "wrong_passphrase"
            await answer(one, "home.unlock", passphrase="another one")
            await answer(one, "home.protect", passphrase="", present="another one")
            assert (await answer(one, "node.status"))["result"]["key_protection"] == "file"
            assert await kind_of_refusal(one, "home.lock") == "conflict"
        open_home(tmp_path, str).close()

    asyncio.run(scenario())


@pytest.mark.slow
def test_a_home_is_removed_by_its_persons_name_alone(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with app(tmp_path / "home") as one:
            await begin(one)
            await answer(one, "home.lock")
            assert await kind_of_refusal(one, "home.remove", name="Anna") == "locked"
            await answer(one, "home.unlock", passphrase=PASSPHRASE)
            for name in ("", "anna", "home"):
                assert await kind_of_refusal(one, "home.remove", name=name) == "bad_request"
            assert not one.service.removed.is_set()
            assert "result" in await answer(one, "home.remove", name=" Anna ")
            assert not (tmp_path / "home" / "key.json").exists()
            assert one.locking.is_locked
            assert not socket_file(one.folder).exists()
            async with asyncio.timeout(20):
                await one.service.removed.wait()
        assert not (tmp_path / "home").exists()

    asyncio.run(scenario())


def test_it_is_locked_when_nobody_used_the_page(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with app(tmp_path) as one:
            await begin(one)
            one.clock.now_ms += 10**9
            await one.locking.look()
            assert not one.locking.is_locked  # nobody asked for it
            assert "error" in await answer(one, "account.change", client_id="0", lock_after_minutes=-1)
            await answer(one, "account.change", client_id="1", lock_after_minutes=5)
            assert (await answer(one, "account.get"))["result"]["lock_after_minutes"] == 5
            await answer(one, "home.used")
            one.clock.now_ms += 4 * 60_000
            await one.locking.look()
            assert not one.locking.is_locked
            await answer(one, "home.used")
            one.clock.now_ms += 5 * 60_000 - 1
            await answer(one, "chat.list")  # programs are not people
            await one.locking.look()
            assert not one.locking.is_locked
            one.clock.now_ms += 1
            await one.locking.look()
            assert one.locking.is_locked
            await answer(one, "home.unlock", passphrase=PASSPHRASE)
            await one.locking.look()
            assert not one.locking.is_locked

    asyncio.run(scenario())


def test_wrong_passphrases_are_slowed_down(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with app(tmp_path) as one:
            await answer(one, "home.lock")
            for _ in range(FREE_TRIES):
                assert await kind_of_refusal(one, "home.unlock", passphrase="guess") == "wrong_passphrase"
            error = (await answer(one, "home.unlock", passphrase=PASSPHRASE))["error"]["data"]
            assert (error["kind"], error["retry_after_ms"]) == ("too_often", 1000)
            one.clock.now_ms += 1000
            assert await kind_of_refusal(one, "home.unlock", passphrase="guess") == "wrong_passphrase"
            one.clock.now_ms += 1000
            assert await kind_of_refusal(one, "home.unlock", passphrase=PASSPHRASE) == "too_often"
            one.clock.now_ms += 1000
            assert "result" in await answer(one, "home.unlock", passphrase=PASSPHRASE)

    asyncio.run(scenario())


def test_nobody_waits_longer_than_a_minute() -> None:
    tries = Tries()
    for _ in range(100):
        tries.failed(1000)
    with pytest.raises(TooOften) as refused:
        tries.check(0)
    assert refused.value.retry_after_ms == WAIT_MS_MAX
    tries.check(1000 + WAIT_MS_MAX)


def test_a_node_that_a_command_runs_is_not_locked(tmp_path: Path) -> None:
    async def scenario() -> None:
        with open_home(tmp_path, lambda: PASSPHRASE, Protection.PASSPHRASE) as opened:
            async with running(opened), program(tmp_path) as one:
                assert (await one.refusal("home.lock"))["data"]["kind"] == "conflict"

    asyncio.run(scenario())


def test_a_key_that_went_away_leaves_it_locked(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with app(tmp_path) as one:
            await answer(one, "home.lock")
            (tmp_path / "key.json").rename(tmp_path / "elsewhere")
            assert await kind_of_refusal(one, "home.unlock", passphrase=PASSPHRASE) == "not_found"
            (tmp_path / "elsewhere").rename(tmp_path / "key.json")
            assert "result" in await answer(one, "home.unlock", passphrase=PASSPHRASE)

    asyncio.run(scenario())
