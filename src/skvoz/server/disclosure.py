"""Everything that a relay holds, printed from its real storage.

A field that is not in `SHOWN` stops the printing: what a relay holds can't grow without this list saying so.
"""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from skvoz.base.errors import NotFound, StoreError
from skvoz.server.blob_store import BlobFolder
from skvoz.server.database import open_reader, own_words
from skvoz.server.home import OWN_FILES, RelayHome

SHOWN: Final[dict[str, tuple[str, ...]]] = {
    "relay": ("name", "value"),
    "log": (
        "log",
        "kind",
        "owner_hash",
        "retention_s",
        "head",
        "base",
        "entry_count",
        "byte_count",
        "knock_head",
        "expires_hour",
    ),
    "segment": (
        "log",
        "number",
        "parent",
        "by_carry",
        "key_hash",
        "door_hash",
        "closed_at",
        "last_closer",
        "carried",
        "expires_hour",
        "branch",
    ),
    "branch": ("log", "number", "entry_count", "byte_count"),
    "entry": (
        "number",
        "log",
        "position",
        "entry",
        "segment",
        "flags",
        "body",
        "next_hash",
        "expires_hour",
        "branch",
    ),
    "knock": ("log", "number", "door_hash", "body", "expires_hour"),
    "package": ("number", "log", "digest", "body", "taker", "expires_hour"),
    "inbox": ("log", "last_package", "offer", "offer_taker"),
    "blob": (
        "blob",
        "log",
        "write_hash",
        "read_hash",
        "size",
        "written",
        "position",
        "retention_s",
        "expires_hour",
        "branch",
    ),
}
"""Every table and every column that a relay may have."""
_BOOKKEEPING: Final = frozenset({"sqlite_sequence"})


def disclose(folder: Path) -> Iterator[str]:
    """Yield lines that say everything that a relay's home holds; the relay may be running.

    Raises `NotFound`, and `StoreError` where something is there that this can't name.
    """
    home = RelayHome(folder=folder)
    if not home.database_file.exists():
        raise NotFound("there is no relay's database in this folder")
    for file in sorted(folder.iterdir()):
        if file.name not in OWN_FILES:
            raise StoreError("the relay's home has a file that the list of its files does not name")
        if file == home.blobs_folder:
            sizes = BlobFolder(file).sizes()
            yield f"{file.name}: {len(sizes)} files, {OWN_FILES[file.name]}"
            for blob_id, size in sorted(sizes.items()):
                yield f"  {blob_id.hex()}: {size} bytes, sealed"
            continue
        yield f"{file.name}: {file.stat().st_size} bytes, {OWN_FILES[file.name]}"
    with own_words(), contextlib.closing(open_reader(home.database_file)) as connection:
        connection.execute("BEGIN")
        yield from disclose_database(connection)


def disclose_database(connection: sqlite3.Connection) -> Iterator[str]:
    """Yield a line for each row of each table; bodies, which are sealed, as their size and first bytes."""
    tables = {
        row[0]
        for row in connection.execute(
            "SELECT name FROM sqlite_master WHERE type NOT IN ('index', 'trigger')"
        ).fetchall()
    }
    if tables - _BOOKKEEPING != set(SHOWN):
        raise StoreError("the relay holds a table that the list of disclosed fields does not name")
    for table, columns in SHOWN.items():
        present = tuple(row[1] for row in connection.execute(f"PRAGMA table_info({table})"))
        if present != columns:
            raise StoreError("the relay holds a field that the list of disclosed fields does not name")
        count = connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        yield f"{table}: {count}"
        for row in connection.execute(f"SELECT {', '.join(columns)} FROM {table}"):
            yield "  " + " ".join(f"{name}={_shown(value)}" for name, value in zip(columns, row, strict=True))


def _shown(value: object) -> str:
    if isinstance(value, bytes):
        return value.hex() if len(value) <= 32 else f"{value[:16].hex()}…({len(value)} bytes)"
    return "-" if value is None else str(value)
