"""HTTP requests of any method to one storage, over one connection that is kept for as long as it lasts."""

import asyncio
import ssl
from collections.abc import Sequence
from typing import Final

import h11

from skvoz.base.errors import TransportError
from skvoz.base.value import Value

ANSWER_SIZE_MAX: Final = 64 * 1024 * 1024
"""A listing of some hundred thousand names, bytes."""
_ASK_S: Final = 45.0
_CONNECT_S: Final = 15.0
_READ_BYTES: Final = 64 * 1024
Headers = Sequence[tuple[str, str]]


class _Gone(TransportError):
    """The connection was closed before an answer began: another one may do."""


class Answer(Value, frozen=True, kw_only=True):
    """What a storage answered."""

    status: int
    body: bytes

    @property
    def is_good(self) -> bool:
        """Whether it did what was asked."""
        return 200 <= self.status < 300  # RFC 9110 §15.3


class HttpLine:
    """One request at a time, to one host and port; `tls` is None for plain HTTP on this machine."""

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None) -> None:
        self._host = host
        self._port = port
        self._tls = tls
        self._turn = asyncio.Lock()
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._state = h11.Connection(h11.CLIENT)
        self.spent_bytes = 0

    async def ask(
        self, method: str, target: str, headers: Headers, body: bytes = b"", size_max: int = ANSWER_SIZE_MAX
    ) -> Answer:
        """Send a request and return its answer, cut after `size_max` bytes; raise `TransportError`.

        It is sent again where a kept connection turns out to be closed, so it must be repeatable.
        """
        async with self._turn:
            try:
                async with asyncio.timeout(_ASK_S):
                    if self._streams is not None:
                        try:
                            return await self._ask(method, target, headers, body, size_max)
                        except _Gone:
                            pass
                    await self._connect()
                    return await self._ask(method, target, headers, body, size_max)
            except TimeoutError:
                await self._drop()
                raise TransportError("the drop's storage doesn't answer in time") from None
            except asyncio.CancelledError:
                await self._drop()
                raise

    async def close(self) -> None:
        """Let the connection go."""
        await self._drop()

    async def _connect(self) -> None:
        await self._drop()
        try:
            async with asyncio.timeout(_CONNECT_S):
                self._streams = await asyncio.open_connection(self._host, self._port, ssl=self._tls)
        except ssl.SSLCertVerificationError:
            raise TransportError("the certificate of the drop's storage is not trusted here") from None
        except OSError:
            raise TransportError("the drop's storage can't be reached") from None
        self._state = h11.Connection(h11.CLIENT)

    async def _drop(self) -> None:
        streams, self._streams = self._streams, None
        if streams is not None:
            streams[1].close()

    async def _ask(self, method: str, target: str, headers: Headers, body: bytes, size_max: int) -> Answer:
        if self._streams is None:
            raise _Gone("the drop's storage can't be reached")
        reader, writer = self._streams
        length = [("Content-Length", str(len(body)))] if body or method == "PUT" else []
        sent = b"".join(
            filter(
                None,
                (
                    self._state.send(h11.Request(method=method, target=target, headers=[*headers, *length])),
                    self._state.send(h11.Data(data=body)) if body else b"",
                    self._state.send(h11.EndOfMessage()),
                ),
            )
        )
        self.spent_bytes += len(sent)
        try:
            writer.write(sent)
            await writer.drain()
            answer = await self._answer(reader, size_max)
        except OSError:
            await self._drop()
            raise _Gone("the drop's storage can't be reached") from None
        except h11.RemoteProtocolError:
            await self._drop()
            raise TransportError("the drop's storage answers as something else") from None
        if self._state.our_state is h11.DONE and self._state.their_state is h11.DONE:
            self._state.start_next_cycle()
        else:
            await self._drop()
        return answer

    async def _answer(self, reader: asyncio.StreamReader, size_max: int) -> Answer:
        status = 0
        body = bytearray()
        while True:
            event = self._state.next_event()
            if event is h11.NEED_DATA:
                data = await reader.read(_READ_BYTES)
                if not data and not status:
                    await self._drop()
                    raise _Gone("the drop's storage can't be reached")
                self.spent_bytes += len(data)
                self._state.receive_data(data)
            elif isinstance(event, h11.Response):
                status = event.status_code
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > size_max:
                    return Answer(status=status, body=bytes(body[:size_max]))
            elif isinstance(event, h11.EndOfMessage):
                return Answer(status=status, body=bytes(body))
