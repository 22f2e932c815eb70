"""Locking the home of an app that goes on running, and opening it again with the passphrase.

Locked means: the node has ended, the store is closed and its key forgotten. What is left answers how it is
(`node.status`), gives an address of the page (`node.page`), which shows nothing but a field for the
passphrase, and takes that (`home.unlock`). What arrives meanwhile waits at the relays.

What of this process's memory was used for keys and texts before is free then, and not overwritten.
"""

import asyncio
import contextlib
import gc
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from dataclasses import dataclass
from typing import Final

from skvoz.api.params import PASSPHRASE_LENGTH_MIN, NoParams, ProtectParams, RemoveParams, UnlockParams
from skvoz.api.service import Service
from skvoz.api.views import DoneView
from skvoz.base.errors import BadRequest, Conflict, Locked, SkvozError, TooOften, WrongPassphrase
from skvoz.node.lending import Lend
from skvoz.node.node import Node, OpenHome
from skvoz.store.protection import Protection, change_protection, kind_of
from skvoz.store.queries import Queries
from skvoz.store.removal import remove_home

FREE_TRIES: Final = 3
"""Wrong passphrases before one has to wait: slips of the finger."""
WAIT_MS_MAX: Final = 60_000
_LOOK_EVERY_S: Final = 5.0
_ANSWER_S: Final = 0.5
"""How long the caller that had the home locked keeps its connection: until it has its answer."""


@dataclass(slots=True)
class Tries:
    """Slows down who tries passphrases here; that each costs time elsewhere too is what Argon2id is for."""

    wrong: int = 0
    next_ms: int = 0

    def check(self, now_ms: int) -> None:
        """Raise `TooOften` where it is too early for another try."""
        wait_ms = min(self.next_ms - now_ms, WAIT_MS_MAX)  # a clock that was set back doesn't shut people out
        if wait_ms > 0:
            raise TooOften("too many wrong passphrases: wait a little", wait_ms)

    def failed(self, now_ms: int) -> None:
        """Note a wrong one."""
        self.wrong += 1
        if self.wrong >= FREE_TRIES:
            self.next_ms = now_ms + min(1000 << min(self.wrong - FREE_TRIES, 20), WAIT_MS_MAX)


class Locking:
    """Runs the node of a home while it is unlocked."""

    def __init__(
        self, opened: OpenHome, service: Service, clock_ms: Callable[[], int], lend: Lend | None = None
    ) -> None:
        self._opened = opened
        self._lend = lend
        self._service = service
        self._clock_ms = clock_ms
        self._node: Node | None = None
        self._tries = Tries()
        self._changing = asyncio.Lock()
        self._input_ms = clock_ms()
        self._working: set[asyncio.Task[None]] = set()
        self.broken: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()
        """Done with the bug that stopped a node."""
        service.acts |= {
            "home.lock": self._lock_asked,
            "home.unlock": self.unlock,
            "home.protect": self.protect,
            "home.used": self._used_asked,
            "home.remove": self.remove,
        }

    @property
    def is_locked(self) -> bool:
        """Tell whether the store is closed."""
        return self._node is None

    @contextlib.asynccontextmanager
    async def watching(self) -> AsyncGenerator[None]:
        """Run the node until the block ends, and lock it when nobody has used the page for long."""
        if not self._opened.is_locked:
            await self._begin()
        looking = asyncio.create_task(self._look_again())
        try:
            yield
        finally:
            looking.cancel()
            async with self._changing:
                if self._node is not None:
                    await self._node.close()

    async def _lock_asked(self, _: NoParams) -> DoneView:
        await self.lock()
        return DoneView()

    async def _used_asked(self, _: NoParams) -> DoneView:
        self.used()
        return DoneView()

    async def lock(self) -> None:
        """End the node, close the store and forget its key; raise `Conflict` where there is no passphrase."""
        await self._whole(self._lock())

    async def unlock(self, params: UnlockParams) -> DoneView:
        """Open the store and run a node; raise `WrongPassphrase`, `TooOften` or another `StoreError`."""
        await self._whole(self._unlock(params.passphrase))
        return DoneView()

    async def protect(self, params: ProtectParams) -> DoneView:
        """Set, change or remove the passphrase; raise as `unlock`, and then nothing has changed."""
        if 0 < len(params.passphrase) < PASSPHRASE_LENGTH_MIN:
            raise BadRequest("a passphrase has 8 characters or more")
        await self._whole(self._protect(params))
        return DoneView()

    async def remove(self, params: RemoveParams) -> DoneView:
        """Remove the home for good; raise `BadRequest` for another name than its person's, `StoreError`."""
        await self._whole(self._remove(params.name))
        return DoneView()

    def used(self) -> None:
        """Note that somebody is using the page."""
        self._input_ms = self._clock_ms()

    async def look(self) -> None:
        """Lock the home if the page was not used for as long as its person chose."""
        if self._node is None or not self._has_passphrase():
            return
        account = await self._node.query(Queries.account)
        minutes = 0 if account is None else account.lock_after_minutes
        if minutes and self._clock_ms() - self._input_ms >= minutes * 60_000:
            await self.lock()

    async def _look_again(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            with contextlib.suppress(SkvozError):  # it is tried again
                await self.look()

    async def _whole(self, work: Coroutine[None, None, None]) -> None:
        """Do something to its end, though whoever asked for it may be gone before."""
        task = asyncio.create_task(work)
        self._working.add(task)
        task.add_done_callback(self._working.discard)
        await asyncio.shield(task)

    async def _lock(self) -> None:
        async with self._changing:
            if self._node is None:
                return
            if not self._has_passphrase():
                raise Conflict("a home without a passphrase can't be locked: set one first")
            await self._end()

    async def _remove(self, name: str) -> None:
        async with self._changing:
            if self._node is None:
                raise Locked("this home is locked")
            account = await self._node.query(Queries.account)
            if account is not None and " ".join(name.split()) != account.name:
                raise BadRequest("this is not the name of this home's person: nothing was removed")
            await self._end()
            try:
                await asyncio.to_thread(remove_home, self._opened.home)
            finally:
                # What is left after a failure can't be opened, or is whole and can be tried again.
                asyncio.get_running_loop().call_later(_ANSWER_S, self._service.removed.set)

    async def _end(self) -> None:
        """Stop answering, end the node, close the store."""
        node, self._node = self._node, None
        if node is None:
            return
        self._service.serve(None)
        self._service.visits.end_others()
        try:
            await node.close()
        finally:
            self._opened.lock()
            del node
            gc.collect()  # what held keys and texts in circles goes now, and not some time
            self._service.visits.end_own(_ANSWER_S)

    async def _unlock(self, passphrase: str) -> None:
        async with self._changing:
            if self._node is not None:
                return
            with self._counted():
                await asyncio.to_thread(self._opened.unlock, lambda: passphrase)
            try:
                await self._begin()
            except BaseException:
                self._opened.lock()
                raise
            # Pages that show the field for the passphrase come again, and find the home open.
            self._service.visits.end_others()
            self._service.visits.end_own(_ANSWER_S)

    async def _protect(self, params: ProtectParams) -> None:
        async with self._changing:
            if self._node is None:
                raise Locked("this home is locked")
            file = self._opened.home.key_file
            wanted = Protection.PASSPHRASE if params.passphrase else Protection.AUTOMATIC
            with self._counted():
                await asyncio.to_thread(
                    change_protection, file, lambda: params.present, wanted, lambda: params.passphrase
                )
            self.used()

    @contextlib.contextmanager
    def _counted(self) -> Generator[None]:
        self._tries.check(self._clock_ms())
        try:
            yield
        except WrongPassphrase:
            self._tries.failed(self._clock_ms())
            raise
        self._tries = Tries()

    async def _begin(self) -> None:
        node = Node(self._opened, self._clock_ms, self._lend)
        await node.start()
        node.broken.add_done_callback(self._broke)
        self._node = node
        self.used()
        self._service.serve(node)

    def _broke(self, future: "asyncio.Future[BaseException]") -> None:
        if not future.cancelled() and not self.broken.done():
            self.broken.set_result(future.result())

    def _has_passphrase(self) -> bool:
        return kind_of(self._opened.home.key_file) == Protection.PASSPHRASE.value
