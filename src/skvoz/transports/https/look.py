"""What a current browser would meet at a host, for whoever asks what is blocked; no secret path is asked."""

import asyncio
from typing import Literal
from urllib.parse import urljoin, urlsplit

import wreq
from wreq import exceptions

from skvoz.transports.https.requests import browser

Met = Literal["answered", "reset", "silent", "untrusted"]
Page = Literal["nothing", "own", "elsewhere", "page", "demand"]
_DEMAND = 511
"""Network Authentication Required (RFC 6585 §6)."""


async def look(host: str, port: int, seconds: float, authority: wreq.CertStore | None) -> Met:
    """Tell what a browser's TLS hello with the host's name meets; `authority` alone is trusted, if given."""
    try:
        async with asyncio.timeout(seconds):
            await browser(authority).get(f"https://{host}:{port}/")
    except (TimeoutError, exceptions.TimeoutError):
        return "silent"
    except (exceptions.ConnectionError, exceptions.TlsError) as error:
        return "untrusted" if "CERTIFICATE_VERIFY_FAILED" in str(error) else "reset"
    except (exceptions.ConnectionResetError, exceptions.RequestError, exceptions.BuilderError):
        return "reset"
    return "answered"


async def see_page(host: str, port: int, seconds: float) -> Page:
    """Tell what plain HTTP is answered at a host, where a network may put a page of its own."""
    here = f"http://{host}:{port}/"
    try:
        async with asyncio.timeout(seconds):
            response = await browser(None).get(here)
    except (
        TimeoutError,
        exceptions.BuilderError,
        exceptions.ConnectionError,
        exceptions.ConnectionResetError,
        exceptions.RequestError,
        exceptions.TimeoutError,
    ):
        return "nothing"
    if response.status.as_int() == _DEMAND:
        return "demand"
    location = response.headers.get("location")
    if response.status.is_redirection() and location is not None:
        return "own" if _is_same_site(_host(here, bytes(location)), host.lower()) else "elsewhere"
    kind = bytes(response.headers.get("content-type") or b"").lower()
    is_page = response.status.is_success() and kind.startswith(b"text/html")
    return "page" if is_page else "own"


def _host(here: str, location: bytes) -> str:
    try:
        return (urlsplit(urljoin(here, location.decode("ascii"))).hostname or "").lower()
    except ValueError:
        return ""


def _is_same_site(one: str, other: str) -> bool:
    return one == other or one.endswith(f".{other}") or other.endswith(f".{one}")
