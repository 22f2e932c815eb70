"""A relay's process: the real machine and rules over a store that loses what was not synced.

It can crash, come back from a backup, run out of disk, refuse, and lie about what it stored.
What it really holds is kept beside it as the truth that clients are compared with.
"""

from dataclasses import dataclass, field
from random import Random

from skvoz.base.ids import RelayId
from skvoz.client.commands import RelayAddress
from skvoz.crypto import CipherSuite, sha256
from skvoz.logs import Quotas
from skvoz.relay.executor import Admission, Executor
from skvoz.relay.machine import SESSION_S, Relay
from skvoz.relay.seam import (
    Appended,
    Close,
    Execute,
    Executed,
    Input,
    Job,
    LetGo,
    Lost,
    Onward,
    Outcome,
    PartsDone,
    Passed,
    Reach,
    Read,
    ReadDone,
    ReadParts,
    ReadRequest,
    Received,
    Send,
    WriteParts,
)
from skvoz.wire.frames import Append, Entry, No, Rekey, Stored
from tests.relay.memory_store import MemoryStore, Snapshot
from tests.sim.clock import Clock, Deed
from tests.sim.network import Connection, Network

_GREETING_MS = 31_000
"""After so long a connection that says nothing is swept away."""
_HOUR_MS = 3_600_000


@dataclass(slots=True)
class Truth:
    """All entries that a relay's log ever held, by position; what a restored backup lost is taken out."""

    entries: dict[int, Entry] = field(default_factory=dict[int, Entry])
    acknowledged: dict[bytes, int] = field(default_factory=dict[bytes, int])
    """Positions of entries whose authors were told so."""


class RelayHost:
    """One relay."""

    def __init__(self, name: str, clock: Clock, network: Network, random: Random, suite: CipherSuite) -> None:
        self.name = name
        self.clock = clock
        self.network = network
        self.random = random
        self._suite = suite
        self._pair = suite.generate_key_pair(random.randbytes)
        self.relay_id = RelayId(sha256(self._pair.public_key))
        self.address = RelayAddress(public_key=self._pair.public_key, addresses=(f"wss://{name}.invalid",))
        self._quotas = Quotas()
        self.store = MemoryStore(random.randbytes(16), self._fresh_executor())
        self.truth: dict[bytes, Truth] = {}
        self.lied_about: set[bytes] = set()
        """Entries that were said to be stored and were not."""
        self.restored = 0
        self.disk_full_until_ms = 0
        self._backups: list[Snapshot] = []
        self._connections: dict[int, Connection] = {}
        self._life = 0
        network.relays[self.address.addresses[0]] = self
        self._start()

    def _fresh_executor(self) -> Executor:
        return Executor(quotas=self._quotas, admission=Admission())

    # Its process

    @property
    def is_up(self) -> bool:
        """Whether connections are accepted."""
        return self._machine is not None

    def _start(self) -> None:
        """Begin a process, which knows no rates, and of nobody whose turn it is."""
        self._executor = self.store.executor = self._fresh_executor()
        self._life += 1
        self._machine: Relay | None = Relay(
            suite=self._suite,
            private_key=self._pair.private_key,
            store_id=self.store.store_id,
            quotas=self._quotas,
            randomness=self.random.randbytes,
        )
        self._inputs: list[Input] = []
        self._jobs: list[Job] = []
        self._turn_due = self._commit_due = False

    def crash(self, pause_ms: int, backup: Snapshot | None = None) -> None:
        """Lose the process and what was not synced; come back after a pause, perhaps with a backup."""
        if self._machine is None:
            return
        self._machine = None
        self._life += 1
        self.network.cut_all(self)
        self._connections.clear()
        self.store.crash()
        if backup is not None:
            self._restore(backup)
        self.clock.after(pause_ms, self._start)

    def back_up(self) -> None:
        """Take a backup."""
        self._backups.append(self.store.snapshot())

    def restore(self) -> bool:
        """Go back to the latest backup, if there is one."""
        if not self._backups or self._machine is None:
            return False
        self.crash(1_000, self._backups.pop())
        return True

    def _restore(self, backup: Snapshot) -> None:
        self.restored += 1
        self.store.restore(backup, self.random.randbytes(16))
        for log_id, truth in list(self.truth.items()):
            log = self.store.log(log_id)
            if log is None:
                del self.truth[log_id]
                continue
            truth.entries = {place: one for place, one in truth.entries.items() if place <= log.head}
            truth.acknowledged = {one: at for one, at in truth.acknowledged.items() if at <= log.head}

    def expire(self) -> None:
        """Forget what is due."""
        self.store.expire(self.clock.now_ms // _HOUR_MS)
        self.store.sync()

    def _sweep_after(self, pause_ms: int) -> None:
        """Let time pass for the machine where that may matter, which costs less than every few seconds."""
        self._later(pause_ms, lambda: self._tell(Passed()))

    # Connections

    def accepted(self, connection: Connection) -> None:
        """Take a new connection."""
        self._connections[connection.number] = connection
        self._sweep_after(_GREETING_MS)

    def received(self, connection: Connection, message: bytes) -> None:
        """Take a message."""
        if connection.number in self._connections:
            self._tell(Received(connection.number, message))

    def dropped(self, connection: Connection) -> None:
        """Note that a connection is gone."""
        if self._connections.pop(connection.number, None) is not None:
            self._tell(Lost(connection.number))
            self._sweep_after(SESSION_S * 1000 + 1_000)

    # Its loop

    def _tell(self, happened: Input) -> None:
        if self._machine is None:
            return
        self._inputs.append(happened)
        if not self._turn_due:
            self._turn_due = True
            self._later(self.random.randrange(3), self._turn)

    def _later(self, delay_ms: int, deed: Deed) -> None:
        life = self._life
        self.clock.after(delay_ms, lambda: deed() if life == self._life else None)

    def _turn(self) -> None:
        if self._machine is None:
            return
        self._turn_due = False
        happened, self._inputs = self._inputs, []
        for effect in self._machine.handle(happened, self.clock.now_ms):
            match effect:
                case Send():
                    connection = self._connections.get(effect.connection)
                    if connection is not None:
                        connection.down(effect.message)
                case Close():
                    connection = self._connections.pop(effect.connection, None)
                    if connection is not None:
                        connection.close_by_relay()
                case Execute():
                    self._jobs += effect.jobs
                    if not self._commit_due:
                        self._commit_due = True
                        self._later(self.random.randrange(1, 15), self._commit)
                case Read():
                    requests = effect.requests
                    self._later(self.random.randrange(3), lambda wanted=requests: self._read(wanted))
                case WriteParts():
                    self._tell(PartsDone(self.store.write_parts(effect.jobs)))
                case ReadParts():
                    self._tell(PartsDone(self.store.read_parts(effect.jobs)))
                case Reach() | Onward() | LetGo():
                    raise AssertionError("nobody here asks to be carried further")

    def post(self, job: Job) -> None:
        """Have a request decided that comes from no session."""
        self._jobs.append(job)
        if not self._commit_due:
            self._commit_due = True
            self._later(1, self._commit)

    def _read(self, requests: list[ReadRequest]) -> None:
        self._tell(ReadDone(self.store.read(requests)))

    def _commit(self) -> None:
        self._commit_due = False
        jobs, self._jobs = self._jobs, []
        outcomes = [self._decide(job) for job in jobs]
        self.store.sync()
        for job, outcome in zip(jobs, outcomes, strict=True):
            self._remember(job, outcome)
        told = [self._tampered(job, outcome) for job, outcome in zip(jobs, outcomes, strict=True)]
        self._tell(Executed(told))

    def _decide(self, job: Job) -> Outcome:
        faults = self.network.faults
        if self.network.chance(faults.relay_refuses):
            code = self.random.choice(("slow", "full"))
            pause_ms = self.random.choice((0, 500, 5_000))
            [outcome] = self._executor.refuse([job], code, self.clock.now_ms, retry_after_ms=pause_ms)
            return outcome
        disk_full = self.network.faulty and self.clock.now_ms < self.disk_full_until_ms
        [outcome] = self.store.execute([job], self.clock.now_ms, disk_full=disk_full)
        return outcome

    def _remember(self, job: Job, outcome: Outcome) -> None:
        if isinstance(outcome.notice, Appended):
            truth = self.truth.setdefault(outcome.notice.log, Truth())
            entry = outcome.notice.entry
            truth.entries[entry.position] = entry
        if isinstance(outcome.answer, Stored):
            truth = self.truth.setdefault(outcome.answer.log, Truth())
            truth.acknowledged[outcome.answer.entry] = outcome.answer.position

    # Its sins

    def _tampered(self, job: Job, outcome: Outcome) -> Outcome:
        faults, request = self.network.faults, job.request
        if not isinstance(request, Append | Rekey):
            return outcome
        if self.network.chance(faults.relay_lies):
            return Outcome(outcome.session, self._lie(request, outcome.answer), outcome.notice)
        return outcome

    def _lie(self, request: Append | Rekey, answer: object) -> Stored | No:
        if isinstance(answer, Stored):
            return No(request.request, "superseded", 0)
        log = self.store.log(request.log)
        self.lied_about.add(request.entry)
        head = 0 if log is None else log.head
        position = self.random.choice((head, head, head + 1, head + 1_000_000, 1, 0))
        return Stored(request.request, request.log, request.entry, position)
