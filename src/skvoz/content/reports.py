"""Reports: which messages reached a device, and which were read.

A report is CBOR `[delivered, read]`: two byte strings, each of message ids without separators.
An id under `read` needs not stand under `delivered` as well.
"""

from typing import Final

from skvoz.base.errors import BadRequest, Malformed
from skvoz.base.ids import MessageId
from skvoz.base.value import Value
from skvoz.codec import cbor
from skvoz.content.model import MESSAGE_ID_SIZE

REPORT_IDS_MAX: Final = 256
"""Ids in each half of a report: 16 KiB together."""


class Report(Value, frozen=True, kw_only=True):
    """Messages of others that this account has received and read."""

    delivered: tuple[MessageId, ...] = ()
    read: tuple[MessageId, ...] = ()


def encode_report(report: Report) -> bytes:
    """Encode a report; `BadRequest` if it is empty or too long."""
    if not report.delivered and not report.read:
        raise BadRequest("a report needs a message to report")
    return cbor.encode((_join(report.delivered), _join(report.read)))


def parse_report(data: bytes) -> Report:
    """Parse a report, or raise `Malformed`."""
    match cbor.decode(data):
        case (bytes() as delivered, bytes() as read):
            return Report(delivered=_split(delivered), read=_split(read))
        case _:
            raise Malformed("a report is not a pair of byte strings")


def _join(ids: tuple[MessageId, ...]) -> bytes:
    if len(ids) > REPORT_IDS_MAX or any(len(message_id) != MESSAGE_ID_SIZE for message_id in ids):
        raise BadRequest("a report has too many ids, or one that isn't 32 bytes")
    return b"".join(ids)


def _split(ids: bytes) -> tuple[MessageId, ...]:
    count, rest = divmod(len(ids), MESSAGE_ID_SIZE)
    if rest or count > REPORT_IDS_MAX:
        raise Malformed("a report has too many ids, or a part of one")
    return tuple([MessageId(ids[at : at + MESSAGE_ID_SIZE]) for at in range(0, len(ids), MESSAGE_ID_SIZE)])
