"""Homes beside one's own, opened and made by what the page asks."""

from pathlib import Path

import pytest

from skvoz.api.caller import Caller, socket_file
from skvoz.api.params import NeighbourParams, NoParams
from skvoz.api.protocol import CallFailed
from skvoz.api.views import HomeListView, PageView, StatusView
from tests.cli.terminal import Running, Terminal

pytestmark = pytest.mark.slow


def names(caller: Caller) -> list[tuple[str, bool]]:
    found = caller.call("home.list", NoParams(), HomeListView).homes
    return [(home.name, home.own) for home in found]


def test_homes_beside_this_one_are_listed_opened_and_made(tmp_path: Path) -> None:
    words = tmp_path / "words"
    words.write_text("a long passphrase\n")
    for name in ("anna", "boris"):
        Terminal(tmp_path / name).does("doctor", "--no-network")
    Terminal(tmp_path / "boris", SKVOZ_PASSPHRASE_FILE=str(words)).does("account", "protect", "passphrase")
    (tmp_path / "letters").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "boris")
    other = tmp_path / "other"
    other.write_text("the passphrase of anna\n")
    anna = ("--home", str(tmp_path / "anna"), "--no-open")
    with Running(*anna, SKVOZ_PASSPHRASE_FILE=str(other)) as node:
        caller = Caller(socket_file(tmp_path / "anna"))
        assert names(caller) == [("anna", True), ("boris", False)]
        for wrong in ("letters", "link", "../anna", "anna", ""):
            with pytest.raises(CallFailed, match="no such home"):
                caller.call("home.open", NeighbourParams(name=wrong), PageView)
        for wrong in ("../up", "a/b", "a.b", "", "x" * 41):
            with pytest.raises(CallFailed, match="up to 40"):
                caller.call("home.add", NeighbourParams(name=wrong), PageView)
        with pytest.raises(CallFailed, match="already"):
            caller.call("home.add", NeighbourParams(name="letters"), PageView)
        opened = caller.call("home.open", NeighbourParams(name="boris"), PageView)
        assert opened.address.startswith("http://127.0.0.1:")
        # Nobody could be asked for its passphrase, so its page asks.
        there = Caller(socket_file(tmp_path / "boris"))
        assert there.call("node.status", NoParams(), StatusView).locked
        caller.call("home.add", NeighbourParams(name="vera"), PageView)
        assert names(caller)[-1] == ("vera", False)
        assert (
            not Caller(socket_file(tmp_path / "vera")).call("node.status", NoParams(), StatusView).has_account
        )
        assert node.stop() == 0
    assert not there.is_answered()
