"""The kernel's filter carries the same rules out: the same is blocked, and the same passes."""

import pytest

from lab import nftables
from lab.nftables import RULES, nftables_on, table_of
from lab.tactics import BLOCKING
from lab.world import World, why_not


def test_all_that_has_a_second_form_is_a_tactic() -> None:
    assert set(RULES) <= set(BLOCKING)
    assert all("far" not in table_of(rules) for rules in RULES.values())


@pytest.mark.slow
def test_both_block_the_same_controls() -> None:
    for reason in (why_not(), nftables.why_not()):
        if reason:
            pytest.skip(reason)
    with World() as world:
        for tactic in ("dns", "quic", "calls"):
            control = BLOCKING[tactic].case.control
            assert all(control.tries(world))
            with nftables_on(world, tactic):
                assert not any(control.tries(world))
            world.box.use(tactic)
            assert not any(control.tries(world))
            world.box.use("none")
