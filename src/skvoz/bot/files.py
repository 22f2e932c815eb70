"""Bytes of files, which go over HTTP beside the calls: put into the home, and got out of it.

Only for a bot with a home of its own: a token does not reach files.
"""

import asyncio
import http.client
import mimetypes
import socket
from pathlib import Path
from typing import BinaryIO, Final
from urllib.parse import urlencode

import msgspec

from skvoz.api.protocol import CallFailed, Error
from skvoz.base.errors import NotAllowed, StoreError, TransportError
from skvoz.base.value import Value
from skvoz.bot.place import Place

PIECE_SIZE: Final = 1024 * 1024
"""A piece that is read or written at once, bytes."""
TIMEOUT_S: Final = 60.0


class _Put(Value, frozen=True, kw_only=True):
    file_id: bytes


class Files:
    """The files of the home at a place."""

    def __init__(self, place: Place) -> None:
        self._place = place

    async def put(self, source: Path, name: str = "") -> bytes:
        """Put a file into the home, under its own name or another; return its id, for `message.send`.

        Raises `NotAllowed` for a bot with a token, `CallFailed`, `StoreError` or `TransportError`.
        """
        return await asyncio.to_thread(self._put, source, name or source.name)

    async def get(self, file_id: bytes, into: Path) -> None:
        """Write the bytes of a file that is here into a new file; raises what `put` raises.

        `StoreError` also where there is something at that place already.
        """
        await asyncio.to_thread(self._get, file_id, into)

    def _put(self, source: Path, name: str) -> bytes:
        media_type = mimetypes.guess_type(name)[0] or ""
        query = urlencode({"name": name, "type": media_type}, errors="replace")
        connection = self._connection()
        try:
            with source.open("rb") as opened:
                headers = {"Content-Length": str(source.stat().st_size)}
                _ask(connection, "POST", f"/files?{query}", opened, headers)
                return msgspec.json.decode(_answer(connection).read(), type=_Put).file_id
        except OSError as error:
            raise StoreError(f"the file can't be read: {error.strerror}") from None
        except msgspec.DecodeError:
            raise TransportError("the node's answer makes no sense; is it of another version?") from None
        finally:
            connection.close()

    def _get(self, file_id: bytes, into: Path) -> None:
        connection = self._connection()
        try:
            _ask(connection, "GET", f"/files/{file_id.hex()}")
            answer = _answer(connection)
            with into.open("xb") as made:
                while piece := _piece(answer):
                    made.write(piece)
            if answer.length:
                into.unlink()
                raise TransportError("the node did not answer to the end")
        except OSError as error:
            raise StoreError(f"the file can't be saved: {error.strerror}") from None
        finally:
            connection.close()

    def _connection(self) -> "_Connection":
        if self._place.socket is None or self._place.token:
            raise NotAllowed("a bot's token does not reach files: they are for a bot with a home of its own")
        return _Connection(self._place.socket)


class _Connection(http.client.HTTPConnection):
    def __init__(self, file: Path) -> None:
        super().__init__("node", timeout=TIMEOUT_S, blocksize=PIECE_SIZE)
        self._file = file

    def connect(self) -> None:
        """Connect to the home's socket; raises `OSError`."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(TIMEOUT_S)
        self.sock.connect(str(self._file))


def _ask(
    connection: _Connection,
    method: str,
    path: str,
    body: BinaryIO | None = None,
    headers: dict[str, str] | None = None,
) -> None:
    try:
        connection.request(method, path, body, headers or {})
    except (OSError, http.client.HTTPException):
        raise TransportError("the node is out of reach; does it run?") from None


def _answer(connection: _Connection) -> http.client.HTTPResponse:
    """Return an answer that is one; raise `CallFailed` with the node's error, or `TransportError`."""
    try:
        answer = connection.getresponse()
        if answer.status == http.HTTPStatus.OK:
            return answer
        raise CallFailed(msgspec.json.decode(answer.read(), type=Error))
    except (OSError, http.client.HTTPException, msgspec.DecodeError):
        raise TransportError("the node did not answer") from None


def _piece(answer: http.client.HTTPResponse) -> bytes:
    try:
        return answer.read(PIECE_SIZE)
    except (OSError, http.client.HTTPException):
        raise TransportError("the node did not answer to the end") from None
