"""From nothing to the first delivered message, as people do it: on the page alone."""

import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.people import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.slow]
Visit = Callable[..., Visitor]
SECONDS_MAX = 60
STEPS_MAX = 8


class Hands:
    """Counts what a person does: a click, a group of keystrokes, a paste."""

    def __init__(self) -> None:
        self.steps = 0

    def click(self, page: Page, button: str) -> None:
        self.steps += 1
        page.get_by_role("button", name=button).click()

    def click_field(self, page: Page, label: str) -> None:
        self.steps += 1
        page.get_by_label(label).click()

    def type(self, page: Page, text: str) -> None:
        """Type where the focus is, Enter at the end."""
        self.steps += 1
        page.keyboard.type(text)
        page.keyboard.press("Enter")

    def type_only(self, page: Page, text: str) -> None:
        self.steps += 1
        page.keyboard.type(text)

    def paste(self, page: Page, text: str) -> None:
        self.steps += 1
        page.keyboard.insert_text(text)
        page.keyboard.press("Enter")


def test_two_fresh_homes_from_name_to_first_delivered_message(
    visit: Visit, capsys: pytest.CaptureFixture[str]
) -> None:
    anna, boris = visit("anna"), visit("boris", suggests=False)
    hands = Hands()
    here, there = anna.open(), boris.open()
    here.get_by_label("Your name").wait_for()
    there.get_by_label("Your name").wait_for()
    began = time.monotonic()

    hands.type(here, "Anna")
    hands.click(here, "Copy the link")
    link = here.evaluate("navigator.clipboard.readText()")
    hands.type_only(there, "Boris")
    hands.click_field(there, "The link that somebody gave you")
    hands.paste(there, link)
    there.get_by_label("Message", exact=True).wait_for()
    hands.type(there, "Hello, Anna!")
    anna.sees("Hello, Anna!")
    there.get_by_role("log").get_by_label("It has arrived").or_(
        there.get_by_role("log").get_by_label("It was read")
    ).wait_for()

    took = time.monotonic() - began
    with capsys.disabled():
        print(f"\nfirst message delivered after {took:.1f} s, {hands.steps} clicks and keystroke groups")
    assert took < SECONDS_MAX
    assert hands.steps <= STEPS_MAX
    # The inviter is in the chat, with the focus where one answers.
    here.keyboard.type("Hello, Boris!")
    here.keyboard.press("Enter")
    boris.sees("Hello, Boris!")


def test_one_may_write_before_the_other_is_there(visit: Visit) -> None:
    anna, boris = visit("anna"), visit("boris", suggests=False)
    anna.begin("Anna")
    link = anna.link()
    anna.stop_node()
    boris.begin("Boris", link)
    boris.write("are you there?")
    boris.page.get_by_role("log").get_by_label("The relay has stored it").wait_for()
    anna.start_node()
    anna.sees("are you there?")
    boris.page.get_by_role("log").get_by_label("It was read").wait_for()
    anna.expect_complaints("ERR_CONNECTION_REFUSED")
    anna.expect_complaints("WebSocket connection")


def test_a_wrong_link_is_said_in_words_and_loses_nothing(visit: Visit) -> None:
    anna = visit("anna", suggests=False)
    page = anna.open()
    page.get_by_label("Your name").fill("Anna")
    page.get_by_label("The link that somebody gave you").fill("skvoz:nonsense")
    page.keyboard.press("Enter")
    assert "damaged" in (page.get_by_role("alert").text_content() or "")
    assert page.get_by_label("Your name").input_value() == "Anna"
    page.get_by_label("Your name").fill("   ")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Your name")).to_be_focused()
    assert page.evaluate("document.activeElement.validity.valueMissing")


def test_who_comes_by_a_link_that_was_used_is_told(visit: Visit) -> None:
    anna, boris, vera = visit("anna"), visit("boris", suggests=False), visit("vera", suggests=False)
    anna.begin("Anna")
    link = anna.link()
    boris.begin("Boris", link)
    boris.write("hello")
    anna.sees("hello")
    page = vera.begin("Vera", link)
    dialog = page.get_by_role("dialog", name="Nothing comes of this link")
    dialog.get_by_text("The link was used already: somebody else may have seen it.").wait_for()
    dialog.get_by_role("button", name="Close").click()
    page.get_by_text("This chat is not here any more.").wait_for()


def test_who_has_no_link_may_name_a_relay(visit: Visit, relay: str) -> None:
    anna = visit("anna", suggests=False)
    page = anna.open()
    page.get_by_label("Your name").fill("Anna")
    page.get_by_text("I have no link").click()
    page.get_by_label("Address of a relay").fill(relay)
    page.keyboard.press("Enter")
    assert anna.link()


def test_the_limits_are_said_before_anything_is_asked(visit: Visit) -> None:
    page = visit("anna").open()
    page.get_by_role("button", name="What Skvoz can't do").click()
    assert page.get_by_role("heading", level=2).count() >= 4
    page.get_by_role("button", name="Back").click()
    page.get_by_label("Your name").wait_for()


def test_a_name_does_not_turn_the_sentence_that_it_stands_in(visit: Visit) -> None:
    page = visit("anna").open()
    name = "a\u202eb\u2067c"
    say = "name => import('/core/texts.js').then(({ say }) => say('{name} writes', { name }))"
    assert page.evaluate(say, name) == "abc writes"


def test_russian_where_the_browser_speaks_it(visit: Visit) -> None:
    anna = visit("anna", locale="ru-RU")
    page = anna.open()
    page.get_by_label("Ваше имя").fill("Анна")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Скопировать ссылку").wait_for()
    assert page.evaluate("document.documentElement.lang") == "ru"
