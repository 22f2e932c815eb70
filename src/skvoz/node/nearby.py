"""The network around: a small relay lent to it, others' found, and conversations going on over both.

At each lent relay there is a log beside each conversation that both sides know. Everything that others may
lack is put there once, and everything that is there is read: what has arrived another way is dropped by the
core. Nothing is remembered of lent relays; whoever meets one again reads its logs from the beginning.
"""

import asyncio
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from skvoz.base.errors import SkvozError, TransportError
from skvoz.base.ids import EntryId, GroupId, LogId, RelayId
from skvoz.client.effects import Append, Attach, Channel, Connect, Detach, OpenLog
from skvoz.client.inputs import Attached, CarriedRead, EntriesRead, Input, LogOpened, RequestRefused
from skvoz.client.near import SideLog, side_log
from skvoz.crypto import sha256
from skvoz.node.dialer import Dialer
from skvoz.node.lending import Lend, Lent, path_of
from skvoz.node.relays import Relays
from skvoz.transports.lan import Discovery, Lender, announce, lan_address, recognise

LENDERS_MAX: Final = 8
"""Lent relays in use at a time: any member can announce many."""
ENTRIES_MAX: Final = 5_000
"""Entries read of one log: any member can fill it."""
ANNOUNCED_S: Final = 900.0
"""An announcement stands for so long; then another one does, that has nothing in common with it."""
_KEYS_S: Final = 30.0
_RETRY_S: Final = 10.0
_GATHER_S: Final = 0.1
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
class _Beside:
    """A log beside a conversation at one lent relay."""

    group_id: GroupId
    relay_id: RelayId
    log: SideLog = field(repr=False)
    ticket: bytes = field(repr=False)
    head: int | None = None
    through: int = 0
    count: int = 0
    there: set[EntryId] = field(default_factory=set[EntryId], repr=False)

    @property
    def is_read(self) -> bool:
        """Whether all that was there has been read: nothing is put there twice."""
        return self.head is not None and self.through >= self.head


class Nearby:
    """Lends and finds relays until `close`; `problem` says why it can't now."""

    def __init__(
        self, home: Home, lend: Lend, dialer: Dialer, broke: Callable[[BaseException], None]
    ) -> None:
        self._home = home
        self._lend = lend
        self._relays = Relays(self._told, broke, dialer)
        self._facts: asyncio.Queue[Input] = asyncio.Queue()
        self._logs: dict[tuple[RelayId, LogId], _Beside] = {}
        self._named: dict[str, RelayId] = {}
        self._keys: Keys = []
        self._news = asyncio.Event()
        self.problem = ""
        self._task = asyncio.create_task(self._run())
        self._task.add_done_callback(lambda task: None if task.cancelled() else _told_bug(task, broke))

    @property
    def lenders(self) -> int:
        """How many relays of others are found."""
        return len(set(self._named.values()))

    def look_again(self) -> None:
        """Note that something was stored: perhaps there is more to carry."""
        self._news.set()

    async def close(self) -> None:
        """Lend nothing more, and forget what was found."""
        self._task.cancel()
        await asyncio.wait((self._task,))

    async def _run(self) -> None:
        while True:
            address = lan_address()
            if address is None:
                self.problem = "this machine is in no local network"
                await asyncio.sleep(_RETRY_S)
                continue
            try:
                await self._at(address)
            except* SkvozError as group:
                self.problem = str(_first(group))
            await asyncio.sleep(_RETRY_S)

    async def _at(self, address: str) -> None:
        """Lend and find on the network of one address, until the machine has another one."""
        self._keys = await self._home.near_keys()
        discovery = Discovery(address, self._found, self._gone)
        try:
            async with self._lend(address) as lent, discovery, asyncio.TaskGroup() as tasks:
                self.problem = ""
                self._use(lent.lender, [one for one, _ in self._keys], f"ws://{address}:{lent.port}")
                tasks.create_task(discovery.run())
                tasks.create_task(self._announce(discovery, lent))
                tasks.create_task(self._stay(address))
                tasks.create_task(self._hear())
                tasks.create_task(self._bring())
        finally:
            await self._relays.close()
            self._logs.clear()
            self._named.clear()
            self._facts = asyncio.Queue()

    async def _stay(self, address: str) -> None:
        while lan_address() == address:  # noqa: ASYNC110  # nothing tells when it changes
            await asyncio.sleep(_RETRY_S)
        raise TransportError("this machine is in another network now")

    async def _announce(self, discovery: Discovery, lent: Lent) -> None:
        said: Keys | None = None
        since = 0.0
        while True:
            if said != self._keys or time.monotonic() - since > ANNOUNCED_S:
                said, since = self._keys, time.monotonic()
                keys = [key for _, key in said]
                await discovery.say(announce(lent.lender, keys, secrets.token_bytes), lent.port)
                self._use(lent.lender, [one for one, _ in said], "")
            await asyncio.sleep(_KEYS_S)
            self._keys = await self._home.near_keys()

    # What others lend

    def _found(self, name: str, announcement: bytes, host: str, port: int) -> None:
        recognised = recognise(announcement, self._keys)
        if recognised is None:
            return
        lender, whose = recognised
        relay_id = RelayId(lender.relay_id)
        if relay_id not in self._named.values() and self.lenders >= LENDERS_MAX:
            return
        self._named[name] = relay_id
        self._use(lender, whose, f"ws://{host}:{port}")

    def _gone(self, name: str) -> None:
        relay_id = self._named.pop(name, None)
        if relay_id is not None and relay_id not in self._named.values():
            self._logs = {place: one for place, one in self._logs.items() if one.relay_id != relay_id}
            self._relays.drop(relay_id, _CHANNEL)

    def _use(self, lender: Lender, groups: Sequence[GroupId], address: str) -> None:
        """Go on with these conversations at a lent relay."""
        relay_id = RelayId(lender.relay_id)
        if address:
            self._relays.connect(
                Connect(
                    relay_id=relay_id,
                    channel=_CHANNEL,
                    public_key=b"",
                    addresses=(address + path_of(lender),),
                )
            )
        for group_id, key in self._keys:
            log = side_log(key, relay_id)
            if group_id not in groups or (relay_id, log.log_id) in self._logs:
                continue
            beside = _Beside(group_id=group_id, relay_id=relay_id, log=log, ticket=lender.ticket)
            self._logs[relay_id, log.log_id] = beside
            self._relays.request(_opening(beside))

    # What comes, and what goes

    def _told(self, fact: Input) -> None:
        self._facts.put_nowait(fact)

    async def _hear(self) -> None:
        while True:
            fact = await self._facts.get()
            await self._take(fact)
            self._relays.taken_up(1)

    async def _take(self, fact: Input) -> None:
        if not isinstance(fact, LogOpened | RequestRefused | Attached | EntriesRead):
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
            case Attached():
                beside.head = fact.head
                self._news.set()
            case EntriesRead():
                await self._read(beside, fact)

    async def _read(self, beside: _Beside, fact: EntriesRead) -> None:
        found = tuple((one.entry_id, one.body) for one in fact.entries if one.body is not None)
        beside.there.update(one.entry_id for one in fact.entries)
        beside.count += len(fact.entries)
        beside.through = max(beside.through, fact.through, *(one.position for one in fact.entries), 0)
        if found:
            await self._home.take_carried(CarriedRead(group_id=beside.group_id, entries=found))
        if beside.count > ENTRIES_MAX:
            self._relays.request(Detach(relay_id=beside.relay_id, channel=_CHANNEL, log_id=beside.log.log_id))
        self._news.set()

    async def _bring(self) -> None:
        """Put what others may lack beside their conversations, whenever there is something new."""
        brought: dict[tuple[RelayId, LogId], int] = {}
        while True:
            await self._news.wait()
            await asyncio.sleep(_GATHER_S)
            self._news.clear()
            number = await self._home.carried_count()
            for place, beside in tuple(self._logs.items()):
                if beside.is_read and brought.get(place) != number:
                    brought[place] = number
                    await self._put(beside)

    async def _put(self, beside: _Beside) -> None:
        for entry_id, body in await self._home.carried(beside.group_id):
            if entry_id in beside.there:
                continue
            beside.there.add(entry_id)
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


def _opening(beside: _Beside) -> OpenLog:
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


def _reading(beside: _Beside) -> Attach:
    return Attach(
        relay_id=beside.relay_id,
        channel=_CHANNEL,
        log_id=beside.log.log_id,
        key=beside.log.access_key,
        after=0,
    )


def _first(group: BaseExceptionGroup[SkvozError]) -> BaseException:
    first: BaseException = group.exceptions[0]
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return first


def _told_bug(task: "asyncio.Task[None]", broke: Callable[[BaseException], None]) -> None:
    error = task.exception()
    if error is not None:
        broke(error)
