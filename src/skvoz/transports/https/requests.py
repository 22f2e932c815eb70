"""One HTTPS connection with a current browser's hello, over which requests are posted."""

import datetime as dt
from typing import Final

import wreq
from wreq import exceptions
from wreq.redirect import Policy

from skvoz.base.errors import BadRequest, Interrupted, TransportError
from skvoz.transports.proxy import CLOSED, REFUSED, STRANGE, UNREACHED, SocksProxy

BROWSER: Final = wreq.Emulation.Chrome154
"""Whose hello it is; `tests/transports/test_hello.py` holds it to the Chromium on the machine."""
TRANSIENT_FROM: Final = 500
"""A front that can't reach its relay just now says so by such a status."""
_FOUND: Final = 200
_KIND: Final = b"application/octet-stream"
_NO_KEEPALIVE: Final = dt.timedelta(hours=2)
"""Probes of a quiet connection are packets too."""
_IDLE: Final = dt.timedelta(days=1)
"""To the library a connection over which a request waits is idle, and after 90 s it opens another."""


_REPLIES: Final = (
    "GeneralSocksServerFailure",
    "ConnectionNotAllowed",
    "NetworkUnreachable",
    "HostUnreachable",
    "ConnectionRefused",
    "TtlExpired",
)
"""How the library names what a SOCKS5 proxy replies where it doesn't connect (RFC 1928 §6)."""


class RequestLine:
    """One connection, opened by the first request; requests go over it one at a time."""

    def __init__(
        self,
        url: str,
        authority: wreq.CertStore | None,
        proxy: SocksProxy | None = None,
        *,
        saves_packets: bool = False,
    ) -> None:
        """Trust `authority` alone where it is given, for a relay with certificates of its own.

        `saves_packets`: wait for acknowledgements so as to put more into a packet, four fewer until the first
        answer; each request then takes a round trip longer.
        """
        self._url = url
        self._client: wreq.Client | None = browser(authority, proxy, no_delay=not saves_packets)

    async def post(self, body: bytes, answer_size_max: int) -> bytes:
        """Post a body and return the answer's.

        Raises `Interrupted` where another connection may do, `TransportError` where something else than a
        relay answers, and `BadRequest` for an address that is none.
        """
        if self._client is None:
            raise Interrupted("the connection to the relay is gone")
        try:
            response = await self._client.post(
                self._url, body=body, headers={"Content-Type": "application/octet-stream"}
            )
            async with response:
                _check(response)
                return await _read(response, answer_size_max)
        except exceptions.BuilderError:
            raise BadRequest("this is not a relay's address") from None
        except exceptions.ProxyConnectionError as error:
            raise Interrupted(_of_proxy(str(error))) from None
        except exceptions.TimeoutError:
            raise Interrupted("the relay's address doesn't answer in time") from None
        except (exceptions.ConnectionError, exceptions.TlsError) as error:
            if "CERTIFICATE_VERIFY_FAILED" in str(error):
                raise TransportError("the certificate at the relay's address is not trusted here") from None
            raise Interrupted("the relay's address can't be reached") from None
        except (
            exceptions.ConnectionResetError,
            exceptions.RequestError,
            exceptions.BodyError,
            exceptions.DecodingError,
            exceptions.UpgradeError,
        ):
            raise Interrupted("the connection to the relay is gone") from None
        except (exceptions.StatusError, exceptions.RedirectError):
            raise TransportError("the relay's address answers as something else") from None

    def close(self) -> None:
        """Let the connection go: it closes once nothing is under way."""
        self._client = None


def browser(
    authority: wreq.CertStore | None, proxy: SocksProxy | None = None, *, no_delay: bool = True
) -> wreq.Client:
    """Make what speaks as a current browser does, over one connection at a time."""
    return wreq.Client(
        emulation=BROWSER,
        tls_verify=True if authority is None else authority,
        no_proxy=proxy is None,  # nor what the environment names: that is the person's choice to make
        proxies=[] if proxy is None else [wreq.Proxy.all(proxy.whole_address)],
        redirect=Policy.none(),  # a stranger's relay could lead it to hosts in our own network
        tcp_keepalive=_NO_KEEPALIVE,
        tcp_nodelay=no_delay,
        pool_max_idle_per_host=1,
        pool_idle_timeout=_IDLE,
        gzip=False,
        brotli=False,
        deflate=False,
        zstd=False,
    )


def _of_proxy(text: str) -> str:
    """Tell in plain words what is wrong with the proxy, by what the library says."""
    if "ConnectFailed" in text:
        return UNREACHED
    if "PasswordAuthFailure" in text or "NoAcceptableAuthMethods" in text:
        return REFUSED
    return CLOSED if any(f"Socks({reply}" in text for reply in _REPLIES) else STRANGE


def _check(response: wreq.Response) -> None:
    status = response.status.as_int()
    if status >= TRANSIENT_FROM:
        raise Interrupted("the relay's address has trouble of its own")
    kind = response.headers.get("content-type")
    if status != _FOUND or kind is None or bytes(kind) != _KIND:
        raise TransportError("the relay's address answers as something else")


async def _read(response: wreq.Response, size_max: int) -> bytes:
    found = bytearray()
    async with response.stream() as pieces:
        async for piece in pieces:
            if isinstance(piece, memoryview):  # else what follows a body, which a relay's answer hasn't
                found += piece
            if len(found) > size_max:
                raise TransportError("the relay's address answers as something else")
    return bytes(found)
