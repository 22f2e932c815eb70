"""HTTP requests that are no WebSocket: a POST to the relay's path, and everything else, which is not found.

Each connection carries one request. What is refused gets the very answer that an unknown address gets, after
as many bytes, whatever was wrong with it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias, cast

import h11

from skvoz.wire.lanes import REQUEST_SIZE_MAX

REQUEST_S: Final = 15.0
"""A request that has not arrived whole after so long is cut off."""
NOT_FOUND: Final = (
    b"HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n\r\n"
    b"404 Not Found"
)
"""To the byte what the WebSocket library answers at an unknown path."""
_FOUND: Final = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nCache-Control: no-store\r\n"
    b"Content-Length: %d\r\nConnection: close\r\n\r\n%b"
)
_HEAD_SIZE_MAX: Final = 16 * 1024
REQUESTS_MAX: Final = 25_000
"""Connections with a request that are open at a time; the WebSockets have a limit of their own."""
ARRIVING_BYTES_MAX: Final = 64 * 1024 * 1024
"""Bytes of bodies that have not arrived whole, of all requests together."""
Asked: TypeAlias = Callable[[bytes], Awaitable[bytes | None]]


class Requests:
    """All connections with a request."""

    def __init__(self, path: str, asked: Asked) -> None:
        """Hand the body of a POST to `path` to `asked`, which returns the answer's, or None for not found."""
        self.path = path.encode()
        self.asked = asked
        self.open = 0
        self.arriving_bytes = 0

    def protocol(self) -> asyncio.Protocol:
        """Make the protocol of a new connection."""
        return _RequestProtocol(self)


class _RequestProtocol(asyncio.Protocol):
    """One connection with one request."""

    def __init__(self, requests: Requests) -> None:
        self._requests = requests
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=_HEAD_SIZE_MAX)
        self._body = bytearray()
        self._size = 0
        self._is_ours = False
        self._answering: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Give the request its time."""
        self._transport = cast("asyncio.Transport", transport)
        self._cut_off = asyncio.get_running_loop().call_later(REQUEST_S, self._transport.abort)
        self._requests.open += 1
        if self._requests.open > REQUESTS_MAX:
            self._say(NOT_FOUND)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # asyncio's signature
        """Wait no longer for somebody who is gone."""
        self._cut_off.cancel()
        self._requests.open -= 1
        self._take_body()
        if self._answering is not None:
            self._answering.cancel()

    def data_received(self, data: bytes) -> None:
        """Take in a piece of the request."""
        if self._answering is not None or self._transport.is_closing():
            return
        try:
            self._http.receive_data(data)
            self._go_on()
        except h11.RemoteProtocolError:
            self._say(NOT_FOUND)

    def _go_on(self) -> None:
        while True:
            match self._http.next_event():
                case h11.Request() as request:
                    self._is_ours = request.method == b"POST" and request.target == self._requests.path
                case h11.Data(data=piece):
                    self._size += len(piece)
                    if self._size > REQUEST_SIZE_MAX or not self._keep(piece):
                        self._say(NOT_FOUND)
                        return
                case h11.EndOfMessage():
                    self._cut_off.cancel()
                    if self._is_ours:
                        self._answering = asyncio.get_running_loop().create_task(self._answer())
                    else:
                        self._say(NOT_FOUND)
                    return
                case _:
                    return

    async def _answer(self) -> None:
        answer = await self._requests.asked(self._take_body())
        self._say(NOT_FOUND if answer is None else _FOUND % (len(answer), answer))

    def _keep(self, piece: bytes | bytearray) -> bool:
        """Keep a piece of the body, if it is for us; tell whether there is room."""
        if not self._is_ours:
            return True
        self._body += piece
        self._requests.arriving_bytes += len(piece)
        return self._requests.arriving_bytes <= ARRIVING_BYTES_MAX

    def _take_body(self) -> bytes:
        """Hand the body out, and keep none of it while the answer waits."""
        body, self._body = bytes(self._body), bytearray()
        self._requests.arriving_bytes -= len(body)
        return body

    def _say(self, answer: bytes) -> None:
        # Who doesn't read the answer is not waited for.
        self._cut_off.cancel()
        self._cut_off = asyncio.get_running_loop().call_later(REQUEST_S, self._transport.abort)
        self._transport.write(answer)
        self._transport.close()
