"""The rules of a log, pure: whoever keeps logs (a relay, later a dead drop) decides with them.

- `state`: what is known of a log, its segments and its limits
- `rules`: may this be appended, may this close a segment, who may read; each answers with the changed state
- `contest`: the proof of work that lets a further closer into a closed segment
- `retention`: when something may be forgotten
- `rates`: how often, kept in memory and never stored

Keys are compared as SHA-256; a key that fits nothing and a log that doesn't exist are the same `denied`.
"""

from skvoz.logs.contest import CONTEST_BITS, contest_proof_fits, find_contest_proof
from skvoz.logs.rates import Rate, Rates
from skvoz.logs.retention import (
    CLOSER_RETENTION_S,
    KNOCK_RETENTION_S,
    TAKEN_RETENTION_S,
    entry_expiry,
    hour_after,
    renewed,
)
from skvoz.logs.rules import (
    OpenRequest,
    Rekeyed,
    RekeyRequest,
    append,
    attach_head,
    is_owner,
    open_log,
    rekey,
    trimmed,
)
from skvoz.logs.state import INBOX, ROOM, SEGMENTS_VISIBLE_MAX, Log, Quotas, Refusal, RefusalCode, Segment

__all__ = [
    "CLOSER_RETENTION_S",
    "CONTEST_BITS",
    "INBOX",
    "KNOCK_RETENTION_S",
    "ROOM",
    "SEGMENTS_VISIBLE_MAX",
    "TAKEN_RETENTION_S",
    "Log",
    "OpenRequest",
    "Quotas",
    "Rate",
    "Rates",
    "Refusal",
    "RefusalCode",
    "RekeyRequest",
    "Rekeyed",
    "Segment",
    "append",
    "attach_head",
    "contest_proof_fits",
    "entry_expiry",
    "find_contest_proof",
    "hour_after",
    "is_owner",
    "open_log",
    "rekey",
    "renewed",
    "trimmed",
]
