"""Conversations at relays that somebody near lends: what is there is read, what others may lack is put there.

At each lent relay there is a log beside each conversation that both sides know. What has arrived another way
is dropped by the core. Nothing is remembered of lent relays; whoever meets one again reads its logs anew.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from skvoz.base.ids import EntryId, GroupId, LogId, RelayId
from skvoz.client.effects import Append, Attach, Channel, Connect, Detach, OpenLog, SayAgain
from skvoz.client.inputs import (
    Attached,
    CarriedRead,
    EntriesRead,
    EntryRefused,
    Input,
    LogOpened,
    RequestRefused,
)
from skvoz.client.near import SideLog, side_log
from skvoz.crypto import sha256
from skvoz.node.dialer import Dialer
from skvoz.node.lending import path_of
from skvoz.node.relays import Relays
from skvoz.transports.lan import Lender

ENTRIES_MAX: Final = 5_000
"""Entries read of one log: any member can fill it."""
_GATHER_S: Final = 0.1
_RETRY_S: Final = 1.0
_FULL_RETRY_S: Final = 30.0
"""Until what a relay did not take, or had no room for, is put there again, unless it asks for longer."""
_RETENTION_S: Final = 3 * 24 * 3600
_CHANNEL: Final = Channel.ROOMS
Keys = list[tuple[GroupId, bytes]]


class Home(Protocol):
    """What the network around asks of a node."""

    async def near_keys(self) -> Keys:
        """Return the keys of conversations that go on here."""
        ...

    async def carried(self, group_id: GroupId) -> list[tuple[EntryId, bytes]]:
        """Return what others of a conversation may lack."""
        ...

    async def carried_count(self) -> int:
        """Return a number that grows with each content to be carried."""
        ...

    async def take_carried(self, fact: CarriedRead) -> None:
        """Hand in what was read, and return once it was taken up."""
        ...


@dataclass(slots=True, kw_only=True)
class _SideLog:
    """A log beside a conversation at one lent relay, and how far it has been read and written."""

    group_id: GroupId = field(repr=False)
    relay_id: RelayId = field(repr=False)
    log: SideLog = field(repr=False)
    ticket: bytes = field(repr=False)
    head: int | None = None
    through: int = 0
    count: int = 0
    brought: int = -1
    there: set[EntryId] = field(default_factory=set[EntryId], repr=False)
    asked: set[EntryId] = field(default_factory=set[EntryId], repr=False)
    """What was put there and not read back yet: the relay may still refuse it."""
    pause: asyncio.TimerHandle | None = field(default=None, repr=False)

    @property
    def is_read(self) -> bool:
        """Whether all that was there has been read: nothing is put there twice."""
        return self.head is not None and self.through >= self.head


class Beside:
    """Logs beside conversations, at all lent relays that are in use; `run` does the work until cancelled."""

    def __init__(self, home: Home, dialer: Dialer, broke: Callable[[BaseException], None]) -> None:
        self._home = home
        self._relays = Relays(self._told, broke, dialer)
        self._facts: asyncio.Queue[Input] = asyncio.Queue()
        self._logs: dict[tuple[RelayId, LogId], _SideLog] = {}
        self._news = asyncio.Event()

    def use(self, lender: Lender, whose: Sequence[GroupId], keys: Keys, address: str) -> None:
        """Go on with these conversations at a lent relay, which is found at `ws://HOST:PORT`."""
        relay_id = RelayId(lender.relay_id)
        addresses = (address + path_of(lender),)
        self._relays.connect(
            Connect(relay_id=relay_id, channel=_CHANNEL, public_key=b"", addresses=addresses)
        )
        for group_id, key in keys:
            log = side_log(key, relay_id)
            if group_id in whose and (relay_id, log.log_id) not in self._logs:
                found = _SideLog(group_id=group_id, relay_id=relay_id, log=log, ticket=lender.ticket)
                self._logs[relay_id, log.log_id] = found
                self._relays.request(_opening(found))

    def leave(self, relay_id: RelayId) -> None:
        """Use a lent relay no longer."""
        self._logs = {place: one for place, one in self._logs.items() if one.relay_id != relay_id}
        self._relays.drop(relay_id, _CHANNEL)

    def keep_to(self, keys: Keys) -> None:
        """Leave conversations that go on here no more, and those whose members have changed the key."""
        known = dict(keys)
        for place, one in tuple(self._logs.items()):
            key = known.get(one.group_id)
            if key is None or side_log(key, one.relay_id) != one.log:
                del self._logs[place]
                self._relays.request(_reading_no_more(one))

    def look_again(self) -> None:
        """Note that something was stored: perhaps there is more to carry."""
        self._news.set()

    async def run(self) -> None:
        """Read and write until cancelled, and end all sessions then."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._hear())
                tasks.create_task(self._bring())
        finally:
            for beside in self._logs.values():
                if beside.pause is not None:
                    beside.pause.cancel()
            await self._relays.close()

    # What comes

    def _told(self, fact: Input) -> None:
        self._facts.put_nowait(fact)

    async def _hear(self) -> None:
        while True:
            fact = await self._facts.get()
            await self._take(fact)
            self._relays.taken_up(1)

    async def _take(self, fact: Input) -> None:
        if not isinstance(fact, LogOpened | RequestRefused | Attached | EntriesRead | EntryRefused):
            return
        beside = self._logs.get((fact.relay_id, fact.log_id))
        if beside is None:
            return
        match fact:
            case LogOpened():
                self._relays.request(_reading(beside))
            case RequestRefused(request="OpenLog"):
                self._relays.request(_reading(beside))  # perhaps somebody made it in another way
            case RequestRefused():
                pass
            case EntryRefused(code="slow" | "full"):
                if beside.pause is None:
                    least_s = _FULL_RETRY_S if fact.code == "full" else _RETRY_S
                    beside.pause = asyncio.get_running_loop().call_later(
                        max(least_s, fact.retry_after_ms / 1000), self._put_again, beside
                    )
            case EntryRefused():
                pass
            case Attached():
                beside.head = fact.head
                self._news.set()
            case EntriesRead():
                await self._read(beside, fact)

    async def _read(self, beside: _SideLog, fact: EntriesRead) -> None:
        found = tuple((one.entry_id, one.body) for one in fact.entries if one.body is not None)
        beside.there.update(one.entry_id for one in fact.entries)
        beside.asked -= beside.there
        beside.count += len(fact.entries)
        beside.through = max(beside.through, fact.through, *(one.position for one in fact.entries), 0)
        if found:
            await self._home.take_carried(CarriedRead(group_id=beside.group_id, entries=found))
        if beside.count > ENTRIES_MAX and self._goes_on(beside):
            self._relays.request(_reading_no_more(beside))
        self._news.set()

    def _goes_on(self, beside: _SideLog) -> bool:
        """Tell whether a log was not left meanwhile."""
        return self._logs.get((beside.relay_id, beside.log.log_id)) is beside

    # What goes

    async def _bring(self) -> None:
        """Put what others may lack beside their conversations, whenever there is something new."""
        while True:
            await self._news.wait()
            await asyncio.sleep(_GATHER_S)
            self._news.clear()
            number = await self._home.carried_count()
            for beside in tuple(self._logs.values()):
                if beside.is_read and beside.brought != number:
                    beside.brought = number
                    await self._put(beside)

    def _put_again(self, beside: _SideLog) -> None:
        """Put there what a relay refused, and what the session let go behind it."""
        beside.pause = None
        if self._goes_on(beside):
            beside.asked.clear()
            beside.brought = -1
            said = SayAgain(relay_id=beside.relay_id, channel=_CHANNEL, log_id=beside.log.log_id)
            self._relays.request(said)
            self._news.set()

    async def _put(self, beside: _SideLog) -> None:
        carried = await self._home.carried(beside.group_id)
        if not self._goes_on(beside):
            return
        for entry_id, body in carried:
            if entry_id in beside.there or entry_id in beside.asked:
                continue
            beside.asked.add(entry_id)
            self._relays.request(
                Append(
                    relay_id=beside.relay_id,
                    channel=_CHANNEL,
                    log_id=beside.log.log_id,
                    key=beside.log.access_key,
                    entry_id=entry_id,
                    body=body,
                    since=0,
                )
            )


def _opening(beside: _SideLog) -> OpenLog:
    return OpenLog(
        relay_id=beside.relay_id,
        channel=_CHANNEL,
        log_id=beside.log.log_id,
        is_inbox=False,
        key_hash=sha256(beside.log.access_key),
        owner_hash=sha256(beside.log.owner_key),
        door_hash=None,
        ticket=beside.ticket,
        retention_s=_RETENTION_S,
    )


def _reading(beside: _SideLog) -> Attach:
    return Attach(
        relay_id=beside.relay_id,
        channel=_CHANNEL,
        log_id=beside.log.log_id,
        key=beside.log.access_key,
        after=0,
    )


def _reading_no_more(beside: _SideLog) -> Detach:
    return Detach(relay_id=beside.relay_id, channel=_CHANNEL, log_id=beside.log.log_id)
