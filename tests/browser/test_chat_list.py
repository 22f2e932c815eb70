"""The list of chats, driven on the page: search, the person's own order, what is new."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.people import Visitor, meet

pytestmark = [pytest.mark.browser, pytest.mark.slow]
Visit = Callable[..., Visitor]


def test_search_over_all_chats_finds_words_and_leads_there(visit: Visit) -> None:
    anna, boris = visit("anna"), visit("boris", suggests=False)
    meet(anna, boris)
    anna.write("**ёлка** в _лесу_")
    for number in range(90):
        anna.write(f"line {number}")
    anna.sees("line 89")
    page = anna.page
    page.get_by_label("Search", exact=True).fill("елк")
    found = page.get_by_role("region", name="What was found")
    expect(found.locator("mark")).to_have_text("ёлк")
    expect(found.get_by_role("button")).to_contain_text("ёлка в лесу")
    found.get_by_role("button").click()
    expect(page.get_by_role("log").get_by_text("ёлка в лесу")).to_be_in_viewport()
    expect(page.get_by_role("log").locator("mark")).to_have_text("ёлк")
    page.get_by_role("button", name="Earlier").click()
    page.get_by_text("Nothing more was found.").first.wait_for()
    page.get_by_role("main").get_by_role("button", name="End the search").click()
    expect(page.get_by_role("log").locator("mark")).to_have_count(0)
    page.get_by_label("Search", exact=True).fill("bori")
    found.get_by_role("button", name="Boris").first.wait_for()
    page.get_by_label("Search", exact=True).fill("zzzz")
    page.get_by_text("Nothing was found.").wait_for()
    page.get_by_role("navigation").get_by_role("button", name="End the search").click()
    page.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Search in this chat").click()
    expect(page.get_by_label("Search", exact=True)).to_be_focused()
    page.keyboard.type("line 7")
    expect(found.get_by_role("button")).to_have_count(11)
    found.get_by_role("button").last.click()  # line 7
    page.get_by_role("button", name="Later", exact=True).click()
    next_up = page.get_by_role("log").get_by_role("article").filter(has_text="line 70")
    expect(next_up.locator("mark")).to_have_text(["line", "7"])
    expect(next_up).to_be_in_viewport()
    page.get_by_label("Search", exact=True).press("Escape")
    page.get_by_role("button", name="To the latest").click()
    expect(page.get_by_role("log").get_by_text("line 89")).to_be_in_viewport()


def test_the_persons_own_order(visit: Visit) -> None:
    anna, boris = visit("anna"), visit("boris", suggests=False)
    meet(anna, boris)
    page = anna.page
    for title in ("First", "Second"):
        page.get_by_role("button", name="New", exact=True).click()
        page.get_by_role("menuitem", name="New group").click()
        page.get_by_label("Name of the group").fill(title)
        page.get_by_role("button", name="Make the group").click()
        anna.write("so that it is the latest")
        anna.sees("so that it is the latest")
    rows = page.get_by_role("navigation").get_by_role("listitem")
    expect(rows.first).to_contain_text("Second")
    rows.filter(has_text="Boris").click()
    page.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Pin to the top").click()
    expect(rows.first).to_contain_text("Boris")
    page.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Mute").click()
    expect(rows.first.get_by_role("img", name="Muted")).to_be_visible()
    rows.filter(has_text="First").click()
    page.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Archive").click()
    expect(rows).to_have_count(2)
    page.get_by_role("button", name="1 archived chat").click()
    expect(rows).to_have_count(3)
    page.reload()
    expect(rows).to_have_count(2)


def test_unread_ones_are_counted_and_divided(visit: Visit) -> None:
    anna, boris = visit("anna"), visit("boris", suggests=False)
    meet(anna, boris)
    page = anna.page
    page.get_by_role("button", name="Settings").click()
    for number in range(3):
        boris.write(f"new {number}")
    row = page.get_by_role("navigation").get_by_role("button", name="Boris")
    expect(row).to_contain_text("3 new messages")
    assert page.title() == "(1) Skvoz"
    row.click()
    expect(page.get_by_role("log").get_by_text("New messages")).to_be_visible()
    expect(row).not_to_contain_text("new messages")
    assert page.title() == "Skvoz"
    boris.page.get_by_role("log").get_by_label("It was read").nth(3).wait_for()
