"""A WebSocket over TLS that a browser seems to have opened: binary messages over libcurl's connection."""

import asyncio
import contextlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final, Self, cast

from curl_cffi import Curl, CurlECode, CurlError, CurlInfo, CurlWsFlag
from curl_cffi.aio import get_selector

from skvoz.base.errors import TransportError
from skvoz.transports.arrivals import Arrivals, held_by_kernel
from skvoz.transports.proxy import SocksProxy
from skvoz.transports.wss.handshake import shake_hands
from skvoz.wire.sealed import MESSAGE_SIZE_MAX

_FRAME_SIZE: Final = 64 * 1024
"""The library takes no larger ones; a message of more is sent in pieces."""
_TURNS_MAX: Final = 16
"""After so many pieces in a row, everybody else has a turn, however fast the relay sends."""
_BLOCKED: Final = re.compile(r"errno (11|35|10035)\b|temporarily unavailable|would block", re.IGNORECASE)
"""How the library says in passing that a socket has nothing, where BoringSSL takes that for an error."""


class DisguisedConnection:
    """One open connection; made by `dial_disguised`.

    Nothing is read ahead: what the relay sends faster than it is received waits in the kernel, and then at
    the relay.
    """

    def __init__(self, curl: Curl) -> None:
        self._curl = curl
        self._loop = asyncio.get_running_loop()
        self._selector = get_selector(self._loop)
        self._socket = cast("int", curl.getinfo(CurlInfo.ACTIVESOCKET))
        self._waiting: set[asyncio.Future[None]] = set()
        self._speaking = asyncio.Lock()
        self._message = bytearray()
        self._is_open = True
        self._arrivals = Arrivals(lambda: held_by_kernel(self._socket))
        self._heard_at = self._loop.time()

    @property
    def heard_at(self) -> float:
        """When the other end said something, or was last seen to have got something: the loop's time."""
        if self._is_open and self._arrivals.are_more():
            self._heard_at = self._loop.time()
        return self._heard_at

    async def send(self, message: bytes) -> None:
        """Send one message; raises `TransportError` once the connection is gone."""
        async with self._speaking:
            try:
                for start in range(0, max(1, len(message)), _FRAME_SIZE):
                    is_last = start + _FRAME_SIZE >= len(message)
                    flags = CurlWsFlag.BINARY | (0 if is_last else CurlWsFlag.CONT)
                    await self._send_frame(message[start : start + _FRAME_SIZE], flags)
            except BaseException:
                self._end()  # half a frame may be under way
                raise

    async def receive(self) -> bytes:
        """Wait for the next message; raises `TransportError` once the connection is gone or speaks text."""
        turns = 0
        while True:
            if turns % _TURNS_MAX == 0:
                await asyncio.sleep(0)
            turns += 1
            piece = self._piece()
            if piece is None:
                await self._wait(self._selector.add_reader, self._selector.remove_reader)
                continue
            is_whole = self._take(*piece)
            self._heard_at = self._loop.time()
            if is_whole:
                message, self._message = bytes(self._message), bytearray()
                return message

    async def close(self) -> None:
        """End the connection; closing twice is harmless."""
        if self._is_open and not self._speaking.locked():
            with contextlib.suppress(CurlError):  # whoever doesn't read hears of it otherwise
                self._curl.ws_close()
        self._end()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _send_frame(self, frame: bytes, flags: int) -> None:
        """Send a frame; what the library did not take, it wants to be given again."""
        rest = memoryview(frame)
        while True:
            self._check()
            sent = 0
            try:
                sent = self._curl.ws_send(rest, flags)
            except CurlError as error:
                if not _is_blocked(error):
                    raise TransportError("the connection to the relay is gone") from None
                await self._wait(self._selector.add_writer, self._selector.remove_writer)
            self._arrivals.sent(sent)
            rest = rest[sent:]
            if (sent and not rest) or not frame:
                return

    def _piece(self) -> tuple[bytes, int, bool] | None:
        """Return what has come of a frame, its flags and whether it is the frame's end; None for nothing."""
        self._check()
        try:
            piece, frame = self._curl.ws_recv()
        except CurlError as error:
            if _is_blocked(error):
                return None
            self._end()
            raise TransportError("the connection to the relay is gone") from None
        return piece, frame.flags, frame.bytesleft == 0

    def _take(self, piece: bytes, flags: int, is_end: bool) -> bool:  # noqa: FBT001  # as `_piece` gives it
        """Take in a piece of a frame, and tell whether it completes a message."""
        if flags & CurlWsFlag.CLOSE:
            self._end()
            raise TransportError("the connection to the relay is gone")
        if flags & (CurlWsFlag.PING | CurlWsFlag.PONG):
            return False  # the library answers
        self._message += piece
        if flags & CurlWsFlag.TEXT or len(self._message) > MESSAGE_SIZE_MAX:
            self._end()
            raise TransportError("the relay's address answers as something else")
        return is_end and not flags & CurlWsFlag.CONT

    async def _wait(
        self, add: Callable[[int, Callable[[], None]], object], remove: Callable[[int], object]
    ) -> None:
        """Wait until the socket can be read, or written; or until the connection ends."""
        ready: asyncio.Future[None] = self._loop.create_future()
        self._waiting.add(ready)
        add(self._socket, lambda: None if ready.done() else ready.set_result(None))
        try:
            await ready
        finally:
            self._waiting.discard(ready)
            if self._is_open:
                remove(self._socket)

    def _check(self) -> None:
        if not self._is_open:
            raise TransportError("the connection to the relay is gone")

    def _end(self) -> None:
        if not self._is_open:
            return
        self._is_open = False
        self._selector.remove_reader(self._socket)
        self._selector.remove_writer(self._socket)
        for ready in self._waiting:
            if not ready.done():
                ready.set_result(None)
        self._curl.close()


def _is_blocked(error: CurlError) -> bool:
    if error.code == CurlECode.AGAIN:
        return True
    is_vague = error.code in {CurlECode.RECV_ERROR, CurlECode.SEND_ERROR}
    return is_vague and _BLOCKED.search(str(error)) is not None


async def dial_disguised(url: str, authority: Path | None, proxy: SocksProxy | None) -> DisguisedConnection:
    """Open a connection to `wss://HOST[:PORT]/PATH`; raises what `shake_hands` raises."""
    curl = await shake_hands(url, authority, proxy)
    return DisguisedConnection(curl)
