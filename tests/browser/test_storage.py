"""Room on the disk, given back in the settings."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.people import Visitor, meet
from tests.browser.test_accessible import look_at
from tests.browser.test_files import attached, bring

pytestmark = [pytest.mark.browser, pytest.mark.slow]
Visit = Callable[..., Visitor]


def test_files_are_freed_in_the_settings(visit: Visit) -> None:
    anna, boris = visit("anna"), visit("boris", suggests=False)
    meet(anna, boris)
    page = anna.page
    for name in ("one.txt", "two.txt"):
        bring(page, "paste", name, "text/plain", b"w" * 50_000)
        attached(page).get_by_text(name).wait_for()
        page.get_by_role("button", name="Send", exact=True).click()
        boris.page.get_by_role("log").get_by_text(name).wait_for()
    page.get_by_role("button", name="Settings").click()
    page.get_by_role("heading", name="The largest").wait_for()
    page.get_by_role("button", name="Free one.txt").wait_for()
    look_at(page, "storage")
    page.get_by_role("button", name="Free one.txt").click()
    page.get_by_role("button", name="Free one.txt").wait_for(state="detached")
    page.get_by_role("button", name="Free Boris").click()
    page.get_by_role("dialog").get_by_role("button", name="Free them").click()
    page.get_by_role("heading", name="The largest").wait_for(state="detached")
    page.get_by_role("button", name="Back").click()
    expect(page.get_by_role("log").get_by_text("not fetched")).to_have_count(2)
    assert "two.txt" in anna.terminal.does("read", "Boris")
    assert anna.terminal.objects("storage", "show")[0]["files"] == 0
