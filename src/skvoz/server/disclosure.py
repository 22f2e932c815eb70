"""Everything that a relay holds, printed from its real storage.

A field that is not in `SHOWN` stops the printing: what a relay holds can't grow without this list saying so.
"""

import sqlite3
from collections.abc import Iterator
from typing import Final

from skvoz.base.errors import StoreError

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
    ),
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
    ),
    "knock": ("log", "number", "door_hash", "body", "expires_hour"),
    "package": ("number", "log", "digest", "body", "taker", "expires_hour"),
    "inbox": ("log", "last_package", "offer", "offer_taker"),
}
"""Every table and every column that a relay may have."""
_BOOKKEEPING: Final = frozenset({"sqlite_sequence"})


def disclose(connection: sqlite3.Connection) -> Iterator[str]:
    """Yield a line for each row of each table; bodies, which are sealed, as their size and first bytes."""
    tables = {
        row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
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
