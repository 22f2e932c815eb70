"""A Chromium in the client's namespace, kept open: it opens decoys, for which every tactic has to let it."""

import contextlib
import shlex
import shutil
from collections.abc import Generator
from dataclasses import dataclass
from typing import Final

from playwright.sync_api import Browser, Error, Playwright, sync_playwright

from lab.sites import WHOLE
from lab.world import World

OPEN_S: Final = 15.0
"""A slow machine's patience; unhindered it takes a quarter of a second."""
_FLAGS: Final = ("--no-sandbox", "--disable-gpu")


def chromium() -> str | None:
    """Return where a Chromium is, if there is one."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def why_not() -> str | None:
    """Say why there can be no browser here, or nothing if there can."""
    return None if chromium() else "the lab's decoy needs Chromium (Debian: chromium)"


@dataclass(frozen=True)
class Chromium:
    """The browser of a world; of one thread, as Playwright's are."""

    browser: Browser

    def opens(self, url: str) -> bool:
        """Open a decoy like somebody who was never there: names, connections and pages are all fresh."""
        context = self.browser.new_context(ignore_https_errors=True)
        try:
            page = context.new_page()
            page.goto(url, timeout=OPEN_S * 1000)
            page.wait_for_function(f"document.title === '{WHOLE}'", timeout=OPEN_S * 1000)
        except Error:
            return False
        finally:
            context.close()
        return True


@contextlib.contextmanager
def open_chromium(world: World) -> Generator[Chromium]:
    """Run a Chromium in a world, without a screen."""
    start = world.folder / "chromium"
    start.write_text(f'#!/bin/sh\nexec {shlex.join(world.command("client"))} {chromium()} "$@"\n')
    start.chmod(0o700)
    playing: Playwright
    with sync_playwright() as playing:
        browser = playing.chromium.launch(executable_path=start, args=list(_FLAGS))
        try:
            yield Chromium(browser)
        finally:
            browser.close()
