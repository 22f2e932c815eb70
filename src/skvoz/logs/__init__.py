"""The rules of a log, pure: whoever keeps logs (a relay, later a dead drop) decides with them.

- `state`: what is known of a log, its segments and its limits
- `rules`: may this be appended, may this close a segment, who may read; each answers with the changed state
- `blobs`: sealed files beside a log: who may make room, write, read
- `contest`: the proof of work that lets a further closer into a closed segment
- `retention`: when something may be forgotten
- `rates`: how often, kept in memory and never stored

Keys are compared as SHA-256; a key that fits nothing and a log that doesn't exist are the same `denied`.
"""

from skvoz.logs.blobs import (
    ReserveRequest,
    Usage,
    filled,
    is_same_blob,
    may_discard,
    may_fetch,
    may_fill,
    reserve,
)
from skvoz.logs.contest import CONTEST_BITS, contest_proof_fits, find_contest_proof
from skvoz.logs.rates import Rate, Rates
from skvoz.logs.retention import (
    BLOB_UNFINISHED_S,
    CLOSER_RETENTION_S,
    KNOCK_RETENTION_S,
    TAKEN_RETENTION_S,
    blob_expiry,
    entry_expiry,
    hour_after,
    renewed,
)
from skvoz.logs.rules import (
    Added,
    OpenRequest,
    Rekeyed,
    RekeyRequest,
    append,
    attach_head,
    is_owner,
    open_log,
    rekey,
    relieved,
    trimmed,
)
from skvoz.logs.state import (
    INBOX,
    ROOM,
    SEGMENTS_VISIBLE_MAX,
    Blob,
    Branch,
    Log,
    Quotas,
    Refusal,
    RefusalCode,
    Segment,
)

__all__ = [
    "BLOB_UNFINISHED_S",
    "CLOSER_RETENTION_S",
    "CONTEST_BITS",
    "INBOX",
    "KNOCK_RETENTION_S",
    "ROOM",
    "SEGMENTS_VISIBLE_MAX",
    "TAKEN_RETENTION_S",
    "Added",
    "Blob",
    "Branch",
    "Log",
    "OpenRequest",
    "Quotas",
    "Rate",
    "Rates",
    "Refusal",
    "RefusalCode",
    "RekeyRequest",
    "Rekeyed",
    "ReserveRequest",
    "Segment",
    "Usage",
    "append",
    "attach_head",
    "blob_expiry",
    "contest_proof_fits",
    "entry_expiry",
    "filled",
    "find_contest_proof",
    "hour_after",
    "is_owner",
    "is_same_blob",
    "may_discard",
    "may_fetch",
    "may_fill",
    "open_log",
    "rekey",
    "relieved",
    "renewed",
    "reserve",
    "trimmed",
]
