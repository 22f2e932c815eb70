"""Approaches: asking a relay for what lies beside somebody's inbox, until it is answered.

An approach is kept until then, so that links can be opened offline. A pool whose owner was away for long may
hand out a package whose card has expired: it is left behind, and the next one is asked for.
"""

from typing import Final

import msgspec

from skvoz.base.errors import PeerError
from skvoz.client import first_contact, joining
from skvoz.client.effects import Channel, Take
from skvoz.client.events import LinkFailure
from skvoz.client.inbox_mail import InboxAddress
from skvoz.client.inputs import Taken, TakeRefused
from skvoz.client.offers import check_offer, open_offer
from skvoz.client.records import Approach
from skvoz.client.step import Step

RETRY_ALARM: Final = "approach.retry"
OPENED: Final = "opened"
"""The purpose of an approach that was answered."""
EXPIRED_TAKEN_MAX: Final = 32
"""Packages with expired cards that are passed over: two full pools."""
_RETRY_MS: Final = 5_000
_RETRY_SOON_MS: Final = 500
_PATIENCE_MS: Final = 30_000
"""How long a link that leads nowhere is tried again: its maker's node may just be connecting."""
_NOT_YET: Final = frozenset({"denied", "gone"})
_LATER: Final = frozenset({"slow", "full"})


def begin(step: Step, address: InboxAddress, purpose: str, body: bytes) -> None:
    """Ask for a package or an offer; `first_contact` gets the answer, with `body`."""
    approach = Approach(
        taker=step.randomness(16),
        relay_id=address.relay_id,
        log_id=address.inbox_id,
        post_key=address.post_key,
        purpose=purpose,
        body=body,
        created_ms=step.now_ms,
    )
    step.transaction.put(approach)
    _ask(step, approach)


def _ask(step: Step, approach: Approach) -> None:
    step.connect(approach.relay_id, Channel.POST)
    step.emit(
        Take(
            relay_id=approach.relay_id,
            channel=Channel.POST,
            log_id=approach.log_id,
            post_key=approach.post_key,
            taker=approach.taker,
        )
    )


def started(step: Step) -> None:
    """Ask again for what was not answered."""
    for approach in step.transaction.select(Approach):
        if approach.purpose != OPENED:
            _ask(step, approach)


def retry(step: Step, taker: bytes) -> None:
    """Ask again for one thing."""
    approach = _waiting(step, taker)
    if approach is not None:
        _ask(step, approach)


def refused(step: Step, fact: TakeRefused) -> None:
    """Try again later, or say that the link leads nowhere."""
    approach = _waiting(step, fact.taker)
    if approach is None:
        return
    if fact.code in _LATER:
        step.set_alarm(RETRY_ALARM, approach.taker, step.now_ms + max(_RETRY_MS, fact.retry_after_ms))
    elif fact.code in _NOT_YET and step.now_ms < approach.created_ms + _PATIENCE_MS:
        # The link may be quicker here than its inbox at the relay.
        step.set_alarm(RETRY_ALARM, approach.taker, step.now_ms + _RETRY_SOON_MS)
    else:
        _failed(step, approach, "used" if fact.code == "used" else "denied")


def taken(step: Step, fact: Taken) -> None:
    """Check what a relay handed over, whole, before anything comes of it."""
    approach = _waiting(step, fact.taker)
    if approach is None or fact.relay_id != approach.relay_id:
        return
    step.clear_alarm(RETRY_ALARM, approach.taker)
    if approach.purpose == joining.JOIN:
        _met_group(step, approach, fact.body)
        return
    try:
        address, account_id = first_contact.wanted(approach)
        offer = open_offer(address.link_secret, address.inbox_id, account_id, fact.body)
        if not offer.card.is_valid_at(step.now_ms):
            _expired(step, approach, fact.kind)
            return
        check_offer(offer, step.environment.suite, step.now_ms)
        first_contact.met(step, approach, offer)
    except PeerError:
        _failed(step, approach, "invalid")


def _met_group(step: Step, approach: Approach, body: bytes) -> None:
    try:
        joining.met(step, approach, body)
    except PeerError:
        _failed(step, approach, "invalid")


def _failed(step: Step, approach: Approach, reason: LinkFailure) -> None:
    if approach.purpose == joining.JOIN:
        step.transaction.delete(Approach, approach.taker)
        step.clear_alarm(RETRY_ALARM, approach.taker)
        joining.failed(step, approach.log_id, reason)
    else:
        first_contact.failed(step, approach, reason)


def _expired(step: Step, approach: Approach, kind: str) -> None:
    if kind != "package" or approach.expired >= EXPIRED_TAKEN_MAX:
        first_contact.failed(step, approach, "expired")
        return
    step.transaction.delete(Approach, approach.taker)
    again = msgspec.structs.replace(approach, taker=step.randomness(16), expired=approach.expired + 1)
    step.transaction.put(again)
    _ask(step, again)


def _waiting(step: Step, taker: bytes) -> Approach | None:
    approach = step.transaction.get(Approach, taker)
    return None if approach is None or approach.purpose == OPENED else approach
