"""A person's node: drives the real client machine as `skvoz.node.core` does, and crashes now and then."""

from collections import deque
from collections.abc import Callable
from random import Random
from typing import Protocol

from msgspec.structs import replace

from skvoz.base.errors import CallerError, DiskFull, StoreError
from skvoz.base.ids import AccountId, GroupId
from skvoz.client.commands import Answer, Command, ImportBundle
from skvoz.client.effects import Connect, Effect, WakeAt
from skvoz.client.environment import Environment
from skvoz.client.events import Event
from skvoz.client.inputs import EntriesRead, Input, Started, TimePassed
from skvoz.client.machine import Machine
from skvoz.client.records import Account, Conversation, KeyPackageSecret
from skvoz.client.step import Outcome
from skvoz.client.transaction import Transaction
from skvoz.crypto import CipherSuite
from skvoz.mls import Group
from tests.sim.clock import Clock
from tests.sim.memory_records import MemoryRecords
from tests.sim.network import Network
from tests.sim.sessions import Sessions
from tests.sim.toy_suite import Seal, Seals

STORE_RETRY_MS = 3_000
Make = Callable[[str], Command]
OnAnswer = Callable[[Answer], None]


class Crashed(Exception):
    """The process is gone in the middle of what it did."""


class Watcher(Protocol):
    """Told of everything that is on a person's disk."""

    def committed(
        self,
        person: "Person",
        transaction: Transaction,
        before: dict[GroupId, Conversation],
        events: tuple[Event, ...],
    ) -> None: ...
    def let_go(self, person: "Person", secret: KeyPackageSecret) -> None: ...
    def withhold(self, person: "Person", entry_id: bytes) -> bool: ...
    def sealed(self, person: "Person", transaction: Transaction, seals: list[Seal]) -> None: ...


class Person:
    """A person with one device."""

    def __init__(
        self,
        name: str,
        *,
        seed: int,
        clock: Clock,
        network: Network,
        suite: CipherSuite,
        seals: Seals,
        watcher: Watcher,
    ) -> None:
        self.name = name
        self.clock = clock
        self.network = network
        self.suite = suite
        self.random = Random(f"{seed} {name}")
        self.records = MemoryRecords()
        self.clock_offset_ms = 0
        self.disk_full = False
        self.lives = 0
        self.refused = 0
        self.is_importing = False
        """Whether a bundle is taken just now."""
        self._seals = seals
        self._watcher = watcher
        self._environment = Environment(suite=suite, randomness=self.random.randbytes)
        self._commands = 0
        self._unanswered: list[tuple[Command, OnAnswer]] = []
        self._machine: Machine | None = None
        self.start()

    # Its process

    @property
    def is_running(self) -> bool:
        """Whether there is a process now."""
        return self._machine is not None

    @property
    def now_ms(self) -> int:
        """What this person's clock says."""
        return self.clock.now_ms + self.clock_offset_ms

    def start(self) -> None:
        """Begin a process."""
        if self._machine is not None:
            return
        self.lives += 1
        self._machine = Machine(self._environment)
        self._facts: deque[Input] = deque()
        self._began = self._stalled = self._turn_due = False
        self._wake_number = 0
        self._sessions = Sessions(self)
        self._sessions.tell(Started())

    def crash(self) -> None:
        """Lose the process."""
        if self._machine is not None:
            self._machine = None
            self._seals.take()
            self._sessions.close()

    def crash_and_return(self) -> None:
        """Lose the process, and have it started again soon."""
        self.crash()
        self.clock.after(self.random.choice((10, 1_000, 20_000)), self.start)

    @property
    def is_at_rest(self) -> bool:
        """Whether nothing is waiting to be handled or answered."""
        return self.is_running and not self._facts and not self._unanswered and self._sessions.are_up

    # What happens

    def without_withheld(self, fact: Input) -> Input:
        """Return what a relay hands over that withholds entries of others now and then."""
        network = self.network
        if not isinstance(fact, EntriesRead) or not network.faults.relay_withholds:
            return fact
        kept = tuple(
            entry
            for entry in fact.entries
            if not network.chance(network.faults.relay_withholds)
            or not self._watcher.withhold(self, entry.entry_id)
        )
        return replace(fact, entries=kept)

    def tell(self, fact: Input) -> None:
        """Queue a fact."""
        self._facts.append(fact)
        busy = self.network.chance(self.network.faults.client_busy)
        self._turn_later(self.random.choice((500, 3_000) if busy else (0, 0, 5, 50)))

    def _turn_later(self, delay_ms: int) -> None:
        if not self._turn_due:
            self._turn_due = True
            life = self.lives
            self.clock.after(delay_ms, lambda: self._turn() if life == self.lives else None)

    def _turn(self) -> None:
        """Handle some facts in one transaction."""
        self._turn_due = False
        machine = self._machine
        if machine is None or not self._facts:
            return
        count = min(len(self._facts), self.random.choice((1, 4, 256)))
        taken = [self._facts.popleft() for _ in range(count)]
        transaction = Transaction(self.records)
        effects: list[Effect] = []
        events: list[Event] = []
        try:
            for fact in taken:
                if isinstance(fact, Started):
                    self._began, self._stalled = True, False
                if not self._stalled:
                    outcome = machine.handle(transaction, fact, self.now_ms)
                    effects += outcome.effects
                    events += outcome.events
            self._store(transaction, Outcome(effects=tuple(effects), events=tuple(events)), count)
        except StoreError:
            self._failed(machine, count)
        except Crashed:
            return
        if self._facts:
            self._turn_later(0)
        if any(isinstance(fact, Started) for fact in taken):
            self._ask_again()

    def _failed(self, machine: Machine, count: int) -> None:
        """Nothing of a batch is stored: begin anew after a pause."""
        machine.forget()
        self._seals.take()
        self._stalled = True
        self._sessions.taken_up(count)
        self._sessions.close()
        life, sessions = self.lives, self._sessions
        self.clock.after(STORE_RETRY_MS, lambda: sessions.tell(Started()) if life == self.lives else None)

    def _store(self, transaction: Transaction, outcome: Outcome, facts: int) -> None:
        network = self.network
        if transaction.changes():
            if network.chance(network.faults.crash_before_commit):
                self.crash_and_return()
                raise Crashed
            if self.disk_full:
                raise DiskFull("there is no room left on the disk")
            before = {
                record.group_id: record
                for kind, _, _ in transaction.changes()
                if kind is Conversation
                for record in self.records.all(Conversation)
            }
            secrets = [
                self.records.get(KeyPackageSecret, key)
                for kind, key, record in transaction.changes()
                if kind is KeyPackageSecret and record is None
            ]
            self.records.store(transaction)
            for secret in secrets:
                if secret is not None:
                    self._watcher.let_go(self, secret)
            self._watcher.committed(self, transaction, before, outcome.events)
        self._watcher.sealed(self, transaction, self._seals.take())
        if network.chance(network.faults.crash_after_commit):
            self.crash_and_return()
            raise Crashed
        for effect in outcome.effects:
            self._let_out(effect)
        self._sessions.taken_up(facts)

    def _let_out(self, effect: Effect) -> None:
        match effect:
            case WakeAt():
                self._wake_number += 1
                number, life = self._wake_number, self.lives
                self.clock.after(effect.time_ms - self.now_ms, lambda: self._wake(number, life))
            case Connect():
                self._sessions.connect(effect)
            case _:
                self._sessions.request(effect)

    def _wake(self, number: int, life: int) -> None:
        if life == self.lives and number == self._wake_number and self._machine is not None:
            self._sessions.tell(TimePassed())

    # What they wish

    def do(self, make: Make, on_answer: OnAnswer = lambda _: None) -> None:
        """Give a command; where the process or the disk fails, it is given again later under the same id."""
        self._commands += 1
        self._ask(make(f"{self.name}-{self._commands}"), on_answer)

    def _ask(self, command: Command, on_answer: OnAnswer) -> None:
        machine = self._machine
        if machine is None or not self._began:
            self._unanswered.append((command, on_answer))
            return
        transaction = Transaction(self.records)
        self.is_importing = isinstance(command, ImportBundle)
        try:
            answer, outcome = machine.command(transaction, command, self.now_ms)
            # After the disk had failed everything is taken up again by a `Started`.
            effects = () if self._stalled else outcome.effects
            self._store(transaction, Outcome(effects=effects, events=outcome.events), 0)
        except CallerError:
            machine.undo_command()
            self._seals.take()
            self.refused += 1
        except StoreError:
            machine.undo_command()
            self._seals.take()
            self._unanswered.append((command, on_answer))
        except Crashed:
            self._unanswered.append((command, on_answer))
        else:
            on_answer(answer)
        finally:
            self.is_importing = False

    def ask_again(self) -> None:
        """Give the commands again that were not answered."""
        unanswered, self._unanswered = self._unanswered, []
        for command, on_answer in unanswered:
            self._ask(command, on_answer)

    _ask_again = ask_again

    # Looking in

    def cached_group(self, group_id: GroupId) -> Group | None:
        """Return a group as the machine holds it decoded, if it does."""
        return None if self._machine is None else self._machine.caches.groups.get(group_id)

    @property
    def account_id(self) -> AccountId | None:
        """This person's account, if it was made."""
        account = self.records.get(Account, (0,))
        return None if account is None else account.account_id
