"""How the page is opened: by which address, in which browser, and what stays behind of it."""

import re
import stat
import time
import urllib.request
from pathlib import Path

import pytest

from skvoz.cli import browser
from skvoz.cli.browser import shall_open
from tests.cli.terminal import PATIENCE_S, Running, Terminal

BROWSER = """#!/bin/sh
printf '%s' "$1" > {told}.new
mv {told}.new {told}
"""
NOWHERE = "ws://127.0.0.1:9/#" + "A" * 43


@pytest.fixture
def told(tmp_path: Path) -> Path:
    """Where a browser that only writes writes what it was to open."""
    script = tmp_path / "browser"
    script.write_text(BROWSER.format(told=tmp_path / "told"))
    script.chmod(0o700)
    return tmp_path / "told"


def until_there(file: Path) -> str:
    deadline = time.monotonic() + PATIENCE_S
    while not file.exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return file.read_text()


def address_in(running: Running) -> str:
    assert running.process.stdout is not None
    return running.process.stdout.readline().decode().strip()


def test_the_printed_address_serves_the_page(tmp_path: Path) -> None:
    with Running("--home", str(tmp_path / "home"), "--relay", NOWHERE) as running:
        address = address_in(running)
        assert re.fullmatch(r"http://127\.0\.0\.1:[0-9]+/#start=[\w-]{43}", address)
        with urllib.request.urlopen(address.partition("#")[0]) as answer:  # a fragment is never sent
            assert b"<skvoz-app>" in answer.read()
        assert not (tmp_path / "home" / "open.html").exists()
        assert running.stop() == 0


@pytest.mark.slow
@pytest.mark.skipif(Path("/snap/bin").exists(), reason="browsers here read no hidden folders")
def test_the_browsers_arguments_tell_nobody_the_token(tmp_path: Path, told: Path) -> None:
    home = tmp_path / "home"
    with Running("--home", str(home), "--open", BROWSER=str(tmp_path / "browser")) as running:
        address = address_in(running)
        opened = until_there(told)
        assert "start=" not in opened
        door = Path(opened.removeprefix("file://"))
        assert door == home / "open.html"
        assert stat.S_IMODE(door.stat().st_mode) == 0o600
        assert f'content="0; url={address}"' in door.read_text()
        assert running.stop() == 0
        assert not door.exists()


@pytest.mark.slow
def test_a_second_time_opens_the_page_anew(tmp_path: Path, told: Path) -> None:
    terminal = Terminal(tmp_path / "home", BROWSER=str(tmp_path / "browser"))
    terminal.start_node()
    try:
        assert terminal.type("--open").stdout.startswith("Your node runs already.")
        assert until_there(told)
    finally:
        terminal.close()


@pytest.mark.slow
def test_a_relay_to_suggest_is_looked_at_before_anything_starts(tmp_path: Path) -> None:
    refused = Terminal(tmp_path / "home").refused("--relay", "ftp://example.org")
    assert refused == "a relay's address starts with wss: or https:"
    assert not (tmp_path / "home").exists()


def test_a_browser_is_opened_where_somebody_sits(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal:
        def __init__(self, *, is_one: bool) -> None:
            self.isatty = lambda: is_one

    monkeypatch.setattr(browser.sys, "platform", "linux")
    for is_terminal, display, wanted in ((True, ":0", True), (False, ":0", False), (True, "", False)):
        monkeypatch.setattr(browser.sys, "stdout", Terminal(is_one=is_terminal))
        monkeypatch.setenv("DISPLAY", display)
        monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
        assert shall_open(wished=None) is wanted
        assert shall_open(wished=True)
        assert not shall_open(wished=False)
