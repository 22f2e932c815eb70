"""A tactic counts only where its control is blocked and Chromium opens the decoy."""

from collections.abc import Generator
from dataclasses import dataclass

import pytest

from lab import browser, sites
from lab.browser import Chromium, open_chromium
from lab.controls import Datagrams, Fetch
from lab.grounds import Ground, try_ground
from lab.places import CLEAN
from lab.sites import serve_sites
from lab.tactics.base import Case
from lab.world import World, why_not

pytestmark = [pytest.mark.slow, pytest.mark.browser]


@dataclass(frozen=True)
class Stage:
    world: World
    chromium: Chromium


@pytest.fixture(scope="module")
def stage() -> Generator[Stage]:
    for reason in (why_not(), sites.why_not(), browser.why_not()):
        if reason:
            pytest.skip(reason)
    with World() as world:
        serve_sites(world)
        with open_chromium(world) as chromium:
            yield Stage(world, chromium)


@pytest.mark.parametrize("tactic", ["sni-rst", "curtain"])
def test_a_tactic_blocks_its_control_and_lets_chromium_pass(stage: Stage, tactic: str) -> None:
    assert try_ground(stage.world, stage.chromium, tactic).problems == []


@pytest.mark.parametrize(
    ("tactic", "problems"),
    [
        ("blocks-nothing", ["the control isn't blocked"]),
        ("blocks-everything", ["the decoy doesn't pass"]),
    ],
)
def test_a_rule_that_is_none_makes_no_ground(
    stage: Stage, tactic: str, problems: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browser, "OPEN_S", 4.0)
    case = Case(control=Fetch(CLEAN))
    ground = try_ground(stage.world, stage.chromium, tactic, case=case, module="tests.lab.fakes")
    assert ground.problems == problems


def test_a_control_that_never_passes_makes_no_ground(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browser, "OPEN_S", 1.0)
    case = Case(control=Datagrams(9, b"nobody is there"))
    ground = try_ground(stage.world, stage.chromium, "off", case=case)
    assert ground.problems == ["the control doesn't pass without the tactic", "the decoy doesn't pass"]


def test_a_box_that_loses_frames_makes_no_ground() -> None:
    ground = Ground(tactic="x", control_passed_before=True, control_blocked=True, decoy_passed=True, lost=1)
    assert ground.problems == ["the box lost frames"]
    assert not ground.holds
