"""What every request to the page's address has to pass: whom it came from, and what its answer permits.

Other web sites can make a browser send requests here, and a name of theirs can be made to lead to this
machine (DNS rebinding). So `Host` has to be the page's own address, `Origin` the page's or none, and
`Sec-Fetch-Site` may not tell of another site, except that links from anywhere may lead to the page itself.
"""

import hashlib
from collections.abc import Awaitable, Callable
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

FORBIDDEN: Final = 403
MISDIRECTED: Final = 421
"""RFC 9110 §15.5.20: asked for under a name that is not this server's."""


def content_security_policy(authority: str) -> str:
    """Return what the page may load and run: nothing but its own files, and no text as code."""
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            f"connect-src 'self' ws://{authority}",
            "img-src 'self' data: blob:",
            "media-src 'self' blob:",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types lit-html",
        )
    )


_SAFE: Final = {
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
    "cross-origin-resource-policy": "same-origin",
    "origin-agent-cluster": "?1",
    "permissions-policy": (
        "camera=(self), microphone=(self), fullscreen=(self), clipboard-write=(self), "
        "geolocation=(), payment=(), usb=(), serial=(), hid=(), midi=(), display-capture=()"
    ),
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-dns-prefetch-control": "off",
    "x-frame-options": "DENY",
}


class Guard:
    """Lets requests of the page itself, and of programs on this machine, through to an application."""

    def __init__(self, application: ASGIApp, authority: str) -> None:
        """Guard `application`, which is served at `authority`, `127.0.0.1:PORT`."""
        self._application = application
        self._authority = authority
        self._origin = f"http://{authority}"
        self._policy = content_security_policy(authority)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or have it answered; every answer carries the headers."""
        status = self._refusal(scope["type"], str(scope["path"]), Headers(scope=scope))
        if scope["type"] == "websocket":
            if status:
                await send({"type": "websocket.close"})  # before it is accepted: HTTP 403
                return
            await self._application(scope, receive, send)
            return
        application = PlainTextResponse("not from here", status) if status else self._application
        await application(scope, receive, self._with_headers(send))

    def _refusal(self, kind: str, path: str, headers: Headers) -> int:
        """Return the status to refuse a request with, 0 for none."""
        if headers.getlist("host") != [self._authority]:
            return MISDIRECTED
        if any(origin != self._origin for origin in headers.getlist("origin")):
            return FORBIDDEN
        site = headers.get("sec-fetch-site")
        if site is None or site == "same-origin":
            return 0
        if kind == "http" and path == "/" and headers.get("sec-fetch-mode") == "navigate":
            # From a bookmark, the address line, or a link; never into a frame.
            return 0 if headers.get("sec-fetch-dest") == "document" else FORBIDDEN
        # The browser's own requests (`none`) are for the page and its files only.
        return FORBIDDEN

    def _with_headers(self, send: Send) -> Callable[[Message], Awaitable[None]]:
        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _SAFE.items():
                    headers[name] = value
                # Beside one that the answer has: a browser keeps to all of them.
                headers.append("content-security-policy", self._policy)
                headers.setdefault("cache-control", "no-store")
            await send(message)

        return answer


def entity_tag(content: bytes) -> str:
    """Return the `ETag` of a file's content."""
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'
