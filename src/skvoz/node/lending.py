"""What a node needs of somebody who runs a small relay for the network around: `skvoz.cli` brings it."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from skvoz.base.value import Value
from skvoz.transports.lan import Lender

if TYPE_CHECKING:
    import asyncio


class Lent(Value, frozen=True, kw_only=True):
    """A relay that runs: what is told to those who may use it, the port, and in time what broke it."""

    lender: Lender
    port: int
    failed: "asyncio.Future[BaseException]"


Lend = Callable[[Path, str], AbstractAsyncContextManager[Lent]]
"""Runs a relay in a folder, which goes with it, at an address of this machine until the block ends.

Raises `SkvozError` where it can't.
"""


def path_of(lender: Lender) -> str:
    """Return the path at which a lent relay speaks."""
    return f"/{lender.path.hex()}"
