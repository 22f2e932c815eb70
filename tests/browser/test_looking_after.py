"""What admins of groups are asked and told, on the page."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.people import Visitor, choose, meet
from tests.browser.test_accessible import look_at

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

    choose(third, "buy my boats", "Report to the admins")
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


def test_somebody_asks_by_a_groups_link(visit: Visit) -> None:
    anna, boris, vera = visit("anna"), visit("boris", suggests=False), visit("vera")
    meet(anna, boris)
    page, third = anna.page, vera.page
    anna.terminal.until("Boris", "contacts")
    anna.terminal.does("group", "create", "Lake", "Boris")
    open_chat(page, "Lake")
    page.get_by_role("button", name="About this chat").click()
    page.get_by_role("button", name="Make a link into the group").click()
    page.get_by_role("button", name="Copy the link").click()
    look_at(page, "a link into a group")
    link = page.evaluate("navigator.clipboard.readText()")
    vera.begin("Vera", link)
    third.get_by_role("heading", name="Lake").wait_for()
    expect(third.get_by_role("main")).to_contain_text("2 members. The link is Anna's.")
    look_at(third, "what a group's link leads to")
    expect(page.get_by_role("complementary", name="Something waits")).to_have_count(0)
    third.get_by_role("button", name="Ask to join").click()
    expect(third.get_by_role("status").filter(has_text="You asked to join.")).to_be_visible()
    look_at(third, "asked")

    card = page.get_by_role("complementary", name="Something waits in “Lake”")
    expect(card).to_contain_text("1 person wants to join.")
    look_at(page, "somebody asks to join")
    # Twice, as people click: she is let in once, and nothing is complained of.
    page.get_by_role("group", name="Vera").get_by_role("button", name="Let in").dblclick()
    expect(page.get_by_text("nobody like that asks to join any more")).to_have_count(0)
    third.get_by_label("Message", exact=True).wait_for()
    vera.write("here I am")
    open_chat(boris.page, "Lake")
    boris.sees("here I am")
    expect(card).to_have_count(0)
    page.get_by_role("heading", name="3 members").wait_for()
    page.get_by_role("button", name="Revoke").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    page.get_by_role("button", name="Make a link into the group").wait_for()
