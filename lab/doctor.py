"""What a checkup says under each tactic: `python -m lab.doctor [TACTIC]…` prints the table of docs/doctor.md.

Behind the box it looks at two relays: one in the network that rules suspect, and one abroad that nobody
suspects. Both are one relay outside, behind Caddy.
"""

import asyncio
import json
import subprocess
import sys
from typing import Any, Final

from lab.places import CLEAN, SUSPICIOUS, WHO
from lab.processes import Where
from lab.rows import relay_name
from lab.site import RELAY_PATH, Authority, Front, Site, site
from lab.tactics import TACTICS
from lab.world import LabError, World
from skvoz.base.ids import RelayId
from skvoz.crypto import sha256
from skvoz.node.checkup import Checkup, Target
from skvoz.node.dialer import Dialer

LOOKED_AT: Final = (SUSPICIOUS, CLEAN)
_PATIENCE_S: Final = 120.0
_TIME_SCALE: Final = 600.0
_HEAD: Final = (
    "| tactic | says of the suspected relay | works there | says of the other | works there |\n"
    "|---|---|---|---|---|\n"
)


async def look_from_inside(public_key: bytes) -> None:
    """Look, and print what was found; in a process behind the box."""
    relay_id = RelayId(sha256(public_key))
    targets = [
        Target(
            relay_id=relay_id, public_key=public_key, addresses=(f"wss://{relay_name(place)}{RELAY_PATH}",)
        )
        for place in LOOKED_AT
    ]
    broke: list[BaseException] = []
    checkup = Checkup(Dialer(), lambda: targets, broke.append)
    checkup.start()
    report = await checkup.wait()
    for error in broke:
        raise error
    told = {
        "findings": [(one.relay, one.code.value, one.numbers) for one in report.findings],
        "works": [[trial.kind for trial in one.trials if trial.works] for one in report.measured],
        "measured": [repr(one) for one in report.measured],
    }
    sys.stdout.write(json.dumps(told) + "\n")


def look(world: World, relay: Site, tactic: str) -> dict[str, Any]:
    """Return what a checkup says behind a tactic. Raises `LabError`."""
    world.box.use(tactic, seed=1, time_scale=_TIME_SCALE)
    command = [sys.executable, "-m", "lab.doctor", "--inside", relay.public_key.hex()]
    trusting = ["env", f"SSL_CERT_FILE={relay.authority}"]
    try:
        done = world.run("client", [*trusting, *command], timeout_s=_PATIENCE_S)
    except subprocess.TimeoutExpired:
        raise LabError("the checkup doesn't end") from None
    if done.returncode:
        raise LabError(f"the checkup failed: {done.stderr[-2000:]}")
    return json.loads(done.stdout)


def look_behind(tactic: str) -> dict[str, Any]:
    """Return the same in a world of its own."""
    with World() as world:
        fronts = tuple(Front(relay_name(place), place.at(WHO["relay"])) for place in LOOKED_AT)
        authority = Authority(world.folder / "authority")
        with site(world.folder / "site", Where(world.namespace("outside")), authority, fronts, 443) as relay:
            return look(world, relay, tactic)


def row(tactic: str, told: dict[str, Any]) -> str:
    """Return a line of the table."""
    cells: list[str] = []
    for number, works in enumerate(told["works"], 1):
        found = [
            " ".join((f"`{code}`", *(f"{name} {value}" for name, value in numbers.items())))
            for relay, code, numbers in told["findings"]
            if relay in {0, number}
        ]
        cells += [", ".join(found) or "nothing", ", ".join(works) or "none"]
    return f"| {tactic} | {' | '.join(cells)} |"


def main() -> None:
    """Look behind each tactic."""
    if sys.argv[1:2] == ["--inside"]:
        asyncio.run(look_from_inside(bytes.fromhex(sys.argv[2])))
        return
    sys.stdout.write(_HEAD)
    for tactic in sys.argv[1:] or TACTICS:
        sys.stdout.write(row(tactic, look_behind(tactic)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
