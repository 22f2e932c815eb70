"""The person's own SOCKS5 proxy: Tor, a VPN's, Xray's. It resolves names, so that nobody else is asked."""

import re
from typing import Final
from urllib.parse import quote

from skvoz.base.errors import BadRequest, TransportError
from skvoz.base.value import Value

_ADDRESS: Final = re.compile(
    r"(?:socks5h?://)?(?P<host>[a-z0-9._-]{1,253}|\[[0-9a-f:.]{2,45}\]):(?P<port>[0-9]{1,5})/?", re.IGNORECASE
)
CREDENTIAL_SIZE_MAX: Final = 255
"""Bytes of a name or password (RFC 1929 §2)."""

# Texts of errors, which is how the catalogues of other languages come by them.
UNREACHED: Final = str(TransportError("the proxy can't be reached: see whether it runs, and at this address"))
REFUSED: Final = str(TransportError("the proxy refuses your name and password, or wants some"))
CLOSED: Final = str(TransportError("the proxy can't reach the relay's address, or doesn't let you"))
SLOW: Final = str(TransportError("nothing comes through the proxy in time"))
STRANGE: Final = str(TransportError("what is at the proxy's address is no SOCKS5 proxy"))


class SocksProxy(Value, frozen=True, kw_only=True):
    """Where a proxy is, and who asks it."""

    host: str
    port: int
    name: str = ""
    password: str = ""

    @property
    def address(self) -> str:
        """Where it is, with names left to it to resolve; without name and password."""
        return f"socks5h://{self.host}:{self.port}"

    @property
    def whole_address(self) -> str:
        """The address with name and password, for a library that wants them there."""
        if not self.name:
            return self.address
        who = f"{quote(self.name, safe='')}:{quote(self.password, safe='')}"
        return f"socks5h://{who}@{self.host}:{self.port}"

    @property
    def shown(self) -> str:
        """What people read of it."""
        return f"socks5://{self.host}:{self.port}"


def parse_proxy(address: str, name: str = "", password: str = "") -> SocksProxy:
    """Parse HOST:PORT or socks5://HOST:PORT; raise `BadRequest`, which repeats nothing of it."""
    if "@" in address:
        raise BadRequest("give the proxy's name and password apart from its address")
    found = _ADDRESS.fullmatch(address.strip())
    if found is None or not 0 < int(found["port"]) <= 0xFFFF:
        raise BadRequest("a proxy is socks5://HOST:PORT")
    for part in (name, password):
        if not part.isprintable() or len(part.encode()) > CREDENTIAL_SIZE_MAX:
            raise BadRequest("this name or password is too long for a proxy")
    if password and not name:
        raise BadRequest("a password needs a name beside it")
    return SocksProxy(host=found["host"].lower(), port=int(found["port"]), name=name, password=password)
