"""One step's view of the records: what is stored, with the step's own changes laid over it.

The machine reads and writes through a `Transaction`; the driver takes `changes()` and stores them
all or none, and only then lets effects out.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any, Protocol, TypeVar, cast

from skvoz.client.records import Counter, Record

R = TypeVar("R", bound=Record)
Key = tuple[Any, ...]


class Records(Protocol):
    """The stored records, as of the last committed transaction."""

    def get(self, kind: type[R], key: Key, /) -> R | None:
        """Return the record under `key` (the values of `kind.key`), or nothing."""
        ...

    def select(self, kind: type[R], /, **equals: object) -> Iterator[R]:
        """Yield records whose named `kind.columns` or key fields equal the values, in key order."""
        ...

    def smallest(self, kind: type[R], column: str, count: int, /) -> Iterator[R]:
        """Yield up to `count` records with the smallest values of an indexed `column`, smallest first."""
        ...


class Transaction:
    """The changes of one step over the stored records."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._changes: dict[type[Record], dict[Key, Record | None]] = {}
        self._read: dict[tuple[type[Record], Key], Record | None] = {}

    def _changed(self, kind: type[R]) -> dict[Key, R | None]:
        return cast("dict[Key, R | None]", self._changes.setdefault(kind, {}))

    def get(self, kind: type[R], *key: object) -> R | None:
        """Return the record under `key` with this step's changes, or nothing."""
        changed = self._changes.get(kind)
        if changed is not None and key in changed:
            return cast("R | None", changed[key])
        place = (kind, key)
        if place not in self._read:
            self._read[place] = self._records.get(kind, key)
        return cast("R | None", self._read[place])

    def select(self, kind: type[R], /, **equals: object) -> list[R]:
        """Return the records whose fields equal the values, in key order, with this step's changes."""
        found: dict[Key, R] = {record.key_values(): record for record in self._records.select(kind, **equals)}
        for key, record in self._changed(kind).items():
            if record is not None and all(getattr(record, name) == value for name, value in equals.items()):
                found[key] = record
            else:
                found.pop(key, None)
        return [found[key] for key in sorted(found)]

    def first(self, kind: type[R], count: int, /, **equals: object) -> list[R]:
        """Return what `select` does, but only the first `count`, without reading the rest."""
        changed = self._changed(kind)
        stored = (
            record for record in self._records.select(kind, **equals) if record.key_values() not in changed
        )
        found = list(islice(stored, count))
        found += [
            record
            for record in changed.values()
            if record is not None and all(getattr(record, name) == value for name, value in equals.items())
        ]
        return sorted(found, key=lambda record: record.key_values())[:count]

    def smallest(self, kind: type[R], column: str, count: int) -> list[R]:
        """Return up to `count` records by the smallest values of `column` (alarms that are due, say)."""
        changed = self._changed(kind)
        stored = self._records.smallest(kind, column, count + len(changed))
        found = [record for record in stored if record.key_values() not in changed]
        found += [
            record
            for record in changed.values()
            if record is not None and getattr(record, column) is not None
        ]
        return sorted(found, key=lambda record: (getattr(record, column), record.key_values()))[:count]

    def put(self, record: Record) -> None:
        """Store `record` under its key, in place of any other there."""
        self._changes.setdefault(type(record), {})[record.key_values()] = record

    def delete(self, kind: type[Record], *key: object) -> None:
        """Remove the record under `key`, if it is there."""
        self._changes.setdefault(kind, {})[key] = None

    def next_number(self, name: str) -> int:
        """Return 1, 2, 3, … for `name`, each once."""
        counter = self.get(Counter, name)
        value = 1 if counter is None else counter.value + 1
        self.put(Counter(name=name, value=value))
        return value

    def changes(self) -> list[tuple[type[Record], Key, Record | None]]:
        """Return what this step changed: kind, key, and the new record or nothing where it was removed."""
        return [
            (kind, key, record) for kind, changed in self._changes.items() for key, record in changed.items()
        ]
