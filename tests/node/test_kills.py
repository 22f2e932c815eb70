import asyncio
import dataclasses
from pathlib import Path

import pytest

from tests.node.kills import talk_through_kills


@pytest.mark.slow
def test_people_are_shown_everything_once_though_their_relay_is_killed(tmp_path: Path) -> None:
    found = asyncio.run(talk_through_kills(tmp_path, kills=3, seed=1))
    assert found.messages >= 18
    assert dataclasses.astuple(found)[3:] == (0,) * 6
