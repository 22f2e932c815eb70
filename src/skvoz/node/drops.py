"""The dead drops of a node: each is opened when a session first wants it, and all sessions share it."""

import base64
import binascii
import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from skvoz.base.errors import BadRequest, TransportError
from skvoz.base.ids import RelayId
from skvoz.client.records import DeadDrop
from skvoz.node.ways import Way
from skvoz.transports.connection import MessageConnection
from skvoz.transports.deaddrop import (
    DropHost,
    Mirror,
    Pace,
    Patience,
    Polls,
    Spent,
    drop_keys,
    open_storage,
)

DROPS_FOLDER: Final = "drops"
"""Of the home: sealed copies of what lies in drops."""
PATIENCE: Final = Patience()
FIRST_S: Final = 2.0
"""Seconds between looks while people talk."""
_SPENT: Final = "spent"
Find = Callable[[RelayId], Awaitable[DeadDrop | None]]


async def _no_drop(_: RelayId) -> DeadDrop | None:
    return None


class Drops:
    """Those that are open."""

    def __init__(self, folder: Path, find: Find, clock_ms: Callable[[], int]) -> None:
        """`find` returns what this home keeps of a drop."""
        self._folder = folder
        self._find = find
        self._clock_ms = clock_ms
        self._open: dict[RelayId, tuple[DeadDrop, DropHost, Mirror]] = {}

    @classmethod
    def none(cls) -> "Drops":
        """Return none at all."""
        return cls(Path(), _no_drop, lambda: 0)

    async def open(self, way: Way) -> MessageConnection:
        """Open a connection to the relay over a drop; raise `BadRequest` or `TransportError`."""
        relay_id = _relay_of(way.address)
        kept = await self._find(relay_id)
        if kept is None:
            raise TransportError("this goes through a dead drop that isn't known here: ask for its key")
        known = self._open.get(relay_id)
        if known is not None and known[0] != kept:
            del self._open[relay_id]
            await known[1].close()
            known = None
        if known is None:
            known = self._open[relay_id] = self._opened(kept)
        return await known[1].connect()

    def spent_today(self, relay_id: RelayId) -> int:
        """Return the bytes that went to a drop's storage and back today."""
        known = self._open.get(relay_id)
        if known is None:
            return 0
        _, host, mirror = known
        spent = host.spent
        mirror.note(_SPENT, f"{spent.day} {spent.byte_count}".encode())
        return spent.byte_count

    async def close(self) -> None:
        """Let all of them go."""
        for relay_id in list(self._open):
            self.spent_today(relay_id)
            await self._open.pop(relay_id)[1].close()

    def _opened(self, kept: DeadDrop) -> tuple[DeadDrop, DropHost, Mirror]:
        keys = drop_keys(kept.secret)
        mirror = Mirror(self._folder / kept.relay_id.hex()[:32], keys, secrets.token_bytes)
        pace = Pace(first_s=min(FIRST_S, kept.poll_s), most_s=kept.poll_s, bytes_a_day=kept.bytes_a_day)
        host = DropHost(
            keys=keys,
            storage=open_storage(kept.url, kept.password),
            mirror=mirror,
            polls=Polls(pace, secrets.token_bytes, _spent(mirror.noted(_SPENT))),
            clock_ms=self._clock_ms,
            patience=PATIENCE,
        )
        return kept, host, mirror


def _relay_of(address: str) -> RelayId:
    text = address.removeprefix("drop:")
    try:
        relay_id = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        relay_id = b""
    if len(relay_id) != 32:  # SHA-256 of a key
        raise BadRequest("this is not a dead drop's address")
    return RelayId(relay_id)


def _spent(noted: bytes) -> Spent | None:
    try:
        day, byte_count = map(int, noted.split())
    except ValueError:
        return None
    return Spent(day=day, byte_count=byte_count)
