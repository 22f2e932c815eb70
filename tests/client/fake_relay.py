"""A relay and devices in memory: effects go straight to the rules of the log, facts come back in order.

Real are the machine, the rules of `skvoz.relay.executor` and the frames; sessions, sockets and databases are
left out. A device can crash after storing and before anything goes out, lose answers, or be cut off.
"""

import random
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec

from skvoz.base.ids import AccountId, GroupId, LogId, RelayId
from skvoz.client import conversations, effects, inputs, invitations
from skvoz.client.commands import Answer, Command, CreateAccount, RelayAddress
from skvoz.client.effects import Channel, Effect
from skvoz.client.environment import Environment
from skvoz.client.events import Event
from skvoz.client.inputs import Input
from skvoz.client.machine import Machine
from skvoz.client.records import (
    Account,
    Contact,
    ContactState,
    Conversation,
    ConversationKind,
    ConversationState,
    Message,
    Record,
)
from skvoz.client.relay_requests import Wish, done, entries_read, frame_of, refused
from skvoz.client.step import Caches, Step
from skvoz.client.transaction import Key, Transaction
from skvoz.crypto import SUITES, sha256
from skvoz.logs import Quotas
from skvoz.mls import Group
from skvoz.relay.executor import Admission, Executor
from skvoz.relay.seam import Granted, Job, ReadAnswer, ReadRequest
from skvoz.wire import frames
from tests.relay.memory_store import MemoryStore, Snapshot

R = TypeVar("R", bound=Record)
T = TypeVar("T")
START_MS = 1_790_000_000_000
DAY_MS = 24 * 3600 * 1000


class StoredRecords:
    """`Records` over dictionaries."""

    def __init__(self) -> None:
        self.tables: dict[type[Record], dict[Key, Record]] = {}

    def get(self, kind: type[R], key: Key, /) -> R | None:
        found: Any = self.tables.get(kind, {}).get(key)
        return found

    def select(self, kind: type[R], /, **equals: object) -> Iterator[R]:
        table: Any = self.tables.get(kind, {})
        for key in sorted(table):
            record = table[key]
            if all(getattr(record, name) == value for name, value in equals.items()):
                yield record

    def smallest(self, kind: type[R], column: str, count: int, /) -> Iterator[R]:
        table: Any = self.tables.get(kind, {})
        found = [record for record in table.values() if getattr(record, column) is not None]
        found.sort(key=lambda record: (getattr(record, column), record.key_values()))
        yield from found[:count]

    def store(self, transaction: Transaction) -> None:
        for kind, key, record in transaction.changes():
            table = self.tables.setdefault(kind, {})
            if record is None:
                table.pop(key, None)
            else:
                table[key] = record


@dataclass(slots=True)
class _Reading:
    key: bytes
    after: int
    segments: set[int]
    knocks_seen: set[int] = field(default_factory=set[int])
    base_told: int = 0


def _executor() -> Executor:
    return Executor(quotas=Quotas(), admission=Admission())


class FakeRelay:
    """Logs under the real rules; reads are answered at once."""

    def __init__(self, name: str) -> None:
        self.public_key = name.encode() * 4
        self.relay_id = RelayId(sha256(self.public_key))
        self.address = f"wss://{name}.invalid"
        self.store = MemoryStore(sha256(name.encode())[:16], _executor())
        self._readings: dict[tuple[int, bytes], _Reading] = {}
        self._own: dict[int, set[bytes]] = {}
        self._requests = 0
        self.disk_full = False

    def forget_turns(self) -> None:
        """Know no more whose entry was refused, as after a start."""
        self.store.executor = _executor()

    def submit(self, session: int, effect: Wish, now_ms: int) -> Input | None:
        """Decide one request and return its answer."""
        self._requests += 1
        frame: Any = frame_of(effect, self._requests)
        [outcome] = self.store.execute([Job(session, frame)], now_ms, disk_full=self.disk_full)
        self.store.sync()
        log_id = effect.log_id
        match outcome.answer:
            case frames.Attached() as answer:
                assert isinstance(effect, effects.Attach)
                granted = outcome.notice
                assert isinstance(granted, Granted)
                self._readings[session, log_id] = _Reading(effect.key, granted.after, set(granted.segments))
                return inputs.Attached(
                    relay_id=self.relay_id,
                    log_id=log_id,
                    key=effect.key,
                    segment_open=answer.segment_open,
                    head=answer.head,
                )
            case frames.Stored() as answer:
                assert isinstance(effect, effects.Append | effects.Rekey)
                self._own.setdefault(session, set()).add(answer.entry)
                return inputs.EntryStored(
                    relay_id=self.relay_id,
                    log_id=log_id,
                    entry_id=effect.entry_id,
                    position=answer.position,
                )
            case frames.No() as answer:
                return refused(self.relay_id, effect, answer)
            case frames.Ok() as answer:
                return done(self.relay_id, effect, answer.value)
            case frames.Filled():
                raise AssertionError("no such thing was asked for")

    def detach(self, session: int, log_id: bytes) -> None:
        self._readings.pop((session, log_id), None)

    def forget_session(self, session: int) -> None:
        self._own.pop(session, None)
        for key in [key for key in self._readings if key[0] == session]:
            del self._readings[key]

    def backup(self) -> Snapshot:
        return self.store.snapshot()

    def restore(self, snapshot: Snapshot) -> None:
        self.store.restore(snapshot, sha256(self.store.store_id)[:16])
        self._readings.clear()
        self._own.clear()

    def news(self, session: int) -> Iterator[Input]:
        """Yield what a session has not been told yet."""
        for (owner, log_id), reading in list(self._readings.items()):
            if owner != session:
                continue
            log = self.store.log(log_id)
            if log is None:
                continue
            if log.base > max(reading.after, reading.base_told):
                reading.base_told = log.base
                yield inputs.BaseMoved(relay_id=self.relay_id, log_id=_log_id(log_id), position=log.base)
            request = ReadRequest(
                session,
                log_id,
                attachment=0,
                after=reading.after,
                through=log.head,
                segments=frozenset(reading.segments),
                bytes_max=1 << 20,
                knocks=True,
            )
            [answer] = self.store.read([request])
            if answer.through > reading.after:
                reading.after = answer.through
                yield entries_read(self.relay_id, self._frame(session, log_id, answer, reading))
            knocks = [item for item in answer.knocks if item.knock not in reading.knocks_seen]
            if knocks:
                reading.knocks_seen |= {item.knock for item in knocks}
                yield inputs.KnocksRead(
                    relay_id=self.relay_id,
                    log_id=_log_id(log_id),
                    knocks=tuple((item.knock, item.body) for item in knocks),
                )

    def _frame(self, session: int, log_id: bytes, answer: ReadAnswer, reading: _Reading) -> frames.Entries:
        own = self._own.get(session, set())
        entries: list[frames.Entry] = []
        for entry in answer.entries:
            if entry.flags & frames.Flag.CARRY:
                reading.segments.add(entry.position)
            body = None if entry.entry in own else entry.body
            entries.append(
                frames.Entry(entry.position, entry.entry, entry.segment, entry.flags, body, entry.next_hash)
            )
        return frames.Entries(log_id, entries, answer.through)


def _log_id(log_id: bytes) -> LogId:
    return LogId(log_id)


class Device:
    """A home: records, machine, and what has happened to it."""

    def __init__(self, world: "World", name: str, session: int) -> None:
        self.world = world
        self.name = name
        self.session = session
        self.records = StoredRecords()
        self.machine = Machine(world.environment)
        self.inbox: deque[Input] = deque()
        self.events: list[Event] = []
        self.connected: set[tuple[RelayId, Channel]] = set()
        self.met: set[tuple[RelayId, Channel]] = set()
        """As `connected`, over all restarts."""
        self.online = True
        self.wake_at_ms: int | None = None
        self.swallow: Callable[[Input], bool] = lambda _: False
        """Answers that are lost on their way."""
        self.heed: Callable[[Effect], None] = lambda _: None
        """Told of each effect before it is let out."""
        self.crash_before_effects = False
        self._commands = 0
        self.submitted: list[Wish] = []
        self.moved: list[effects.FileEffect] = []

    def do(self, make: Callable[[str], Command]) -> Answer:
        """Give a command and let its effects out."""
        self._commands += 1
        transaction = Transaction(self.records)
        command = make(f"{self.name}-{self._commands}")
        try:
            answer, outcome = self.machine.command(transaction, command, self.world.now_ms)
        except Exception:
            self.machine.undo_command()
            raise
        self._stored(transaction, outcome.effects, outcome.events)
        return answer

    def act(self, work: Callable[[Step], T]) -> T:
        """Do something inside of a step of this device, and let its effects out."""
        transaction = Transaction(self.records)
        step = Step(transaction, self.world.environment, self.world.now_ms, self.machine.caches)
        result = work(step)
        outcome = step.outcome()
        self._stored(transaction, outcome.effects, outcome.events)
        return result

    def handle(self, fact: Input) -> None:
        transaction = Transaction(self.records)
        outcome = self.machine.handle(transaction, fact, self.world.now_ms)
        self._stored(transaction, outcome.effects, outcome.events)

    def _stored(self, transaction: Transaction, made: tuple[Effect, ...], told: tuple[Event, ...]) -> None:
        self.records.store(transaction)
        self.events += told
        if self.crash_before_effects:
            self.crash_before_effects = False
            self.restart()
            return
        for effect in made:
            self.heed(effect)
            self._let_out(effect)

    def turn(self) -> bool:
        """Take one fact; return whether there was one."""
        if not self.online:
            return False
        if not self.inbox:
            for relay in self.world.relays.values():
                self.inbox.extend(fact for fact in relay.news(self.session) if not self.swallow(fact))
        if not self.inbox:
            return False
        self.handle(self.inbox.popleft())
        return True

    def turn_until(self, kind: type[Input]) -> None:
        """Take facts until one of this kind comes next."""
        while not (self.inbox and isinstance(self.inbox[0], kind)):
            assert self.turn()

    def turn_until_state(self, group_id: GroupId, state: ConversationState) -> None:
        """Take facts until a conversation is in this state."""
        while self.conversation(group_id).state is not state:
            assert self.turn()

    def restart(self) -> None:
        """Lose everything that is not stored, and begin again."""
        self.machine = Machine(self.world.environment)
        self.inbox.clear()
        self.connected.clear()
        self.wake_at_ms = None
        for relay in self.world.relays.values():
            relay.forget_session(self.session)
        self.session = self.world.fresh_session()
        self.inbox.append(inputs.Started())

    def _let_out(self, effect: Effect) -> None:
        match effect:
            case effects.WakeAt():
                self.wake_at_ms = effect.time_ms
            case effects.Connect():
                if (effect.relay_id, effect.channel) not in self.connected:
                    self.connected.add((effect.relay_id, effect.channel))
                    self.met.add((effect.relay_id, effect.channel))
                    relay = self.world.relays[effect.relay_id]
                    self.inbox.append(
                        inputs.RelayConnected(
                            relay_id=effect.relay_id,
                            store_id=relay.store.store_id,
                            public_key=relay.public_key,
                        )
                    )
            case effects.Detach():
                assert (effect.relay_id, effect.channel) in self.met
                self.world.relays[effect.relay_id].detach(self.session, effect.log_id)
            case effects.SayAgain():
                pass  # nothing is let go here
            case effects.Withdraw():
                held = self.world.held.get(self.name, [])
                held[:] = [one for one in held if getattr(one[1], "entry_id", None) != effect.entry_id]
            case (
                effects.Upload()
                | effects.Download()
                | effects.StopTransfer()
                | effects.RemoveFile()
                | effects.DiscardBlob()
            ):
                self.moved.append(effect)
            case _:
                if self.online:
                    self._request(effect)
                else:
                    held = self.world.held.setdefault(self.name, [])
                    if (self.session, effect) not in held:
                        held.append((self.session, effect))

    def _request(self, effect: Wish) -> None:
        assert (effect.relay_id, effect.channel) in self.met, "nothing is asked without a session"
        self.submitted.append(effect)
        answer = self.world.relays[effect.relay_id].submit(self.session, effect, self.world.now_ms)
        if answer is not None and not self.swallow(answer):
            self.inbox.append(answer)

    def go_offline(self) -> None:
        self.online = False

    def go_online(self) -> None:
        self.online = True
        for session, effect in self.world.held.pop(self.name, []):
            if session == self.session:
                self._request(effect)

    # Looking in

    @property
    def account_id(self) -> AccountId:
        transaction = Transaction(self.records)
        account = transaction.get(Account, 0)
        assert account is not None
        return account.account_id

    def all(self, kind: type[R]) -> list[R]:
        return list(self.records.select(kind))

    def conversation(self, group_id: bytes | None = None) -> Conversation:
        found = self.all(Conversation)
        if group_id is not None:
            found = [one for one in found if one.group_id == group_id]
        assert len(found) == 1
        return found[0]

    def texts(self) -> list[str]:
        return [message.text for message in sorted(self.all(Message), key=lambda m: m.sequence)]

    def group(self, group_id: GroupId) -> Group:
        step = Step(Transaction(self.records), self.world.environment, self.world.now_ms, Caches())
        group = step.group(group_id)
        group.members()  # the tree is loaded while the step's transaction is there
        return group


class World:
    """Devices and relays on one clock; everything is decided by the seed."""

    def __init__(self, seed: int = 1) -> None:
        self.random = random.Random(seed)
        self.environment = Environment(suite=SUITES[1], randomness=self.random.randbytes)
        self.now_ms = START_MS
        self.relays: dict[RelayId, FakeRelay] = {}
        self.devices: list[Device] = []
        self.held: dict[str, list[tuple[int, Wish]]] = {}
        self._sessions = 0

    def fresh_session(self) -> int:
        self._sessions += 1
        return self._sessions

    def add_relay(self, name: str = "relay") -> FakeRelay:
        relay = FakeRelay(name)
        self.relays[relay.relay_id] = relay
        return relay

    def add_device(self, name: str, relay: FakeRelay) -> Device:
        device = Device(self, name, self.fresh_session())
        self.devices.append(device)
        device.handle(inputs.Started())
        device.do(
            lambda client_id: CreateAccount(
                client_id=client_id,
                name=name,
                relay=RelayAddress(public_key=relay.public_key, addresses=(relay.address,)),
            )
        )
        self.settle()
        return device

    def make_group(self, *devices: Device) -> GroupId:
        """Make a group of people who know each other already; the first one is its admin."""
        relay_id = next(iter(self.relays))
        invitees = [device.act(_invitee) for device in devices[1:]]
        made = devices[0].act(
            lambda step: conversations.create(
                step, kind=ConversationKind.GROUP, relay_id=relay_id, title="g", invitees=invitees
            )
        )
        self.advance(60_000)
        for device in devices:
            device.act(_accept_everybody)
        return made.group_id

    def settle(self, steps_max: int = 100_000) -> None:
        """Hand everything on until nothing is left to do at this moment."""
        for _ in range(steps_max):
            turns = [device.turn() for device in self.devices]
            if not any(turns):
                return
        raise AssertionError("the world does not come to rest")

    def advance(self, duration_ms: int) -> None:
        """Let time pass, alarm by alarm."""
        end_ms = self.now_ms + duration_ms
        self.settle()
        while True:
            due = [d for d in self.devices if d.wake_at_ms is not None and d.wake_at_ms <= end_ms]
            if not due:
                break
            device = min(due, key=lambda d: (d.wake_at_ms or 0, d.name))
            self.now_ms = max(self.now_ms, device.wake_at_ms or 0)
            device.wake_at_ms = None
            device.handle(inputs.TimePassed())
            self.settle()
        self.now_ms = end_ms


def _invitee(step: Step) -> conversations.Invitee:
    key_package, recipient = invitations.fresh_key_package(step)
    account_id = step.account().account_id
    return conversations.Invitee(account_id=account_id, key_package=key_package, recipient=recipient)


def _accept_everybody(step: Step) -> None:
    for conversation in step.transaction.select(Conversation):
        step.change(conversation.group_id, is_request=False)
    for contact in step.transaction.select(Contact):
        step.transaction.put(msgspec.structs.replace(contact, state=ContactState.ACCEPTED))


def invitee_of(device: Device) -> conversations.Invitee:
    """Return what it takes to add a device to a group."""
    return device.act(_invitee)
