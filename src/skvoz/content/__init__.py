"""What a message says: MIMI content (draft-ietf-mimi-content-08) and the actions of people.

- `model`: the parts of a MIMI content as values, and their limits
- `encoding`: `encode` and `parse`, CBOR to values and back, deterministic and strict
- `addresses`: URIs of accounts and rooms, and message ids, which are hashed over them
- `actions`: text, edit, deletion, reaction, pin, report; `to_content` and `from_content`
- `files`: files of a message, which lie at a relay as blobs
- `complaints`: what a member tells an admin about a message
- `locations`: places on Earth; `pasted_locations`: how one is found in what somebody pasted
- `polls`: questions with answers to choose from, and votes
- `reports`: how a report of many messages becomes a few bytes
- `media`: the media types that we understand
- `markdown`: mentions as links in Markdown
- `display`: what may be shown on a terminal or found by a search

Sending: an action, `to_content`, `encode`; keep those bytes, they carry the message id.
Receiving: `parse`, `check_addresses`, `message_id` over the received bytes, `from_content`, `report_in`.
"""

from skvoz.content.actions import (
    Action,
    ClosePoll,
    Delete,
    Edit,
    Pin,
    Reaction,
    Text,
    Unknown,
    Unreact,
    Vote,
    from_content,
    report_in,
    to_content,
)
from skvoz.content.addresses import account_in, account_uri, check_addresses, message_id, room_uri
from skvoz.content.complaints import Complaint, encode_complaint, parse_complaint
from skvoz.content.display import displayable, plain_text
from skvoz.content.encoding import encode, parse
from skvoz.content.files import FILES_MAX, THUMBNAIL_SIZE_MAX, WAVEFORM_SIZE_MAX, BlobPlace, File
from skvoz.content.locations import Location, location_text
from skvoz.content.markdown import Mention
from skvoz.content.model import (
    CONTENT_SIZE_MAX,
    LAST_SEEN_MAX,
    SALT_SIZE,
    SENT_AT,
    TEXT_SIZE_MAX,
    Disposition,
    Expiration,
    ExternalPart,
    MimiContent,
    MultiPart,
    NestedPart,
    NullPart,
    PartSemantics,
    SinglePart,
)
from skvoz.content.pasted_locations import parse_pasted_location
from skvoz.content.polls import Poll, poll_text
from skvoz.content.reports import REPORT_IDS_MAX, Report

__all__ = [
    "CONTENT_SIZE_MAX",
    "FILES_MAX",
    "LAST_SEEN_MAX",
    "REPORT_IDS_MAX",
    "SALT_SIZE",
    "SENT_AT",
    "TEXT_SIZE_MAX",
    "THUMBNAIL_SIZE_MAX",
    "WAVEFORM_SIZE_MAX",
    "Action",
    "BlobPlace",
    "ClosePoll",
    "Complaint",
    "Delete",
    "Disposition",
    "Edit",
    "Expiration",
    "ExternalPart",
    "File",
    "Location",
    "Mention",
    "MimiContent",
    "MultiPart",
    "NestedPart",
    "NullPart",
    "PartSemantics",
    "Pin",
    "Poll",
    "Reaction",
    "Report",
    "SinglePart",
    "Text",
    "Unknown",
    "Unreact",
    "Vote",
    "account_in",
    "account_uri",
    "check_addresses",
    "displayable",
    "encode",
    "encode_complaint",
    "from_content",
    "location_text",
    "message_id",
    "parse",
    "parse_complaint",
    "parse_pasted_location",
    "plain_text",
    "poll_text",
    "report_in",
    "room_uri",
    "to_content",
]
