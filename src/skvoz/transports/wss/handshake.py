"""Opening a WebSocket over TLS with the hello that a current browser sends for its WebSockets.

libcurl has no way to be stopped while it does so: it runs in a thread of its own, and whoever gives up leaves
it to its time-outs.
"""

import asyncio
import contextlib
import math
import threading
from pathlib import Path
from typing import Final

from curl_cffi import Curl, CurlECode, CurlError, CurlHttpVersion, CurlInfo, CurlOpt

from skvoz.base.errors import BadRequest, TransportError
from skvoz.transports.proxy import CLOSED, REFUSED, SLOW, STRANGE, UNREACHED, SocksProxy
from skvoz.transports.trust import own_authority

BROWSER: Final = "chrome152"
"""Whose hello it is; `tests/transports/test_hello.py` holds it to the Chromium on the machine."""
OPEN_TIMEOUT_S: Final = 10.0
"""Over 14 kbit/s, which is what some networks leave, TCP, TLS and the upgrade take half of it."""
_AS_WEBSOCKET: Final = 2
"""What CONNECT_ONLY says: shake hands, and leave the rest to us."""
_ANY_SPEED: Final = 2**30
"""More bytes a second than anybody sends."""
_PLAIN_WORDS: Final = {
    CurlECode.PEER_FAILED_VERIFICATION: "the certificate at the relay's address is not trusted here",
    CurlECode.COULDNT_RESOLVE_HOST: "the relay's address can't be reached",
    CurlECode.COULDNT_CONNECT: "the relay's address can't be reached",
    CurlECode.OPERATION_TIMEDOUT: "the relay's address doesn't answer in time",
    CurlECode.SSL_CONNECT_ERROR: "the relay's address can't be reached",
    CurlECode.GOT_NOTHING: "the relay's address can't be reached",
    CurlECode.RECV_ERROR: "the relay's address can't be reached",
    CurlECode.SEND_ERROR: "the relay's address can't be reached",
}
"""By what the library says; its own texts hold addresses, and are never shown."""


_WRONG_NAME: Final = frozenset({12, 33})
"""CURLPX_*: no way of saying who one is that both know, or the wrong one."""
_REPLIES: Final = frozenset(range(17, 26))
"""CURLPX_*: what a SOCKS5 proxy replies where it doesn't connect."""


async def shake_hands(url: str, authority: Path | None, proxy: SocksProxy | None) -> Curl:
    """Open a WebSocket to `wss://…`; the caller closes it.

    A file `authority` is trusted alone, where it is given. Raises `BadRequest` for an address that is none,
    and `TransportError` when nothing there answers as a relay should.
    """
    curl = _prepared(url, authority, proxy)
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()
    threading.Thread(target=_perform, args=(curl, loop, done), name="handshake", daemon=True).start()
    try:
        async with asyncio.timeout(OPEN_TIMEOUT_S):
            await done
    except TimeoutError:
        raise TransportError(
            "the relay's address doesn't answer in time" if proxy is None else SLOW
        ) from None
    except CurlError as error:
        refusal = curl.getinfo(CurlInfo.PROXY_ERROR)
        curl.close()
        if error.code == CurlECode.URL_MALFORMAT:
            raise BadRequest("this is not a relay's address") from None
        words = _PLAIN_WORDS.get(CurlECode(error.code), "the relay's address answers as something else")
        if proxy is not None:
            words = _of_proxy(CurlECode(error.code), refusal) or words
        raise TransportError(words) from None
    return curl


def _of_proxy(code: CurlECode, refusal: object) -> str | None:
    """Tell in plain words what is wrong with the proxy, if that is what failed."""
    if code in {CurlECode.COULDNT_CONNECT, CurlECode.COULDNT_RESOLVE_PROXY}:
        return UNREACHED
    if code == CurlECode.OPERATION_TIMEDOUT:
        return SLOW
    if code != CurlECode.PROXY:
        return None
    if refusal in _WRONG_NAME:
        return REFUSED
    return CLOSED if isinstance(refusal, int) and refusal in _REPLIES else STRANGE


def _prepared(url: str, authority: Path | None, proxy: SocksProxy | None) -> Curl:
    trusted = authority or own_authority()
    curl = Curl(cacert="" if trusted is None else str(trusted))
    curl.impersonate(BROWSER)
    options: dict[CurlOpt, object] = {
        CurlOpt.URL: url.encode(),
        CurlOpt.CONNECT_ONLY: _AS_WEBSOCKET,
        CurlOpt.HTTP_VERSION: CurlHttpVersion.V1_1,
        # Without one, not even what the environment names: that is the person's choice to make.
        CurlOpt.PROXY: b"" if proxy is None else proxy.address.encode(),
        CurlOpt.NOPROXY: b"",
        CurlOpt.FOLLOWLOCATION: 0,  # a stranger's relay could lead it to hosts in our own network
        CurlOpt.TIMEOUT_MS: int(OPEN_TIMEOUT_S * 1000),
        # That one is forgotten while an answer is waited for; there, this one finds anything too slow.
        CurlOpt.LOW_SPEED_TIME: math.ceil(OPEN_TIMEOUT_S),
        CurlOpt.LOW_SPEED_LIMIT: _ANY_SPEED,
        CurlOpt.NOSIGNAL: 1,
        CurlOpt.TCP_NODELAY: 1,
        CurlOpt.TCP_KEEPALIVE: 0,  # probes of a quiet connection are packets too
        CurlOpt.WRITEFUNCTION: len,  # what a refusal says is taken and dropped
    }
    if proxy is not None and proxy.name:
        options |= {
            CurlOpt.PROXYUSERNAME: proxy.name.encode(),
            CurlOpt.PROXYPASSWORD: proxy.password.encode(),
        }
    for option, value in options.items():
        curl.setopt(option, value)
    return curl


def _perform(curl: Curl, loop: asyncio.AbstractEventLoop, done: asyncio.Future[None]) -> None:
    error: CurlError | None = None
    try:
        curl.perform()
    except CurlError as failed:
        error = failed

    def tell() -> None:
        if done.cancelled():
            curl.close()
        elif error is None:
            done.set_result(None)
        else:
            done.set_exception(error)

    with contextlib.suppress(RuntimeError):  # the loop may be closed by now
        loop.call_soon_threadsafe(tell)
        return
    curl.close()
