"""Another home, made and opened from the settings."""

from collections.abc import Callable

import pytest

from tests.browser.people import Visitor
from tests.browser.test_accessible import look_at

pytestmark = [pytest.mark.browser, pytest.mark.slow]
Visit = Callable[..., Visitor]


def test_another_home_is_made_and_opened_in_a_tab_of_its_own(visit: Visit) -> None:
    anna = visit("anna")
    anna.begin("Anna")
    page = anna.page
    page.get_by_role("button", name="Later").click()
    page.get_by_role("button", name="Settings").click()
    page.get_by_text("This device, since").wait_for()
    page.get_by_label("Name of another home").fill("work")
    look_at(page, "other homes")
    with anna.context.expect_page() as opened:
        page.get_by_role("button", name="Make it").click()
    other = opened.value
    other.get_by_label("Your name").wait_for()
    assert not other.url.startswith(anna.origin)
    assert (anna.folder.parent / "work" / "key.json").exists()
