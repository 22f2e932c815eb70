"""Where things are in the lab: networks, addresses and names, the same in every world.

Every address of the four networks outside is there, so whoever serves may take any. By custom the last byte
says who: 10 to 19 relays and peers, 20 what somebody wants blocked, 53 the resolver, 80 the decoy site, 99
the prober. A name is `<who>.<network>.example`: `relay.suspicious.example` is 198.51.100.10.
"""

import ipaddress
from dataclasses import dataclass
from typing import Final


def number_of(address: str) -> int:
    """Return an IPv4 address as the number that packets carry it as."""
    return int(ipaddress.IPv4Address(address))


def text_of(address: int) -> str:
    """Return the number of an IPv4 address as text."""
    return str(ipaddress.IPv4Address(address))


@dataclass(frozen=True)
class Place:
    """A network of 256 addresses outside."""

    name: str
    network: int

    def __contains__(self, address: int) -> bool:
        return address & 0xFFFFFF00 == self.network

    @property
    def prefix(self) -> str:
        """The network as text, `198.51.100.0/24`."""
        return f"{text_of(self.network)}/24"

    def at(self, number: int) -> str:
        """Return the address in this network with that last byte."""
        return text_of(self.network + number)


SUSPICIOUS: Final = Place("suspicious", number_of("198.51.100.0"))
"""A hoster abroad, where relays would be: the censor's rules for suspicious networks hold here."""
CLEAN: Final = Place("clean", number_of("203.0.113.0"))
"""A network abroad that nobody suspects."""
DOMESTIC: Final = Place("domestic", number_of("192.0.2.0"))
"""A hoster at home."""
LISTED: Final = Place("listed", number_of("198.18.0.0"))
"""At home, and on the white list."""
PLACES: Final = (SUSPICIOUS, CLEAN, DOMESTIC, LISTED)
FOREIGN: Final = (SUSPICIOUS, CLEAN)

CLIENT: Final = "10.77.0.2"
"""The first client; the others count on from there."""
GATEWAY: Final = "10.77.0.1"
CLIENT_NETWORK: Final = Place("clients", number_of("10.77.0.0"))
RESOLVER: Final = DOMESTIC.at(53)
"""The operator's resolver, in everybody's `/etc/resolv.conf`."""
FOREIGN_RESOLVER: Final = CLEAN.at(53)
"""A well-known resolver abroad."""
PROBER: Final = DOMESTIC.at(99)

WHO: Final = {"relay": 10, "front": 11, "other": 12, "blocked": 20, "decoy": 80, "prober": 99}
"""The last bytes that names stand for; what isn't here is refused by the resolver."""

OTHERS: Final = {"cloudflare-ech.com": CLEAN.at(20)}
"""Names of the world that rules speak of."""


def address_of(name: str) -> str | None:
    """Resolve a name of the lab, or tell that there is none; `www.` before it changes nothing."""
    if name.lower().rstrip(".") in OTHERS:
        return OTHERS[name.lower().rstrip(".")]
    who, _, rest = name.lower().rstrip(".").removeprefix("www.").partition(".")
    for place in PLACES:
        if rest == f"{place.name}.example" and who in WHO:
            return place.at(WHO[who])
    return None
