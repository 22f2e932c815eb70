"""What every kind of record has, and the records of the machine itself: counters, alarms, answers, events."""

from typing import Any, ClassVar

from skvoz.base.value import Value


class Record(Value, frozen=True, array_like=True, kw_only=True):
    """The base of all records."""

    table: ClassVar[str]
    key: ClassVar[tuple[str, ...]]
    columns: ClassVar[tuple[str, ...]] = ()

    def key_values(self) -> tuple[Any, ...]:
        """Return the values of the key fields."""
        return tuple([getattr(self, name) for name in self.key])


class Counter(Record, frozen=True, array_like=True, kw_only=True):
    """A number that only grows: message sequence, event sequence, intents."""

    table = "counter"
    key = ("name",)
    name: str
    value: int


class Alarm(Record, frozen=True, array_like=True, kw_only=True):
    """Something to do at a time; found by the earliest `due_ms`."""

    table = "alarm"
    key = ("name", "subject")
    columns = ("due_ms",)
    name: str
    subject: bytes
    due_ms: int


class Answered(Record, frozen=True, array_like=True, kw_only=True):
    """The answer to a command, so that a repeat with the same client id does nothing again."""

    table = "answered"
    key = ("client_id",)
    columns = ("created_ms",)
    client_id: str
    command: bytes
    """SHA-256 of the command as a whole: a client id stands for one command."""
    answer: bytes
    created_ms: int


class LoggedEvent(Record, frozen=True, array_like=True, kw_only=True):
    """An event in the durable log that programs replay."""

    table = "event"
    key = ("sequence",)
    sequence: int
    kind: str
    body: bytes
    """The event, encoded; ids only, never people's words."""
    created_ms: int
