"""The network around is switched on in the settings, and says who is there; here it is this machine alone."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.people import Visitor
from tests.browser.test_accessible import look_at
from tests.cli import terminal
from tests.cli.test_talking import meet

pytestmark = [pytest.mark.browser, pytest.mark.slow]
Visit = Callable[..., Visitor]

_AROUND = """
import runpy
from ipaddress import IPv4Interface
from pathlib import Path
from skvoz.node import nearby
nearby.lan_address = lambda: None if Path({away!r}).exists() else IPv4Interface("127.0.0.1/8")
nearby._RETRY_S = 0.5
runpy.run_module("skvoz.cli", run_name="__main__")
"""


def switch(page: Page) -> None:
    page.get_by_role("button", name="Settings").click()
    box = page.get_by_label("Go on over Wi-Fi or a cable")
    assert not box.is_checked()
    box.focus()
    page.keyboard.press("Space")


def test_the_network_around_is_switched_on_and_says_who_is_there(
    visit: Visit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = tmp_path / "away"
    monkeypatch.setattr(terminal, "COMMAND", [sys.executable, "-c", _AROUND.format(away=str(away))])
    anna, boris = visit("anna"), visit("boris")
    for one, name in ((anna, "Anna"), (boris, "Boris")):
        one.terminal.does("account", "create", "--name", name, "--relay", one.relay)
    meet(boris.terminal, anna.terminal)
    boris.terminal.does("account", "nearby", "on")
    page = anna.open()
    switch(page)
    page.get_by_text("1 machine of somebody you share a chat with is here.").wait_for()
    look_at(page, "nearby")
    away.touch()
    page.get_by_text("this machine is in no local network").wait_for()
    page.get_by_label("Go on over Wi-Fi or a cable").click()
    page.get_by_text("this machine is in no local network").wait_for(state="detached")
    assert not anna.terminal.objects("doctor", "--no-network")[0]["lan_problem"]
