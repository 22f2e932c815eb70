"""Single questions to a network, each with its own patience: a name, a connection, a hello.

Only the relay's own place is asked, and this machine's resolver. What is said is what any client says first.
"""

import asyncio
import ipaddress
import secrets
import socket
import ssl
import string
from collections.abc import Awaitable, Callable, Sequence
from typing import Final
from urllib.parse import urlsplit

from skvoz.base.errors import BadRequest
from skvoz.base.value import Value
from skvoz.node.checkup.measured import HelloWord, NameWord, TouchWord
from skvoz.transports.pace import host_of

NAME_S: Final = 5.0
TOUCH_S: Final = 4.0
HELLO_S: Final = 5.0
TOUCHES_MAX: Final = 3
"""Addresses of one name that are tried."""
_ANSWERS: Final = (b"\x15", b"\x16")
"""What TLS begins an answer with: an alert, or a handshake record (RFC 8446 §5.1)."""
_READ_BYTES: Final = 65_536
_ANSWER_BYTES_MAX: Final = 256 * 1024
_REQUEST: Final = (
    *("HEAD / HTTP/1.1\r\n", "Host: {name}\r\n", "User-Agent: Mozilla/5.0\r\n", "Accept: */*\r\n"),
    *("Accept-Language: en\r\n", "Accept-Encoding: identity\r\n", "Cache-Control: no-cache\r\n"),
    "Connection: close\r\n\r\n",
)
"""Each line is a packet: with the hello they are more than a late block lets pass, fewer than the curtain."""
_UNTIMELY: Final = (9, 10)
"""X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED."""
_OTHER_NAME: Final = (62, 64)
"""X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH."""
_DEFAULT_PORTS: Final = {"wss": 443, "https": 443, "ws": 80, "http": 80}
_LOCAL_ENDINGS: Final = ("localhost", "local", "lan", "home", "internal", "intranet", "arpa")
_NAME_LENGTH: Final = 9
_INWARD: Final = tuple(
    map(
        ipaddress.ip_network,
        (
            *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
            *("172.16.0.0/12", "192.168.0.0/16", "::/127", "fc00::/7", "fe80::/10"),
        ),
    )
)
"""This machine, private networks, operators' own ones (RFC 6890)."""

Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
"""Returns the addresses of a name; raises `OSError`."""


class Spot(Value, frozen=True, kw_only=True):
    """Where a relay is looked for directly."""

    host: str
    port: int
    turn: str
    """Whose turn its handshakes take."""
    is_tls: bool


def spot_of(address: str) -> Spot:
    """Return the place in a relay's address; raise `BadRequest`."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port or _DEFAULT_PORTS[parts.scheme]
    except (ValueError, KeyError):
        raise BadRequest("this is not a relay's address") from None
    if not host:
        raise BadRequest("this is not a relay's address")
    return Spot(host=host, port=port, turn=host_of(address), is_tls=parts.scheme in {"wss", "https"})


async def system_resolver(host: str, port: int) -> Sequence[str]:
    """Ask what this machine asks."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


async def ask_name(spot: Spot, resolver: Resolver) -> tuple[NameWord, tuple[str, ...]]:
    """Return what the resolver says of a place's name, and the addresses to try."""
    try:
        ipaddress.ip_address(spot.host)
    except ValueError:
        pass
    else:
        return "none", (spot.host,)
    try:
        async with asyncio.timeout(NAME_S):
            found = tuple(await resolver(spot.host, spot.port))
    except socket.gaierror as error:
        # Who has no network at all gets this too, and then nothing else works either.
        return ("silent" if error.errno == socket.EAI_AGAIN else "unknown"), ()
    except (OSError, UnicodeError):  # asyncio's own TimeoutError is one
        return "silent", ()
    if not found:
        return "unknown", ()
    is_local = spot.host.rstrip(".").rpartition(".")[2] in _LOCAL_ENDINGS
    inward = not is_local and all(map(_is_inward, found))
    return ("inward" if inward else "found"), found[:TOUCHES_MAX]


def _is_inward(address: str) -> bool:
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return True
    return any(found in network for network in _INWARD if network.version == found.version)


async def touch(address: str, port: int) -> TouchWord:
    """Connect, say nothing, and tell what became of it."""
    try:
        async with asyncio.timeout(TOUCH_S):
            _, writer = await asyncio.open_connection(address, port)
    except TimeoutError:
        return "silent"
    except (ConnectionRefusedError, ConnectionResetError):
        return "refused"
    except OSError:
        return "no_route"
    writer.close()
    return "open"


def another_name(host: str) -> str:
    """Return a name that nobody has, as unremarkable as a name may be."""
    letters = "".join(secrets.choice(string.ascii_lowercase) for _ in range(_NAME_LENGTH))
    ending = host.rstrip(".").rpartition(".")[2]
    return f"{letters}.{ending if ending.isalpha() else 'com'}"


async def greet_tls(
    address: str, port: int, name: str, *, judges: bool = True, asks: bool = False
) -> HelloWord:
    """Say a TLS hello that is no browser's, with a name, and tell what it meets.

    Without `judges` anything that speaks TLS will do, whoever it is. With `asks` a request for the
    site's own page follows in small packets, and what it meets is told.
    """
    context = ssl.create_default_context()
    try:
        async with asyncio.timeout(HELLO_S):
            reader, writer = await asyncio.open_connection(address, port)
            talk = _Talk(reader, writer, context, name)
            try:
                met = await talk.greet(judges=judges)
                return await talk.ask() if asks and talk.is_open else met
            finally:
                writer.close()
    except TimeoutError:
        return "silent"
    except OSError:
        return "reset"


class _Talk:
    """One TLS connection, held in memory so that it shows what came before it was understood."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, context: ssl.SSLContext, name: str
    ) -> None:
        self._reader, self._writer = reader, writer
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=name)
        self._request = [line.format(name=name).encode() for line in _REQUEST]
        self._came = 0
        self.is_open = False
        """Whether the other end is the relay's site, and hears."""

    async def greet(self, *, judges: bool) -> HelloWord:
        """Shake hands, and tell what the hello met."""
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                data = await self._exchange()
                if not data:
                    return "reset" if not self._came else "untrusted"
                if not self._came and not data.startswith(_ANSWERS):
                    return "untrusted"  # something that speaks no TLS answers in its place
                self._came += len(data)
                if not judges:
                    return "answered"
                if self._came > _ANSWER_BYTES_MAX:
                    return "untrusted"
                self._incoming.write(data)
            except ssl.SSLCertVerificationError as error:
                if error.verify_code in _UNTIMELY:
                    return "untimely"
                return "other_site" if error.verify_code in _OTHER_NAME else "untrusted"
            except ssl.SSLError:
                return "answered"  # an alert is an answer, and says nothing of who is there
            else:
                self.is_open = True
                return "answered"

    async def ask(self) -> HelloWord:
        """Ask for the site's page, and tell whether anything comes back."""
        for line in self._request:
            self._tls.write(line)
            self._writer.write(self._outgoing.read())
        while True:
            try:
                self._tls.read(_READ_BYTES)
            except ssl.SSLWantReadError:
                data = await self._exchange()
                self._came += len(data)
                if not data:
                    return "reset"
                if self._came > _ANSWER_BYTES_MAX:
                    return "answered"
                self._incoming.write(data)
            except ssl.SSLError:
                return "answered"  # an end that is said is an answer as well
            else:
                return "answered"

    async def _exchange(self) -> bytes:
        self._writer.write(self._outgoing.read())
        await self._writer.drain()
        return await self._reader.read(_READ_BYTES)
