"""The pool of packages over the real database, by the rules that `tests/relay/test_inboxes.py` tries."""

import contextlib
from pathlib import Path

from skvoz.crypto import sha256
from skvoz.server.database import open_database
from skvoz.server.write_transaction import SqliteTransaction

BOX = b"b" * 16


def test_a_pool_made_anew_keeps_what_was_taken(tmp_path: Path) -> None:
    with contextlib.closing(open_database(tmp_path / "relay.db")) as connection:
        transaction = SqliteTransaction(connection)
        transaction.begin()
        for log in (BOX, b"o" * 16):
            for body in (b"one", b"two"):
                transaction.add_package(log, sha256(body), body)
        assert transaction.take_package(BOX, b"t" * 16, 1) == b"one"
        transaction.drop_packages(BOX)
        assert transaction.package_count(BOX) == 0
        assert transaction.has_package(BOX, sha256(b"one"))
        assert not transaction.has_package(BOX, sha256(b"two"))
        assert transaction.package_count(b"o" * 16) == 2
        transaction.commit()
