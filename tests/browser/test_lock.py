"""Locking on the page: a passphrase, a locked home in every tab, and what came meanwhile."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.browser.people import Visitor, meet
from tests.browser.test_accessible import look_at

pytestmark = [pytest.mark.browser, pytest.mark.slow]
Visit = Callable[..., Visitor]
PASSPHRASE = "хорёк в саду"


def settle_passphrase(page: Page, new: str) -> None:
    """Set the first passphrase in the settings."""
    page.get_by_role("button", name="Settings").click()
    page.get_by_label("New passphrase").fill(new)
    page.get_by_label("Once more").fill(new + " ")
    page.get_by_role("button", name="Set the passphrase").click()
    page.get_by_role("alert").get_by_text("not the same").wait_for()
    page.get_by_label("Once more").fill(new)
    page.get_by_role("button", name="Set the passphrase").click()
    page.get_by_role("button", name="Lock now").wait_for()


def test_a_locked_home_shows_nothing_until_the_passphrase_is_right(visit: Visit) -> None:
    anna, boris = visit("anna"), visit("boris", suggests=False)
    meet(anna, boris)
    page = anna.page
    other = anna.context.new_page()
    other.goto(anna.terminal.does("--no-open").strip().splitlines()[-1])
    other.get_by_text("hello").first.wait_for()
    settle_passphrase(page, PASSPHRASE)
    page.get_by_label("Lock when nobody has used the page for").select_option("15")
    look_at(page, "lock in the settings")
    page.get_by_role("button", name="Lock now").click()
    for tab in (page, other):
        tab.get_by_role("heading", name="This home is locked").wait_for()
        assert "hello" not in tab.content()
    look_at(page, "locked")
    assert "locked" in anna.terminal.refused("chats")
    boris.write("meanwhile")
    page.reload()
    page.get_by_label("Passphrase").fill("хорек в саду")
    page.keyboard.press("Enter")
    page.get_by_role("alert").get_by_text("does not open").wait_for()
    page.get_by_label("Passphrase").fill(PASSPHRASE)
    page.keyboard.press("Enter")
    page.get_by_label("Lock when nobody has used the page for").wait_for()
    assert page.get_by_label("Lock when nobody has used the page for").input_value() == "15"
    other.get_by_text("meanwhile").first.wait_for()
    page.keyboard.press("Control+Alt+Shift+KeyL")
    page.get_by_role("heading", name="This home is locked").wait_for()
    page.wait_for_load_state()
    page.get_by_label("Passphrase").fill(PASSPHRASE)
    page.keyboard.press("Enter")
    page.get_by_text("Change or remove the passphrase").click()
    page.get_by_label("Present passphrase").fill(PASSPHRASE)
    page.get_by_role("button", name="Remove it").click()
    page.get_by_role("button", name="Set the passphrase").wait_for()
    anna.expect_complaints("WebSocket")


def test_a_home_is_removed_for_good(visit: Visit) -> None:
    anna, boris = visit("anna"), visit("boris", suggests=False)
    meet(anna, boris)
    page = anna.page
    page.get_by_role("button", name="Settings").click()
    page.get_by_role("button", name="Remove this home…").click()
    look_at(page, "removal")
    page.get_by_label("type your name").fill("Boris")
    page.get_by_role("button", name="Remove for good").click()
    page.get_by_text("nothing was removed").first.wait_for()
    assert anna.terminal.does("chats")
    page.get_by_role("button", name="Remove this home…").click()
    page.get_by_label("type your name").fill("Anna")
    page.get_by_role("button", name="Remove for good").click()
    page.wait_for_url("about:blank")
    anna.running.process.communicate(timeout=30)
    assert anna.running.process.returncode == 0
    assert not anna.folder.exists()
    anna.expect_complaints("WebSocket")


def test_without_a_passphrase_the_keys_close_the_page(visit: Visit) -> None:
    anna = visit("anna")
    anna.begin("Anna")
    anna.page.get_by_role("button", name="Later").click()
    anna.page.keyboard.press("Control+Alt+Shift+KeyL")
    anna.page.get_by_text("This page is closed").wait_for()
    anna.page.reload()
    anna.page.get_by_text("This page is closed").wait_for()
