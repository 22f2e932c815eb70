import asyncio
from pathlib import Path

import pytest

from skvoz.api.caller import socket_file
from skvoz.api.local import running
from skvoz.base.errors import NotFound
from skvoz.client.inputs import TimePassed
from skvoz.client.machine import Machine
from skvoz.node.node import open_home
from skvoz.store import Protection
from tests.api.programs import program


def test_a_bug_that_stops_the_node_ends_the_block_and_is_raised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def bug(*_: object) -> None:
        raise AssertionError("a bug")

    async def scenario() -> None:
        with open_home(tmp_path, str, Protection.FILE) as opened:
            async with running(opened) as node:
                monkeypatch.setattr(Machine, "handle", bug)
                node._core.tell(TimePassed())
                await asyncio.wait_for(asyncio.Event().wait(), 20)

    with pytest.raises(AssertionError, match="a bug"):
        asyncio.run(scenario())
    assert not socket_file(tmp_path).exists()


def test_what_the_block_raises_passes_through_and_the_home_can_be_opened_again(tmp_path: Path) -> None:
    async def scenario(error: Exception | None) -> None:
        with open_home(tmp_path, str, Protection.FILE) as opened:
            async with running(opened), program(tmp_path) as one:
                assert await one.result("node.status")
                if error is not None:
                    raise error

    with pytest.raises(NotFound, match="words"):
        asyncio.run(scenario(NotFound("words")))
    asyncio.run(scenario(None))
