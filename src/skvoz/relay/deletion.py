"""Counts what was deleted out of a log: against the log, or against the contested branch that held it."""

from collections.abc import Iterable

from skvoz.logs import Log, relieved, trimmed
from skvoz.relay.ports import LogTransaction, Removed


def let_go(transaction: LogTransaction, log: Log, base: int, removed: Iterable[Removed]) -> None:
    """Save what a log and its branches hold after entries at or before `base` were deleted."""
    entry_count = byte_count = 0
    for one in removed:
        if one.branch:
            branch = transaction.branch(log.log_id, one.branch)
            transaction.save_branch(log.log_id, relieved(branch, one.entry_count, one.byte_count))
        else:
            entry_count += one.entry_count
            byte_count += one.byte_count
    transaction.save_log(trimmed(log, base, entry_count, byte_count))
