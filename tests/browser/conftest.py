from collections.abc import Callable, Generator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.people import RestartableRelay, Visitor, open_browser


@pytest.fixture(scope="module")
def browser() -> Generator[Browser]:
    with open_browser() as opened:
        yield opened


@pytest.fixture
def running_relay(tmp_path: Path) -> Generator[RestartableRelay]:
    made = RestartableRelay(tmp_path / "relay")
    made.start()
    yield made
    made.kill()


@pytest.fixture
def relay(running_relay: RestartableRelay) -> str:
    """The address of a relay that runs."""
    return running_relay.address


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
