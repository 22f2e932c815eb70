"""Fuzz the rules of logs with requests in any order, over the memory store and SQLite side by side.

Both must answer alike, and what a log says of itself must be what it holds.
"""

import importlib.resources
import sqlite3
from functools import cache
from typing import Final
from unittest.mock import patch

from fuzz.target import Script, Target, scripts
from skvoz.base.limits import CHUNK_SIZES
from skvoz.crypto import sha256
from skvoz.logs import Quotas, contest, find_contest_proof
from skvoz.relay.executor import Admission, Executor
from skvoz.relay.seam import Job, LogRequest, Progress, ReadRequest
from skvoz.server.blob_rows import SqliteBlobs
from skvoz.server.database import SCHEMA_VERSION
from skvoz.server.log_reader import SqliteReader
from skvoz.server.write_transaction import SqliteTransaction
from skvoz.wire.frames import (
    Append,
    Attach,
    Discard,
    Drop,
    Kind,
    Knock,
    Open,
    Put,
    Rekey,
    Reserve,
    Take,
    Trim,
)
from tests.relay.memory_store import MemoryStore
from tests.relay.world import OWNER, START_MS, entry_id, key

_QUOTAS: Final = Quotas(
    entry_size_max=64,
    rekey_size_max=128,
    log_bytes_max=600,
    log_entries_max=30,
    inbox_entries_max=6,
    knocks_per_door_max=2,
    knocks_per_log_max=3,
    packages_max=4,
    blob_size_max=3 * CHUNK_SIZES[0],
    log_blobs_max=2,
    log_blob_bytes_max=4 * CHUNK_SIZES[0],
    append_burst=40,
    contest_burst=6,
)
_LOGS: Final = (b"A" * 16, b"B" * 16)
_STEPS_MAX: Final = 60
_HOUR_MS: Final = 3_600_000
_POSITION_MAX: Final = 2**63 - 1


@cache
def _connection() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    for number in range(1, SCHEMA_VERSION + 1):
        script = importlib.resources.files("skvoz.server") / "schema" / f"{number:04}.sql"
        connection.executescript(script.read_text("utf-8"))
    return connection


def request(script: Script, number: int, age: int) -> LogRequest:
    """Return a request; keys and ids are few, so that they meet.

    `age` sets ids apart: what was trimmed or has expired may still be known when it is repeated, or not.
    """
    log, with_key = script.choice(_LOGS), key(script.randrange(5))
    identity = entry_id(12 * age + script.randrange(12))
    since = script.choice((0, 0, 1, 2, 5, _POSITION_MAX))
    body = bytes(script.choice((0, 1, 10, 64, 65, 128, 129)))
    match script.randrange(14):
        case 0 | 1:
            kind = Kind.INBOX if script.randrange(3) == 0 else Kind.ROOM
            door = sha256(key(script.randrange(3))) if script.randrange(2) else None
            retention_s = script.choice((None, 1, 3600, 2**31 - 1))
            return Open(number, log, kind, sha256(with_key), sha256(OWNER), door, b"", retention_s)
        case 2:
            return Attach(number, log, with_key, since)
        case 3 | 4 | 5:
            return Append(number, log, with_key, identity, body, since)
        case 6 | 7:
            next_hash = sha256(key(script.randrange(5)))
            proof = script.choice((None, bytes(8), find_contest_proof(log, sha256(with_key), next_hash)))
            door = sha256(key(script.randrange(3))) if script.randrange(4) == 0 else None
            answered = [script.choice((0, 1, 2, _POSITION_MAX)) for _ in range(script.randrange(3))]
            carry = bool(script.randrange(2))
            return Rekey(
                number, log, with_key, identity, body, since, next_hash, carry, proof, door, answered
            )
        case 8:
            return Knock(number, log, key(script.randrange(3)), b"knock")
        case 9:
            return script.choice((Trim(number, log, OWNER, since), Drop(number, log, OWNER)))
        case 10:
            packages = [script.randbytes(2) + b"p" for _ in range(script.randrange(3))]
            last = b"last" if script.randrange(2) else None
            return Put(number, log, OWNER, packages, last, b"offer" if script.randrange(3) == 0 else None)
        case 11:
            return Take(number, log, with_key, entry_id(script.randrange(4)))
        case _:
            return _blob_request(script, number, log, with_key)


def _blob_request(script: Script, number: int, log: bytes, with_key: bytes) -> LogRequest:
    which = script.randrange(4)
    blob, own = bytes([which]) * 16, sha256(key(which))
    match script.randrange(6):
        case 0 | 1 | 2:
            count, wish_s = script.randrange(1, 4), script.choice((None, 1, 3600))
            return Reserve(number, blob, log, with_key, own, own, CHUNK_SIZES[0], count, wish_s)
        case 3 | 4:
            return Progress(number, blob, script.choice((0, 1, CHUNK_SIZES[0], 3 * CHUNK_SIZES[0])))
        case _:
            return Discard(number, blob, key(which))


def run(data: bytes) -> None:
    """Decide what the input asks for in both stores."""
    script = Script(data)
    transaction = SqliteTransaction(_connection())
    executors = [Executor(quotas=_QUOTAS, admission=Admission()) for _ in range(2)]
    memory = MemoryStore(bytes(16), executors[0])
    now_ms = START_MS
    age = 0
    try:
        with patch.object(contest, "CONTEST_BITS", 2):
            for number in range(_STEPS_MAX):
                if script.is_over:
                    break
                jobs: list[Job] = []
                for _ in range(script.randrange(1, 4)):
                    jobs.append(Job(1, request(script, number, age)))
                    age += isinstance(jobs[-1].request, Trim)
                full = script.randrange(12) == 0
                transaction.begin()
                stored = executors[1].execute(transaction, jobs, now_ms, disk_full=full)
                transaction.commit()
                if memory.execute(jobs, now_ms, disk_full=full) != stored:
                    raise AssertionError("two stores answer differently")
                if script.randrange(8) == 0:
                    now_ms += script.choice((1, 1000, _HOUR_MS, 31 * 24 * _HOUR_MS, 500 * 24 * _HOUR_MS))
                if script.randrange(8) == 0:
                    _expire(transaction, memory, now_ms // _HOUR_MS)
                    age += 1
        for log_id in _LOGS:
            _compare(memory, log_id, script)
        blobs = memory.rows.present
        if SqliteBlobs(_connection()).all_written() != {one: blob.written for one, blob in blobs.items()}:
            raise AssertionError("two stores hold different blobs")
        if any(memory.log(blob.log_id) is None for blob in blobs.values()):
            raise AssertionError("a log that is gone left blobs behind")
    finally:
        _clear(transaction)


def _expire(transaction: SqliteTransaction, memory: MemoryStore, hour: int) -> None:
    transaction.begin()
    transaction.expire(hour)
    transaction.commit()
    memory.expire(hour)


def _compare(memory: MemoryStore, log_id: bytes, script: Script) -> None:
    log = memory.log(log_id)
    reader = SqliteReader(_connection())
    held = reader.entries(log_id, 0, _POSITION_MAX, 1000, 1 << 20)
    if log is None:
        if held:
            raise AssertionError("a log that is gone left entries behind")
        return
    bodies = [entry.body or b"" for entry in held]
    charged = [log, *memory.branches(log_id)]
    counts = sum(one.entry_count for one in charged), sum(one.byte_count for one in charged)
    if counts != (len(bodies), sum(map(len, bodies))):
        raise AssertionError("a log holds something else than it says")
    if [entry.position for entry in held] != [entry.position for entry in memory.all_entries(log_id)]:
        raise AssertionError("two stores hold different entries")
    if log.base > log.head or any(entry.position > log.head for entry in held):
        raise AssertionError("a log ends before its entries")
    segments = frozenset(script.randrange(6) for _ in range(3))
    memory.read([ReadRequest(1, log_id, 0, 0, log.head, segments=segments, bytes_max=100, knocks=True)])


def _clear(transaction: SqliteTransaction) -> None:
    if _connection().in_transaction:
        transaction.rollback()
    transaction.begin()
    for log_id in _LOGS:
        transaction.delete_log(log_id)
    transaction.commit()


def make() -> Target:
    """Return the target; a refusal is an answer, so nothing is raised."""
    return Target(run=run, seeds=scripts(60, 500), refusals=())
