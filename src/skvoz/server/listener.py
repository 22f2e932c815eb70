"""WebSocket connections of a relay: bytes in, bytes out, and nothing kept about who is there.

What arrived in one turn of the event loop is handed to the relay together, so that answers and deliveries
of that turn leave in one message for each connection.
"""

import asyncio
import base64
import binascii
import logging
import socket
import time
from collections.abc import Callable
from typing import Final, cast

from picows import (
    WSAutoPingStrategy,
    WSCloseCode,
    WSFrame,
    WSListener,
    WSMsgType,
    WSTransport,
    WSUpgradeRequest,
)
from picows.picows import (
    WSProtocol,  # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType]  # not in its stub
)

from skvoz.wire.sealed import MESSAGE_SIZE_MAX

WRITE_BUFFER_MAX: Final = 8 * 1024 * 1024
"""Bytes that a connection may leave unread before it is closed: credit bounds entries, this the rest."""
CLEAR_BYTES: Final = 512 * 1024
"""With less than this left to send, a connection takes the next part of a blob."""
CONNECTIONS_MAX: Final = 20_000
SILENCE_S: Final = 30.0
"""A connection that has said nothing whole for so long is no client of ours."""
_HANDSHAKE_S: Final = 15
_WEBSOCKET_KEY_SIZE: Final = 16
_BUFFER_BYTES: Final = 16 * 1024
_LOG: Final = logging.getLogger("picows.server")
_KEEPALIVE_IDLE_S: Final = 600
"""Clients may sleep for hours; the kernel finds out about those that are gone."""


class Connections:
    """All open connections by number."""

    def __init__(
        self,
        received: Callable[[int, bytes], None],
        lost: Callable[[int], None],
        cleared: Callable[[int], None],
        path: str,
    ) -> None:
        """Tell `cleared` of connections that have little left to send, after they had much."""
        self._received = received
        self._lost = lost
        self.cleared = cleared
        self._path = path.encode()
        self._open: dict[int, WSTransport] = {}
        self._silent: dict[int, float] = {}
        self._last_number = 0
        self._is_closed = False

    def protocol(self) -> asyncio.BufferedProtocol:
        """Make the protocol of a new connection, which is a WebSocket at `path` or not found."""
        return cast(
            "asyncio.BufferedProtocol",
            WSProtocol(
                host_port=None,
                ws_path=None,
                is_client_side=False,
                ws_listener_factory=self._admit,
                logger=_LOG,
                disconnect_on_exception=True,
                websocket_handshake_timeout=_HANDSHAKE_S,
                enable_auto_ping=False,  # sessions have pings of their own, rarer ones
                auto_ping_idle_timeout=_HANDSHAKE_S,
                auto_ping_reply_timeout=_HANDSHAKE_S,
                auto_ping_strategy=WSAutoPingStrategy.PING_WHEN_IDLE,
                enable_auto_pong=True,
                max_frame_size=MESSAGE_SIZE_MAX,
                extra_headers=None,
                read_buffer_init_size=_BUFFER_BYTES,
            ),
        )

    def _admit(self, request: WSUpgradeRequest) -> "WSListener | None":
        """Take in who asks as a WebSocket asks; to all others the library would tell what it misses."""
        is_full = self._is_closed or len(self._open) >= CONNECTIONS_MAX
        if request.path != self._path or is_full or not _is_upgrade(request):
            return None
        return _Connection(self)

    def opened(self, transport: WSTransport) -> int:
        """Give a new connection its number."""
        self._last_number += 1
        self._open[self._last_number] = transport
        self._silent[self._last_number] = time.monotonic()
        _keep_alive(transport)
        transport.underlying_transport.set_write_buffer_limits(high=CLEAR_BYTES)
        return self._last_number

    def is_clear(self, number: int) -> bool | None:
        """Tell whether a connection has little left to send; None for one that is gone."""
        transport = self._open.get(number)
        if transport is None:
            return None
        waiting = transport.underlying_transport.get_write_buffer_size()
        return waiting <= CLEAR_BYTES  # beyond it `cleared` follows

    def message(self, number: int, message: bytes) -> None:
        """Hand on what a connection said."""
        if number in self._open:
            self._silent.pop(number, None)
            self._received(number, message)

    def closed(self, number: int) -> None:
        """Forget a connection."""
        self._silent.pop(number, None)
        if self._open.pop(number, None) is not None:
            self._lost(number)

    def send(self, number: int, message: bytes) -> None:
        """Send one message; a connection that doesn't read is closed."""
        transport = self._open.get(number)
        if transport is None:
            return
        transport.send(WSMsgType.BINARY, message)
        if transport.underlying_transport.get_write_buffer_size() > WRITE_BUFFER_MAX:
            transport.disconnect(graceful=False)

    def close(self, number: int) -> None:
        """Close a connection after what was sent before; nobody is told."""
        self._silent.pop(number, None)
        transport = self._open.pop(number, None)
        if transport is not None:
            transport.send_close(WSCloseCode.OK)
            transport.disconnect()

    def close_all(self) -> None:
        """Close every connection, and open no more: who was at the door already would keep the relay up."""
        self._is_closed = True
        for number in list(self._open):
            self.close(number)

    def drop_silent(self) -> None:
        """Close those that have been open for long and never said anything."""
        before = time.monotonic() - SILENCE_S
        for number in [number for number, since in self._silent.items() if since < before]:
            self.close(number)


class _Connection(WSListener):
    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._number = 0
        self._pieces: bytearray | None = None

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._number = self._connections.opened(transport)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        kind = frame.msg_type
        if kind is WSMsgType.BINARY and frame.fin and self._pieces is None:
            self._connections.message(self._number, frame.get_payload_as_bytes())
        elif kind is WSMsgType.BINARY or kind is WSMsgType.CONTINUATION:
            self._piece(transport, frame)
        elif kind is WSMsgType.CLOSE:
            transport.disconnect()
        elif kind is WSMsgType.TEXT:
            _refuse(transport, WSCloseCode.UNSUPPORTED_DATA)

    def _piece(self, transport: WSTransport, frame: WSFrame) -> None:
        """Put a message together that something on the way cut into pieces."""
        if (self._pieces is None) != (frame.msg_type is WSMsgType.BINARY):
            _refuse(transport, WSCloseCode.PROTOCOL_ERROR)
            return
        if self._pieces is None:
            self._pieces = bytearray()
        self._pieces += frame.get_payload_as_memoryview()
        if len(self._pieces) > MESSAGE_SIZE_MAX:
            _refuse(transport, WSCloseCode.MESSAGE_TOO_BIG)
        elif frame.fin:
            message, self._pieces = bytes(self._pieces), None
            self._connections.message(self._number, message)

    def resume_writing(self) -> None:
        self._connections.cleared(self._number)

    def on_ws_disconnected(self, transport: WSTransport) -> None:  # noqa: ARG002  # the library's signature
        self._connections.closed(self._number)


def _is_upgrade(request: WSUpgradeRequest) -> bool:
    """Tell whether the request has all that a WebSocket's has (RFC 6455 §4.2.1)."""
    headers = request.headers
    try:
        key = base64.b64decode(headers.get("Sec-WebSocket-Key", ""), validate=True)
    except (binascii.Error, ValueError):
        return False
    return (
        headers.get("Upgrade", "").lower() == "websocket"
        and headers.get("Connection", "").lower() == "upgrade"
        and headers.get("Sec-WebSocket-Version") == "13"
        and len(key) == _WEBSOCKET_KEY_SIZE
    )


def _refuse(transport: WSTransport, code: WSCloseCode) -> None:
    transport.send_close(code)
    transport.disconnect()


def _keep_alive(transport: WSTransport) -> None:
    opened: object = transport.underlying_transport.get_extra_info("socket")
    if opened is None or not hasattr(socket, "TCP_KEEPIDLE"):
        return
    set_option = getattr(opened, "setsockopt")  # noqa: B009  # uvloop's socket is not a `socket.socket`
    set_option(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    set_option(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _KEEPALIVE_IDLE_S)
