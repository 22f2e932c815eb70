"""A proxy is set in the settings, told in words, and given up; by keyboard."""

from collections.abc import Callable

import pytest

from tests.browser.people import Visitor
from tests.browser.test_accessible import look_at

pytestmark = [pytest.mark.browser, pytest.mark.slow]
Visit = Callable[..., Visitor]


def test_a_proxy_is_set_in_the_settings_and_given_up(visit: Visit) -> None:
    anna = visit("anna")
    page = anna.open()
    page.get_by_label("Your name").fill("Anna")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Later").click()
    page.get_by_role("button", name="Settings").click()
    address = page.get_by_label("Address of the proxy")
    address.fill("nonsense")
    page.keyboard.press("Enter")
    page.get_by_role("alert").get_by_text("a proxy is socks5://HOST:PORT").wait_for()
    address.fill("127.0.0.1:9050")
    page.get_by_label("Name, if it wants one").fill("anna")
    page.get_by_label("Password, if it wants one").fill("canary7f3a")
    page.keyboard.press("Enter")
    page.get_by_text("Through socks5://127.0.0.1:9050; only what stays on this machine").first.wait_for()
    assert page.get_by_label("Password, if it wants one").input_value() == ""
    assert "canary7f3a" not in page.content()
    look_at(page, "proxy")
    page.get_by_role("button", name="Go without a proxy").click()
    page.get_by_text("There is no proxy: relays are reached directly.").first.wait_for()
