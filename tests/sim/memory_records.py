"""A home's records in memory, with the indexes that the database has."""

from collections.abc import Iterator
from typing import Any, TypeVar

from skvoz.client.records import Record
from skvoz.client.transaction import Key, Transaction

R = TypeVar("R", bound=Record)
_Index = dict[str, dict[object, dict[Key, None]]]


class MemoryRecords:
    """`Records` over dictionaries; a transaction is stored as a whole, or was never there."""

    def __init__(self) -> None:
        self.tables: dict[type[Record], dict[Key, Record]] = {}
        self._indexes: dict[type[Record], _Index] = {}

    def get(self, kind: type[R], key: Key, /) -> R | None:
        found: Any = self.tables.get(kind, {}).get(key)
        return found

    def select(self, kind: type[R], /, **equals: object) -> Iterator[R]:
        table: Any = self.tables.get(kind, {})
        names = list(equals.items())
        if not names:
            yield from [table[key] for key in sorted(table)]
            return
        name, value = names[0]
        for key in sorted(self._indexes.get(kind, {}).get(name, {}).get(value, ())):
            record = table[key]
            if all(getattr(record, other) == wanted for other, wanted in names[1:]):
                yield record

    def smallest(self, kind: type[R], column: str, count: int, /) -> Iterator[R]:
        table: Any = self.tables.get(kind, {})
        found = [record for record in table.values() if getattr(record, column) is not None]
        found.sort(key=lambda record: (getattr(record, column), record.key_values()))
        yield from found[:count]

    def all(self, kind: type[R]) -> list[R]:
        """Return all records of a kind in the order of their keys."""
        return list(self.select(kind))

    def store(self, transaction: Transaction) -> None:
        """Take all changes."""
        for kind, key, record in transaction.changes():
            table = self.tables.setdefault(kind, {})
            index = self._indexes.setdefault(kind, {})
            known = table.pop(key, None)
            if known is not None:
                for name in (*kind.key, *kind.columns):
                    del index[name][getattr(known, name)][key]
            if record is not None:
                table[key] = record
                for name in (*kind.key, *kind.columns):
                    index.setdefault(name, {}).setdefault(getattr(record, name), {})[key] = None
