"""The network around: a small relay lent to it, others' found, and conversations going on over both.

Whoever shares a conversation finds what is lent by its announcement; what then goes over it is
`skvoz.node.beside`.
"""

import asyncio
import contextlib
import secrets
import time
from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Interface
from pathlib import Path
from typing import Final

from skvoz.base.errors import SkvozError, TransportError
from skvoz.base.ids import RelayId
from skvoz.node.beside import Beside, Home, Keys
from skvoz.node.dialer import Dialer
from skvoz.node.lending import Lend, Lent
from skvoz.transports.lan import Discovery, Place, announce, lan_address, recognise

LENDERS_MAX: Final = 8
"""Lent relays in use at a time: any member can announce many."""
NAMES_MAX: Final = 64
"""Names under which these are announced: any member can announce one under many."""
ANNOUNCED_S: Final = 900.0
"""An announcement stands for so long; then another one does, that has nothing in common with it."""
_KEYS_S: Final = 30.0
_RETRY_S: Final = 10.0


class _Over(TransportError):
    """Nobody wants it any more."""


class Nearby:
    """Lends and finds relays until `close`; `problem` says why it can't now."""

    def __init__(
        self,
        home: Home,
        lend: Lend,
        folder: Path,
        clock_ms: Callable[[], int],
        broke: Callable[[BaseException], None],
    ) -> None:
        """Lend from a folder that is there for nothing else; `broke` hears of a bug."""
        self._home = home
        self._lend = lend
        self._folder = folder
        self._clock_ms = clock_ms
        self._broke = broke
        self._beside: Beside | None = None
        self._named: dict[str, RelayId] = {}
        self._keys: Keys = []
        self.problem = ""
        self._closing = asyncio.Event()
        self._task = asyncio.create_task(self._run())
        self._task.add_done_callback(self._ended)

    @property
    def lenders(self) -> int:
        """How many relays of others are found."""
        return len(set(self._named.values()))

    def look_again(self) -> None:
        """Note that something was stored: perhaps there is more to carry."""
        if self._beside is not None:
            self._beside.look_again()

    async def close(self) -> None:
        """Lend nothing more, and forget what was found."""
        self._closing.set()  # and no cancelling: it would leave sockets open where something ends just now
        await asyncio.wait((self._task,))

    def _ended(self, task: "asyncio.Task[None]") -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._broke(error)

    async def _run(self) -> None:
        while not self._closing.is_set():
            try:
                await self._at(_address())
            except* SkvozError as group:
                self.problem = str(_first(group))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_RETRY_S):
                    await self._closing.wait()

    async def _at(self, interface: IPv4Interface) -> None:
        """Lend and find on the network of one address, until the machine has another one."""
        self._keys = await self._home.near_keys()
        # Not through the person's proxy: what is near can't be reached through what is far.
        beside = self._beside = Beside(self._home, Dialer(), self._broke)
        discovery = Discovery(interface, self._found, self._gone)
        try:
            async with (
                self._lend(self._folder, str(interface.ip)) as lent,
                discovery,
                asyncio.TaskGroup() as tasks,
            ):
                tasks.create_task(beside.run())
                tasks.create_task(discovery.run())
                tasks.create_task(self._announce(discovery, beside, lent, interface))
                tasks.create_task(self._stay(interface))
                tasks.create_task(_until_broken(lent))
                tasks.create_task(self._until_closing())
        finally:
            self._beside = None
            self._named.clear()

    async def _until_closing(self) -> None:
        await self._closing.wait()
        raise _Over

    async def _stay(self, interface: IPv4Interface) -> None:
        while lan_address() == interface:
            await asyncio.sleep(_RETRY_S)
            self.problem = ""
        raise TransportError("this machine is in another network now")

    async def _announce(
        self, discovery: Discovery, beside: Beside, lent: Lent, interface: IPv4Interface
    ) -> None:
        place = Place(address=interface.ip.packed, port=lent.port)
        said: Keys | None = None
        since = 0.0
        while True:
            if said != self._keys or time.monotonic() - since > ANNOUNCED_S:
                said, since = self._keys, time.monotonic()
                beside.keep_to(said)
                beside.use(lent.lender, [one for one, _ in said], said, _address_at(place))
                keys = [key for _, key in said]
                made = announce(
                    lent.lender, place, keys, now_ms=self._clock_ms(), randomness=secrets.token_bytes
                )
                await discovery.say(made, lent.port)
            await asyncio.sleep(_KEYS_S)
            self._keys = await self._home.near_keys()

    def _found(self, name: str, announcement: bytes, place: Place) -> None:
        recognised = recognise(announcement, place, self._keys, now_ms=self._clock_ms())
        if recognised is None or self._beside is None:
            return
        lender, whose = recognised
        relay_id = RelayId(lender.relay_id)
        if self._named.get(name, relay_id) != relay_id:
            self._gone(name)  # the name stands for another one now
        known = self._named.values()
        if relay_id not in known and self.lenders >= LENDERS_MAX:
            return
        if name not in self._named and len(known) >= NAMES_MAX:
            return
        self._named[name] = relay_id
        self._beside.use(lender, whose, self._keys, _address_at(place))

    def _gone(self, name: str) -> None:
        relay_id = self._named.pop(name, None)
        if relay_id is not None and relay_id not in self._named.values() and self._beside is not None:
            self._beside.leave(relay_id)


def _address() -> IPv4Interface:
    found = lan_address()
    if found is None:
        raise TransportError("this machine is in no local network")
    return found


def _address_at(place: Place) -> str:
    return f"ws://{IPv4Address(place.address)}:{place.port}"


async def _until_broken(lent: Lent) -> None:
    raise await lent.failed


def _first(group: BaseExceptionGroup[SkvozError]) -> BaseException:
    first: BaseException = group.exceptions[0]
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return first
