"""Opens connections by the kind of their address, and knows what works on the network that it is in."""

import socket
from typing import TYPE_CHECKING, Final

from skvoz.node.ways import Ways
from skvoz.transports import https, wss
from skvoz.transports.connection import MessageConnection
from skvoz.transports.pace import Pace, host_of

if TYPE_CHECKING:
    import wreq

_OUTSIDE: Final = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))
"""Addresses of nobody (RFC 5737, 3849), to which nothing is sent."""
_ANY_PORT: Final = 9


class Dialer:
    """One for all sessions of a node, so that their handshakes take turns and they learn from each other."""

    def __init__(self, authority: "wreq.CertStore | None" = None) -> None:
        """Have requests trust `authority` alone where it is given, for relays with their own certificates."""
        self._authority = authority
        self._pace = Pace()
        self._networks: dict[tuple[str, ...], tuple[Ways, https.Network]] = {}

    @property
    def ways(self) -> Ways:
        """What is known of ways on the present network."""
        return self._here()[0]

    async def dial(self, address: str) -> MessageConnection:
        """Open a connection; raise `BadRequest` for an address that is none, or `TransportError`."""
        match address.partition(":")[0]:
            case "https" | "http":
                return await https.connect(address, self._here()[1])
            case "wss":
                async with self._pace.turn(host_of(address)):
                    return await wss.connect(address)
            case _:
                return await wss.connect(address)

    def _here(self) -> tuple[Ways, https.Network]:
        name = network_name()
        if name not in self._networks:
            self._networks[name] = Ways(), https.Network(self._pace, self._authority)
        return self._networks[name]


def network_name() -> tuple[str, ...]:
    """Return this machine's own addresses towards the world: another network has others, as a rule."""
    found: list[str] = []
    for family, outside in _OUTSIDE:
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect((outside, _ANY_PORT))
                found.append(str(probe.getsockname()[0]))
        except OSError:
            found.append("")
    return tuple(found)
