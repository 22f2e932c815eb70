from pathlib import Path

import pytest

from skvoz.base.errors import BadRequest, StoreError
from skvoz.base.limits import ENTRY_SIZE_MAX
from skvoz.crypto import sha256
from skvoz.logs import CLOSER_RETENTION_S, Quotas
from skvoz.server import Settings, read_settings, split_address
from skvoz.server.database import open_database


def test_nothing_needs_to_be_set(tmp_path: Path) -> None:
    assert read_settings(tmp_path / "relay.toml") == Settings()
    (tmp_path / "relay.toml").write_text("")
    assert read_settings(tmp_path / "relay.toml") == Settings()


def test_everything_can_be_set(tmp_path: Path) -> None:
    (tmp_path / "relay.toml").write_text(
        'listen = "[::1]:9000"\npath = "/secret"\n'
        'addresses = ["wss://a.example/"]\ntickets = ["один", "two"]\nreserve_bytes = 5\n'
        "[quotas]\nretention_s = 3600\nappends_per_s = 0.5\n"
    )
    found = read_settings(tmp_path / "relay.toml")
    assert (found.host, found.port, found.path, found.reserve_bytes) == ("::1", 9000, "/secret", 5)
    assert found.addresses == ("wss://a.example/",)
    assert found.quotas == Quotas(retention_s=3600, appends_per_s=0.5)
    assert found.admission.ticket_hashes == {sha256("один".encode()), sha256(b"two")}
    assert "one" not in repr(found)


def test_no_tickets_at_all_is_not_the_same_as_none_set(tmp_path: Path) -> None:
    (tmp_path / "relay.toml").write_text("tickets = []\n")
    assert read_settings(tmp_path / "relay.toml").admission.ticket_hashes == frozenset()


@pytest.mark.parametrize(
    "text",
    [
        "listen = 8443",
        'listen = "somewhere"',
        'listen = "127.0.0.1:99999"',
        'path = "secret"',
        'path = "/тайна"',
        'tickets = "one"',
        "tickets = [1]",
        "reserve_bytes = 'much'",
        "colour = 'red'",
        "quotas = 5",
        'addresses = "wss://one.example/"',
        'addresses = ["ftp://one.example/"]',
        'addresses = ["wss://one two.example/"]',
        f"addresses = {['wss://one.example/'] * 9}",
        f"addresses = ['wss://{'a' * 256}']",
        "[quotas]\ncolour = 1",
        "[quotas]\nretention_s = 0",
        "[quotas]\nretention_s = -1",
        "[quotas]\nretention_s = 1.5",
        "[quotas]\nretention_s = true",
        "[quotas]\nretention_s = '1'",
        f"[quotas]\nretention_s = {CLOSER_RETENTION_S + 1}",
        f"[quotas]\nentry_size_max = {ENTRY_SIZE_MAX + 1}",
        "[quotas]\nrekey_size_max = 100000000",
        "not toml",
        "[quotas]\nappends_per_s = nan",
        "[quotas]\nappends_per_s = inf",
        "a = " + "[" * 5000,
        "reserve_bytes = " + "9" * 5000,
        'listen = "host:' + "9" * 5000 + '"',
    ],
)
def test_nonsense_is_refused_and_the_file_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "relay.toml").write_text(text)
    with pytest.raises(BadRequest, match=r"relay\.toml"):
        read_settings(tmp_path / "relay.toml")


def test_a_file_that_can_not_be_read_is_said(tmp_path: Path) -> None:
    (tmp_path / "relay.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(BadRequest, match="UTF-8"):
        read_settings(tmp_path / "relay.toml")
    with pytest.raises(StoreError, match="can't be read"):
        read_settings(tmp_path)


def test_a_refused_ticket_is_not_repeated(tmp_path: Path) -> None:
    (tmp_path / "relay.toml").write_text('tickets = ["CANARY", 5]\n')
    with pytest.raises(BadRequest) as refused:
        read_settings(tmp_path / "relay.toml")
    assert "CANARY" not in str(refused.value)


@pytest.mark.parametrize("address", ["", ":1", "host", "host:", "host:65536", "host:٣", "host:" + "9" * 5000])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(BadRequest):
        split_address(address)


def test_a_schema_that_is_damaged_is_said(tmp_path: Path) -> None:
    file = tmp_path / "relay.db"
    open_database(file).close()
    whole = file.read_bytes()
    assert whole.count(b"CREATE TABLE log (") == 1
    file.write_bytes(whole.replace(b"CREATE TABLE log (", b"CREATE \xed\xed\xed\xed\xed log ("))
    with pytest.raises(StoreError, match="damaged"):
        open_database(file)
