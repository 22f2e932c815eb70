"""A home that is removed, and killed in the middle of it: nothing that is left can be opened."""

import os
from pathlib import Path

import keyring.errors
import pytest

from skvoz.base.errors import SkvozError
from skvoz.node.node import open_home
from skvoz.store import Home, Protection
from skvoz.store import home as store_home
from skvoz.store.removal import remove_home
from tests.store.test_protection import Clockwork, Keyring, Killed, ring

__all__ = ["ring"]
OLD = "хорёк в саду"
OLDER_KEY = "the protection before"


def lived_in(folder: Path, protection: Protection) -> None:
    with open_home(folder, lambda: OLD, protection) as opened:
        opened.database.run("CREATE TABLE was_here (what)")
    (folder / "files").mkdir()
    (folder / "files" / "one").write_bytes(b"sealed")
    (folder / "page.json").write_text("{}")
    (folder / "key.new").write_text("half")


def stepped(patch: pytest.MonkeyPatch, clockwork: Clockwork) -> None:
    patch.setattr(store_home.os, "fsync", clockwork.around(os.fsync))
    patch.setattr(store_home.os, "pwrite", clockwork.around(os.pwrite))
    patch.setattr(store_home.os, "unlink", clockwork.around(os.unlink))  # of a folder's files
    patch.setattr(Path, "unlink", clockwork.around(Path.unlink))
    patch.setattr(Path, "rmdir", clockwork.around(Path.rmdir))


@pytest.mark.slow
@pytest.mark.parametrize("protection", [Protection.FILE, Protection.KEYRING, Protection.PASSPHRASE])
def test_a_kill_leaves_a_home_that_is_whole_or_can_not_be_opened(
    tmp_path: Path, ring: Keyring, protection: Protection
) -> None:
    whole = shut = 0
    for fatal in range(1, 100):
        folder = tmp_path / str(fatal)
        ring.kept.clear()
        lived_in(folder, protection)
        clockwork = Clockwork(fatal)
        with Home(folder) as home, pytest.MonkeyPatch.context() as patch:
            # Opening it took `key.new` away; it is there again, as if its writer had been killed just now.
            (folder / "key.new").write_text("half")
            (folder / "key.old").write_text(OLDER_KEY)
            kept = home.key_file.read_bytes()
            older = (folder / "key.old").open("rb")
            stepped(patch, clockwork)
            ring.step = clockwork.step
            try:
                remove_home(home)
                killed = False
            except Killed:
                killed = True
        ring.step = lambda: None
        with older:
            is_older_there = older.read() == OLDER_KEY.encode()
        if not (folder / "key.json").exists() or (folder / "key.json").read_bytes() != kept:
            assert not is_older_there
        if not killed:
            assert not folder.exists()
            assert ring.kept == {}
            break
        if not (folder / "skvoz.db").exists():
            assert not list(folder.glob("files/*"))
            continue
        try:
            with open_home(folder, lambda: OLD) as opened:
                opened.database.rows("SELECT * FROM was_here")
                assert (folder / "files" / "one").read_bytes() == b"sealed"
            whole += 1
        except SkvozError:
            shut += 1
            # What was killed can be done to its end.
            with Home(folder) as home:
                remove_home(home)
            assert not folder.exists()
    else:
        raise AssertionError("it never ended")
    assert whole >= 1
    assert shut >= 5


def test_the_keys_bytes_are_overwritten_and_somebodys_own_files_stay(tmp_path: Path, ring: Keyring) -> None:
    del ring
    folder = tmp_path / "home"
    lived_in(folder, Protection.FILE)
    (folder / "mine.txt").write_text("mine")
    with (folder / "key.json").open("rb") as old:
        before = old.read()
        with Home(folder) as home:
            remove_home(home)
        old.seek(0)
        assert old.read() != before
        assert len(before) > 64
    assert [file.name for file in folder.iterdir()] == ["mine.txt"]


def test_what_can_not_be_removed_is_said_and_the_key_is_gone(
    tmp_path: Path, ring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    del ring
    folder = tmp_path / "home"
    lived_in(folder, Protection.FILE)
    unlink = Path.unlink

    def refusing(file: Path, *, missing_ok: bool = False) -> None:
        if file.name == "skvoz.db":
            raise PermissionError(1, "Operation not permitted")
        unlink(file, missing_ok=missing_ok)

    with Home(folder) as home:
        monkeypatch.setattr(Path, "unlink", refusing)
        with pytest.raises(SkvozError, match="not all of the home"):
            remove_home(home)
    assert not (folder / "key.json").exists()
    with pytest.raises(SkvozError):
        open_home(folder, str)


def test_a_keyring_that_keeps_the_key_stops_the_removal(tmp_path: Path, ring: Keyring) -> None:
    def refuse() -> None:
        raise keyring.errors.KeyringLocked

    folder = tmp_path / "home"
    lived_in(folder, Protection.KEYRING)
    with Home(folder) as home:
        ring.step = refuse
        with pytest.raises(SkvozError, match="unlock it"):
            remove_home(home)
        assert home.key_file.exists()
        assert home.database_file.exists()
        ring.step = lambda: None
        remove_home(home)
    assert not folder.exists()
    assert not ring.kept
