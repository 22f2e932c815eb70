"""One TLS handshake with a host at a time, and some time between them.

Networks count handshakes: more than three with one name, less than 0.4 s apart, and the host is cut off for a
minute (what is called the Siberian block). Whoever opens a connection takes its turn here.
"""

import asyncio
import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from skvoz.base.errors import BadRequest

APART_S: Final = 0.5
"""From the end of one handshake to the beginning of the next, seconds at least."""
_JITTER_S: Final = 0.25


@dataclass(slots=True)
class _Host:
    """One host's turns."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    free_at: float = 0.0


def host_of(address: str) -> str:
    """Return whose turn a connection takes, whatever it then speaks; raise `BadRequest` for no address."""
    try:
        parts = urlsplit(address)
        host = f"{parts.hostname}:{parts.port or ''}"
    except ValueError:
        raise BadRequest("this is not a relay's address") from None
    return host


class Pace:
    """Turns for all connections of a node, on its event loop."""

    def __init__(self, *, apart_s: float = APART_S) -> None:
        self._apart_s = apart_s
        self._hosts: dict[str, _Host] = {}

    @asynccontextmanager
    async def turn(self, host: str) -> AsyncGenerator[None]:
        """Wait for a turn with a host, and have it while the block runs."""
        loop = asyncio.get_running_loop()
        own = self._hosts.setdefault(host, _Host())
        async with own.lock:
            await asyncio.sleep(max(0.0, own.free_at - loop.time()))
            try:
                yield
            finally:
                own.free_at = loop.time() + self._apart_s + secrets.randbelow(1000) / 1000 * _JITTER_S
