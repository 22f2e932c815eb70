"""The records of the client machine in their tables.

The table of a record kind holds its key, the fields it can be selected by, and the whole record as
MessagePack in `body`. Statements are made once per kind from the declarations in `skvoz.client.records`.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import TypeVar

import msgspec

from skvoz.base.errors import StoreError
from skvoz.client.records import Message, Record
from skvoz.client.transaction import Key
from skvoz.store.database import Database
from skvoz.store.search import MessageWords

R = TypeVar("R", bound=Record)

_encoder = msgspec.msgpack.Encoder()


@cache
def _decoder(kind: type[R]) -> msgspec.msgpack.Decoder[R]:
    return msgspec.msgpack.Decoder(kind)


@cache
def columns_of(kind: type[Record]) -> tuple[str, ...]:
    """Return the columns of a kind's table but `body`, in order."""
    return kind.key + tuple(name for name in kind.columns if name not in kind.key)


@cache
def _insert(kind: type[Record]) -> str:
    names = (*columns_of(kind), "body")
    return f"INSERT OR REPLACE INTO {kind.table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"


@cache
def _delete(kind: type[Record]) -> str:
    return f"DELETE FROM {kind.table} WHERE {' AND '.join(f'{name} = ?' for name in kind.key)}"


@cache
def _get(kind: type[Record]) -> str:
    return f"SELECT body FROM {kind.table} WHERE {' AND '.join(f'{name} = ?' for name in kind.key)}"


@cache
def _select(kind: type[Record], names: tuple[str, ...]) -> str:
    where = f" WHERE {' AND '.join(f'{name} = ?' for name in names)}" if names else ""
    return f"SELECT body FROM {kind.table}{where} ORDER BY {', '.join(kind.key)}"


@cache
def _smallest(kind: type[Record], column: str) -> str:
    return (
        f"SELECT body FROM {kind.table} WHERE {column} IS NOT NULL"
        f" ORDER BY {column}, {', '.join(kind.key)} LIMIT ?"
    )


def decode(kind: type[R], body: bytes) -> R:
    """Return the record that a row's `body` holds; raise `StoreError` where the row is damaged."""
    try:
        return _decoder(kind).decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise StoreError("a record in the database can't be read") from None


class RecordTables:
    """`skvoz.client.transaction.Records` over the database, and the writing of a step's changes."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._words = MessageWords(database)

    def get(self, kind: type[R], key: Key, /) -> R | None:
        """Return the record under `key`, or nothing."""
        rows = self.database.rows(_get(kind), key)
        return decode(kind, rows[0][0]) if rows else None

    def select(self, kind: type[R], /, **equals: object) -> Iterator[R]:
        """Yield the records whose named columns equal the values, in key order."""
        unknown = equals.keys() - set(columns_of(kind))
        if unknown:
            raise AssertionError(f"{kind.table} has no column {unknown}")
        for (body,) in self.database.each(_select(kind, tuple(equals)), tuple(equals.values())):
            yield decode(kind, body)

    def smallest(self, kind: type[R], column: str, count: int, /) -> Iterator[R]:
        """Yield up to `count` records with the smallest values of `column`."""
        if column not in columns_of(kind):
            raise AssertionError(f"{kind.table} has no column {column}")
        for (body,) in self.database.rows(_smallest(kind, column), (count,)):
            yield decode(kind, body)

    def apply(self, changes: Sequence[tuple[type[Record], Key, Record | None]]) -> None:
        """Write a step's changes; call it inside of `database.transaction()`."""
        put: dict[type[Record], list[Sequence[object]]] = {}
        deleted: dict[type[Record], list[Key]] = {}
        for kind, key, record in changes:
            if record is None:
                deleted.setdefault(kind, []).append(key)
            else:
                values = [getattr(record, name) for name in columns_of(kind)]
                put.setdefault(kind, []).append([*values, _encoder.encode(record)])
            if kind is Message:
                self._words.change(self.get(Message, key), record if isinstance(record, Message) else None)
        for kind, keys in deleted.items():
            self.database.run_many(_delete(kind), keys)
        for kind, rows in put.items():
            self.database.run_many(_insert(kind), rows)
