from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from tests.cli.terminal import Running, Terminal


@pytest.fixture
def relay_address(tmp_path: Path) -> Generator[str]:
    with Running("relay", "--home", str(tmp_path / "relay"), "--listen", "127.0.0.1:0") as relay:
        yield relay.first_line
        assert relay.stop() == 0


@pytest.fixture
def person(tmp_path: Path, relay_address: str) -> Generator[Callable[[str], Terminal]]:
    """Makes people with an account and a running node."""
    people: list[Terminal] = []

    def make(name: str) -> Terminal:
        made = Terminal(tmp_path / name)
        people.append(made)
        made.start_node()
        made.does("account", "create", "--name", name, "--relay", relay_address)
        return made

    yield make
    for made in people:
        made.close()
