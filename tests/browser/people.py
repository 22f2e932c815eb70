"""People with a page: each has a home, a node in a process of its own, and a browser's tab."""

import contextlib
import os
import shutil
from collections.abc import Generator
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

from tests.cli.terminal import Running, Terminal

PATIENCE_MS: Final = 15_000
_BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome")
FLAGS: Final = (
    "--no-sandbox",  # tests may run as root
    "--disable-gpu",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
)


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


class Visitor:
    """Somebody with a home, whose page is open in a tab of their own."""

    def __init__(self, browser: Browser, folder: Path, relay: str, **context: object) -> None:
        self.folder = folder
        self.relay = relay
        self.terminal = Terminal(folder)
        self.running = PageRunning(folder, relay)
        self.context: BrowserContext = browser.new_context(
            **{"viewport": {"width": 1100, "height": 760}, "locale": "en-GB", **context}  # type: ignore[arg-type]
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

    def open(self) -> Page:
        self.page.goto(self.running.address)
        return self.page

    def stop_node(self) -> None:
        assert self.running.stop() == 0

    def start_node(self) -> None:
        self.running = PageRunning(self.folder, self.relay)

    def close(self) -> None:
        self.context.close()
        if self.running.process.poll() is None:
            self.running.stop()


@contextlib.contextmanager
def open_browser() -> Generator[Browser]:
    """Run a Chromium, without a screen."""
    path = chromium()
    playing: Playwright
    with sync_playwright() as playing:
        browser = playing.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        browser.close()
