from collections.abc import Callable, Generator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.people import Visitor, open_browser
from tests.cli.terminal import Running


@pytest.fixture(scope="module")
def browser() -> Generator[Browser]:
    with open_browser() as opened:
        yield opened


@pytest.fixture
def relay(tmp_path: Path) -> Generator[str]:
    """The address of a relay that runs."""
    with Running("relay", "--home", str(tmp_path / "relay"), "--listen", "127.0.0.1:0") as running:
        yield running.first_line


@pytest.fixture
def visit(browser: Browser, tmp_path: Path, relay: str) -> Generator[Callable[..., Visitor]]:
    """Makes people with a page; what their browsers complain of, or ask other hosts for, fails the test."""
    people: list[Visitor] = []

    def make(name: str, *, suggests: bool = True, **context: object) -> Visitor:
        visitor = Visitor(browser, tmp_path / name, relay if suggests else "", **context)
        people.append(visitor)
        return visitor

    yield make
    for visitor in people:
        visitor.close()
    for visitor in people:
        assert visitor.complaints == []
        strangers = [url for url in visitor.asked if not url.startswith((visitor.origin, "data:", "blob:"))]
        assert strangers == []
