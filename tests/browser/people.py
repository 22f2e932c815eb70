"""People with a page: each has a home, a node in a process of its own, and a browser's tab."""

import contextlib
import os
import shutil
from collections.abc import Generator
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright

from tests.cli.terminal import Running, Terminal

PATIENCE_MS: Final = 40_000
_BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome")
FLAGS: Final = (
    "--no-sandbox",  # tests may run as root
    "--disable-gpu",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
)

expect.set_options(timeout=PATIENCE_MS)


def chromium() -> str:
    """Return the path of a Chromium; skip where there is none."""
    for name in _BROWSERS:
        if found := shutil.which(name):
            return found
    reason = "chromium is not here (Debian: chromium)"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


class PageRunning(Running):
    """A node with its page; `address` opens it once."""

    def __init__(self, home: Path, relay: str = "", **variables: str) -> None:
        arguments = ["--home", str(home), "--no-open", *(("--relay", relay) if relay else ())]
        super().__init__(*arguments, **variables)
        assert self.process.stdout is not None
        self.address = self.process.stdout.readline().decode().strip()
        assert self.address.startswith("http://127.0.0.1:"), self.first_line


class RestartableRelay:
    """A relay that is killed and started again at the same address."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: Running | None = None
        self._listen: str = "127.0.0.1:0"
        self.address = ""

    def start(self) -> None:
        self._running = Running("relay", "--home", str(self._folder), "--listen", self._listen)
        self.address = self._running.first_line
        self._listen = self.address.partition("//")[2].partition("/")[0]

    def kill(self) -> None:
        """Take its power away."""
        if self._running is not None:
            self._running.__exit__()
        self._running = None


class Visitor:
    """Somebody with a home, whose page is open in a tab of their own."""

    def __init__(self, browser: Browser, folder: Path, relay: str, **context: object) -> None:
        self.folder = folder
        self.relay = relay
        self.terminal = Terminal(folder)
        self.running = PageRunning(folder, relay)
        self.context: BrowserContext = browser.new_context(
            **{"viewport": {"width": 1100, "height": 760}, "locale": "en-GB", **context}  # type: ignore[arg-type]  # the options vary
        )
        self.context.grant_permissions(["clipboard-read", "clipboard-write"])
        self.context.set_default_timeout(PATIENCE_MS)
        self.page: Page = self.context.new_page()
        self.complaints: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda told: self._heard(told.type, told.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))

    def _heard(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"}:
            self.complaints.append(text)

    @property
    def origin(self) -> str:
        """Where their page is."""
        return self.running.address.partition("/#")[0]

    def open(self) -> Page:
        """Open the page as a person does: by the address with the start token."""
        self.page.goto(self.running.address)
        return self.page

    def begin(self, name: str, link: str = "") -> Page:
        """Go through the first screens."""
        page = self.open()
        page.get_by_label("Your name").fill(name)
        if link:
            page.get_by_label("link", exact=False).first.fill(link)
        page.get_by_role("button", name="Continue").click()
        return page

    def link(self) -> str:
        """Return the link that the invitation's screen shows."""
        self.page.get_by_role("button", name="Copy the link").click()
        link = self.page.evaluate("navigator.clipboard.readText()")
        assert link.startswith("skvoz:")
        return link

    def write(self, text: str) -> None:
        """Write to the chat that is open."""
        field = self.page.get_by_label("Message", exact=True)
        field.fill(text)
        field.press("Enter")

    def sees(self, text: str) -> None:
        """Wait until a message with this text is in the chat that is open."""
        self.page.get_by_role("log").get_by_text(text).first.wait_for()

    def expect_complaints(self, part: str) -> None:
        """Forgive what a browser says of something that a test does on purpose."""
        self.complaints = [words for words in self.complaints if part not in words]

    def stop_node(self) -> None:
        assert self.running.stop() == 0

    def start_node(self) -> None:
        self.running = PageRunning(self.folder, self.relay)

    def close(self) -> None:
        self.context.close()
        if self.running.process.poll() is None:
            self.running.stop()


@contextlib.contextmanager
def open_browser(*flags: str) -> Generator[Browser]:
    """Run a Chromium, without a screen."""
    path = chromium()
    playing: Playwright
    with sync_playwright() as playing:
        browser = playing.chromium.launch(executable_path=path, args=[*FLAGS, *flags])
        yield browser
        browser.close()


def meet(anna: Visitor, boris: Visitor) -> None:
    """Let two people begin, and the second come through the first one's link and say hello."""
    anna.begin("Anna")
    boris.begin("Boris", anna.link())
    boris.write("hello")
    anna.sees("hello")


def open_menu(page: Page, text: str) -> None:
    """Open the menu of the last message with this text."""
    bubble = page.get_by_role("log").get_by_role("article").filter(has_text=text).last
    bubble.hover()
    bubble.get_by_role("button", name="What to do with this message").click()


def choose(page: Page, text: str, entry: str) -> None:
    """Choose an entry of a message's menu."""
    open_menu(page, text)
    page.get_by_role("menuitem", name=entry, exact=True).click()
