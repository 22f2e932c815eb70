"""Where a storage is, out of its URL: `SCHEME://[USER@]HOST[:PORT]/PATH[?OPTION=VALUE…]`.

The password isn't in it. Plain HTTP is for this machine alone, since a password goes with every request.
"""

import ssl
from typing import Final
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from skvoz.base.errors import BadRequest
from skvoz.base.value import Value
from skvoz.transports.deaddrop.http_line import HttpLine

CREATES: Final = {"davs": ("move", "put"), "dav": ("move", "put"), "sftp": ("link", "new")}
"""By scheme: what creates an object unless there is one, as the option `create` names it, the best first."""
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


class StoragePlace(Value, frozen=True, kw_only=True):
    """A parsed URL; `path` has no slash at its end."""

    scheme: str
    user: str
    host: str
    port: int | None
    path: str
    options: dict[str, str]

    def check_reach(self, *, plain: bool) -> None:
        """Raise `BadRequest` where it would be reached without TLS on another machine."""
        if plain and self.host not in _LOOPBACK:
            raise BadRequest("a storage elsewhere has to be reached with TLS")

    def line(self, *, plain: bool) -> HttpLine:
        """Return a line to it; raise `BadRequest` for a plain one to another machine."""
        self.check_reach(plain=plain)
        port = self.port or (80 if plain else 443)
        return HttpLine(self.host, port, None if plain else ssl.create_default_context())

    @property
    def authority(self) -> str:
        """Host and port, as a `Host` header has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port is None else f"{host}:{self.port}"


def parse_place(url: str) -> StoragePlace:
    """Parse a storage's URL; raise `BadRequest`, which never repeats it."""
    try:
        parts = urlsplit(url)
        place = StoragePlace(
            scheme=parts.scheme,
            user=unquote(parts.username or ""),
            host=parts.hostname or "",
            port=parts.port,
            path=unquote(parts.path).rstrip("/"),
            options=dict(parse_qsl(parts.query)),
        )
        has_password = parts.password is not None
    except ValueError:
        raise BadRequest("this is not the address of a storage") from None
    if has_password:
        raise BadRequest("the password doesn't belong into the address: you are asked for it")
    if not (place.path + place.host + place.user).isprintable():
        raise BadRequest("this is not the address of a storage")
    return place


def quoted(path: str) -> str:
    """Return a path as a request has it."""
    return quote(path, safe="/~-._")
