"""What a node needs of somebody who runs a small relay for the network around: `skvoz.cli` brings it."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

from skvoz.transports.lan import Lender


@dataclass(frozen=True, slots=True, kw_only=True)
class Lent:
    """A relay that runs: what is told to those who may use it, and the port."""

    lender: Lender = field(repr=False)
    port: int


Lend = Callable[[str], AbstractAsyncContextManager[Lent]]
"""Runs a relay at an address of this machine until the block ends; raises `SkvozError` where it can't."""


def path_of(lender: Lender) -> str:
    """Return the path at which a lent relay speaks."""
    return f"/{lender.path.hex()}"
