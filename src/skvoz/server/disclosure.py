"""Everything that a relay holds, printed from its real storage.

A field that is not in `SHOWN` stops the printing: what a relay holds can't grow without this list saying so.
"""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from skvoz.base.errors import NotFound, StoreError
from skvoz.base.value import Value
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


class Disclosed(Value, frozen=True):
    """One thing that a relay holds: a file, a blob's file, a table, or a row of one."""

    text: str
    fields: dict[str, str | int | None]


def disclose(folder: Path) -> Iterator[str]:
    """Yield lines that say everything that a relay's home holds; the relay may be running.

    Raises `NotFound`, and `StoreError` where something is there that this can't name.
    """
    return (one.text for one in disclosed(folder))


def disclosed(folder: Path) -> Iterator[Disclosed]:
    """Yield everything that `disclose` says, for programs too; raises the same."""
    home = RelayHome(folder=folder)
    if not home.database_file.exists():
        raise NotFound("there is no relay's database in this folder")
    for file in sorted(folder.iterdir()):
        if file.name not in OWN_FILES:
            raise StoreError("the relay's home has a file that the list of its files does not name")
        what = OWN_FILES[file.name]
        if file == home.blobs_folder:
            sizes = BlobFolder(file).sizes()
            text = f"{file.name}: {len(sizes)} files, {what}"
            yield Disclosed(text, {"file": file.name, "files": len(sizes), "what": what})
            for blob_id, size in sorted(sizes.items()):
                yield Disclosed(
                    f"  {blob_id.hex()}: {size} bytes, sealed",
                    {"file": f"{file.name}/{blob_id.hex()}", "bytes": size},
                )
            continue
        size = file.stat().st_size
        yield Disclosed(
            f"{file.name}: {size} bytes, {what}", {"file": file.name, "bytes": size, "what": what}
        )
    with own_words(), contextlib.closing(open_reader(home.database_file)) as connection:
        connection.execute("BEGIN")
        yield from disclosed_in(connection)


def disclosed_in(connection: sqlite3.Connection) -> Iterator[Disclosed]:
    """Yield each table and each of its rows; bodies, which are sealed, as their size and first bytes."""
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
        yield Disclosed(f"{table}: {count}", {"table": table, "rows": count})
        for row in connection.execute(f"SELECT {', '.join(columns)} FROM {table}"):
            shown = {name: _shown(value) for name, value in zip(columns, row, strict=True)}
            text = " ".join(f"{name}={'-' if value is None else value}" for name, value in shown.items())
            yield Disclosed("  " + text, {"in": table, **shown})


def _shown(value: bytes | str | int | None) -> str | int | None:
    if isinstance(value, bytes):
        return value.hex() if len(value) <= 32 else f"{value[:16].hex()}…({len(value)} bytes)"
    return value
