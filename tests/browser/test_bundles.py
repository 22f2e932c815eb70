"""Messages go by hand: a bundle is saved on one page, and taken in on another, while no relay is there."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route

from tests.browser.people import RestartableRelay, Visitor, meet

pytestmark = [pytest.mark.browser, pytest.mark.slow]
Visit = Callable[..., Visitor]


def saved(page: Page, file: Path) -> Path:
    """Save a bundle by keyboard, which keeps the focus."""
    button = page.get_by_role("button", name="Save a bundle")
    button.focus()
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    name = download.value.suggested_filename
    assert name.endswith(".bin")
    assert "anna" not in name
    download.value.save_as(file)
    page.wait_for_function("one => one === document.activeElement", arg=button.element_handle())
    return file


def too_much(route: Route) -> None:
    """Answer as a node with more to say than fits, which takes 64 MiB."""
    answer = route.fetch()
    route.fulfill(response=answer, headers={**answer.headers, "skvoz-left-out": "3"})


def told(page: Page, words: str) -> None:
    page.get_by_role("status").filter(has_text=words).first.wait_for()


def test_a_bundle_is_carried_from_one_page_to_another(
    visit: Visit, running_relay: RestartableRelay, tmp_path: Path
) -> None:
    anna, boris = visit("anna"), visit("boris", suggests=False)
    meet(anna, boris)
    running_relay.kill()
    anna.write("by hand")
    anna.sees("by hand")
    anna.page.get_by_role("button", name="Settings").click()
    file = saved(anna.page, tmp_path / "bundle")
    told(anna.page, "messages and changes")
    anna.page.route("**/bundle", too_much)
    saved(anna.page, tmp_path / "full")
    told(anna.page, "The bundle is full: 3 messages and changes are not in it.")
    anna.page.unroute("**/bundle")
    boris.page.get_by_role("button", name="Settings").click()
    taking = boris.page.locator("skvoz-bundles input[type=file]")
    other = tmp_path / "other"
    other.write_bytes(file.read_bytes()[:-1])
    taking.set_input_files(other)
    told(boris.page, "this file is no bundle")
    boris.expect_complaints("400 (Bad Request)")
    taking.set_input_files(file)
    told(boris.page, "new message")
    boris.page.get_by_role("button", name="Back").click()
    boris.sees("by hand")
    anna.running.__exit__()
    anna.page.get_by_role("button", name="Save a bundle").click()
    told(anna.page, "Your node does not answer.")
    anna.context.close()
    anna.expect_complaints("net::ERR_CONNECTION")
