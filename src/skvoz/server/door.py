"""The relay's one port: the first bytes of a connection tell whether it is a WebSocket or another request."""

import asyncio
from collections.abc import Callable
from typing import Final, cast

REQUEST_LINE_S: Final = 15.0
"""A connection that has not said so much after so long is cut off."""
_WEBSOCKET: Final = b"GET "
"""A WebSocket begins with a GET (RFC 6455 §4.1)."""


class Door(asyncio.Protocol):
    """A connection that has not said enough; then it is another protocol's, and costs nothing more."""

    def __init__(
        self, websocket: Callable[[], asyncio.BufferedProtocol], request: Callable[[], asyncio.Protocol]
    ) -> None:
        self._websocket = websocket
        self._request = request
        self._first = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Give the first bytes their time."""
        self._transport = cast("asyncio.Transport", transport)
        self._cut_off = asyncio.get_running_loop().call_later(REQUEST_LINE_S, self._transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # asyncio's signature
        """Forget it."""
        self._cut_off.cancel()

    def data_received(self, data: bytes) -> None:
        """Hand the connection to whom it is for, with what has come."""
        self._first += data
        if len(self._first) < len(_WEBSOCKET) and _WEBSOCKET.startswith(self._first):
            return
        self._cut_off.cancel()
        first, self._first = self._first, b""
        if first.startswith(_WEBSOCKET):
            self._hand_to_websocket(self._websocket(), first)
        else:
            protocol = self._request()
            self._transport.set_protocol(protocol)
            protocol.connection_made(self._transport)
            protocol.data_received(first)

    def _hand_to_websocket(self, protocol: asyncio.BufferedProtocol, first: bytes) -> None:
        transport = self._transport
        transport.pause_reading()  # how it reads is settled when it begins to
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        left = memoryview(first)
        while left and not transport.is_closing():
            room = memoryview(protocol.get_buffer(-1))
            size = min(len(room), len(left))
            room[:size] = left[:size]
            protocol.buffer_updated(size)
            left = left[size:]
        if not transport.is_closing():
            transport.resume_reading()
