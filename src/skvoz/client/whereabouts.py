"""New addresses of a relay that is known: by the relay's own word, and by that of a contact.

The relay's word comes in its welcome, which only the holder of its key can seal; the latest one counts.
A contact's word is the address of their inbox in an introduction (`introductions`), which MLS authenticates:
it adds addresses to a relay that is known, few of them, and takes none away. When our home relay says that
it is found elsewhere, our contacts are told, once a day at most.
"""

from typing import Final

import msgspec

from skvoz.base.addresses import is_address
from skvoz.base.ids import RelayId
from skvoz.client import introductions, relays
from skvoz.client.effects import Channel
from skvoz.client.inbox_mail import parse_inbox_address
from skvoz.client.records import Alarm, Relay
from skvoz.client.step import Step

HINTED_MAX: Final = 4
"""Addresses of contacts that are kept for a relay: the latest."""
TELL_ALARM: Final = "relay.moved"
_TELL_EVERY_MS: Final = 24 * 3600 * 1000


def told(step: Step, relay_id: RelayId, addresses: tuple[str, ...]) -> None:
    """Take a relay's own word; saying nothing changes nothing."""
    known = step.transaction.get(Relay, relay_id)
    allowed = relays.permitted(step, tuple(filter(is_address, addresses)))[: relays.ADDRESSES_MAX]
    if known is None or not allowed or allowed == known.told:
        return
    _changed(step, msgspec.structs.replace(known, told=allowed))
    if relay_id == relays.home_of(step) and step.transaction.get(Alarm, TELL_ALARM, b"") is None:
        step.set_alarm(TELL_ALARM, b"", step.now_ms)


def carries(step: Step, relay_id: RelayId, *, carries: bool) -> None:
    """Note whether a relay carries sessions to others; our own may then be reached over it."""
    known = step.transaction.get(Relay, relay_id)
    if known is None or known.carries == carries:
        return
    step.transaction.put(msgspec.structs.replace(known, carries=carries))
    home_id = relays.home_of(step)
    if home_id is not None and home_id != relay_id:
        step.connect(home_id, Channel.INBOX)


def hinted(step: Step, inbox: bytes) -> None:
    """Take a contact's word about the relay that their inbox is at; `inbox` was parsed before."""
    address = parse_inbox_address(inbox)
    known = step.transaction.get(Relay, address.relay_id)
    if known is None:
        return
    news = tuple(
        one
        for one in relays.permitted(step, tuple(filter(is_address, address.addresses)))
        if one not in known.reach
    )
    if news:
        kept = tuple(dict.fromkeys((*news, *known.hinted)))[:HINTED_MAX]
        _changed(step, msgspec.structs.replace(known, hinted=kept))


def alarm(step: Step) -> None:
    """Tell contacts where our home relay is, if that is news, and nothing more for a day."""
    home_id = relays.home_of(step)
    home = None if home_id is None else step.transaction.get(Relay, home_id)
    step.clear_alarm(TELL_ALARM, b"")
    if home is None or set(home.for_others) <= {*home.addresses, *home.announced}:
        return
    step.transaction.put(msgspec.structs.replace(home, announced=home.for_others))
    introductions.introduce_to_contacts(step)
    step.set_alarm(TELL_ALARM, b"", step.now_ms + _TELL_EVERY_MS)


def _changed(step: Step, relay: Relay) -> None:
    step.transaction.put(relay)
    if relays.is_used(step, relay.relay_id):
        home = relay.relay_id == relays.home_of(step)
        step.connect(relay.relay_id, Channel.INBOX if home else Channel.ROOMS)
