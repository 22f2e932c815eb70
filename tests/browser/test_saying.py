"""What people say beside words: places and polls, driven on the page."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.people import Visitor, choose, meet
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


def test_a_poll_is_asked_answered_and_closed(visit: Visit) -> None:
    anna, boris = visit("anna"), visit("boris", suggests=False)
    meet(anna, boris)
    page, there = anna.page, boris.page
    page.get_by_role("button", name="More", exact=True).click()
    page.get_by_role("menuitem", name="New poll").click()
    page.get_by_text("Everybody in the chat sees who chose what.").wait_for()
    page.get_by_label("Question").fill("When do we meet?")
    answers = page.get_by_label("Answers, each on a line of its own")
    answers.fill("at six\n\nat six")
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("different, short answers")
    look_at(page, "a new poll")
    answers.fill("at six\n\nat seven\n")
    page.get_by_role("button", name="Ask", exact=True).click()
    polls = [one.get_by_role("log").get_by_role("group", name="Poll") for one in (page, there)]
    for poll in polls:
        expect(poll.get_by_role("button")).to_contain_text(["at six", "at seven"])
    expect(there.get_by_role("navigation").get_by_role("button", name="Anna")).to_contain_text("Poll: When")
    polls[1].get_by_role("button", name="at six").click()
    expect(polls[0].get_by_role("button", name="at six 1 person")).to_have_attribute("aria-pressed", "false")
    polls[0].get_by_role("button", name="at six").click()
    expect(polls[1].get_by_role("button", name="at six 2 people")).to_have_attribute("aria-pressed", "true")
    polls[1].get_by_role("button", name="at seven").click()
    for poll in polls:
        poll.get_by_role("button", name="at seven 1 person").wait_for()
    polls[1].get_by_role("button", name="at seven").click()  # takes it back
    polls[0].get_by_role("button", name="at seven 0 people").wait_for()
    look_at(page, "a poll")
    polls[0].get_by_role("button", name="Who chose what").click()
    expect(page.get_by_role("dialog")).to_contain_text("Anna")
    look_at(page, "who chose what")
    page.keyboard.press("Escape")
    choose(page, "When do we meet?", "Close the poll")
    for poll in polls:
        expect(poll).to_contain_text("The poll is closed")
        expect(poll.get_by_role("button", name="at six")).to_be_disabled()
    there.get_by_label("Search", exact=True).fill("meet seven")
    there.get_by_role("region", name="What was found").get_by_role("button").first.click()
    expect(polls[1].locator("mark")).to_have_text(["meet", "seven"])
