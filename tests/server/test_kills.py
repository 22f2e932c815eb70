import asyncio
import dataclasses
from pathlib import Path

import pytest

from tests.server.kills import kill_often


@pytest.mark.slow
def test_a_relay_that_is_killed_loses_and_doubles_nothing(tmp_path: Path) -> None:
    found = asyncio.run(kill_often(tmp_path / "relay", kills=5, seed=1))
    assert found.acknowledged > 0
    assert not any(dataclasses.astuple(found)[3:])
