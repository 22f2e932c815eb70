"""What people say beside words: places and polls, driven on the page."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.people import Visitor, meet
from tests.browser.test_accessible import look_at

pytestmark = [pytest.mark.browser, pytest.mark.slow]
Visit = Callable[..., Visitor]


def test_a_pasted_place_is_offered_and_shown_as_a_card(visit: Visit) -> None:
    anna, boris = visit("anna"), visit("boris", suggests=False)
    meet(anna, boris)
    page = anna.page
    field = page.get_by_label("Message", exact=True)
    field.fill("https://www.openstreetmap.org/#map=15/55.7539/37.6208")
    page.get_by_label("What is there").fill("The lake")
    look_at(page, "an offered place")
    page.get_by_role("button", name="Send as a location").click()
    expect(field).to_have_value("")
    for one in (page, boris.page):
        card = one.get_by_role("log").get_by_role("article").filter(has_text="The lake")
        expect(card).to_contain_text("55.7539, 37.6208")
        expect(card.get_by_role("link")).to_have_attribute("href", "geo:55.7539,37.6208")
    look_at(page, "a place")
    boris.page.get_by_role("log").get_by_role("button", name="Copy", exact=True).click()
    assert boris.page.evaluate("navigator.clipboard.readText()") == "55.7539, 37.6208"
    listed = boris.page.get_by_role("navigation").get_by_role("button", name="Anna")
    expect(listed).to_contain_text("Location: The lake")
    field.fill("meet me at 55.7539, 37.6208")
    field.press("Enter")
    boris.sees("meet me at")
    boris.page.get_by_label("Search", exact=True).fill("lake")
    found = boris.page.get_by_role("region", name="What was found")
    found.get_by_role("button").first.click()
    expect(boris.page.get_by_role("log").locator("mark")).to_have_text("lake")
