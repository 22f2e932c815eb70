"""Addresses of relays: what they may look like, and which of them the whole world may look for."""

import ipaddress
import re
from typing import Final

from skvoz.base.limits import ADDRESS_SIZE_MAX

SCHEMES: Final = ("wss://", "https://", "ws://", "http://", "drop:")
_PUBLIC: Final = re.compile(
    r"(?:wss|https)://(\[[0-9a-f:.]{2,45}\]|[a-z0-9.-]{1,253})(:[0-9]{1,5})?(/[!-~]*)?", re.IGNORECASE
)
_DROP: Final = re.compile(r"drop:[A-Za-z0-9_-]{43}")
_LOCAL_ENDINGS: Final = frozenset({"localhost", "local", "lan", "home", "internal", "intranet", "arpa"})
"""Last labels of names that only a network's own resolver knows (RFC 6761, 6762, 8375 and custom)."""
_PRINTABLE: Final = re.compile("[!-~]+")


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
