"""What a new user stumbled over: narrow screens, odd links, and the way back."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.people import Visitor, meet

pytestmark = [pytest.mark.browser, pytest.mark.slow]
Visit = Callable[..., Visitor]


def box(of: Locator) -> Any:
    found = of.bounding_box()
    assert found is not None
    return found


def test_on_a_narrow_screen_what_is_written_has_most_of_the_room(visit: Visit) -> None:
    anna, boris = visit("anna"), visit("boris", viewport={"width": 320, "height": 640})
    meet(anna, boris)
    page, field = boris.page, boris.page.get_by_label("Message", exact=True)
    assert box(field)["width"] >= 160
    field.fill("some words")
    assert box(field)["width"] >= 160
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Attach files")).to_be_visible()
    field.fill("")
    expect(page.get_by_role("button", name="Record a voice message")).to_be_visible()

    page.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="New poll").click()
    page.get_by_label("Question").fill("When?")
    page.get_by_label("Answers, each on a line of its own").fill("today\ntomorrow")
    page.get_by_role("button", name="Ask", exact=True).click()
    poll = page.get_by_role("group", name="Poll")
    poll.wait_for()
    for width in (320, 768):
        page.set_viewport_size({"width": width, "height": 700})
        bubble, answer = box(page.get_by_role("article").last), box(poll.get_by_role("button").first)
        assert answer["x"] + answer["width"] <= bubble["x"] + bubble["width"]


def test_what_is_no_link_is_called_that_before_anything_is_made(visit: Visit) -> None:
    anna = visit("anna")
    for typed in ("hello there", "https://example.com/", anna.relay):
        page = anna.begin("Anna", typed)
        expect(page.get_by_role("alert")).to_have_text(
            "this is not a Skvoz link: it has to start with skvoz:", ignore_case=True
        )


def test_escape_leads_back_and_comparing_begins_at_the_number(visit: Visit) -> None:
    anna, boris = visit("anna"), visit("boris")
    meet(anna, boris)
    page = anna.page
    page.get_by_role("button", name="Settings:").click()
    expect(page.get_by_role("heading", name="Settings")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", name="Settings")).to_have_count(0)
    anna.write("hello, Boris")
    boris.sees("hello, Boris")
    for card in ("Hear of new messages?", "Write down your recovery phrase"):
        if page.get_by_role("complementary", name=card).count():
            page.get_by_role("complementary", name=card).get_by_role("button", name="Not now").click()
    page.get_by_role("complementary").get_by_role("button", name="Compare").click()
    number = page.get_by_role("heading", name="Safety number")
    expect(number).to_be_focused()
    expect(number).to_be_in_viewport()
