"""What admins of groups are asked and told, on the page."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.people import Visitor, meet
from tests.browser.test_accessible import look_at
from tests.browser.test_everyday import menu

pytestmark = [pytest.mark.browser, pytest.mark.slow]
Visit = Callable[..., Visitor]


def open_chat(page: Page, name: str) -> None:
    page.get_by_role("navigation").get_by_role("button", name=name).first.click()


def test_a_message_is_reported_and_looked_at(visit: Visit) -> None:
    anna, boris, vera = visit("anna"), visit("boris", suggests=False), visit("vera", suggests=False)
    meet(anna, boris)
    page, third = anna.page, vera.page
    page.get_by_role("button", name="New", exact=True).click()
    page.get_by_role("menuitem", name="Invite somebody").click()
    vera.begin("Vera", anna.link())
    vera.write("here I am")
    anna.sees("here I am")
    anna.terminal.until("Vera", "contacts")
    anna.terminal.does("group", "create", "Lake", "Boris", "Vera")
    open_chat(boris.page, "Lake")
    boris.write("buy my boats")
    open_chat(third, "Lake")
    vera.sees("buy my boats")

    menu(third, "buy my boats", "Report to the admins")
    dialog = third.get_by_role("dialog")
    expect(dialog).to_contain_text("to Anna")
    look_at(third, "reporting")
    dialog.get_by_label("What else they should know").fill("the third time")
    dialog.get_by_role("button", name="Report").click()
    card = page.get_by_role("complementary", name="Something waits in “Lake”")
    expect(card).to_contain_text("1 message was reported to you.")
    look_at(page, "a card for an admin")
    card.get_by_role("button", name="Look").click()
    reported = page.locator(".reported > li")
    expect(reported).to_contain_text("Vera: advertising or spam — the third time")
    look_at(page, "what was reported")
    expect(boris.page.get_by_role("complementary", name="Something waits")).to_have_count(0)
    reported.get_by_role("button", name="Delete for everybody").click()
    expect(reported).to_have_count(0)
    expect(card).to_have_count(0)
    expect(third.get_by_role("log")).not_to_contain_text("buy my boats")
