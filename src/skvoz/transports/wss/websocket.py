"""A WebSocket connection that carries binary messages and says nothing about who opened it.

What goes out of this machine is another module's (`disguised`); here are the plain ones, to a relay on it.
"""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self, cast
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_websocket
from websockets.exceptions import ConnectionClosed, InvalidURI, WebSocketException

from skvoz.base.errors import BadRequest, TransportError
from skvoz.transports.arrivals import Arrivals, held_by
from skvoz.transports.proxy import SocksProxy
from skvoz.wire.sealed import MESSAGE_SIZE_MAX

if TYPE_CHECKING:
    from skvoz.transports.wss.disguised import DisguisedConnection

_OPEN_TIMEOUT_S: Final = 10.0
"""Over 14 kbit/s, which is what some networks leave, TCP, TLS and the upgrade take half of it."""
_CLOSE_TIMEOUT_S: Final = 2.0
_SILENT: Final = logging.getLogger("skvoz.websocket")
"""In place of the library's own logger, which prints addresses and the beginnings of messages."""
_QUEUE_MESSAGES_MAX: Final = 4
"""What waits unread on this side; the relay's byte credit bounds it again."""

_SILENT.disabled = True


class _Connection(ClientConnection):
    """Notes when any byte came: a long message over a slow network takes its time."""

    heard_at = 0.0

    def data_received(self, data: bytes) -> None:
        """Take in bytes."""
        self.heard_at = self.loop.time()
        super().data_received(data)


class WebSocketConnection:
    """One open connection; made by `connect`."""

    def __init__(self, connection: _Connection) -> None:
        self._connection = connection
        self._arrivals = Arrivals(lambda: held_by(connection.transport))

    @property
    def heard_at(self) -> float:
        """When the other end said something, or was last seen to have got something: the loop's time."""
        if self._arrivals.are_more():
            self._connection.heard_at = self._connection.loop.time()
        return self._connection.heard_at

    async def send(self, message: bytes) -> None:
        """Send one message; raises `TransportError` once the connection is gone."""
        self._arrivals.sent(len(message))
        try:
            await self._connection.send(message)
        except (ConnectionClosed, OSError):
            raise TransportError("the connection to the relay is gone") from None

    async def receive(self) -> bytes:
        """Wait for the next message; raises `TransportError` once the connection is gone or speaks text."""
        try:
            message = await self._connection.recv()
        except (ConnectionClosed, OSError):
            raise TransportError("the connection to the relay is gone") from None
        if isinstance(message, str):
            await self.close()
            raise TransportError("the relay's address answers as something else")
        return message

    async def close(self) -> None:
        """End the connection; closing twice is harmless."""
        await self._connection.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


class _Straight(open_websocket):
    """Goes nowhere but where it was sent: a stranger's relay could lead it to hosts in our own network."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        """Follow nothing: what the relay answered is the answer."""
        return exc


async def connect(
    url: str, *, authority: Path | None = None, proxy: SocksProxy | None = None
) -> "WebSocketConnection | DisguisedConnection":
    """Open a connection to `wss://HOST[:PORT]/PATH` or `ws://…`.

    A file `authority` is trusted alone, where it is given, for relays with their own certificates.
    Raises `BadRequest` for another kind of address and `TransportError` when nothing there answers as a
    relay should.
    """
    try:
        parts = urlsplit(url)
        is_address = parts.hostname is not None and parts.username is None and parts.port != 0
    except ValueError:
        raise BadRequest("this is not a relay's address") from None
    if parts.scheme not in {"ws", "wss"}:
        raise BadRequest("a relay's address starts with wss: or https:")
    if not is_address:
        raise BadRequest("this is not a relay's address")
    if parts.scheme == "wss":
        # It takes a tenth of a second to load, which a command that needs no relay does without.
        from skvoz.transports.wss.disguised import dial_disguised  # noqa: PLC0415

        return await dial_disguised(url, authority, proxy)
    if proxy is not None:
        raise BadRequest("an address without TLS is not asked for through a proxy")
    return await _open_plain(url)


async def _open_plain(url: str) -> WebSocketConnection:
    try:
        connection = await _Straight(
            url,
            compression=None,  # sealed bytes don't compress, and compression costs memory
            user_agent_header=None,  # nothing on the wire names who connects
            proxy=None,  # going through the user's proxy is another transport's choice
            open_timeout=_OPEN_TIMEOUT_S,
            close_timeout=_CLOSE_TIMEOUT_S,
            ping_interval=None,  # the session inside has its own
            max_size=MESSAGE_SIZE_MAX,
            max_queue=_QUEUE_MESSAGES_MAX,
            logger=_SILENT,
            create_connection=_Connection,
        )
    except (InvalidURI, ValueError):
        raise BadRequest("this is not a relay's address") from None
    except TimeoutError:
        raise TransportError("the relay's address doesn't answer in time") from None
    except OSError:
        raise TransportError("the relay's address can't be reached") from None
    except WebSocketException:
        raise TransportError("the relay's address answers as something else") from None
    return WebSocketConnection(cast("_Connection", connection))
