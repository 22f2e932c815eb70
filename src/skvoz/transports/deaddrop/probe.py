"""Tells whether a storage lets one of several create an object, and tells the others that they are late.

Asked of the real storage over connections of their own, since neither a protocol's name nor a server's
documentation tells it. One try that two of them win is proof; many that one wins are good reason to trust.
"""

import asyncio
import contextlib
import secrets
from collections.abc import Callable
from typing import Final

from skvoz.base.errors import TransportError
from skvoz.transports.deaddrop.objects import SIZES
from skvoz.transports.deaddrop.storage import Storage, StorageOdd

ROUNDS: Final = 6
AT_ONCE: Final = 3


async def is_exclusive(open_one: Callable[[], Storage]) -> bool:
    """Tell whether `create` of this storage is exclusive; raise `TransportError` where it can't be tried."""
    storages = [open_one() for _ in range(AT_ONCE)]
    try:
        for _ in range(ROUNDS):
            if not await _one_wins(storages):
                return False
        return True
    finally:
        for storage in storages:
            await storage.close()


async def _one_wins(storages: list[Storage]) -> bool:
    name = secrets.token_hex(16)
    offered = [secrets.token_bytes(SIZES[0]) for _ in storages]
    try:
        won = await asyncio.gather(
            *(storage.create(name, data) for storage, data in zip(storages, offered, strict=True))
        )
        if sum(won) != 1:
            return False
        winner = offered[won.index(True)]
        if any([await storage.get(name) != winner for storage in storages]):
            return False
        if await storages[0].create(name, secrets.token_bytes(SIZES[0])):
            return False
        return await storages[-1].get(name) == winner
    except StorageOdd:  # who loses its composure in a race is not to be trusted with one
        return False
    finally:
        with contextlib.suppress(TransportError):
            await storages[0].delete(name)
