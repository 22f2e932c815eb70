"""Homes for fuzzing the client machine: made once, and copied for each input."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

import msgspec

from skvoz.base.errors import CallerError
from skvoz.client.commands import Command
from skvoz.client.effects import Effect
from skvoz.client.environment import Environment
from skvoz.client.events import Event
from skvoz.client.inputs import Attached, Input, Started
from skvoz.client.machine import Machine
from skvoz.client.records import Conversation, Record
from skvoz.client.transaction import Key, Transaction
from skvoz.store.record_tables import columns_of
from tests.client.fake_relay import Device, StoredRecords

_NUMBER_MAX: Final = 2**63 - 1
"""What SQLite holds in a column."""
_encoder: Final = msgspec.msgpack.Encoder()
Changes = list[tuple[type[Record], Key, Record | None]]


@dataclass(slots=True)
class Home:
    """A machine over records of its own; effects and events are kept, and nobody fulfils them."""

    records: StoredRecords
    environment: Environment
    now_ms: int
    effects: list[Effect] = field(default_factory=list[Effect])
    events: list[Event] = field(default_factory=list[Event])
    machine: Machine = field(init=False)

    def __post_init__(self) -> None:
        self.machine = Machine(self.environment)

    def handle(self, fact: Input) -> Changes:
        """Take a fact, store what changes, and return it."""
        transaction = Transaction(self.records)
        outcome = self.machine.handle(transaction, fact, self.now_ms)
        return self._store(transaction, outcome.effects, outcome.events)

    def command(self, wish: Command) -> bool:
        """Take a wish; tell whether it was granted."""
        transaction = Transaction(self.records)
        try:
            _, outcome = self.machine.command(transaction, wish, self.now_ms)
        except CallerError:
            self.machine.forget()
            self.handle(Started())
            return False
        self._store(transaction, outcome.effects, outcome.events)
        return True

    def _store(self, transaction: Transaction, effects: Iterable[Effect], events: Iterable[Event]) -> Changes:
        changes = transaction.changes()
        for kind, _, record in changes:
            if record is not None:
                _check_storable(kind, record)
        self.records.store(transaction)
        self.effects += effects
        self.events += events
        return changes

    def all(self, kind: type[Record]) -> list[Any]:
        """Return all records of a kind."""
        return list(self.records.select(kind))

    def attach_everywhere(self) -> None:
        """Begin as after a start, with every room read to its head."""
        self.handle(Started())
        for conversation in self.all(Conversation):
            reading = self.machine.caches.readings.get(conversation.group_id)
            if reading is not None:
                self.handle(
                    Attached(
                        relay_id=conversation.relay_id,
                        log_id=conversation.log_id,
                        key=reading.key,
                        segment_open=True,
                        head=conversation.cursor,
                    )
                )


def copy_of(device: Device) -> Home:
    """Return a home with the records of a device, which stays as it is."""
    records = StoredRecords()
    records.tables = {kind: dict(table) for kind, table in device.records.tables.items()}
    environment = Environment(suite=device.world.environment.suite, randomness=Random(1).randbytes)
    return Home(records, environment, device.world.now_ms)


def _check_storable(kind: type[Record], record: Record) -> None:
    """Raise unless SQLite takes the record: its numbers have 63 bits, and its texts are texts."""
    _encoder.encode(record)
    for name in columns_of(kind):
        value = getattr(record, name)
        if isinstance(value, int) and not -_NUMBER_MAX <= value <= _NUMBER_MAX:
            raise AssertionError(f"{kind.table}.{name} does not fit into the database")
        if isinstance(value, str):
            value.encode()
