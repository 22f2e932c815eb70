"""Complaints as bytes: one form, with limits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skvoz.base.errors import BadRequest, Malformed
from skvoz.base.ids import AccountId, GroupId
from skvoz.codec import cbor
from skvoz.content import Complaint, encode_complaint, parse_complaint
from skvoz.content.complaints import DANGER, NOTE_SIZE_MAX, OTHER, QUOTE_SIZE_MAX
from tests.content.contents import ALICE, MESSAGES, message

GROUP = GroupId(b"g" * 16)
PARTS: tuple[cbor.Value, ...] = (1, GROUP, message(1), ALICE, 2, "note", "quote")


@given(
    st.builds(
        Complaint,
        group_id=st.binary(min_size=16, max_size=16).map(GroupId),
        message_id=MESSAGES,
        author=st.binary(min_size=32, max_size=32).map(AccountId),
        reason=st.integers(OTHER, DANGER),
        note=st.text(max_size=100),
        quote=st.text(max_size=100),
    )
)
def test_what_is_encoded_is_read_again(complaint: Complaint) -> None:
    try:
        data = encode_complaint(complaint)
    except BadRequest:
        return  # characters that no UTF-8 has
    assert parse_complaint(data) == complaint


def test_a_reason_of_a_later_version_is_another_one() -> None:
    assert parse_complaint(cbor.encode((*PARTS[:4], 99, "", ""))).reason == OTHER


@pytest.mark.parametrize(
    "parts",
    [
        (),
        PARTS[:-1],
        (*PARTS, 0),
        (2, *PARTS[1:]),
        (True, *PARTS[1:]),
        (1, b"g" * 15, *PARTS[2:]),
        (1, GROUP, b"m" * 31, *PARTS[3:]),
        (*PARTS[:3], b"a" * 33, *PARTS[4:]),
        (*PARTS[:4], -1, "", ""),
        (*PARTS[:4], True, "", ""),
        (*PARTS[:4], b"", "", ""),
        (*PARTS[:5], b"note", "quote"),
        (*PARTS[:5], "n" * (NOTE_SIZE_MAX + 1), ""),
        (*PARTS[:5], "", "q" * (QUOTE_SIZE_MAX + 1)),
    ],
)
def test_other_forms_are_refused(parts: tuple[cbor.Value, ...]) -> None:
    with pytest.raises(Malformed):
        parse_complaint(cbor.encode(parts))


def test_a_note_that_is_too_long_is_not_sent() -> None:
    with pytest.raises(BadRequest, match="too long"):
        encode_complaint(
            Complaint(group_id=GROUP, message_id=message(1), author=ALICE, note="n" * (NOTE_SIZE_MAX + 1))
        )
