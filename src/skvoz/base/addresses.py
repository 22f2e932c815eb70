"""Addresses of relays: what they may look like, and which of them the whole world may look for."""

import ipaddress
import re
from typing import Final

from skvoz.base.limits import ADDRESS_SIZE_MAX
from skvoz.base.value import Value

SCHEMES: Final = ("wss://", "https://", "ws://", "http://", "drop:")
_PUBLIC: Final = re.compile(
    r"(?:wss|https)://(\[[0-9a-f:.]{2,45}\]|[a-z0-9.-]{1,253})(:[0-9]{1,5})?(/[!-~]*)?", re.IGNORECASE
)
_DROP: Final = re.compile(r"drop:[A-Za-z0-9_-]{43}")
_LOCAL_ENDINGS: Final = frozenset({"localhost", "local", "lan", "home", "internal", "intranet", "arpa"})
"""Last labels of names that only a network's own resolver knows (RFC 6761, 6762, 8375 and custom)."""
_PLACE: Final = re.compile(
    r"(wss?|https?)://(\[[0-9a-f:.]{2,45}\]|[a-z0-9.-]{1,253})(?::([0-9]{1,5}))?(?:/[!-~]*)?", re.IGNORECASE
)
_PORT_MAX: Final = 65_535
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
_LOCAL_NAT64: Final = ipaddress.IPv6Network("64:ff9b:1::/48")
"""Gateways to IPv4 from networks without it (RFC 6052, 8215)."""
_FORMER: Final = tuple(map(ipaddress.IPv6Network, ("::/96", "::ffff:0:0:0/96", "fec0::/10")))
"""Given up or for routers alone: with an IPv4 address inside (RFC 4291, 7915), or of one site (RFC 3879)."""
_PRINTABLE: Final = re.compile("[!-~]+")


class Place(Value, frozen=True, kw_only=True):
    """What is written in an address: `host` as a resolver takes it, in lower case."""

    scheme: str
    host: str
    port: int


def place_of(address: str) -> Place | None:
    """Return what an address says; None for one that says anything unusual, such as a user's name."""
    match = _PLACE.fullmatch(address)
    if match is None or len(address) > ADDRESS_SIZE_MAX:
        return None
    scheme = match[1].lower()
    port = int(match[3] or (443 if scheme in {"wss", "https"} else 80))
    if not 0 < port <= _PORT_MAX:
        return None
    return Place(scheme=scheme, host=match[2].lower().strip("[]"), port=port)


def is_address(text: str) -> bool:
    """Tell whether a text may stand for a place of a relay: ASCII without blanks, of a kind that is known."""
    return (
        text.startswith(SCHEMES) and len(text) <= ADDRESS_SIZE_MAX and _PRINTABLE.fullmatch(text) is not None
    )


def is_drop(address: str) -> bool:
    """Tell whether an address is that of a relay over a dead drop."""
    return _DROP.fullmatch(address) is not None


def is_public(address: str) -> bool:
    """Tell whether an address is one that the whole world may look for, by what is written in it.

    It is `wss:` or `https:`, in ASCII, without a user's name, and its host is a public IP address or a name
    of several labels. Whatever else a resolver would take for a number (`127.1`, `0x7f000001`) is none. Where
    a name leads is not looked up.
    """
    if is_drop(address):
        return True  # it leads to no host but those of drops that this home's person added
    match = _PUBLIC.fullmatch(address)
    if match is None:
        return False
    host = match[1].lower()
    if host.startswith("["):
        return is_public_ip(host[1:-1])
    labels = host.removesuffix(".").split(".")
    if labels[-1][:1].isdigit():
        return is_public_ip(host)
    return len(labels) > 1 and all(labels) and labels[-1] not in _LOCAL_ENDINGS


def is_public_ip(text: str) -> bool:
    """Tell whether an IP address is one of the public internet, without another one inside that isn't."""
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        if found in _LOCAL_NAT64 or any(found in network for network in _FORMER):
            return False
        inner = found.ipv4_mapped or found.sixtofour
        if found in _NAT64:
            inner = ipaddress.IPv4Address(found.packed[-4:])
        if inner is not None and not is_public_ip(str(inner)):
            return False
    return found.is_global and not found.is_multicast
