"""Fuzz what a person types as a proxy's address, name and password."""

from fuzz.target import Part, Target, one_of
from skvoz.base.errors import BadRequest
from skvoz.transports.proxy import parse_proxy


def try_proxy(data: bytes) -> None:
    """Parse an address with a name and a password, parted by zeros."""
    address, name, password = [*data.decode(errors="surrogateescape").split("\0"), "", ""][:3]
    try:
        parse_proxy(address, name, password)
    except BadRequest:
        return


def make() -> Target:
    """Return the target."""
    return one_of((Part(try_proxy, [b"socks5://127.0.0.1:9050", b"[::1]:1080\0anna\0secret"]),))
