"""Two people at terminals talk over a folder, without any relay."""

import stat
from pathlib import Path

import pytest

from tests.cli.terminal import Terminal

pytestmark = pytest.mark.slow


def test_a_drop_is_made_handed_on_and_talked_over(tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    anna, boris = Terminal(tmp_path / "anna"), Terminal(tmp_path / "boris")
    try:
        asked = anna.type("drop", "make", folder.as_uri())
        assert asked.returncode == 1
        assert "tied to your phone number" in asked.stderr
        assert list(folder.iterdir()) == []
        [made] = anna.objects("drop", "make", folder.as_uri(), "--yes", "--every", "1")
        assert list(folder.iterdir())
        key = anna.does("drop", "key")
        assert key.startswith("skvoz-drop:")
        address = boris.does("drop", "join", "--yes", "--every", "1", typed=key).strip()
        assert address.startswith(f"{made['address']}#")
        for terminal, name in ((anna, "Anna"), (boris, "Boris")):
            terminal.start_node()
            terminal.does("account", "create", "--name", name, "--relay", address)
        link = anna.does("invite").strip()
        boris.does("accept", link, "--text", "through a folder")
        anna.until("through a folder", "chats")
        assert "through a folder" in anna.does("read", "Boris")
        assert "of 20 MB today" in anna.does("drop", "list")
        assert "lie in this drop" in anna.refused("drop", "forget")
        copies = list((tmp_path / "anna" / "drops").iterdir())
        assert [stat.S_IMODE(one.stat().st_mode) for one in copies] == [0o700]
    finally:
        anna.close()
        boris.close()


def test_what_is_no_drop_is_refused_in_a_word(tmp_path: Path) -> None:
    anna = Terminal(tmp_path / "anna")
    try:
        missing = (tmp_path / "nowhere").as_uri()
        assert anna.refused("drop", "make", missing, "--yes") == "the drop's folder isn't there"
        assert anna.refused("drop", "make", "gopher://x", "--yes") == "this is not the address of a storage"
        done = anna.type("drop", "join", "--yes", "--every", "1", typed="skvoz-drop:AAAA\n")
        assert done.returncode == 1
        assert done.stderr.endswith("this key of a dead drop is damaged, or of a newer version of Skvoz\n")
    finally:
        anna.close()
