"""What is blocked here, in the settings: a relay that is away, and one that is well; by keyboard."""

from collections.abc import Callable

import pytest

from tests.browser.people import RestartableRelay, Visitor
from tests.browser.test_accessible import look_at

pytestmark = [pytest.mark.browser, pytest.mark.slow]
Visit = Callable[..., Visitor]


def test_the_network_is_looked_at_in_the_settings(visit: Visit, running_relay: RestartableRelay) -> None:
    anna = visit("anna")
    page = anna.open()
    page.get_by_label("Your name").fill("Anna")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Later").click()
    anna.terminal.does("group", "create", "Notes")
    running_relay.kill()
    page.get_by_role("button", name="Find out why").click()
    button = page.get_by_role("button", name="Look at the network")
    button.focus()
    page.keyboard.press("Enter")
    page.get_by_role("status").get_by_text("127.0.0.1: the connection to its address is refused").wait_for()
    page.get_by_role("heading", name="What to do").wait_for()
    page.get_by_text("as soon as anything gets through").wait_for()
    assert button.evaluate("one => one === document.activeElement")
    look_at(page, "network")
    running_relay.start()
    page.keyboard.press("Enter")
    page.get_by_role("status").get_by_text("Nothing is blocked here").wait_for()
    page.get_by_text("works, answers within").wait_for()
