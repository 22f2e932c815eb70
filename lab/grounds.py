"""Whether a tactic in a world is one: a cell counts only on such ground.

In one and the same run its control must pass without it, be blocked by it, and Chromium must open the decoy
while it is on. So a rule that blocks nothing, or everything, makes no cells, green or red.
"""

import contextlib
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from lab.browser import Chromium
from lab.controls import Decoy
from lab.nftables import nftables_on
from lab.prober import Prober
from lab.tactics import TACTICS
from lab.tactics.base import Case
from lab.world import World


@dataclass(frozen=True, kw_only=True)
class Ground:
    """What became of control and decoy; `lost` frames are the box's own failure."""

    tactic: str
    control_passed_before: bool
    control_blocked: bool
    decoy_passed: bool
    lost: int

    @property
    def problems(self) -> list[str]:
        """What is wrong with it, in words."""
        found = {
            "the control doesn't pass without the tactic": not self.control_passed_before,
            "the control isn't blocked": not self.control_blocked,
            "the decoy doesn't pass": not self.decoy_passed,
            "the box lost frames": self.lost > 0,
        }
        return [words for words, is_so in found.items() if is_so]

    @property
    def holds(self) -> bool:
        """Whether cells of this tactic count."""
        return not self.problems


@contextlib.contextmanager
def tactic_on(
    world: World, tactic: str, case: Case, *, seed: int = 1, module: str = "", by_nftables: bool = False
) -> Generator[None]:
    """Let a tactic hold, with its prober where it has one; afterwards nothing is blocked."""
    with contextlib.ExitStack() as closing:
        if by_nftables:
            world.box.use("none")
            closing.enter_context(nftables_on(world, tactic))
        else:
            world.box.use(tactic, seed=seed, time_scale=case.time_scale, module=module)
            closing.callback(world.box.use, "none")
        if case.is_probed:
            closing.enter_context(Prober(world))
        yield


def try_ground(
    world: World,
    browser: Chromium,
    tactic: str,
    *,
    seed: int = 1,
    case: Case | None = None,
    module: str = "",
    by_nftables: bool = False,
) -> Ground:
    """Try a tactic's control and decoy, by the box or by nftables.

    `case` and `module` are for tactics that aren't in `lab.tactics`.
    """
    case = case or TACTICS[tactic].case
    decoy = case.decoy or Decoy()
    world.box.use("none")
    passed_before = all(case.control.tries(world))
    decoy_passed = True
    holding = tactic_on(world, tactic, case, seed=seed, module=module, by_nftables=by_nftables)
    with holding, ThreadPoolExecutor(1) as pool:
        trying = pool.submit(case.control.tries, world)
        if case.decoy is not None:
            decoy_passed = browser.opens(decoy.url)
        blocked = not any(trying.result())
        lost = world.box.counts()["lost"]
    if case.decoy is None:  # all is off: that it is the tactic, and no fault, shows when it ends
        decoy_passed = browser.opens(decoy.url)
    return Ground(
        tactic=tactic,
        control_passed_before=passed_before,
        control_blocked=blocked,
        decoy_passed=decoy_passed,
        lost=lost,
    )
