import os
import resource
import subprocess
import sys
import typing
from collections.abc import Iterator
from pathlib import Path

import pytest

from skvoz.base.errors import DiskFull, HomeBusy, NotFound, SchemaTooNew, StoreError, WrongPassphrase
from skvoz.base.ids import AccountId, GroupId, MessageId
from skvoz.client.records import (
    RECORDS,
    Alarm,
    Bot,
    Contact,
    ContactState,
    Counter,
    GroupPart,
    Message,
    MessageState,
    Record,
    Votes,
)
from skvoz.client.transaction import Transaction
from skvoz.store import Database, Home, Protection, RecordTables
from skvoz.store import database as database_module
from skvoz.store.database import SCHEMA_VERSION
from skvoz.store.protection import change_protection, create_key, kind_of, read_key
from skvoz.store.queries import Queries
from skvoz.store.record_tables import columns_of
from skvoz.store.search import fold, highlights, match_expression

KEY = bytes(range(32))


@pytest.fixture
def records(tmp_path: Path) -> Iterator[RecordTables]:
    database = Database(tmp_path / "skvoz.db", KEY)
    yield RecordTables(database)
    database.close()


def message(number: int, text: str, **more: typing.Any) -> Message:  # any field of the record
    return Message(
        message_id=MessageId(number.to_bytes(32, "big")),
        chat_id=more.pop("chat_id", b"chat"),
        group_id=GroupId(b"group"),
        sequence=number,
        author=AccountId(b"author"),
        sent_ms=1,
        received_ms=2,
        state=MessageState.RECEIVED,
        text=text,
        **more,
    )


def store(records: RecordTables, *put: Record) -> None:
    transaction = Transaction(records)
    for record in put:
        transaction.put(record)
    with records.database.transaction():
        records.apply(transaction.changes())


@pytest.mark.parametrize("kind", RECORDS, ids=lambda kind: kind.__name__)
def test_the_schema_has_each_record_kind(records: RecordTables, kind: type[Record]) -> None:
    described = records.database.rows(f"PRAGMA table_info({kind.table})")
    assert {row[1] for row in described} == {*columns_of(kind), "body"}
    assert [row[1] for row in sorted(described, key=lambda row: row[5]) if row[5]] == list(kind.key)
    indexed = " ".join(row[0] or "" for row in records.database.rows("SELECT sql FROM sqlite_master"))
    for column in set(kind.columns) - set(kind.key):
        assert f"ON {kind.table} ({column}" in indexed


def test_what_was_stored_comes_back_after_reopening(tmp_path: Path) -> None:
    database = Database(tmp_path / "skvoz.db", KEY)
    store(RecordTables(database), Counter(name="events", value=3), message(1, "привет"))
    database.close()
    database = Database(tmp_path / "skvoz.db", KEY)
    records = RecordTables(database)
    assert records.get(Counter, ("events",)) == Counter(name="events", value=3)
    assert Queries(records).messages(b"chat", before=None, limit=5) == [message(1, "привет")]
    database.close()


def test_nothing_legible_is_on_the_disk(tmp_path: Path) -> None:
    database = Database(tmp_path / "skvoz.db", KEY)
    store(RecordTables(database), message(1, "CANARY-IN-A-MESSAGE"))
    on_disk = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    database.close()
    on_disk += b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"CANARY" not in on_disk
    assert b"message" not in on_disk


def test_select_and_smallest_see_both_stored_and_changed(records: RecordTables) -> None:
    store(records, *(Alarm(name="a", subject=bytes([n]), due_ms=100 - n) for n in range(5)))
    transaction = Transaction(records)
    transaction.put(Alarm(name="a", subject=b"\x04", due_ms=500))
    transaction.put(Alarm(name="b", subject=b"\x09", due_ms=1))
    transaction.delete(Alarm, "a", b"\x03")
    assert [alarm.due_ms for alarm in transaction.smallest(Alarm, "due_ms", 3)] == [1, 98, 99]
    assert [alarm.subject for alarm in transaction.select(Alarm, name="a")] == [
        b"\x00",
        b"\x01",
        b"\x02",
        b"\x04",
    ]
    assert transaction.first(Alarm, 3, name="a") == transaction.select(Alarm, name="a")[:3]
    assert transaction.first(Alarm, 9, name="a") == transaction.select(Alarm, name="a")
    transaction.delete(Alarm, "a", b"\x00")
    assert [alarm.subject for alarm in transaction.first(Alarm, 1)] == [b"\x01"]


def test_a_step_that_fails_leaves_nothing(records: RecordTables) -> None:
    transaction = Transaction(records)
    transaction.put(Counter(name="x", value=1))

    def crash() -> None:
        with records.database.transaction():
            records.apply(transaction.changes())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        crash()
    assert records.get(Counter, ("x",)) is None


def test_numbers_are_given_once(records: RecordTables) -> None:
    transaction = Transaction(records)
    assert [transaction.next_number("m") for _ in range(3)] == [1, 2, 3]
    with records.database.transaction():
        records.apply(transaction.changes())
    assert Transaction(records).next_number("m") == 4


def test_search_finds_words_in_any_case_and_with_yo(records: RecordTables) -> None:
    store(
        records,
        message(1, "Ёлка и снег"),
        message(2, "елки-палки"),
        message(3, "Snow, SNOW", chat_id=b"other"),
        message(4, "йод"),
    )
    found = Queries(records)

    def numbers(query: str, chat_id: bytes | None = None) -> list[int]:
        return [m.sequence for m in found.search(query, chat_id=chat_id, before=None, limit=10)]

    assert numbers("ёлк") == [2, 1]
    assert numbers("елка СНЕГ") == [1]
    assert numbers("snow") == [3]
    assert numbers("snow", chat_id=b"chat") == []
    assert numbers("иод") == []
    assert numbers('" OR NEAR( *') == []
    assert numbers("") == []
    store(records, message(1, "nothing here"), message(3, "", deleted=True))
    assert numbers("снег") == []
    assert numbers("snow") == []


def test_search_finds_messages_by_the_names_of_their_files(records: RecordTables) -> None:
    store(
        records,
        message(1, "see", file_names=("Счёт за март.pdf", "b.txt")),
        message(2, "", file_names=("x.pdf",)),
    )

    def numbers(query: str) -> list[int]:
        found = Queries(records).search(query, chat_id=None, before=None, limit=9)
        return [one.sequence for one in found]

    assert numbers("pdf") == [2, 1]
    assert numbers("see счет") == [1]
    store(records, message(1, "", deleted=True), message(2, "seen", file_names=("x.pdf",)))
    assert numbers("счет") == []
    assert numbers("seen pdf") == [2]
    assert "март".encode() not in index_of(records)


def test_a_removed_message_is_not_found_again(records: RecordTables) -> None:
    store(records, message(1, "ключ под ковриком"), message(2, "ключ на столе"), message(3, "пароль"))
    assert WORD in index_of(records)
    transaction = Transaction(records)
    transaction.delete(Message, message(1, "").message_id)
    with records.database.transaction():
        records.apply(transaction.changes())
    found = Queries(records).search("ключ", chat_id=None, before=None, limit=9)
    assert [one.sequence for one in found] == [2]
    assert WORD not in index_of(records)
    store(records, message(3, "шёлк"))
    assert "арол".encode() not in index_of(records)
    assert "елк".encode() in index_of(records)


WORD = "вриком".encode()
"""Without its beginning, which the index shares with the word before."""


def index_of(records: RecordTables) -> bytes:
    """Return all that the search index holds; it would leave removed words in it until parts are merged."""
    return b"".join(block for (block,) in records.database.rows("SELECT block FROM message_text_data"))


def test_highlights_point_into_the_text() -> None:
    text = "Моя ёлка, ёлочка"
    assert [text[start : start + length] for start, length in highlights(text, "моя ёл")] == [
        "Моя",
        "ёл",
        "ёл",
    ]
    assert match_expression("a b") == '"a" "b"*'
    assert fold("ЁЖ") == "еж"


def test_votes_of_the_blocked_do_not_count_until_they_are_taken_back_in(records: RecordTables) -> None:
    poll = message(1, "when?", poll=("when?", ("now", "later"), False))
    accounts = [AccountId(letter * 32) for letter in (b"a", b"b")]
    votes = [Votes(message_id=poll.message_id, account_id=one, said=((1, b"v", (0,)),)) for one in accounts]
    store(records, poll, *votes)

    def counted(state: ContactState) -> list[AccountId]:
        blocked = Contact(
            account_id=accounts[0],
            state=state,
            name="",
            root_public_key=b"",
            account_key_number=0,
            account_public_key=b"",
            created_ms=1,
        )
        store(records, blocked)
        return [one.account_id for one in Queries(records).votes(poll)]

    assert counted(ContactState.BLOCKED) == accounts[1:]
    assert counted(ContactState.ACCEPTED) == accounts


def test_pages_go_back_and_forth(records: RecordTables) -> None:
    store(records, *(message(n, str(n)) for n in range(1, 8)))
    queries = Queries(records)
    assert [m.sequence for m in queries.messages(b"chat", before=None, limit=3)] == [7, 6, 5]
    assert [m.sequence for m in queries.messages(b"chat", before=5, limit=3)] == [4, 3, 2]
    assert [m.sequence for m in queries.messages_after(b"chat", after=5, limit=9)] == [6, 7]


def test_another_key_opens_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    Database(tmp_path / "skvoz.db", KEY).close()
    with pytest.raises(StoreError, match="damaged"):
        Database(tmp_path / "skvoz.db", bytes(32))
    assert capfd.readouterr() == ("", "")


def test_a_newer_schema_is_refused_and_left_alone(tmp_path: Path) -> None:
    database = Database(tmp_path / "skvoz.db", KEY)
    database.run("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(SchemaTooNew):
        Database(tmp_path / "skvoz.db", KEY)


def test_a_full_disk_is_said_and_loses_nothing(tmp_path: Path) -> None:
    database = Database(tmp_path / "skvoz.db", KEY)
    records = RecordTables(database)
    store(records, Counter(name="kept", value=1))
    pages = database.rows("PRAGMA page_count")[0][0]
    database.rows(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(DiskFull):
        store(records, GroupPart(group_id=GroupId(b"g"), part="tree", body=bytes(100_000)))
    database.rows("PRAGMA max_page_count = 1000000")
    assert records.get(GroupPart, (b"g", "tree", 0)) is None
    store(records, Counter(name="kept", value=2))
    assert records.get(Counter, ("kept",)) == Counter(name="kept", value=2)
    database.close()


def test_a_really_full_disk_is_said(tmp_path: Path) -> None:
    program = (
        "import resource, signal, sys; from pathlib import Path\n"
        "from skvoz.store import Database; from skvoz.base.errors import StoreError\n"
        "database = Database(Path(sys.argv[1]) / 'x.db', bytes(32))\n"
        "database.run('CREATE TABLE t (b)')\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (900_000, 900_000))\n"
        "try:\n"
        "    with database.transaction(): database.run('INSERT INTO t VALUES (zeroblob(5000000))')\n"
        "except StoreError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("the database failed") or "full" in done.stdout
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY


def test_a_home_is_held_by_one_process(tmp_path: Path) -> None:
    with Home(tmp_path / "home"):
        assert (tmp_path / "home").stat().st_mode & 0o777 == 0o700
        with pytest.raises(HomeBusy):
            Home(tmp_path / "home")
        program = "import sys, pathlib; from skvoz.store import Home; Home(pathlib.Path(sys.argv[1]))"
        other = subprocess.run(
            [sys.executable, "-c", program, str(tmp_path / "home")],
            capture_output=True,
            text=True,
            check=False,
        )
        assert "HomeBusy" in other.stderr
    Home(tmp_path / "home").close()


def test_a_home_that_can_not_be_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="folder"):
        Home(tmp_path / "file")


def never() -> str:
    raise AssertionError("nobody should be asked")


def test_a_key_in_a_file_is_private(tmp_path: Path) -> None:
    file = tmp_path / "key.json"
    key = create_key(file, Protection.FILE, never)
    assert read_key(file, never) == key
    assert file.stat().st_mode & 0o777 == 0o600
    assert kind_of(file) == "file"


@pytest.mark.slow
def test_a_passphrase_opens_and_another_does_not(tmp_path: Path) -> None:
    file = tmp_path / "key.json"
    key = create_key(file, Protection.PASSPHRASE, lambda: "верная")
    assert key.hex() not in file.read_text()
    assert read_key(file, lambda: "верная") == key
    with pytest.raises(WrongPassphrase):
        read_key(file, lambda: "other")
    change_protection(file, lambda: "верная", Protection.PASSPHRASE, lambda: "new")
    assert read_key(file, lambda: "new") == key
    with pytest.raises(WrongPassphrase):
        read_key(file, lambda: "верная")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("{", StoreError),
        ('{"version": 2, "kind": "file"}', SchemaTooNew),
        ('{"version": 1, "kind": "magic"}', SchemaTooNew),
        ('{"version": 1, "kind": "file", "key": "zz"}', StoreError),
        ('{"version": 1, "kind": "file", "key": "00"}', StoreError),
        ('{"version": 1, "kind": "passphrase", "memory_kib": 99999999, "time_cost": 1}', StoreError),
        ('{"version": 1, "kind": "passphrase", "memory_kib": 1, "time_cost": 1, "salt": "00"}', StoreError),
        (
            '{"version":1,"kind":"passphrase","memory_kib":64,"time_cost":1,"parallelism":8589934592}',
            StoreError,
        ),
        ('{"version": 1, "kind": "\udcff"}', StoreError),
    ],
)
def test_a_strange_key_file_is_refused(tmp_path: Path, text: str, kind: type[StoreError]) -> None:
    (tmp_path / "key.json").touch(0o600)
    (tmp_path / "key.json").write_text(text, errors="surrogateescape")
    with pytest.raises(kind):
        read_key(tmp_path / "key.json", lambda: "x")


def test_a_missing_key_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        read_key(tmp_path / "key.json", never)


def test_automatic_falls_back_to_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "SKVOZ_KEYRING", "off")
    create_key(tmp_path / "key.json", Protection.AUTOMATIC, never)
    assert kind_of(tmp_path / "key.json") == "file"


def test_a_home_of_an_older_schema_is_brought_up_to_date_with_what_it_holds(tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database_module, "SCHEMA_VERSION", 1)
        old = Database(tmp_path / "skvoz.db", KEY)
        with old.transaction():
            old.run("INSERT INTO counter (name, body) VALUES ('events', x'92a66576656e747303')")
        old.close()
    database = Database(tmp_path / "skvoz.db", KEY)
    records = RecordTables(database)
    assert database.rows("PRAGMA user_version") == [(SCHEMA_VERSION,)]
    assert records.get(Counter, ("events",)) == Counter(name="events", value=3)
    assert list(records.select(Bot)) == []
    database.close()
