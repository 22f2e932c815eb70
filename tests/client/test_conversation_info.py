import pytest
from msgspec.structs import replace

from skvoz.base.errors import BadRequest, Malformed
from skvoz.base.ids import AccountId, LogId, RelayId
from skvoz.client.conversation_info import (
    ConversationInfo,
    RoomPlace,
    check_title,
    parse_conversation_info,
)
from skvoz.client.records import ConversationKind

A, B = AccountId(b"a" * 32), AccountId(b"b" * 32)
PLACE = RoomPlace(relay_id=RelayId(b"r" * 32), addresses=("wss://relay.example/",), log_id=LogId(b"l" * 16))
INFO = ConversationInfo(
    kind=ConversationKind.GROUP,
    title="Дача",
    admins=(A, B),
    door_secret=b"d" * 32,
    places=(PLACE,),
    message_expiry_s=3600,
)
DIRECT_INFO = replace(INFO, kind=ConversationKind.DIRECT, title="")


@pytest.mark.parametrize("info", [INFO, DIRECT_INFO])
def test_the_description_comes_back(info: ConversationInfo) -> None:
    assert parse_conversation_info(info.encode()) == info


@pytest.mark.parametrize(
    "info",
    [
        replace(INFO, kind=ConversationKind.DIRECT),
        replace(INFO, kind=ConversationKind.SELF, title=""),
        replace(INFO, admins=()),
        replace(INFO, admins=(A, A)),
        replace(INFO, admins=tuple(AccountId(n.to_bytes(32, "big")) for n in range(65))),
        replace(INFO, places=()),
        replace(INFO, places=(PLACE,) * 5),
        replace(INFO, places=(replace(PLACE, addresses=()),)),
        replace(INFO, places=(replace(PLACE, addresses=("x" * 257,)),)),
        replace(INFO, places=(replace(PLACE, addresses=("",)),)),
        replace(INFO, title="x" * 513),
        replace(INFO, message_expiry_s=2**32 - 1),
        replace(DIRECT_INFO, title="x"),
        replace(DIRECT_INFO, admins=(A,)),
    ],
)
def test_a_description_that_breaks_a_rule_is_refused(info: ConversationInfo) -> None:
    with pytest.raises(Malformed):
        parse_conversation_info(info.encode())


def test_another_form_of_the_same_is_refused() -> None:
    data = INFO.encode()
    swapped = data.replace(A + B, B + A)
    assert swapped != data
    for changed in (
        swapped,
        data + b"\x00",
        data[:-1],
        b"\x02" + data[1:],
        data.replace("Дача".encode(), b"\xff" * 8),
    ):
        with pytest.raises(Malformed):
            parse_conversation_info(changed)


def test_roles() -> None:
    assert INFO.with_admin(A, admin=False).admins == (B,)
    assert INFO.with_admin(A, admin=True) == INFO


@pytest.mark.parametrize("title", ["", "  ", "я" * 257, "a \udcff"])
def test_a_title_is_checked(title: str) -> None:
    with pytest.raises(BadRequest):
        check_title(title)
    assert check_title(" Дом\n у  моря\t") == "Дом у моря"
