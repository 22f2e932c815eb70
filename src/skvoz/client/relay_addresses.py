"""A relay's address as people write it: where it is, and the fingerprint of its key.

    wss://HOST[:PORT]/PATH#FINGERPRINT      FINGERPRINT: the relay id, 32 bytes, base64url without `=`
    https://HOST[:PORT]/PATH#FINGERPRINT    for a relay that is reached by single requests alone

The fingerprint is what is trusted; the rest only says where to look.
"""

import base64
import binascii
import ipaddress
import re
from typing import Final

from skvoz.base.errors import BadRequest
from skvoz.base.ids import RelayId
from skvoz.client.commands import RelayAddress
from skvoz.client.links import ADDRESS_SIZE_MAX, TICKET_SIZE_MAX
from skvoz.crypto import sha256

_SCHEMES: Final = ("wss://", "https://", "ws://", "http://")
_RELAY_ID_SIZE: Final = 32
_PUBLIC: Final = re.compile(
    r"(?:wss|https)://(\[[0-9a-f:.]{2,45}\]|[a-z0-9.-]{1,253})(:[0-9]{1,5})?(/[!-~]*)?", re.IGNORECASE
)
_LOCAL_ENDINGS: Final = frozenset({"localhost", "local", "lan", "home", "internal", "intranet", "arpa"})
"""Last labels of names that only a network's own resolver knows (RFC 6761, 6762, 8375 and custom)."""


def relay_address_text(address: str, public_key: bytes) -> str:
    """Return what to give to people who shall live at a relay: `address` with the key's fingerprint."""
    return f"{address}#{base64.urlsafe_b64encode(sha256(public_key)).rstrip(b'=').decode()}"


def parse_relay_address(text: str, ticket: bytes = b"") -> RelayAddress:
    """Parse an address that a person typed or pasted; raise `BadRequest`, which never repeats the text."""
    address, _, fingerprint = text.strip().partition("#")
    try:
        size = len(address.encode())
    except UnicodeEncodeError:
        raise BadRequest("the address has characters that can't be sent") from None
    if not address.startswith(_SCHEMES) or size > ADDRESS_SIZE_MAX:
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


def is_public(address: str) -> bool:
    """Tell whether an address is one that the whole world may look for, by what is written in it.

    It is `wss:` or `https:`, in ASCII, without a user's name, and its host is a public IP address or a name
    of several labels. Whatever else a resolver would take for a number (`127.1`, `0x7f000001`) is none. Where
    a name leads is not looked up.
    """
    match = _PUBLIC.fullmatch(address)
    if match is None:
        return False
    host = match[1].lower()
    if host.startswith("["):
        return _is_public_ip(host[1:-1])
    labels = host.removesuffix(".").split(".")
    if labels[-1][:1].isdigit():
        return _is_public_ip(host)
    return len(labels) > 1 and all(labels) and labels[-1] not in _LOCAL_ENDINGS


def _is_public_ip(text: str) -> bool:
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour
        if inner is not None and not _is_public_ip(str(inner)):
            return False
    return found.is_global and not found.is_multicast
