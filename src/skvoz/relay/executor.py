"""Runs requests against a store's write transaction by the rules of `skvoz.logs`."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from skvoz.logs import Quotas
from skvoz.relay.ports import LogTransaction
from skvoz.relay.seam import Job, Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """Who may create logs: `ticket_hashes` are SHA-256 of the accepted tickets; None lets everybody."""

    ticket_hashes: frozenset[bytes] | None = field(default=None, repr=False)


class Executor:
    """Decides requests; one object a store, used by its writer only. Rates live here, in memory."""

    def __init__(self, *, quotas: Quotas, admission: Admission) -> None:
        raise NotImplementedError

    def execute(
        self, transaction: LogTransaction, jobs: Iterable[Job], now_ms: int, *, disk_full: bool = False
    ) -> list[Outcome]:
        """Run jobs in order inside one transaction; commit before the outcomes go anywhere.

        `disk_full`: the high-water mark is passed, so everything that stores answers `full`.
        """
        raise NotImplementedError
