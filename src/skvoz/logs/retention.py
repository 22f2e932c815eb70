"""When something may be forgotten, in whole hours since 1970, rounded up."""

from typing import Final

import msgspec

from skvoz.logs.state import Blob, Log, Quotas

CLOSER_RETENTION_S: Final = 400 * 24 * 3600
"""Closers and the keys of closed segments stay this long, so that a month away is no reason to rejoin."""
KNOCK_RETENTION_S: Final = 14 * 24 * 3600
"""A device that nobody let in for so long must knock again."""
TAKEN_RETENTION_S: Final = 30 * 24 * 3600
"""A package that was given away is kept so long for a repeat of the question."""
BLOB_UNFINISHED_S: Final = 7 * 24 * 3600
"""A blob that nobody finished for so long goes: its author has been away, and can begin anew."""
_RENEWAL_S: Final = 30 * 24 * 3600
_HOUR_S: Final = 3600


def hour_after(now_ms: int, seconds: int) -> int:
    """Return the first whole hour at least `seconds` from now."""
    return -(-(now_ms + seconds * 1000) // (_HOUR_S * 1000))


def entry_expiry(log: Log, quotas: Quotas, now_ms: int) -> int:
    """Return when an ordinary entry that is stored now expires: the shorter of two wishes."""
    return hour_after(now_ms, _retention_s(log, quotas))


def blob_expiry(log: Log, blob: Blob, quotas: Quotas, now_ms: int) -> int:
    """Return when a blob that is whole now expires: the shortest of three wishes."""
    wish_s = _retention_s(log, quotas)
    return hour_after(now_ms, wish_s if blob.retention_s is None else min(wish_s, blob.retention_s))


def _retention_s(log: Log, quotas: Quotas) -> int:
    return quotas.retention_s if log.retention_s is None else min(quotas.retention_s, log.retention_s)


def renewed(log: Log, now_ms: int) -> Log:
    """Put off a whole log's expiry since somebody came; the same object where little would change."""
    expires_hour = hour_after(now_ms, CLOSER_RETENTION_S)
    if expires_hour - log.expires_hour < _RENEWAL_S // _HOUR_S:
        return log
    return msgspec.structs.replace(log, expires_hour=expires_hour)
