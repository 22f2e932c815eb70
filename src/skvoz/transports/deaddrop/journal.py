"""A drop's journal: records in numbered slots, each taken by who creates its object first.

A slot that is missing although later ones are there, or that holds something else than a record, stops
everybody: whoever still has its object puts it back. Where nobody does so in time, the slot is given up, and
who comes with the object later finds that the drop tells another story, and says again what is missing there.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from skvoz.base.errors import DecryptFailed, Malformed, TransportError
from skvoz.base.ports import Randomness
from skvoz.base.value import Value
from skvoz.relay.seam import Outcome
from skvoz.transports.deaddrop.mirror import Mirror
from skvoz.transports.deaddrop.names import DropKeys, ObjectKind, Place
from skvoz.transports.deaddrop.objects import open_object, seal_object
from skvoz.transports.deaddrop.records import Noted, Record, Written, chain, parse_record
from skvoz.transports.deaddrop.replica import Replica
from skvoz.transports.deaddrop.rows import BLOB_SHIFT
from skvoz.transports.deaddrop.states import open_state, seal_state, state_slots
from skvoz.transports.deaddrop.storage import Storage

MARK: Final = Place(ObjectKind.MARK)
_HOUR_MS: Final = 3_600_000
_STATES_KEPT: Final = 2
Taken = Callable[[list[Outcome]], None]


class Patience(Value, frozen=True, kw_only=True):
    """How long to wait for what, seconds."""

    unfinished_s: float = 30.0
    """Something is being written that can't be read yet."""
    missing_s: float = 120.0
    """Somebody may put back what a provider lost."""
    look_s: float = 600.0
    """From one look at all names to the next."""
    retry_s: float = 1.0
    """What a storage failed at is tried again after so long, a little later each time."""
    compare_s: float = 600.0
    """From one comparison of everything to the next."""
    away_s: float = 3600.0
    """Who looked for news longer ago than this looks at all names first: what it lacks may be swept."""
    sweep_s: float = 24 * 3600.0
    """From one sweep of what has expired to the next."""
    clocks_s: float = 2 * 24 * 3600.0
    """Who sweeps has heard from somebody whose clock is at most so far from its own."""


@dataclass(slots=True)
class _Hole:
    slot: int
    since: float
    deleted: bool = False


class Journal:
    """Reads and writes a drop's slots, and keeps a replica of what they come to."""

    def __init__(
        self,
        *,
        keys: DropKeys,
        storage: Storage,
        mirror: Mirror,
        randomness: Randomness,
        patience: Patience,
        clock_ms: Callable[[], int],
    ) -> None:
        self._keys = keys
        self._storage = storage
        self._mirror = mirror
        self._randomness = randomness
        self._patience = patience
        self._clock_ms = clock_ms
        self._read_at_ms = 0
        self._others_ms = 0
        self.replica = Replica(self._record_at)
        self._hole: _Hole | None = None
        self._looked_at = float("-inf")
        self._compared_at = float("-inf")
        self._in_doubt = False
        self._opened = False
        self.displaced: list[Written] = []
        """Requests of records that the drop lost and has others in place of: to be said again."""
        self.began_anew = False
        """Whether the replica was made anew; the caller sets it back."""

    async def catch_up(self, taken: Taken) -> None:
        """Read what is new, and hand on its outcomes; raise `TransportError`.

        Also looks after the drop now and then: puts back what is missing there.
        """
        if not self._opened:
            self._load()
            self._opened = True
        if self._clock_ms() - self._read_at_ms > self._patience.away_s * 1000:
            await self._look(time.monotonic())
        await self._read_on(taken)
        self._read_at_ms = self._clock_ms()
        now = time.monotonic()
        if now - self._looked_at >= self._patience.look_s or self._hole is not None:
            await self._look(now)
            await self._read_on(taken)
        if self._in_doubt and now - self._compared_at >= self._patience.compare_s:
            await self._compare(now)
        if self._hole is not None:
            await self._wait_at_hole(self._hole, now)
            await self._read_on(taken)
        if self._hole is not None:
            raise TransportError("something is missing in the drop: it waits for somebody who still has it")

    async def write(
        self, requests: Sequence[Written], noted: Sequence[Noted], now_ms: int
    ) -> list[Outcome] | None:
        """Put requests into the next slot; return their outcomes, or None where somebody else took it."""
        record = Record(
            before=self.replica.chain, time_ms=now_ms, requests=tuple(requests), noted=tuple(noted)
        )
        return await self._append(record)

    async def _append(self, record: Record) -> list[Outcome] | None:
        place = Place(ObjectKind.RECORD, self.replica.slot + 1)
        data = seal_object(self._keys, place, record.encode(), self._randomness)
        if not await self._storage.create(self._keys.name_of(place), data):
            return None
        return self._take(place, data, record)

    # Reading

    async def _read_on(self, taken: Taken) -> None:
        while True:
            place = Place(ObjectKind.RECORD, self.replica.slot + 1)
            data = await self._storage.get(self._keys.name_of(place))
            if data is None:
                return
            try:
                record = self._open(place, data)
            except (DecryptFailed, Malformed):
                if self._hole is None or self._hole.slot != place.number:
                    self._hole = _Hole(place.number, time.monotonic())
                return
            self._hole = None
            if record is not None and record.time_ms:
                self._others_ms = record.time_ms
            taken(self._take(place, data, record))

    def _open(self, place: Place, data: bytes) -> Record | None:
        """Return an object's record, None for one that only a member can have spoilt; raise for a forgery."""
        content = open_object(self._keys, place, data)
        try:
            return parse_record(content)
        except Malformed:
            return None

    def _take(self, place: Place, data: bytes, record: Record | None) -> list[Outcome]:
        self._mirror.put(place, data)
        if record is not None and record.before != self.replica.chain:
            self._in_doubt = True
        outcomes = self.replica.take(place.number, chain(self.replica.chain, data), record)
        if record is not None and record.expired_hour:
            self._keep_state()
        return outcomes

    def _keep_state(self) -> list[tuple[Place, bytes]]:
        """Keep what it comes to now, to begin from; what stood before is needed no more."""
        sealed = seal_state(self._keys, self.replica.slot, self.replica.export_state(), self._randomness)
        for place, data in sealed:
            self._mirror.put(place, data)
        return sealed

    def _record_at(self, slot: int) -> Record | None:
        place = Place(ObjectKind.RECORD, slot)
        data = self._mirror.get(place)
        if data is None:
            return None
        try:
            return self._open(place, data)
        except (DecryptFailed, Malformed):
            return None

    def _load(self) -> None:
        """Take what is here already: the latest state, and the records after it."""
        self.replica = Replica(self._record_at)
        for slot in state_slots(self._mirror.places()):
            state = open_state(self._keys, slot, self._mirror.get)
            if state is not None and self._restore(state):
                break
        while True:
            place = Place(ObjectKind.RECORD, self.replica.slot + 1)
            data = self._mirror.get(place)
            if data is None:
                return
            try:
                record = self._open(place, data)
            except (DecryptFailed, Malformed):
                self._mirror.delete(place)
                return
            self.replica.take(place.number, chain(self.replica.chain, data), record)

    def _restore(self, state: bytes) -> bool:
        try:
            self.replica.restore_state(state)
        except Malformed:
            return False
        return True

    # Looking after the drop

    async def _places(self) -> set[Place]:
        found = (self._keys.place_of(name) for name in await self._storage.names())
        return {place for place in found if place is not None}

    async def _look(self, now: float) -> None:
        """Look at all names: put back what is missing, and notice what nobody can read past."""
        places = await self._places()
        if MARK not in places:
            if not places:
                raise TransportError("the drop is not in its place: is this storage the right one?")
            await make_mark(self._keys, self._storage, self._randomness)
        slots = {place.number for place in places if place.kind is ObjectKind.RECORD}
        if self.replica.slot + 1 not in slots:
            await self._begin_later(places)
        swept = self._swept(places)
        for place in sorted(self._mirror.places()):
            if place.kind is ObjectKind.RECORD and place.number not in slots | swept:
                data = self._mirror.get(place)
                if data is not None and place.number <= self.replica.slot:
                    await self._storage.create(self._keys.name_of(place), data)
                    self._in_doubt = True  # who lost one thing may have others in place of more
        head = Place(ObjectKind.RECORD, self.replica.slot)
        if await self._storage.get(self._keys.name_of(head)) != self._mirror.get(head):
            self._in_doubt = True
        following = self.replica.slot + 1
        if following not in slots and any([await self._is_there(slot) for slot in slots if slot > following]):
            if self._hole is None or self._hole.slot != following:
                self._hole = _Hole(following, now)
        elif following not in slots:
            self._hole = None
        self._looked_at = now
        await self._sweep(places)

    async def _is_there(self, slot: int) -> bool:
        """Tell whether a record can be read, whatever a listing says."""
        place = Place(ObjectKind.RECORD, slot)
        data = await self._storage.get(self._keys.name_of(place))
        if data is None:
            return False
        try:
            self._open(place, data)
        except (DecryptFailed, Malformed):
            return False
        return True

    async def _wait_at_hole(self, hole: _Hole, now: float) -> None:
        """Give up a slot that nobody mends: first what stands in the way, then the slot."""
        place = Place(ObjectKind.RECORD, hole.slot)
        name = self._keys.name_of(place)
        if now - hole.since >= self._patience.unfinished_s and not hole.deleted:
            await self._storage.delete(name)
            hole.deleted = True
        if now - hole.since >= self._patience.missing_s:
            self._hole = None
            await self._append(Record(before=self.replica.chain, time_ms=0))

    async def _compare(self, now: float) -> None:
        """Compare all that was read with what the drop has now; where it differs, the drop is right."""
        self._compared_at, self._in_doubt = now, False
        differ = False
        ours_all = self._mirror.places()
        for place in sorted(ours_all):
            if place.kind is not ObjectKind.RECORD:
                continue
            ours = self._mirror.get(place)
            theirs = await self._storage.get(self._keys.name_of(place))
            if ours is None or theirs is None or ours == theirs:
                continue
            try:
                self._open(place, theirs)
            except (DecryptFailed, Malformed):
                continue
            displaced = self._open(place, ours)
            if displaced is not None:
                self.displaced += displaced.requests
            self._mirror.put(place, theirs)
            if not differ:  # a state that was reckoned from something else is none
                for state in ours_all:
                    if state.kind is ObjectKind.STATE and state.number >= place.number:
                        self._mirror.delete(state)
            differ = True
        if differ:
            self._mirror.rename()
            self._load()
            self.began_anew = True

    # Sweeping

    async def _begin_later(self, places: set[Place]) -> None:
        """Begin from the latest state in the drop where what comes next was swept."""
        for slot in state_slots(places):
            if slot <= self.replica.slot:
                return
            found: dict[Place, bytes] = {}
            for place in sorted(one for one in places if one[:2] == (ObjectKind.STATE, slot)):
                data = await self._storage.get(self._keys.name_of(place))
                if data is not None:
                    found[place] = data
            state = open_state(self._keys, slot, found.get)
            if state is None or not self._restore(state):
                continue
            for place, data in found.items():
                self._mirror.put(place, data)
            for number in sorted({slot} | self.replica.rows.slots_in_use()):
                place = Place(ObjectKind.RECORD, number)
                data = None
                if self._mirror.get(place) is None:
                    data = await self._storage.get(self._keys.name_of(place))
                if data is not None:
                    self._mirror.put(place, data)
            self.began_anew = True
            return

    def _swept(self, places: set[Place]) -> set[int]:
        """Return the slots whose records are needed no more: those before the state before the last."""
        states = [slot for slot in state_slots(places) if slot <= self.replica.slot]
        if len(states) < 2:  # the last, and the one before
            return set()
        return set(range(1, states[1])) - self.replica.rows.slots_in_use()

    async def _sweep(self, places: set[Place]) -> None:
        """Let go what has expired, once a day and by one of all; then what nobody needs is deleted."""
        now_ms = self._clock_ms()
        due = now_ms - self.replica.swept_ms >= self._patience.sweep_s * 1000
        agreed = abs(now_ms - self._others_ms) <= self._patience.clocks_s * 1000
        if due and agreed and self._hole is None and self.replica.slot:
            hour = now_ms // _HOUR_MS
            record = Record(before=self.replica.chain, time_ms=now_ms, expired_hour=hour)
            if await self._append(record) is None:
                return
            for place, data in self._keep_state():
                await self._storage.put(self._keys.name_of(place), data)
                places.add(place)
        swept = self._swept(places)
        states = state_slots(places)
        living = {row.number for row in self.replica.rows.blobs.values()}
        for place in places | self._mirror.places():
            match place.kind:
                case ObjectKind.RECORD:
                    gone = place.number in swept
                case ObjectKind.STATE:
                    gone = len(states) > _STATES_KEPT and place.number < states[_STATES_KEPT - 1]
                case ObjectKind.PIECE:
                    gone = place.number not in living and place.number >> BLOB_SHIFT in swept
                case ObjectKind.MARK:
                    gone = False
            if gone and place in places:
                await self._storage.delete(self._keys.name_of(place))
            if gone:
                self._mirror.delete(place)


async def make_mark(keys: DropKeys, storage: Storage, randomness: Randomness) -> None:
    """Put into an empty place what says that a drop is there."""
    await storage.create(keys.name_of(MARK), seal_object(keys, MARK, b"", randomness))
