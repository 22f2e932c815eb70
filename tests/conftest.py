"""What all tests share: no clock of Hypothesis, fresh worlds to simulate, and STRICT=1 forgives no skip."""

import os
import secrets
from typing import Final, cast

import pytest
from hypothesis import settings

FRESH_SEED_VARIABLE: Final = "SKVOZ_SIM_FIRST"
"""Names the first of the fresh seeds of a run to all of its workers."""

settings.register_profile("skvoz", deadline=None, print_blob=True)
settings.load_profile("skvoz")


def pytest_configure(config: pytest.Config) -> None:
    # Here and not beside the simulation: whoever starts the workers reads no other conftest before them.
    if not hasattr(config, "workerinput"):
        os.environ.setdefault(FRESH_SEED_VARIABLE, str(secrets.randbelow(10**9) + 10**6))


@pytest.fixture
def fresh_sim_seed() -> int:
    return int(os.environ[FRESH_SEED_VARIABLE])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    if not skipped:
        return
    # A skip's representation is (file, line, reason).
    places = [cast("tuple[str, int, str] | str", report.longrepr) for report in skipped]
    reasons = {place if isinstance(place, str) else place[2] for place in places}
    terminalreporter.section("not run")
    for reason in sorted(reasons):
        terminalreporter.write_line(reason)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("STRICT") != "1" or reporter is None or hasattr(session.config, "workerinput"):
        return
    if reporter.stats.get("skipped") and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
