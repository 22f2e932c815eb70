"""Relays that we know, and where they are looked for: first of all where this home's person said.

    given    the person chose them: with the account, or by opening a link. Tried first, and nobody else's
             addresses push them out
    told     the relay itself said so, in a session that is sealed to its key: its latest word. Tried next
    hinted   a contact said so in a direct conversation, the latest first (`whereabouts`)
    named    others named them: descriptions of conversations, and the inboxes of contacts. Tried last

The home relay is looked for only where the account said, where it says itself, and where contacts do. Nobody
leads this program to a host in the person's own network, unless their own relay is in it.
"""

from typing import Final

import msgspec

from skvoz.base.addresses import is_public
from skvoz.base.errors import BadRequest, Invalid
from skvoz.base.ids import RelayId
from skvoz.base.limits import ADDRESS_SIZE_MAX
from skvoz.client.commands import RelayAddress
from skvoz.client.records import Account, Conversation, ConversationState, Inbox, Relay
from skvoz.client.step import Step
from skvoz.crypto import sha256

ADDRESSES_MAX: Final = 8
"""Given ones, and named ones, of a relay."""
FIRST_KEPT: Final = 4
"""Given addresses that stay whatever links are opened; the latest link's, 4 at most, come after them."""
_OVER: Final = (ConversationState.LEFT, ConversationState.REMOVED)


def give_home(step: Step, address: RelayAddress) -> RelayId:
    """Remember the relay that a person makes their account at; raise `BadRequest`."""
    return _give(step, address, address.addresses)


def give(step: Step, address: RelayAddress) -> RelayId:
    """Remember the relay of a link that was opened; raise `BadRequest`, also for one in our own network."""
    allowed = permitted(step, address.addresses)
    if address.addresses and not allowed:
        raise BadRequest("this link leads into a local network, and not out to a relay")
    return _give(step, address, allowed)


def _give(step: Step, address: RelayAddress, addresses: tuple[str, ...]) -> RelayId:
    if not 1 <= len(address.addresses) <= ADDRESSES_MAX:
        raise BadRequest("a relay has one to eight addresses")
    if not all(0 < len(one.encode()) <= ADDRESS_SIZE_MAX for one in address.addresses):
        raise BadRequest("an address of a relay has 1 to 256 bytes")
    relay_id = RelayId(sha256(address.public_key)) if address.public_key else address.relay_id
    if len(relay_id) != 32:
        raise BadRequest("a relay is named by its key or its key's fingerprint")
    known = step.transaction.get(Relay, relay_id)
    if known is None:
        known = Relay(relay_id=relay_id, public_key=b"", addresses=())
    # Whoever gives us a link must not be able to lead us away from a relay, or to take our ticket from us.
    if relay_id != home_of(step):
        first = known.addresses[:FIRST_KEPT] if known.addresses else addresses[:ADDRESSES_MAX]
        more = tuple(one for one in addresses if one not in first)
        known = msgspec.structs.replace(known, addresses=(*first, *more)[:ADDRESSES_MAX])
    step.transaction.put(
        msgspec.structs.replace(
            known,
            public_key=known.public_key or address.public_key,
            ticket=known.ticket or address.ticket,
        )
    )
    return relay_id


def check_named(step: Step, relay_id: RelayId, addresses: tuple[str, ...]) -> None:
    """Raise `Invalid` where others named a relay that can't be looked for anywhere."""
    if step.transaction.get(Relay, relay_id) is None and not permitted(step, addresses):
        raise Invalid("a relay is named by addresses of a local network only")


def name(step: Step, relay_id: RelayId, addresses: tuple[str, ...]) -> None:
    """Remember where others say that a relay is; raise `Invalid` as `check_named` does."""
    check_named(step, relay_id, addresses)
    if relay_id == home_of(step):
        return
    known = step.transaction.get(Relay, relay_id)
    if known is None:
        known = Relay(relay_id=relay_id, public_key=b"", addresses=())
    more = [one for one in permitted(step, addresses) if one not in known.reach]
    changed = msgspec.structs.replace(known, named=(*known.named, *more)[:ADDRESSES_MAX])
    step.transaction.put(changed)


def is_used(step: Step, relay_id: RelayId) -> bool:
    """Tell whether this home uses a relay anyway: it is ours, or something that was accepted lies there."""
    if relay_id == home_of(step):
        return True
    if any(inbox.relay_id == relay_id for inbox in step.transaction.select(Inbox)):
        return True
    return any(
        conversation.relay_id == relay_id and not conversation.is_request and conversation.state not in _OVER
        for conversation in step.transaction.select(Conversation)
    )


def home_of(step: Step) -> RelayId | None:
    """Return the relay that the account was made at, if there is an account."""
    account = step.transaction.get(Account, 0)
    return None if account is None else account.home_relay_id


def permitted(step: Step, addresses: tuple[str, ...]) -> tuple[str, ...]:
    """Return the public ones of addresses that others said; all, where our own relay isn't public itself."""
    home_id = home_of(step)
    home = None if home_id is None else step.transaction.get(Relay, home_id)
    if home is not None and not all(map(is_public, home.addresses)):
        return addresses
    return tuple(filter(is_public, addresses))
