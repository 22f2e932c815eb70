"""Worlds in which bundles go by hand beside the relays: nothing is lost, and nothing shown twice."""

import pytest

from tests.sim.world import World

pytestmark = pytest.mark.slow


def test_worlds_where_people_carry() -> None:
    carried = 0
    for seed in range(109, 117):
        world = World(seed, carries=True)
        result = world.run()
        assert not result.problem, (seed, result.problem, result.faults)
        carried += len(world.ledger.carried)
    assert carried
