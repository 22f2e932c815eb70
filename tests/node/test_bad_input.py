"""What breaks on the way and on the disk: a clear word for the person, and nothing lost or half done."""

import asyncio
import os
import secrets
import sqlite3
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import keyring
import keyring.backend
import keyring.errors
import pytest

from skvoz.base.errors import DiskFull, HomeBusy, NotFound, SchemaTooNew, StoreError, WrongPassphrase
from skvoz.client.commands import CreateGroup
from skvoz.client.records import Conversation, Intent, Message, MessageState
from skvoz.node import node as node_module
from skvoz.node.node import Node, open_home
from skvoz.server import RelayService, Settings, back_up, create_home
from skvoz.server import database as relay_database
from skvoz.store import Protection
from skvoz.store import database as store_database
from tests.node.people import Person, client_id, until, world
from tests.node.tampering import KINDS, tampering


@pytest.mark.slow
@pytest.mark.parametrize("direction", ["up", "down"])
@pytest.mark.parametrize("kind", KINDS)
def test_messages_spoiled_on_the_way_lose_and_double_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, direction: str
) -> None:
    # A message that is held back shows by the silence after it.
    monkeypatch.setattr("skvoz.node.relays.FROZEN_AFTER_S", 1.0)

    async def scenario() -> None:
        async with world(tmp_path) as here, tampering(here.url) as proxy:
            anna = await here.person("Anna")
            boris = await here.person("Boris", url=proxy.url)
            await here.introduce(anna, boris)
            to_boris, to_anna = await boris.account_id(), await anna.account_id()
            await boris.send(to_anna, "0")
            await anna.wait_for(to_boris, ["hello", "0"])
            texts = ["hello", "0"]
            for number in range(1, 3):
                proxy.spoil_next(direction, kind)
                writer, chat_id = ((boris, to_anna), (anna, to_boris))[number % 2]
                sent = [await writer.send(chat_id, f"{number}{place}") for place in "abc"]
                texts += [f"{number}{place}" for place in "abc"]
                for person, other in ((anna, to_boris), (boris, to_anna)):
                    await person.wait_for(other, texts)
                for message_id in sent:

                    async def out(writer: Person = writer, message_id: bytes = message_id) -> bool:
                        found = await writer.messages(to_anna if writer is boris else to_boris)
                        return all(one.state is not MessageState.QUEUED for one in found)

                    await until(out)
            assert proxy.spoiled >= 1
            for person in (anna, boris):

                async def done(person: Person = person) -> bool:
                    return not await person.records(Intent)  # what was stored may be read after that

                await until(done)
                assert await person.counted("entries_dropped") == 0

    asyncio.run(scenario())


def test_a_second_process_on_a_home_is_refused(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from skvoz.node.node import open_home\n"
        "open_home(Path(sys.argv[1]), str)\n"
    )
    with open_home(tmp_path / "home", str, Protection.FILE):
        done = subprocess.run(
            [sys.executable, "-c", program, str(tmp_path / "home")],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1
        assert "HomeBusy: another process holds this home" in done.stderr
        with pytest.raises(HomeBusy):
            open_home(tmp_path / "home", str)
    open_home(tmp_path / "home", str).close()


def test_a_home_of_a_newer_version_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    with open_home(tmp_path / "home", str, Protection.FILE) as opened:
        opened.database.run(f"PRAGMA user_version = {store_database.SCHEMA_VERSION + 1}")
        opened.database.run("CREATE TABLE newer (what)")
    before = (tmp_path / "home" / "skvoz.db").read_bytes()
    with pytest.raises(SchemaTooNew, match="newer version"):
        open_home(tmp_path / "home", str)
    assert (tmp_path / "home" / "skvoz.db").read_bytes() == before
    with pytest.raises(SchemaTooNew):  # and it was let go again
        open_home(tmp_path / "home", str)


def test_a_database_of_another_home_is_refused(tmp_path: Path) -> None:
    for name in ("one", "other"):
        open_home(tmp_path / name, str, Protection.FILE).close()
    (tmp_path / "one" / "skvoz.db").replace(tmp_path / "other" / "skvoz.db")
    with pytest.raises(StoreError, match="not one of this home"):
        open_home(tmp_path / "other", str)
    (tmp_path / "other" / "key.json").unlink()
    with pytest.raises(NotFound, match="key file"):
        open_home(tmp_path / "other", str)


def test_a_relay_of_a_newer_version_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path):
            pass
        file = tmp_path / "relay" / "relay.db"
        connection = sqlite3.connect(file)
        connection.execute(f"PRAGMA user_version = {relay_database.SCHEMA_VERSION + 1}")
        connection.close()
        before = file.read_bytes()
        for _ in range(2):
            with pytest.raises(SchemaTooNew, match="newer version"):
                RelayService(tmp_path / "relay", Settings(port=0))
        assert file.read_bytes() == before

    asyncio.run(scenario())


@pytest.mark.slow
def test_a_passphrase_guards_a_home_and_a_wrong_one_opens_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "home"
    asked: list[str] = []

    def ask(answer: str) -> str:
        asked.append(answer)
        return answer

    async def scenario() -> None:
        with open_home(folder, lambda: ask("хорёк в саду"), Protection.PASSPHRASE) as opened:
            node = Node(opened)
            await node.start()
            assert node.key_protection == "passphrase"
            await node.close()
        before = {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}
        for wrong in ("хорек в саду", "", "хорёк в саду "):
            with pytest.raises(WrongPassphrase, match="does not open") as refused:
                open_home(folder, lambda wrong=wrong: ask(wrong))
            assert wrong.strip() == "" or wrong.strip() not in str(refused.value)
        assert {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()} == before
        open_home(folder, lambda: ask("хорёк в саду")).close()
        assert len(asked) == 5
        text = (folder / "key.json").read_text("utf-8")
        assert "argon" not in text.lower()
        assert '"memory_kib":65536' in text
        assert '"time_cost":3' in text

    asyncio.run(scenario())


class FakeKeyring(keyring.backend.KeyringBackend):
    """A keyring of the system, in memory."""

    priority = 1  # pyright: ignore[reportAssignmentType]  # a class property in the library

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}
        self.locked = False

    def get_password(self, service: str, username: str) -> str | None:
        if self.locked:
            raise keyring.errors.KeyringLocked("CANARY of the keyring")
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        if self.locked:
            raise keyring.errors.KeyringLocked("CANARY of the keyring")
        self.kept[service, username] = password


@pytest.fixture
def fake_keyring(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeKeyring]:
    monkeypatch.delenv("SKVOZ_KEYRING", raising=False)
    before = keyring.get_keyring()
    fake = FakeKeyring()
    keyring.set_keyring(fake)
    yield fake
    keyring.set_keyring(before)


def test_the_systems_keyring_keeps_a_homes_key(tmp_path: Path, fake_keyring: FakeKeyring) -> None:
    folder = tmp_path / "home"
    open_home(folder, str).close()
    [(service, _)] = fake_keyring.kept
    [kept] = fake_keyring.kept.values()
    assert service == "skvoz"
    assert kept not in (folder / "key.json").read_text()
    assert len(bytes.fromhex(kept)) == 32
    open_home(folder, str).close()
    fake_keyring.locked = True
    with pytest.raises(StoreError, match="can't be had") as refused:
        open_home(folder, str)
    assert "CANARY" not in str(refused.value)
    fake_keyring.locked = False
    fake_keyring.kept.clear()
    with pytest.raises(StoreError, match="can't be had"):
        open_home(folder, str)
    fake_keyring.locked = True
    with pytest.raises(StoreError, match="did not take"):
        open_home(tmp_path / "another", str, Protection.KEYRING)
    assert not (tmp_path / "another" / "key.json").exists()


def test_a_key_that_others_can_read_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "home"
    open_home(folder, str, Protection.FILE).close()
    (folder / "key.json").chmod(0o644)
    with pytest.raises(StoreError, match=r"key\.json.*mode 0600"):
        open_home(folder, str)
    (folder / "key.json").chmod(0o600)
    folder.chmod(0o755)
    open_home(folder, str).close()
    assert folder.stat().st_mode & 0o777 == 0o700


class SmallDisk:
    """A file system of a few megabytes, and a ballast that fills it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def fill(self, leave_bytes: int = 0) -> None:
        """Leave no more room than this."""
        found = os.statvfs(self.folder)
        size = found.f_bavail * found.f_frsize - leave_bytes
        with self._ballast.open("wb", buffering=0) as stream:  # as much as there still is
            stream.write(bytes(max(0, size)))

    def free(self) -> None:
        self._ballast.unlink()


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Generator[SmallDisk]:
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode != 0:
        pytest.skip("a full disk: only root can mount a small one")
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.slow
def test_a_full_disk_at_a_home_is_said_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node_module, "STORE_RETRY_S", 0.1)

    async def scenario(disk: SmallDisk) -> None:
        async with world(tmp_path) as here:
            anna = await here.person("Anna")
            boris = Person(disk.folder / "boris")
            here.people.append(boris)
            await here.settle(boris, "Boris")
            await here.introduce(anna, boris)
            to_boris, to_anna = await boris.account_id(), await anna.account_id()
            await boris.send(to_anna, "there is room")
            texts = ["hello", "there is room"]
            await anna.wait_for(to_boris, texts)
            disk.fill()
            before = {kind: await boris.records(kind) for kind in (Message, Conversation, Intent)}

            async def say_too_much() -> None:
                for _ in range(200):
                    await boris.send(to_anna, "too much " * 400)
                    texts.append("too much " * 400)

            with pytest.raises(DiskFull, match="disk is full"):
                await say_too_much()
            with pytest.raises(DiskFull):
                await boris.do(CreateGroup(client_id=client_id(), title="x" * 100, members=(to_anna,)))
            assert len(await boris.records(Message)) == len(before[Message]) + len(texts) - 2
            assert len(await boris.records(Conversation)) == len(before[Conversation])
            for number in range(5):
                text = f"{number} " + "x" * 3000
                await anna.send(to_boris, text)

            async def said() -> bool:
                return boris.node.store_problem == "the disk is full"

            await until(said)
            disk.free()

            async def all_there() -> bool:
                wanted = {*texts, *(f"{number} " + "x" * 3000 for number in range(5))}
                found = [await boris.texts(to_anna), await anna.texts(to_boris)]
                return all(set(one) == wanted and len(one) == len(texts) + 5 for one in found)

            await until(all_there)

            async def well_again() -> bool:
                return boris.node.store_problem == ""

            await until(well_again)
            await boris.sleep()

    with small_disk(tmp_path / "disk", 4) as disk:
        asyncio.run(scenario(disk))


@pytest.mark.slow
def test_a_full_disk_at_a_relay_keeps_messages_queued_until_there_is_room(tmp_path: Path) -> None:
    async def scenario(disk: SmallDisk) -> None:
        async with world(tmp_path) as here:
            here.relay_folder = disk.folder / "relay"
            await here.stop_relay()
            await here.start_relay()
            anna, boris = await here.person("Anna"), await here.person("Boris")
            await here.introduce(anna, boris)
            to_boris, to_anna = await boris.account_id(), await anna.account_id()
            disk.fill()
            texts = ["hello"]
            for number in range(40):
                texts.append(f"{number} " + secrets.token_hex(1500))
                await boris.send(to_anna, texts[-1])

            async def full() -> bool:
                return here.relay._store._disk_full

            await until(full)
            assert (await boris.messages(to_anna))[-1].state is MessageState.QUEUED
            seen = await anna.texts(to_boris)
            assert texts[: len(seen)] == seen
            assert len(seen) < len(texts)
            disk.free()
            await anna.wait_for(to_boris, texts)
            last = (await boris.messages(to_anna))[-1].message_id
            await boris.wait_for_state(last, MessageState.SENT)
            # And an acknowledged one is still there after a restart.
            await here.stop_relay()
            await here.start_relay()
            await boris.send(to_anna, "after all")
            await anna.wait_for(to_boris, [*texts, "after all"])
            await here.stop_relay()
            await here.start_relay()

    with small_disk(tmp_path / "disk", 3) as disk:
        asyncio.run(scenario(disk))


def test_what_begins_on_a_full_disk_is_said_and_goes_on_once_there_is_room(tmp_path: Path) -> None:
    async def relay_runs(folder: Path) -> None:
        service = await RelayService(folder, Settings(port=0, reserve_bytes=0)).start()
        await service.close()

    with small_disk(tmp_path / "disk", 2) as disk:
        create_home(disk.folder / "relay")
        asyncio.run(relay_runs(disk.folder / "relay"))
        disk.fill()
        with pytest.raises(DiskFull, match="the relay's disk is full"):
            asyncio.run(relay_runs(disk.folder / "relay"))
        with pytest.raises(DiskFull):
            back_up(disk.folder / "relay", disk.folder / "backup")
        with pytest.raises(StoreError, match="can't be written"):
            open_home(disk.folder / "home", str, Protection.FILE)
        disk.free()
        disk.fill(leave_bytes=8192)
        with pytest.raises(DiskFull, match="the disk is full"):
            open_home(disk.folder / "another", str, Protection.FILE)
        disk.free()
        asyncio.run(relay_runs(disk.folder / "relay"))
        for name in ("home", "another"):
            open_home(disk.folder / name, str, Protection.FILE).close()
        assert {file.name for file in disk.folder.iterdir()} == {"relay", "home", "another"}
