"""`./dev lab grounds [TACTIC…]`: hold each tactic to its control and Chromium's decoy, and ask two judges.

nftables does what a tactic does, where it can, and the same must come out. nDPI says what it takes the flows
of controls and decoys for.
"""

import sys
import time
from collections import Counter
from pathlib import Path

from bench.machine import machine
from lab import browser, ndpi, nftables, sites
from lab.browser import Chromium, open_chromium
from lab.grounds import try_ground
from lab.sites import serve_sites
from lab.tactics import BLOCKING
from lab.world import World, why_not


def _try_all(world: World, chromium: Chromium, tactics: list[str]) -> int:
    failed = 0
    print(f"{'tactic':<18}{'by the box':<14}{'by nftables':<14}{'seconds':>8}")
    for tactic in tactics:
        began = time.monotonic()
        found = [try_ground(world, chromium, tactic)]
        if tactic in nftables.RULES:
            found.append(try_ground(world, chromium, tactic, by_nftables=True))
        words = ["holds" if one.holds else "FAILS" for one in found] + ["-"] * (2 - len(found))
        print(f"{tactic:<18}{words[0]:<14}{words[1]:<14}{time.monotonic() - began:>8.1f}", flush=True)
        for problem in (problem for one in found for problem in one.problems):
            print(f"    {problem}")
        failed += sum(not one.holds for one in found)
    return failed


def _ask_ndpi(world: World, chromium: Chromium) -> None:
    """Tell what nDPI takes the lab's own traffic for, without any tactic."""
    file = Path(world.folder / "all.pcap")
    world.box.use("none")
    with world.box.captured(file):
        chromium.opens("https://decoy.clean.example/")
        for tactic in ("sni-rst", "count", "encrypted", "quic", "calls", "dns"):
            BLOCKING[tactic].case.control.tries(world)
    print("nDPI takes the flows of the decoy and of controls for:")
    said = Counter((one.protocol, one.port, one.name) for one in ndpi.opinions(file))
    for (protocol, port, name), count in sorted(said.items()):
        print(f"    {protocol:<24} port {port:<6} {name or '-':<40} {count}")


def main() -> int:
    """Try, print, and tell whether all hold."""
    tactics = sys.argv[1:] or list(BLOCKING)
    if unknown := set(tactics) - set(BLOCKING):
        print(f"there is no tactic {', '.join(sorted(unknown))}; there are {', '.join(BLOCKING)}")
        return 2
    for missing in (why_not(), sites.why_not(), browser.why_not(), nftables.why_not(), ndpi.why_not()):
        if missing:
            print(missing)
            return 1
    print(machine())
    began = time.monotonic()
    with World() as world:
        serve_sites(world)
        with open_chromium(world) as chromium:
            failed = _try_all(world, chromium, tactics)
            _ask_ndpi(world, chromium)
    print(f"{failed or 'none'} failed; {time.monotonic() - began:.0f} s in all")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
