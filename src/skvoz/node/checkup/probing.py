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


async def greet_tls(address: str, port: int, name: str, *, judges: bool = True) -> HelloWord:
    """Say a TLS hello that is no browser's, with a name, and tell what it meets.

    Without `judges` anything that speaks TLS will do, whoever it is.
    """
    context = ssl.create_default_context()
    try:
        async with asyncio.timeout(HELLO_S):
            reader, writer = await asyncio.open_connection(address, port)
            try:
                return await _greet(reader, writer, context, name, judges=judges)
            finally:
                writer.close()
    except TimeoutError:
        return "silent"
    except OSError:
        return "reset"


async def _greet(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    context: ssl.SSLContext,
    name: str,
    *,
    judges: bool,
) -> HelloWord:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname=name)
    came = 0
    while True:
        try:
            tls.do_handshake()
        except ssl.SSLWantReadError:
            writer.write(outgoing.read())
            await writer.drain()
            data = await reader.read(_READ_BYTES)
            if not data:
                return "reset" if not came else "untrusted"
            if not came and not data.startswith(_ANSWERS):
                return "untrusted"  # something that speaks no TLS answers in its place
            came += len(data)
            if not judges:
                return "answered"
            if came > _ANSWER_BYTES_MAX:
                return "untrusted"
            incoming.write(data)
        except ssl.SSLCertVerificationError as error:
            if error.verify_code in _UNTIMELY:
                return "untimely"
            return "other_site" if error.verify_code in _OTHER_NAME else "untrusted"
        except ssl.SSLError:
            return "answered"  # an alert is an answer, and says nothing of who is there
        else:
            return "answered"
