"""A relay on a memory store, and clients that speak frames to it by hand."""

import hashlib
from collections.abc import Callable, Sequence

from skvoz.crypto import SUITES, sha256
from skvoz.logs import Quotas
from skvoz.relay.executor import Admission, Executor
from skvoz.relay.hops import Carriage
from skvoz.relay.machine import Relay
from skvoz.relay.seam import (
    Close,
    Execute,
    Executed,
    Input,
    LetGo,
    Lost,
    Onward,
    PartsDone,
    Passed,
    Reach,
    Read,
    ReadDone,
    ReadParts,
    Received,
    Send,
    WriteParts,
)
from skvoz.wire.frames import (
    Append,
    Attach,
    Credit,
    Down,
    Entries,
    Entry,
    Kind,
    No,
    Open,
    Rekey,
    Stored,
    Up,
    Welcome,
    credit_cost,
)
from skvoz.wire.sealed import SealedSession, greet
from tests.relay.memory_store import MemoryStore
from tests.relay.sqlite_store import SqliteStore

SUITE = SUITES[1]
make_store: Callable[[bytes, Executor], MemoryStore | SqliteStore] = MemoryStore
LOG = b"L" * 16
OWNER = b"O" * 32
START_MS = 1_800_000_000_000


def key(number: int) -> bytes:
    return hashlib.sha256(b"key %d" % number).digest()


def entry_id(number: int) -> bytes:
    return number.to_bytes(16)


class Dice:
    """Bytes that repeat from run to run."""

    def __init__(self, seed: int = 0) -> None:
        self._state = b"dice %d" % seed

    def __call__(self, length: int) -> bytes:
        self._state = hashlib.sha256(self._state).digest()
        return hashlib.shake_128(self._state).digest(length)


class World:
    def __init__(
        self,
        quotas: Quotas | None = None,
        admission: Admission | None = None,
        carriage: Carriage | None = None,
    ) -> None:
        self.quotas = quotas or Quotas()
        self.carriage = carriage
        self.carried: list[Reach | Onward | LetGo] = []
        self.dice = Dice()
        self.pair = SUITE.generate_key_pair(self.dice)
        executor = Executor(quotas=self.quotas, admission=admission or Admission())
        self.store = make_store(b"S" * 16, executor)
        self.now_ms = START_MS
        self.disk_full = False
        self.inboxes: dict[int, list[bytes]] = {}
        self.closed: set[int] = set()
        self.last_connection = 0
        self.hold_store = False
        self.held: list[Input] = []
        self.start()

    def start(self) -> None:
        self.relay = Relay(
            suite=SUITE,
            private_key=self.pair.private_key,
            store_id=self.store.store_id,
            quotas=self.quotas,
            randomness=self.dice,
            carriage=self.carriage,
        )

    def connection(self) -> int:
        self.last_connection += 1
        self.inboxes[self.last_connection] = []
        return self.last_connection

    def hand(self, *happened: Input) -> None:
        """Hand inputs in, and do what the relay asks of store and sockets until it is quiet."""
        waiting = list(happened)
        while waiting:
            effects = self.relay.handle(waiting, self.now_ms)
            waiting = list[Input]()
            for effect in effects:
                match effect:
                    case Send():
                        self.inboxes[effect.connection].append(effect.message)
                    case Close():
                        self.closed.add(effect.connection)
                    case Execute():
                        outcomes = self.store.execute(effect.jobs, self.now_ms, disk_full=self.disk_full)
                        self.store.sync()
                        waiting.append(Executed(outcomes))
                    case Read():
                        waiting.append(ReadDone(self.store.read(effect.requests)))
                    case WriteParts():
                        outcomes = self.store.write_parts(effect.jobs, disk_full=self.disk_full)
                        waiting.append(PartsDone(outcomes))
                    case ReadParts():
                        waiting.append(PartsDone(self.store.read_parts(effect.jobs)))
                    case Reach() | Onward() | LetGo():
                        self.carried.append(effect)
            if self.hold_store:
                self.held += waiting
                waiting = []

    def release(self) -> None:
        self.hold_store = False
        held, self.held = self.held, []
        self.hand(*held)

    def tick(self, seconds: float) -> None:
        self.now_ms += int(seconds * 1000)
        self.hand(Passed())


class Client:
    """Speaks frames; keeps everything that it hears in `heard`."""

    def __init__(self, world: World, *, pays: bool = True) -> None:
        self.world = world
        self.pays = pays
        self.token: bytes | None = None
        self.received = 0
        self.unpaid = 0
        self.heard: list[Down] = []
        self.request = 0
        self.sealed: SealedSession | None = None
        self.connect()

    def connect(self) -> Welcome:
        self.connection = self.world.connection()
        message, greeting = greet(
            SUITE,
            self.world.pair.public_key,
            self.world.dice,
            token=self.token,
            received=self.received,
            owed=self.unpaid,
        )
        self.world.hand(Received(self.connection, message))
        welcome, self.sealed = greeting.finish(self.world.inboxes[self.connection].pop(0))
        if not welcome.resumed:
            self.received = self.unpaid = 0
        self.token = welcome.token
        return welcome

    def lose(self) -> None:
        """Lose the connection with everything on its way to the client."""
        self.world.inboxes[self.connection].clear()
        self.world.hand(Lost(self.connection))

    def send(self, *frames: Up) -> list[Down]:
        """Send one message and return the frames that came by then."""
        assert self.sealed is not None
        self.world.hand(Received(self.connection, self.sealed.seal_up(frames)))
        return self.hear()

    def hear(self) -> list[Down]:
        assert self.sealed is not None
        new: list[Down] = []
        inbox = self.world.inboxes[self.connection]
        while inbox:
            frames = self.sealed.open_down(inbox.pop(0))
            self.received += 1
            new += frames
            cost = sum(credit_cost(frame) for frame in frames)
            if cost and self.pays:
                self.world.hand(Received(self.connection, self.sealed.seal_up([Credit(cost)])))
            else:
                self.unpaid += cost
        self.heard += new
        return new

    def number(self) -> int:
        self.request += 1
        return self.request

    def open(self, log: bytes = LOG, first: bytes | None = None, door: bytes | None = None) -> list[Down]:
        return self.send(
            Open(
                self.number(),
                log,
                Kind.ROOM,
                sha256(first or key(0)),
                sha256(OWNER),
                None if door is None else sha256(door),
                b"",
                None,
            )
        )

    def open_inbox(self, log: bytes, post: bytes, owner: bytes = OWNER) -> list[Down]:
        return self.send(Open(self.number(), log, Kind.INBOX, sha256(post), sha256(owner), None, b"", None))

    def attach(self, with_key: bytes | None = None, after: int = 0, log: bytes = LOG) -> list[Down]:
        return self.send(Attach(self.number(), log, with_key or key(0), after))

    def append(
        self,
        number: int,
        with_key: bytes | None = None,
        body: bytes = b"body",
        since: int = 0,
        log: bytes = LOG,
    ) -> list[Down]:
        return self.send(Append(self.number(), log, with_key or key(0), entry_id(number), body, since))

    def rekey(
        self,
        number: int,
        old: bytes,
        new: bytes,
        *,
        carry: bool = False,
        proof: bytes | None = None,
        since: int = 0,
        door: bytes | None = None,
        answered: Sequence[int] = (),
        body: bytes = b"commit",
    ) -> list[Down]:
        return self.send(
            Rekey(
                self.number(),
                LOG,
                old,
                entry_id(number),
                body,
                since,
                sha256(new),
                carry,
                proof,
                None if door is None else sha256(door),
                list(answered),
            )
        )

    def entries(self, log: bytes = LOG) -> list[Entry]:
        return entries_in(self.heard, log)


def entries_in(frames: Sequence[Down], log: bytes = LOG) -> list[Entry]:
    return [
        entry
        for frame in frames
        if isinstance(frame, Entries) and frame.log == log
        for entry in frame.entries
    ]


def positions_in(frames: Sequence[Down], log: bytes = LOG) -> list[int]:
    return [entry.position for entry in entries_in(frames, log)]


def code_in(frames: Sequence[Down]) -> str:
    codes = [frame.code for frame in frames if isinstance(frame, No)]
    assert len(codes) == 1
    return codes[0]


def stored_in(frames: Sequence[Down]) -> int:
    stored = [frame.position for frame in frames if isinstance(frame, Stored)]
    assert len(stored) == 1
    return stored[0]
