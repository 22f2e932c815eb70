"""A key that changes its protection: killed at any moment, the home opens with the old or the new one."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import keyring
import keyring.backend
import keyring.errors
import pytest

from skvoz.base.errors import SkvozError, WrongPassphrase
from skvoz.store import Database, Home, Protection, protection
from skvoz.store import home as store_home
from skvoz.store.protection import change_protection, create_key, kind_of, read_key

OLD, NEW = "хорёк в саду", "another long one"


class Killed(BaseException):
    """The process is gone from here on."""


class Keyring(keyring.backend.KeyringBackend):
    """A keyring of the system, in memory."""

    priority = 1  # pyright: ignore[reportAssignmentType]  # a class property in the library

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[str, str] = {}
        self.step: Callable[[], None] = lambda: None

    def set_password(self, service: str, username: str, password: str) -> None:
        self.step()
        self.kept[username] = password
        self.step()

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get(username)

    def delete_password(self, service: str, username: str) -> None:
        self.step()
        del self.kept[username]
        self.step()


@pytest.fixture
def ring(monkeypatch: pytest.MonkeyPatch) -> Iterator[Keyring]:
    monkeypatch.delenv("SKVOZ_KEYRING", raising=False)
    monkeypatch.setattr(protection, "_MEMORY_KIB", 64)
    monkeypatch.setattr(protection, "_TIME_COST", 1)
    before, made = keyring.get_keyring(), Keyring()
    keyring.set_keyring(made)
    yield made
    keyring.set_keyring(before)


class Clockwork:
    """Counts what is done to the disk and the keyring, and kills before step number `fatal`."""

    def __init__(self, fatal: int) -> None:
        self.steps = 0
        self._fatal = fatal

    def step(self) -> None:
        self.steps += 1
        if self.steps >= self._fatal:  # and nothing that comes after it happens either
            raise Killed

    def around(self, work: Callable[..., object]) -> Callable[..., object]:
        def stepped(*arguments: object, **options: object) -> object:
            self.step()
            return work(*arguments, **options)

        return stepped


def stepped_writing(patch: pytest.MonkeyPatch, clockwork: Clockwork) -> list[int]:
    """Kill in what is done to write a key file; return descriptors of those that another one replaces."""
    replaced: list[int] = []
    replace = clockwork.around(Path.replace)

    def watched(file: Path, target: Path) -> object:
        if target.exists():
            replaced.append(os.open(target, os.O_RDONLY))
        return replace(file, target)

    for name in ("fsync", "pwrite", "link"):
        patch.setattr(store_home.os, name, clockwork.around(getattr(os, name)))
    patch.setattr(Path, "replace", watched)
    patch.setattr(Path, "unlink", clockwork.around(Path.unlink))
    return replaced


def is_lost_to_view(descriptor: int) -> bool:
    """Tell whether a key file's bytes are on the disk, and no name leads to them; close it."""
    try:
        return os.fstat(descriptor).st_nlink == 0 and b'"version"' in os.pread(descriptor, 4096, 0)
    finally:
        os.close(descriptor)


def key_by(file: Path, passphrases: tuple[str, ...]) -> bytes:
    """Return the key that one of the passphrases opens, or none of them is needed for."""
    for passphrase in passphrases:
        try:
            return read_key(file, lambda passphrase=passphrase: passphrase)
        except WrongPassphrase:
            continue
    raise AssertionError("nothing opens this home")


@pytest.mark.slow
@pytest.mark.parametrize("before", [Protection.FILE, Protection.KEYRING, Protection.PASSPHRASE])
@pytest.mark.parametrize("after", [Protection.FILE, Protection.KEYRING, Protection.PASSPHRASE])
def test_a_kill_at_any_moment_leaves_a_home_that_opens(
    tmp_path: Path, ring: Keyring, before: Protection, after: Protection
) -> None:
    for fatal in range(1, 100):
        folder = tmp_path / str(fatal)
        with Home(folder) as home:
            key = create_key(home.key_file, before, lambda: OLD)
            Database(home.database_file, key).close()
        clockwork = Clockwork(fatal)
        with Home(folder) as home, pytest.MonkeyPatch.context() as patch:
            replaced = stepped_writing(patch, clockwork)
            ring.step = clockwork.step
            try:
                change_protection(home.key_file, lambda: OLD, after, lambda: NEW)
                killed = False
            except Killed:
                killed = True
        ring.step = lambda: None
        with Home(folder) as home:
            assert key_by(home.key_file, (OLD, NEW)) == key
            Database(home.database_file, key).close()
            assert not (folder / "key.new").exists()
            assert not (folder / "key.old").exists()
            assert not any(is_lost_to_view(old) for old in replaced)
            kept = [name for name, value in ring.kept.items() if value == key.hex()]
            # No entry is left that nobody knows of; and none at all under a passphrase.
            assert len(kept) == (1 if kind_of(home.key_file) == "keyring" else 0)
            if kind_of(home.key_file) != "file":
                assert key.hex() not in home.key_file.read_text()
        if not killed:
            assert kind_of(home.key_file) == after.value
            return
    raise AssertionError("it never ended")


def test_a_wrong_passphrase_changes_nothing(tmp_path: Path, ring: Keyring) -> None:
    with Home(tmp_path / "home") as home:
        key = create_key(home.key_file, Protection.PASSPHRASE, lambda: OLD)
        before = home.key_file.read_bytes()
        for wanted in Protection:
            with pytest.raises(WrongPassphrase):
                change_protection(home.key_file, lambda: NEW, wanted, lambda: NEW)
            assert home.key_file.read_bytes() == before
        assert ring.kept == {}
        change_protection(home.key_file, lambda: OLD, Protection.PASSPHRASE, lambda: NEW)
        with pytest.raises(WrongPassphrase):
            read_key(home.key_file, lambda: OLD)
        assert read_key(home.key_file, lambda: NEW) == key


def test_the_old_files_bytes_are_overwritten(tmp_path: Path, ring: Keyring) -> None:
    del ring
    with Home(tmp_path / "home") as home:
        key = create_key(home.key_file, Protection.FILE, str)
        with home.key_file.open("rb") as old:
            assert key.hex().encode() in old.read()
            change_protection(home.key_file, str, Protection.PASSPHRASE, lambda: NEW)
            old.seek(0)
            assert key.hex().encode() not in old.read()
        copy = tmp_path / "copy"
        copy.hardlink_to(home.key_file)
        change_protection(home.key_file, lambda: NEW, Protection.FILE, str)
        assert read_key(copy, lambda: NEW) == key  # somebody's own backup


def test_the_old_files_bytes_are_overwritten_where_no_file_has_two_names(
    tmp_path: Path, ring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    del ring
    monkeypatch.setattr(store_home.os, "link", refuse)
    with Home(tmp_path / "home") as home:
        key = create_key(home.key_file, Protection.FILE, str)
        with home.key_file.open("rb") as old:
            change_protection(home.key_file, str, Protection.PASSPHRASE, lambda: NEW)
            assert key.hex().encode() not in old.read()
        assert read_key(home.key_file, lambda: NEW) == key


def test_what_a_killed_change_left_does_not_stop_the_next_one(tmp_path: Path, ring: Keyring) -> None:
    del ring
    with Home(tmp_path / "home") as home:
        key = create_key(home.key_file, Protection.FILE, str)
        left = tmp_path / "home" / "key.old"
        left.hardlink_to(home.key_file)  # as a full disk leaves it, while the node goes on
        change_protection(home.key_file, str, Protection.PASSPHRASE, lambda: OLD)
        assert not left.exists()
        left.write_text("the one before")
        with left.open("rb") as before:
            change_protection(home.key_file, lambda: OLD, Protection.PASSPHRASE, lambda: NEW)
            assert before.read() != b"the one before"
        assert not left.exists()
        assert read_key(home.key_file, lambda: NEW) == key


def test_a_keyring_that_refuses_leaves_everything_as_it_was(tmp_path: Path, ring: Keyring) -> None:
    def refuse() -> None:
        raise keyring.errors.PasswordSetError

    with Home(tmp_path / "home") as home:
        key = create_key(home.key_file, Protection.PASSPHRASE, lambda: OLD)
        ring.step = refuse
        with pytest.raises(SkvozError, match="did not take"):
            change_protection(home.key_file, lambda: OLD, Protection.KEYRING, str)
        ring.step = lambda: None
        assert read_key(home.key_file, lambda: OLD) == key
