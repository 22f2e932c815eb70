"""`./dev bench page`: the page in Chromium over a home with 200 chats and 100,000 messages, 10,000 in one.

The chats are real MLS groups of one person; only the history is put straight into the store. Times are taken
in the page itself, from the wish to a layout with its result; the browser has no screen.
"""

import argparse
import asyncio
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, Page

from bench.machine import figure, machine
from bench.node.history import fill
from bench.node.people import awake
from bench.processes import relay, stopped_after
from skvoz.client.records import Conversation
from tests.browser.people import open_browser

CHATS: Final = 200
MESSAGES: Final = 100_000
LONG_CHAT: Final = 10_000
START_MOST_S: Final = 1.5
OPEN_MOST_MS: Final = 150.0
APPEND_MOST_MS: Final = 8.0
OLDER_MOST_MS: Final = 100.0
SEARCH_MOST_MS: Final = 60.0
_SEARCHES: Final = ("путь", "through lost", "сквозь чужой", "чуж", "nobody read way")
_PATIENCE_MS: Final = 60_000

_OPENED: Final = """async () => {
  const row = [...document.querySelectorAll(".chat-row")].find(one => one.textContent.includes("Long"));
  const began = performance.now();
  row.click();
  while (!document.querySelectorAll(".messages article").length) await new Promise(requestAnimationFrame);
  document.querySelector(".scroll").getBoundingClientRect();
  return performance.now() - began;
}"""
_APPENDED: Final = """async () => {
  const chat = document.querySelector("skvoz-chat");
  const { conversation } = chat;
  const last = conversation.messages.at(-1);
  const took = [];
  for (let i = 1; i <= 100; i++) {
    const message = { ...last, message_id: last.message_id + i, sequence: last.sequence + i };
    await new Promise(requestAnimationFrame);
    const began = performance.now();
    conversation.messages = [...conversation.messages, message];
    conversation.changed.value += 1;
    await chat.updateComplete;
    document.querySelector(".scroll").getBoundingClientRect();
    took.push(performance.now() - began);
  }
  await conversation.load();
  return took;
}"""
_OLDER: Final = """async () => {
  const chat = document.querySelector("skvoz-chat");
  const took = [];
  for (let i = 0; i < 20; i++) {
    const began = performance.now();
    await chat.conversation.older();
    await chat.updateComplete;
    document.querySelector(".scroll").getBoundingClientRect();
    took.push(performance.now() - began);
  }
  return took;
}"""
_SEARCHED: Final = """async (text) => {
  const { call } = await import("/core/connection.js");
  const began = performance.now();
  await call("message.search", { text, limit: 40 });
  return performance.now() - began;
}"""


async def _make(folder: Path, chats: int) -> None:
    with relay(folder / "relay") as running:
        async with awake(folder / "home") as person:
            await person.create_account("Anna", running)
            for number in range(chats):
                title = "Long" if number == 0 else f"Group {number}"
                await person.api.wish("group.create", title=title, members=[])

            async def settled() -> bool:
                return (await person.api.ask("node.status"))["unsent"] == 0

            while not await settled():  # noqa: ASYNC110  # what is waited for is in another process
                await asyncio.sleep(0.1)


def _fill(home: Path, chats: int, messages: int) -> None:
    def count(conversation: Conversation) -> int:
        return LONG_CHAT if conversation.title == "Long" else (messages - LONG_CHAT) // (chats - 1)

    fill(home, count, lambda conversation: conversation.title == "Long")


@contextmanager
def _app(home: Path) -> Generator[str]:
    command = [sys.executable, "-m", "skvoz.cli", "--home", str(home), "--no-open"]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process,
        stopped_after(process),
    ):
        assert process.stdout is not None
        for line in process.stdout:
            if found := re.search(r"http://\S+", line):
                yield found[0]
                break


def _start(browser: Browser, home: Path) -> tuple[float, float]:
    """Return seconds from the start of the app, and of the page, to a list that can be used."""
    began = time.perf_counter()
    with _app(home) as address:
        opened = time.perf_counter()
        with browser.new_context() as context:
            page = context.new_page()
            page.goto(address)
            page.locator(".chat-row").first.wait_for(timeout=_PATIENCE_MS)
            now = time.perf_counter()
    return now - began, now - opened


def _measure(browser: Browser, home: Path) -> list[bool]:
    starts = [_start(browser, home) for _ in range(3)]
    whole, page_only = (statistics.median(times) for times in zip(*starts, strict=True))
    held = [figure("app started to a chat list, median of 3", whole, "s", most=START_MOST_S)]
    figure("of that the page, median of 3", page_only, "s")
    with _app(home) as address, browser.new_context() as context:
        page = context.new_page()
        page.goto(address)
        page.get_by_text("Long").first.wait_for(timeout=_PATIENCE_MS)
        held += _in_page(page)
    return held


def _in_page(page: Page) -> list[bool]:
    opened: list[float] = []
    for _ in range(10):
        opened.append(page.evaluate(_OPENED))
        page.evaluate("import('/core/router.js').then(({ go }) => go({ screen: 'settings' }))")
        page.get_by_role("heading", level=1).first.wait_for()
    page.evaluate(_OPENED)
    appended: list[float] = page.evaluate(_APPENDED)
    older: list[float] = page.evaluate(_OLDER)
    drawn: Any = page.evaluate("document.querySelectorAll('.messages article').length")
    searched = [page.evaluate(_SEARCHED, text) for _ in range(4) for text in _SEARCHES]
    median = statistics.median
    held = [
        figure("a chat of 10,000: opened and laid out, median", median(opened), "ms", most=OPEN_MOST_MS),
        figure("a message appended, median of 100", median(appended), "ms", most=APPEND_MOST_MS),
        figure("the same, 95 of 100", statistics.quantiles(appended, n=20)[-1], "ms"),
        figure("scrolled back by a page, median of 20", median(older), "ms", most=OLDER_MOST_MS),
        figure("search to the first page, median of 20", median(searched), "ms", most=SEARCH_MOST_MS),
    ]
    figure("messages in the document", drawn, "")
    return held


def main() -> None:
    """Measure, and say whether the targets hold."""
    parser = argparse.ArgumentParser(prog="./dev bench page", description=__doc__)
    parser.add_argument("--chats", type=int, default=CHATS)
    parser.add_argument("--messages", type=int, default=MESSAGES)
    options = parser.parse_args()
    print(f"machine: {machine()}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        asyncio.run(_make(folder, options.chats))
        _fill(folder / "home", options.chats, options.messages)
        with open_browser() as browser:
            print(f"\n{options.chats:,} chats, {options.messages:,} messages, Chromium {browser.version}")
            held = _measure(browser, folder / "home")
    sys.exit(0 if all(held) else 1)


if __name__ == "__main__":
    main()
