"""The same rules by another's implementation: nftables outside, where a rule has such a form.

What passes and what doesn't must come out the same. Rules that read names or hellos have no such form: their
place in a packet varies. Counts there are of SYNs, not of hellos; a poisoned question is dropped, not
answered.
"""

import contextlib
import shutil
import subprocess
from collections.abc import Generator
from dataclasses import dataclass
from typing import Final

from lab.places import CLEAN, LISTED, RESOLVER, SUSPICIOUS
from lab.tactics.addresses import AddressBlock
from lab.tactics.curtains import CURTAIN_PACKETS
from lab.tactics.throttles import PASS_SHARE, THROTTLE_BURST_BYTES, THROTTLE_BYTES_S
from lab.world import LabError, World

_THERE: Final = SUSPICIOUS.prefix
_LISTED_ADDRESSES: Final = ", ".join(
    f"{SUSPICIOUS.at(address & 0xFF)}" for address in sorted(AddressBlock.blocked)
)
_LABEL: Final = "0x" + b"\x07blocked".hex()
"""How the label stands in a question."""
_POLICED: Final = (
    f"limit rate over {THROTTLE_BYTES_S:.0f} bytes/second burst {THROTTLE_BURST_BYTES:.0f} bytes"
)


@dataclass(frozen=True)
class Rules:
    """Lines for what the client sends, and for what it is sent; `far` stands for the address outside."""

    up: tuple[str, ...] = ()
    down: tuple[str, ...] = ()
    both: tuple[str, ...] = ()


_UP, _DOWN = f"ip daddr {_THERE}", f"ip saddr {_THERE}"
_CURTAIN: Final = f"ip far {_THERE} ct packets > {CURTAIN_PACKETS} drop"
_COUNT: Final = (
    f"ip daddr {_THERE} tcp dport 443 ct state new update @rows "
    "{ ip saddr . ip daddr limit rate over 1/second burst 3 packets } drop"
)
RULES: Final[dict[str, Rules]] = {
    "ip": Rules(both=(f"ip far {{ {_LISTED_ADDRESSES} }} drop",)),
    "dns": Rules(up=tuple(f"udp dport 53 @th,{at},64 {_LABEL} drop" for at in (160, 192))),
    "curtain": Rules(both=(_CURTAIN,)),
    "count": Rules(up=(_COUNT,)),
    "curtain-count": Rules(up=(_COUNT,), both=(_CURTAIN,)),
    "throttle": Rules(
        up=(f"{_UP} update @flows {{ ip saddr . th sport . ip daddr . th dport {_POLICED} }} drop",),
        down=(f"{_DOWN} update @flows {{ ip saddr . th sport . ip daddr . th dport {_POLICED} }} drop",),
    ),
    "five-percent": Rules(both=(f"ip far {_THERE} numgen random mod 100 >= {PASS_SHARE * 100:.0f} drop",)),
    "quic": Rules(up=("udp dport 443 udp length >= 1009 @th,72,32 0x00000001 drop",)),
    "calls": Rules(
        up=("meta l4proto udp @th,96,32 0x2112a442 drop", "udp dport 50000-65535 udp length 598-1408 drop")
    ),
    "ip-list": Rules(
        up=("udp dport != 53 drop",),
        down=("udp sport != 53 drop",),
        both=(f"ip far != {{ {LISTED.prefix}, {RESOLVER} }} drop",),
    ),
    "source-list": Rules(both=(f"ip far {{ {SUSPICIOUS.prefix}, {CLEAN.prefix} }} drop",)),
    "off": Rules(both=("drop",)),
}


def why_not() -> str | None:
    """Say why there can be no nftables here, or nothing if there can."""
    return None if shutil.which("nft") else "the lab's second opinion needs nft (Debian: nftables)"


def table_of(rules: Rules) -> str:
    """Return the table for `nft -f`."""
    up = [*(line.replace("ip far", "ip daddr") for line in rules.both), *rules.up]
    down = [*(line.replace("ip far", "ip saddr") for line in rules.both), *rules.down]
    sets = (
        " set rows { typeof ip saddr . ip daddr; size 65535; flags dynamic,timeout; timeout 60s; }\n"
        " set flows { type ipv4_addr . inet_service . ipv4_addr . inet_service; size 65535; "
        "flags dynamic,timeout; timeout 60s; }\n"
    )
    chains = "".join(
        f" chain {name} {{\n  type filter hook {name} priority 0;\n"
        f"{''.join(f'  {line}{chr(10)}' for line in lines)} }}\n"
        for name, lines in (("input", up), ("output", down))
    )
    return f"table ip lab {{\n{sets}{chains}}}\n"


@contextlib.contextmanager
def nftables_on(world: World, tactic: str) -> Generator[None]:
    """Let nftables do what a tactic does, while the box lets all pass. Raises `LabError`."""
    _nft(world, "sysctl", "-qw", "net.netfilter.nf_conntrack_acct=1")
    _nft(world, "nft", "-f", "-", typed=table_of(RULES[tactic]))
    try:
        yield
    finally:
        with contextlib.suppress(LabError, subprocess.SubprocessError):
            _nft(world, "nft", "delete", "table", "ip", "lab")


def _nft(world: World, *command: str, typed: str = "") -> None:
    done = world.run("outside", command, timeout_s=20, typed=typed)
    if done.returncode:
        raise LabError(f"{command[0]} refuses: {done.stderr[:500]}")
