"""Complaints: somebody tells an admin of a group about a message in it.

A complaint is CBOR `[version, group id, message id, author, reason, note, quote]`: a number, three byte
strings, a number, two texts. The quote is what its sender says that the message says.
"""

from typing import Final

from skvoz.base.errors import BadRequest, Malformed
from skvoz.base.ids import AccountId, GroupId, MessageId
from skvoz.base.value import Value
from skvoz.codec import cbor
from skvoz.content.model import MESSAGE_ID_SIZE

VERSION: Final = 1
SPAM: Final = 1
INSULT: Final = 2
DANGER: Final = 3
OTHER: Final = 0
"""A reason beside those that are named; unknown numbers are read as this."""
NOTE_SIZE_MAX: Final = 2_048
"""Bytes of UTF-8: a few sentences."""
QUOTE_SIZE_MAX: Final = 4_096
"""Bytes of UTF-8: enough to know a message by."""
_GROUP_ID_SIZE: Final = 16
_ACCOUNT_ID_SIZE: Final = 32


class Complaint(Value, frozen=True, kw_only=True):
    """What somebody finds wrong with a message of a group."""

    group_id: GroupId
    message_id: MessageId
    author: AccountId
    """Of the message, as its sender says."""
    reason: int = OTHER
    note: str = ""
    quote: str = ""


def encode_complaint(complaint: Complaint) -> bytes:
    """Encode a complaint; `BadRequest` for a note that is too long or not UTF-8."""
    try:
        note, quote = complaint.note.encode(), complaint.quote.encode()
    except UnicodeEncodeError:
        raise BadRequest("the text has characters that can't be sent") from None
    if len(note) > NOTE_SIZE_MAX or len(quote) > QUOTE_SIZE_MAX:
        raise BadRequest("a note for the admins is too long")
    return cbor.encode(
        (
            VERSION,
            complaint.group_id,
            complaint.message_id,
            complaint.author,
            complaint.reason,
            complaint.note,
            complaint.quote,
        )
    )


def parse_complaint(data: bytes) -> Complaint:
    """Parse a complaint, or raise `Malformed`."""
    match cbor.decode(data):
        case (
            int() as version,
            bytes() as group_id,
            bytes() as message_id,
            bytes() as author,
            int() as reason,
            str() as note,
            str() as quote,
        ):
            pass
        case _:
            raise Malformed("a complaint is not of seven parts")
    if isinstance(version, bool) or version != VERSION:
        raise Malformed("a complaint has an unknown version")
    sizes = (len(group_id), len(message_id), len(author))
    if sizes != (_GROUP_ID_SIZE, MESSAGE_ID_SIZE, _ACCOUNT_ID_SIZE):
        raise Malformed("a complaint has an id of a wrong size")
    if isinstance(reason, bool) or reason < 0:
        raise Malformed("a complaint's reason is not a number")
    if len(note.encode()) > NOTE_SIZE_MAX or len(quote.encode()) > QUOTE_SIZE_MAX:
        raise Malformed("a complaint is too long")
    return Complaint(
        group_id=GroupId(group_id),
        message_id=MessageId(message_id),
        author=AccountId(author),
        reason=reason if reason in {SPAM, INSULT, DANGER} else OTHER,
        note=note,
        quote=quote,
    )
