"""Filters and folders above the list of chats."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.people import Visitor, meet
from tests.browser.test_accessible import look_at

pytestmark = [pytest.mark.browser, pytest.mark.slow]
Visit = Callable[..., Visitor]
MAKE = """async (title) => {
  const { wish } = await import("/core/connection.js");
  await wish("group.create", { title, members: [] });
}"""


def test_chats_are_filtered_and_kept_in_folders(visit: Visit) -> None:
    anna, boris = visit("anna"), visit("boris", suggests=False)
    meet(anna, boris)
    page = anna.page
    bar = page.get_by_role("group", name="Which chats")
    rows = page.get_by_role("navigation").locator(".chat-row")
    expect(bar).to_have_count(0)
    for number in range(8):
        page.evaluate(MAKE, f"Group {number}")
    expect(rows).to_have_count(9)
    bar.get_by_role("button", name="Groups").click()
    expect(rows).to_have_count(8)
    bar.get_by_role("button", name="People").focus()
    page.keyboard.press("Enter")
    expect(rows).to_have_count(1)
    bar.get_by_role("button", name="Unread").click()
    expect(rows).to_have_count(1)  # the one that is open
    bar.get_by_role("button", name="New folder").click()
    page.get_by_label("Name of the folder").fill("At the lake")
    page.get_by_role("checkbox", name="Group 3").check()
    page.get_by_role("checkbox", name="Boris").check()
    look_at(page, "a folder")
    page.get_by_role("button", name="Save").click()
    expect(rows).to_have_count(2)
    look_at(page, "filters")
    other = anna.context.new_page()
    other.goto(anna.terminal.does("--no-open").strip().splitlines()[-1])
    other.get_by_role("button", name="At the lake").click()
    expect(other.locator(".chat-row")).to_have_count(2)
    change(page, "Change this folder")
    page.get_by_role("checkbox", name="Boris").uncheck()
    page.get_by_role("button", name="Save").click()
    expect(rows).to_have_count(1)
    expect(other.locator(".chat-row")).to_have_count(1)
    page.reload()
    page.get_by_role("button", name="At the lake").click()
    expect(rows).to_have_count(1)
    change(page, "Change this folder")
    page.get_by_role("button", name="Delete the folder").click()
    expect(rows).to_have_count(9)
    expect(other.get_by_role("button", name="At the lake")).to_have_count(0)


def change(page: Page, name: str) -> None:
    page.get_by_role("group", name="Which chats").get_by_role("button", name=name).click()
