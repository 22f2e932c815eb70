"""Making and joining a drop: what is tried at its storage before anything is kept."""

import secrets
from typing import Final

from skvoz.base.errors import Conflict, TransportError
from skvoz.base.value import Value
from skvoz.transports.deaddrop.handing import DropKey
from skvoz.transports.deaddrop.journal import MARK, make_mark
from skvoz.transports.deaddrop.names import SECRET_SIZE, DropKeys, drop_keys
from skvoz.transports.deaddrop.opening import open_storage, settled, ways_to_create
from skvoz.transports.deaddrop.probe import is_exclusive
from skvoz.transports.deaddrop.storage import StorageRefuses

NOT_EXCLUSIVE: Final = (
    "this storage lets two people take the same place at once, so no conversation can live there"
)


class Found(Value, frozen=True, kw_only=True):
    """A drop that was made or found at its storage."""

    key: DropKey
    keys: DropKeys


async def make_drop(url: str, password: str) -> Found:
    """Try a storage and put a new drop there; raise `TransportError`, `BadRequest` or `Conflict`."""
    key = DropKey(
        1, await _exclusive(await settled(url), password), password, secrets.token_bytes(SECRET_SIZE)
    )
    keys = drop_keys(key.secret)
    storage = open_storage(key.url, password)
    try:
        await make_mark(keys, storage, secrets.token_bytes)
    finally:
        await storage.close()
    return Found(key=key, keys=keys)


async def _exclusive(url: str, password: str) -> str:
    """Return the URL with the first way of creating that is exclusive there."""
    problem: TransportError | None = None
    for one in ways_to_create(url):
        try:
            if await is_exclusive(lambda one=one: open_storage(one, password)):
                return one
        except StorageRefuses:
            raise
        except TransportError as error:
            problem = problem or error
        else:
            problem = None
    if problem is not None:
        raise problem
    raise Conflict(NOT_EXCLUSIVE)


async def find_drop(key: DropKey) -> Found:
    """Look for a drop that somebody else made, and try its storage from here."""
    keys = drop_keys(key.secret)
    storage = open_storage(key.url, key.password)
    try:
        if await storage.get(keys.name_of(MARK)) is None:
            raise TransportError("the drop is not in its place: is this storage the right one?")
    finally:
        await storage.close()
    if not await is_exclusive(lambda: open_storage(key.url, key.password)):
        raise Conflict(NOT_EXCLUSIVE)
    return Found(key=key, keys=keys)
