"""`skvoz doctor`: what people read of their network, and what they give to whoever helps."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from skvoz.client.commands import CreateAccount, RelayAddress
from tests.cli.terminal import Terminal
from tests.node.people import Person, client_id

pytestmark = pytest.mark.slow
CANARY = "Канарейка"
PATH = "/secret-canary"
KEY = b"c" * 1216


async def live_nowhere(home: Path) -> None:
    """Make an account at a relay that is not there."""
    person = Person(home)
    await person.wake()
    relay = RelayAddress(public_key=KEY, addresses=(f"ws://localhost:9{PATH}",))
    await person.do(CreateAccount(client_id=client_id(), name=CANARY, relay=relay))
    await person.sleep()


def test_a_healthy_network(person: Callable[[str], Terminal]) -> None:
    said = person("Anna").does("doctor")
    assert "Your node is running." in said
    assert "works, answers within" in said
    assert "Nothing is blocked here" in said
    assert "Not tried: UDP" in said


def test_what_support_gets_names_nobody(tmp_path: Path) -> None:
    home = tmp_path / "home"
    asyncio.run(live_nowhere(home))
    (report,) = Terminal(home).objects("doctor")
    for personal in (CANARY, "localhost", "127.0.0.1", PATH, str(tmp_path), "Y2Nj", "6363"):
        assert personal not in str(report)
    (finding,) = report["network"]["findings"]
    assert finding["code"] == "address_refused"
    assert finding["text"].startswith("relay 1: ")
    assert {session["relay"] for session in report["sessions"]} == {1}


def test_only_the_home_where_the_network_is_not_wanted(tmp_path: Path) -> None:
    assert Terminal(tmp_path / "home").objects("doctor", "--no-network")[0]["network"] is None
