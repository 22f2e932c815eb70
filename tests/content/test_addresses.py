import pytest
from hypothesis import given

from skvoz.base.errors import BadRequest, Invalid, Malformed
from skvoz.base.ids import AccountId, GroupId
from skvoz.content import (
    MimiContent,
    NullPart,
    Text,
    account_in,
    account_uri,
    check_addresses,
    encode,
    message_id,
    room_uri,
    to_content,
)
from tests.content.contents import ACCOUNTS, ALICE, BOB, SALT, SENT_AT_MS

_ROOM = room_uri(GroupId(bytes(16)))


def test_uris_hold_the_id_and_name_nobody() -> None:
    assert account_uri(ALICE) == "mimi://skvoz.invalid/u/YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE"
    assert _ROOM == "mimi://skvoz.invalid/r/AAAAAAAAAAAAAAAAAAAAAA"


@given(ACCOUNTS)
def test_an_account_is_found_in_its_uri(account_id: AccountId) -> None:
    assert account_in(account_uri(account_id)) == account_id


@pytest.mark.parametrize("uri", ["", "mimi://skvoz.invalid/u/", _ROOM, account_uri(ALICE) + "\n"])
def test_other_uris_name_no_account(uri: str) -> None:
    assert account_in(uri) is None


def test_an_id_of_another_length_is_refused() -> None:
    with pytest.raises(BadRequest):
        account_uri(AccountId(b"short"))


def test_a_message_id_depends_on_sender_room_and_every_byte() -> None:
    data = encode(to_content(Text(text="hi"), salt=SALT, sent_at_ms=SENT_AT_MS))
    first = message_id(account_uri(ALICE), _ROOM, data)
    assert (len(first), first[0]) == (32, 1)
    assert message_id(account_uri(ALICE), _ROOM, data) == first
    others = {
        message_id(account_uri(BOB), _ROOM, data),
        message_id(account_uri(ALICE), room_uri(GroupId(b"a" * 16)), data),
        message_id(account_uri(ALICE), _ROOM, data[:-1] + b"!"),
        # Lengths are hashed too, so that what ends one URI can't begin the next.
        message_id(account_uri(ALICE) + "m", _ROOM[1:], data),
    }
    assert len(others | {first}) == 5


@pytest.mark.parametrize(
    "data", [b"", b"\x87\x50" + bytes(15), b"\x88\x50" + bytes(16), b"\x87\x4f" + bytes(16)]
)
def test_only_a_content_has_a_message_id(data: bytes) -> None:
    with pytest.raises(Malformed):
        message_id(account_uri(ALICE), _ROOM, data)


def test_a_content_may_repeat_who_sent_it_where_and_must_not_lie() -> None:
    body = NullPart(disposition=1)
    check_addresses(MimiContent(salt=SALT, body=body), account_uri(ALICE), _ROOM)
    honest = MimiContent(salt=SALT, body=body, extensions={1: account_uri(ALICE), 2: _ROOM})
    check_addresses(honest, account_uri(ALICE), _ROOM)
    with pytest.raises(Invalid):
        check_addresses(honest, account_uri(BOB), _ROOM)
    with pytest.raises(Invalid):
        check_addresses(honest, account_uri(ALICE), room_uri(GroupId(b"a" * 16)))
