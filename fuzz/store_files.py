"""Fuzz a home's files as a damaged disk would leave them: the key file, records, and the database."""

import json
from functools import cache
from typing import Any, Final
from unittest.mock import patch

import keyring
import msgspec
from keyring.backends import fail

from fuzz import scratch
from fuzz.client_facts import neighbourhood
from fuzz.target import INPUT_SIZE_MAX, Part, Script, Target, changed, one_of, scripts
from skvoz.base.errors import NotFound, StoreError
from skvoz.client.records import Record
from skvoz.store import Database, Protection, RecordTables, protection
from skvoz.store.protection import create_key, kind_of, read_key
from skvoz.store.queries import Queries
from skvoz.store.record_tables import columns_of, decode

_KEY: Final = bytes(32)
_RECORDS_MAX: Final = 60


def _ask() -> str:
    return "passphrase"


def try_key_file(data: bytes) -> None:
    """Read the database's key out of a file that may hold anything."""
    file = scratch.one() / "key.json"
    file.write_bytes(data)
    with patch.object(protection, "_MEMORY_KIB_MAX", 1024), patch.object(protection, "_TIME_COST_MAX", 3):
        key = read_key(file, _ask)
    if len(key) != 32 or kind_of(file) not in {"file", "passphrase", "keyring"}:
        raise AssertionError("a key of another size was read")


def _cheap(wrapped: bytes) -> bytes:
    """Return a key file whose passphrase costs next to nothing, so that many can be tried."""
    return json.dumps(json.loads(wrapped) | {"time_cost": 1, "memory_kib": 64}).encode()


def _key_files() -> list[bytes]:
    made: list[bytes] = []
    for kind in (Protection.FILE, Protection.PASSPHRASE):
        file = scratch.one() / "key.json"
        create_key(file, kind, _ask)
        made.append(file.read_bytes())
    return [*made[:1], _cheap(made[1]), b'{"version": 1, "kind": "keyring", "name": "x"}', b'{"version": 2}']


@cache
def _records() -> list[Record]:
    """Return some records of every kind."""
    found = [
        record
        for table in neighbourhood().anna.records.tables.values()
        for record in list(table.values())[:3]
        if len(msgspec.msgpack.encode(record)) < INPUT_SIZE_MAX - 1
    ]
    return sorted(found, key=lambda record: (record.table, record.key_values()))[:_RECORDS_MAX]


def try_record(data: bytes) -> None:
    """Read a row's body as a record of some kind."""
    kinds = sorted({type(record) for record in _records()}, key=lambda kind: kind.table)
    if not data:
        return
    record = decode(kinds[data[0] % len(kinds)], data[1:])
    if decode(type(record), msgspec.msgpack.encode(record)) != record:
        raise AssertionError("a record changes when it is stored again")


def make() -> Target:
    """Return the target of the key file and of single records."""
    keyring.set_keyring(fail.Keyring())  # nobody's own keyring is asked
    kinds = sorted({type(record) for record in _records()}, key=lambda kind: kind.table)
    bodies = [bytes([kinds.index(type(record))]) + msgspec.msgpack.encode(record) for record in _records()]
    return one_of(
        (Part(try_key_file, _key_files()), Part(try_record, bodies)), refusals=(StoreError, NotFound)
    )


@cache
def _database() -> bytes:
    """Return a database's file with records in it."""
    file = scratch.folder() / "skvoz.db"
    database = Database(file, _KEY)
    tables = RecordTables(database)
    with database.transaction():
        tables.apply([(type(record), record.key_values(), record) for record in _records()])
    database.close()
    return file.read_bytes()


def _open_database(data: bytes) -> None:
    """Open a database of which some pages, or its end, are changed, and look at all of it."""
    script = Script(data)
    spoiled = bytearray(_database())
    for _ in range(script.randrange(1, 4)):
        at = script.randrange(len(spoiled))
        piece = bytes(spoiled[at : at + 64])
        spoiled[at : at + len(piece)] = changed(script, piece)
    if script.randrange(4) == 0:
        del spoiled[script.randrange(len(spoiled)) :]
    folder = scratch.one()
    for old in folder.iterdir():
        old.unlink()
    file = folder / "skvoz.db"
    file.write_bytes(spoiled)
    if script.randrange(4) == 0:
        (folder / "skvoz.db-wal").write_bytes(script.rest())
    key = _KEY if script.randrange(8) else bytes([1]) * 32
    database = Database(file, key)
    try:
        _look_at_everything(database)
    finally:
        database.close()


def _look_at_everything(database: Database) -> None:
    tables = RecordTables(database)
    queries = Queries(tables)
    queries.account()
    for chat in queries.chats():
        queries.messages(chat.main.chat_id, before=None, limit=50)
    queries.search("hello", chat_id=None, before=None, limit=10)
    kinds: set[type[Record]] = {type(record) for record in _records()}
    for kind in sorted(kinds, key=lambda kind: kind.table):
        found: list[Any] = list(tables.select(kind))
        if found and not columns_of(kind):
            raise AssertionError("a kind without columns")


def database() -> Target:
    """Return the target of the whole database; blind, since SQLite is C."""
    _database()
    return Target(run=_open_database, seeds=scripts(60, 80), refusals=(StoreError,), guided=False)
