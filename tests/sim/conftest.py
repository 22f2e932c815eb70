"""Fresh seeds are chosen once a run, for all of its workers, and printed."""

import os
import secrets

import pytest

_NAME = "SKVOZ_SIM_FIRST"


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        # Workers are started after this, and inherit it.
        os.environ.setdefault(_NAME, str(secrets.randbelow(10**9) + 10**6))


@pytest.fixture
def fresh_sim_seed() -> int:
    return int(os.environ[_NAME])
