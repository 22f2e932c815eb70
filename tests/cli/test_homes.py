"""A home as a whole by commands: locked, unlocked, removed."""

from pathlib import Path

import pytest

from tests.cli.terminal import Running, Terminal

pytestmark = pytest.mark.slow


def test_a_home_is_locked_and_unlocked_by_commands(tmp_path: Path) -> None:
    words = tmp_path / "words"
    words.write_text("хорёк в саду\n")
    anna = Terminal(tmp_path / "anna", SKVOZ_PASSPHRASE_FILE=str(words))
    assert "no node runs" in anna.refused("lock")
    with Running("--home", str(tmp_path / "anna"), "--no-open") as node:
        assert "without a passphrase" in anna.refused("lock")
        assert node.stop() == 0
    anna.does("account", "protect", "passphrase")
    with Running("--home", str(tmp_path / "anna"), "--no-open", SKVOZ_PASSPHRASE_FILE=str(words)) as node:
        anna.does("lock")
        assert "locked" in anna.refused("chats")
        assert anna.objects("doctor", "--no-network")[0]["locked"]
        wrong = tmp_path / "wrong"
        wrong.write_text("guess")
        assert "does not open" in Terminal(anna.home, SKVOZ_PASSPHRASE_FILE=str(wrong)).refused("unlock")
        anna.does("unlock")
        assert not anna.objects("doctor", "--no-network")[0]["locked"]
        assert node.stop() == 0


def test_a_home_is_removed_by_a_command(tmp_path: Path) -> None:
    anna = Terminal(tmp_path / "anna")
    assert "no home" in anna.refused("home", "remove")
    anna.does("doctor", "--no-network")
    done = anna.type("home", "remove", typed="ana\n")
    assert done.returncode == 1
    assert "nothing was removed" in done.stderr
    assert (anna.home / "key.json").exists()
    anna.does("home", "remove", typed="anna\n")
    assert not anna.home.exists()
    with Running("--home", str(anna.home), "--no-open"):
        assert "no account" in anna.refused("home", "remove")  # a running one asks for its person's name
