"""A drop's storage that fails as the network and providers do, around the real one."""

import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from skvoz.base.errors import TransportError
from skvoz.transports.deaddrop import Storage, StorageFull

T = TypeVar("T")


class FaultyStorage:
    """Loses requests and answers with `loss_rate`; a request whose answer is lost was done."""

    def __init__(self, storage: Storage, chance: random.Random, loss_rate: float) -> None:
        self._storage = storage
        self._chance = chance
        self.loss_rate = loss_rate
        self.is_full = False
        self.faults = 0
        self.refused = 0

    @property
    def spent_bytes(self) -> int:
        return self._storage.spent_bytes

    async def names(self) -> set[str]:
        return await self._try(self._storage.names)

    async def get(self, name: str) -> bytes | None:
        return await self._try(lambda: self._storage.get(name))

    async def create(self, name: str, data: bytes) -> bool:
        if self.is_full:
            self.refused += 1
            raise StorageFull("the drop's storage is full")
        return await self._try(lambda: self._storage.create(name, data))

    async def put(self, name: str, data: bytes) -> None:
        if self.is_full:
            self.refused += 1
            raise StorageFull("the drop's storage is full")
        await self._try(lambda: self._storage.put(name, data))

    async def delete(self, name: str) -> None:
        await self._try(lambda: self._storage.delete(name))

    async def close(self) -> None:
        await self._storage.close()

    async def _try(self, work: Callable[[], Awaitable[T]]) -> T:
        self._lose()
        done = await work()
        self._lose()
        return done

    def _lose(self) -> None:
        if self._chance.random() < self.loss_rate / 2:
            self.faults += 1
            raise TransportError("the test lost this")
