"""Fuzz a relay's files as an operator would mistype them, or a damaged disk would leave them."""

import contextlib
from functools import cache
from typing import Final

from fuzz import scratch
from fuzz.target import Part, Script, Target, changed, one_of, scripts
from skvoz.base.errors import BadRequest, NotFound, StoreError
from skvoz.crypto import sha256
from skvoz.logs import Quotas
from skvoz.relay.executor import Admission, Executor
from skvoz.relay.seam import Job
from skvoz.server import create_home, hold_home, read_settings
from skvoz.server.database import open_database, open_reader, own_words, rename_if_restored, store_id
from skvoz.server.home import split_address
from skvoz.server.log_reader import SqliteReader
from skvoz.server.write_transaction import SqliteTransaction
from skvoz.wire.frames import Append, Kind, Open, Put, Rekey
from tests.relay.world import OWNER, START_MS, entry_id, key

_SETTINGS: Final = """
listen = "[::1]:8443"
path = "/x"
tickets = ["a", "b"]
reserve_bytes = 1_000
[quotas]
retention_s = 3600
appends_per_s = 0.5
"""
_LOG: Final = b"L" * 16


def try_settings(data: bytes) -> None:
    """Read what an operator wrote."""
    file = scratch.one() / "relay.toml"
    file.write_bytes(data)
    settings = read_settings(file)
    Executor(quotas=settings.quotas, admission=settings.admission)
    if not 0 <= settings.port <= 0xFFFF or not settings.path.startswith("/"):
        raise AssertionError("settings that make no sense were read")


def try_address(data: bytes) -> None:
    """Take an address to listen on apart."""
    split_address(data.decode(errors="surrogateescape"))


def try_key(data: bytes) -> None:
    """Hold a home whose key file may hold anything."""
    folder = scratch.one() / "relay"
    create_home(folder)
    (folder / "relay.key").write_bytes(data)
    with hold_home(folder) as held:
        if held.private_key != data:
            raise AssertionError("another key was read")


def make() -> Target:
    """Return the target of settings and key."""
    settings = [
        *(_SETTINGS.encode(), b"", b"[quotas]\nentry_size_max = 1\n"),
        *(b"[quotas]\nappends_per_s = nan\n", b"[quotas]\ncasts_per_s = inf\n"),
        *(b"listen = " + b"[" * 5000, b"reserve_bytes = " + b"9" * 5000),
    ]
    addresses = [b"127.0.0.1:1", b"[::1]:65535", b":80", b"host:" + b"9" * 5000]
    parts = (Part(try_settings, settings), Part(try_address, addresses), Part(try_key, [bytes(32), b""]))
    return one_of(parts, refusals=(BadRequest, StoreError, NotFound))


@cache
def _database() -> bytes:
    """Return a database's file with a room, an inbox and their entries."""
    file = scratch.folder() / "relay.db"
    first, second = sha256(key(0)), sha256(key(1))
    rekey = Rekey(
        4,
        _LOG,
        key(0),
        entry_id(2),
        b"commit",
        0,
        second,
        carry=True,
        contest_proof=None,
        door_hash=None,
        answered=[],
    )
    frames = (
        Open(1, _LOG, Kind.ROOM, first, sha256(OWNER), first, b"", None),
        Open(2, b"B" * 16, Kind.INBOX, first, sha256(OWNER), None, b"", 3600),
        Append(3, _LOG, key(0), entry_id(1), b"body", 0),
        rekey,
        Put(5, b"B" * 16, OWNER, [b"package"], b"last", b"offer"),
    )
    executor = Executor(quotas=Quotas(), admission=Admission())
    with contextlib.closing(open_database(file)) as connection:
        transaction = SqliteTransaction(connection)
        transaction.begin()
        executor.execute(transaction, [Job(1, frame) for frame in frames], START_MS)
        transaction.commit()
    return file.read_bytes()


def _open_database(data: bytes) -> None:
    """Open a database of which some bytes, or its end, are changed, as a relay does; look at all of it."""
    script = Script(data)
    spoiled = bytearray(_database())
    for _ in range(script.randrange(1, 4)):
        at = script.randrange(len(spoiled))
        piece = bytes(spoiled[at : at + 64])
        spoiled[at : at + len(piece)] = changed(script, piece)
    if script.randrange(4) == 0:
        del spoiled[script.randrange(len(spoiled)) :]
    folder = scratch.one()
    for old in folder.glob("relay.db*"):
        old.unlink()
    file = folder / "relay.db"
    file.write_bytes(spoiled)
    with contextlib.closing(open_database(file)) as connection:
        with own_words():
            rename_if_restored(connection, script.choice((None, 0, 2, 9)))
            store_id(connection)
        SqliteTransaction(connection)
    with own_words(), contextlib.closing(open_reader(file)) as connection:
        reader = SqliteReader(connection)
        reader.base(_LOG)
        reader.entries(_LOG, 0, 9, 10, 1000)
        reader.knocks(_LOG, {0, 2})


def database() -> Target:
    """Return the target of the whole database; blind, since SQLite is C."""
    _database()
    return Target(run=_open_database, seeds=scripts(60, 80), refusals=(StoreError,), guided=False)
