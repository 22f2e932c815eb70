"""`./dev lab`: every row under every tactic, written to docs/survival.md, .json and .svg."""

import argparse
import asyncio
import secrets
import sys
from pathlib import Path

from lab.cells import Cell
from lab.matrix import Plan, run
from lab.peers import PEERS
from lab.quick import hold
from lab.rows import ROWS
from lab.survival import write
from lab.tactics import BLOCKING
from lab.world import LabError, why_not

_TOP = Path(__file__).resolve().parent.parent
DOCS = _TOP / "docs"


def main() -> int:
    """Measure, tell, and write."""
    parser = argparse.ArgumentParser(prog="./dev lab", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the cells that every change is held to")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**32))
    parser.add_argument(
        "--only", action="append", default=[], metavar="NAME", help="rows or tactics; leaves docs alone"
    )
    parser.add_argument("--minutes", type=float, default=60.0, help="no tactic is begun after so long")
    parser.add_argument("--into", type=Path, default=DOCS, metavar="FOLDER")
    options = parser.parse_args()
    if reason := why_not():
        print(f"lab: {reason}", file=sys.stderr)
        return 1
    print(f"seed: {options.seed}", flush=True)
    try:
        if options.quick:
            worse = asyncio.run(hold(DOCS, options.seed, tell))
            print("\n".join(worse) or "nothing is worse than in docs/survival.json")
            return 1 if worse else 0
        found = asyncio.run(run(_plan(options.only, options.seed, options.minutes * 60), tell))
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    if not options.only or options.into != DOCS:
        options.into.mkdir(parents=True, exist_ok=True)
        write(found, options.into)
    print(f"{found.took_s:.0f} s")
    return 0


def _plan(only: list[str], seed: int, within_s: float) -> Plan:
    """Return everything, or of rows, peers and tactics those that are named, where any of its kind is."""
    known = {*(row.name for row in ROWS), *(peer.name for peer in PEERS), *BLOCKING}
    if unknown := set(only) - known:
        raise SystemExit(
            f"lab: there is no {', '.join(sorted(unknown))}; there are {', '.join(sorted(known))}"
        )
    rows = tuple(row for row in ROWS if row.name in only)
    peers = tuple(peer for peer in PEERS if peer.name in only)
    if not rows and not peers:
        rows, peers = ROWS, PEERS
    tactics = tuple(name for name in only if name in BLOCKING) or tuple(BLOCKING)
    return Plan(rows=rows, tactics=tactics, peers=peers, asks_ndpi=not only, seed=seed, within_s=within_s)


def tell(cell: Cell) -> None:
    """Print a cell."""
    parts = [f"{cell.delivered:4.0%}"]
    for name, value in (
        ("median", cell.median_s),
        ("worst", cell.worst_s),
        ("down", cell.down_s),
        ("up", cell.up_s),
        ("switch", cell.switch_s),
    ):
        if value is not None:
            parts.append(f"{name} {value:.1f} s")
    if cell.text_bytes:
        parts.append(f"{cell.text_bytes:,} B")
    print(
        f"{cell.tactic:<16}{cell.row:<16}{cell.colour:<8}{', '.join(parts)}  {cell.why}  {cell.over}",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
