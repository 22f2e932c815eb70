"""A relay's address as people write it: where it is, and the fingerprint of its key.

    wss://HOST[:PORT]/PATH#FINGERPRINT      FINGERPRINT: the relay id, 32 bytes, base64url without `=`
    https://HOST[:PORT]/PATH#FINGERPRINT    for a relay that is reached by single requests alone
    drop:FINGERPRINT#FINGERPRINT            for one that runs over a dead drop, which both sides have to know

The fingerprint is what is trusted; the rest only says where to look.
"""

import base64
import binascii
from typing import Final

from skvoz.base.addresses import SCHEMES
from skvoz.base.errors import BadRequest
from skvoz.base.ids import RelayId
from skvoz.client.commands import RelayAddress
from skvoz.client.links import ADDRESS_SIZE_MAX, TICKET_SIZE_MAX
from skvoz.crypto import sha256

_RELAY_ID_SIZE: Final = 32


def relay_address_text(address: str, public_key: bytes) -> str:
    """Return what to give to people who shall live at a relay: `address` with the key's fingerprint."""
    return f"{address}#{base64.urlsafe_b64encode(sha256(public_key)).rstrip(b'=').decode()}"


def drop_address(relay_id: RelayId) -> str:
    """Return the address of a relay that runs over a dead drop."""
    return f"drop:{base64.urlsafe_b64encode(relay_id).rstrip(b'=').decode()}"


def parse_relay_address(text: str, ticket: bytes = b"") -> RelayAddress:
    """Parse an address that a person typed or pasted; raise `BadRequest`, which never repeats the text."""
    address, _, fingerprint = text.strip().partition("#")
    try:
        size = len(address.encode())
    except UnicodeEncodeError:
        raise BadRequest("the address has characters that can't be sent") from None
    if not address.startswith(SCHEMES) or size > ADDRESS_SIZE_MAX:
        raise BadRequest("a relay's address starts with wss: or https:")
    if len(ticket) > TICKET_SIZE_MAX:
        raise BadRequest("this ticket is too long to be one")
    try:
        relay_id = base64.b64decode(
            fingerprint + "=" * (-len(fingerprint) % 4), altchars=b"-_", validate=True
        )
    except (binascii.Error, ValueError):
        relay_id = b""
    if len(relay_id) != _RELAY_ID_SIZE:
        raise BadRequest("a relay's address ends with # and the relay's fingerprint")
    return RelayAddress(addresses=(address,), relay_id=RelayId(relay_id), ticket=ticket)
