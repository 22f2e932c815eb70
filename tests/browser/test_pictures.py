"""Pictures of the page for README and documents: `./dev pictures` keeps them, a test run only makes them."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Page

from tests.browser.people import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PICTURE_BYTES_MAX = 150_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(os.environ.get("SKVOZ_PICTURES") or tmp_path)


def take(page: Page, file: Path, theme: Literal["light", "dark"] = "light") -> None:
    """Keep a picture of the present screen."""
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    page.mouse.move(0, 0)
    page.wait_for_timeout(200)
    page.screenshot(path=file, animations="disabled", caret="hide")
    assert file.stat().st_size < PICTURE_BYTES_MAX


def test_pictures(visit: Callable[..., Visitor], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    anna = visit("anna", viewport={"width": 960, "height": 600})
    boris = visit("boris", suggests=False, viewport={"width": 360, "height": 640})
    page = anna.open()
    page.get_by_label("Your name").fill("Anna")
    take(page, folder / "welcome.png")
    page.keyboard.press("Enter")
    link = anna.link()
    page.get_by_text("The link is copied.").first.wait_for(state="hidden")
    take(page, folder / "invite.png")
    boris.begin("Boris Vetrov", link)
    boris.write("Hello, Anna! I am on the train, the network comes and goes.")
    anna.sees("Hello, Anna! I am on the train, the network comes and goes.")
    anna.write("It still gets *through*. Shall we meet at the lake on Saturday?")
    boris.sees("Shall we meet at the lake on Saturday?")
    boris.write("Yes! I bring the boat, you bring the soup.")
    anna.sees("Yes! I bring the boat, you bring the soup.")
    anna.write("**Deal.**")
    boris.sees("Deal.")
    page.get_by_role("log").get_by_label("It was read").nth(1).wait_for()
    while page.get_by_role("button", name="Not now").count():
        page.get_by_role("button", name="Not now").click()
    take(page, folder / "chat.png")
    take(page, folder / "chat-dark.png", "dark")
    take(boris.page, folder / "chat-narrow.png")
