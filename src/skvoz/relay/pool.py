"""What lies beside an inbox: its offer, for one taker, or its pool of packages, each for one."""

from skvoz.crypto import equal, sha256
from skvoz.logs import INBOX, TAKEN_RETENTION_S, Quotas, Rate, Rates, hour_after, is_owner
from skvoz.relay.ports import LogTransaction, Offer
from skvoz.wire.frames import No, Ok, Put, Take, Taken


class Pools:
    """Decides `put` and `take`."""

    def __init__(self, quotas: Quotas, rates: Rates) -> None:
        self._quotas = quotas
        self._rates = rates
        self._take_rate = Rate.of(quotas.takes_per_s, quotas.take_burst)

    def put(self, transaction: LogTransaction, request: Put, *, disk_full: bool) -> Ok | No:
        """Add packages; a repeat adds none twice, and doesn't make a taken offer anew.

        A last package comes with a pool made anew: what nobody took of the old one goes.
        """
        log = transaction.log(request.log)
        if not is_owner(log, sha256(request.owner_key)) or log is None or log.kind != INBOX:
            return No(request.request, "denied", 0)
        if disk_full:
            return No(request.request, "full", 0)
        if request.last_package is not None:
            if len(request.packages) > self._quotas.packages_max:
                return No(request.request, "full", 0)
            transaction.drop_packages(request.log)
        new: dict[bytes, bytes] = {}
        for body in request.packages:
            digest = sha256(body)
            if not transaction.has_package(request.log, digest):
                new[digest] = body
        if new and transaction.package_count(request.log) + len(new) > self._quotas.packages_max:
            return No(request.request, "full", 0)
        for digest, body in new.items():
            transaction.add_package(request.log, digest, body)
        if request.last_package is not None:
            transaction.set_last_package(request.log, request.last_package)
        if request.offer is not None:
            present = transaction.offer(request.log)
            if present is None or present.body != request.offer:
                transaction.set_offer(request.log, Offer(request.offer, None))
        return Ok(request.request, None)

    def take(self, transaction: LogTransaction, request: Take, now_ms: int) -> Ok | No:
        """Give the offer or a package; the same taker gets the same again."""
        segment = transaction.segment(request.log, sha256(request.post_key))
        log = transaction.log(request.log)
        if segment is None or log is None or log.kind != INBOX:
            return No(request.request, "denied", 0)
        offer = transaction.offer(request.log)
        if offer is not None and offer.taker is not None:
            if not equal(offer.taker, request.taker):
                return No(request.request, "used", 0)
            return Ok(request.request, Taken("offer", offer.body))
        before = transaction.taken(request.log, request.taker)
        if before is not None:
            return Ok(request.request, before)
        wait_ms = self._rates.wait_ms(("take", request.log), self._take_rate, now_ms)
        if wait_ms:
            return No(request.request, "slow", wait_ms)
        if offer is not None:
            transaction.set_offer(request.log, Offer(offer.body, request.taker))
            return Ok(request.request, Taken("offer", offer.body))
        package = transaction.take_package(request.log, request.taker, hour_after(now_ms, TAKEN_RETENTION_S))
        if package is not None:
            return Ok(request.request, Taken("package", package))
        last = transaction.last_package(request.log)
        if last is not None:
            return Ok(request.request, Taken("last", last))
        return No(request.request, "gone", 0)
