"""A checkup behind the box says of a blocked relay what the tactic does, and of the other nothing."""

import pytest

from lab import sites
from lab.doctor import look_behind
from lab.world import why_not

pytestmark = [pytest.mark.slow, pytest.mark.peer]


def test_a_blocked_name_is_told_from_a_network_that_is_well() -> None:
    for reason in (why_not(), sites.why_not()):
        if reason:
            pytest.skip(reason)
    told = look_behind("sni-rst")
    assert [(relay, code) for relay, code, _ in told["findings"]] == [(1, "name_reset")]
    assert told["works"] == [[], ["wss", "https"]]
