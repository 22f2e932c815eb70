"""The other end of the API, for programs that are not asynchronous.

    with reach(home_folder, ask_passphrase) as caller:
        chats = caller.call("chat.list", NoParams(), ChatListView)
        for event in caller.events(after=0):
            ...

Imports little, so that a command is quick where a node runs already.
"""

import contextlib
import errno
import http.client
import itertools
import socket
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import BinaryIO, Final, TypeVar
from urllib.parse import urlencode

import msgspec

from skvoz.api.protocol import CallFailed, Error
from skvoz.api.views import EventView
from skvoz.base.errors import HomeBusy, StoreError, TransportError
from skvoz.base.value import Value

R = TypeVar("R")

CALL_TIMEOUT_S: Final = 60.0
"""No method waits for a relay, so whoever is silent for so long is stuck."""
NODE_START_S: Final = 10.0
"""How long another process that holds the home may take until its API is there."""
_POLL_S: Final = 0.05
_PATH: Final = "/rpc"
_PIECE_SIZE: Final = 256 * 1024
"""How much of a file is handed over at a time, bytes."""
_NOBODY_LISTENS: Final = (errno.ENOENT, errno.ECONNREFUSED)


class NoNode(TransportError):
    """No node is running on this home."""


class _Answered(Value, frozen=True, kw_only=True):
    result: msgspec.Raw = msgspec.Raw()
    error: Error | None = None


class _Put(Value, frozen=True, kw_only=True):
    file_id: bytes


class Given(Value, frozen=True, kw_only=True):
    """A bundle to be carried, how many contents are in it, and how many did not fit."""

    file: bytes
    contents: int
    left_out: int


class Brought(Value, frozen=True, kw_only=True):
    """How many contents of a bundle were new, and how many were here already."""

    new_contents: int
    known_contents: int


class _Told(Value, frozen=True, kw_only=True):
    method: str = ""
    params: msgspec.Raw = msgspec.Raw()
    error: Error | None = None


_encode = msgspec.json.Encoder().encode
_decode_answer = msgspec.json.Decoder(_Answered).decode
_decode_told = msgspec.json.Decoder(_Told).decode
_decode_event = msgspec.json.Decoder(EventView).decode


def socket_file(home: Path) -> Path:
    """Return where the API of a home's node listens."""
    return home / "api.sock"


class Caller:
    """Calls a node's methods over its socket; holds no connection between calls."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._ids = itertools.count(1)

    def is_answered(self) -> bool:
        """Say whether a node listens; raise `StoreError` where the socket can't be used at all."""
        try:
            _connected(self._file).close()
        except NoNode:
            return False
        return True

    def call(self, method: str, params: object, result: type[R]) -> R:
        """Return a method's result; raise `CallFailed`, `NoNode` or `TransportError`."""
        connection = _UnixConnection(self._file)
        try:
            connection.request("POST", _PATH, self._request(method, params))
            body = connection.getresponse().read()
        except (OSError, http.client.HTTPException):
            raise TransportError("the node did not answer") from None
        finally:
            connection.close()
        try:
            answered = _decode_answer(body)
            if answered.error is not None:
                raise CallFailed(answered.error)
            return msgspec.json.decode(answered.result, type=result)
        except (msgspec.DecodeError, UnicodeError):
            raise TransportError("the node's answer makes no sense; is it of another version?") from None

    def put_file(self, file: BinaryIO, size: int, name: str, media_type: str) -> bytes:
        """Put `size` bytes of a file into the home and return its id, for `message.send`.

        Raises `CallFailed`, `NoNode` or `TransportError`.
        """
        query = urlencode({"name": name, "type": media_type}, errors="replace")
        headers = {"Content-Length": str(size), "Content-Type": "application/octet-stream"}
        connection = _UnixConnection(self._file)
        try:
            connection.request("POST", f"/files?{query}", file, headers)
            answer = connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException):
            raise TransportError("the node did not answer") from None
        finally:
            connection.close()
        try:
            if answer.status != http.HTTPStatus.OK:
                raise CallFailed(msgspec.json.decode(body, type=Error))
            return msgspec.json.decode(body, type=_Put).file_id
        except (msgspec.DecodeError, UnicodeError):
            raise TransportError("the node's answer makes no sense; is it of another version?") from None

    def get_file(self, file_id: bytes, into: BinaryIO) -> None:
        """Write the bytes of a file that is here; raise `CallFailed`, `NoNode` or `TransportError`.

        Errors of writing pass.
        """
        connection = _UnixConnection(self._file)
        try:
            try:
                connection.request("GET", f"/files/{file_id.hex()}")
                answer = connection.getresponse()
                if answer.status != http.HTTPStatus.OK:
                    raise CallFailed(msgspec.json.decode(answer.read(), type=Error))
            except (OSError, http.client.HTTPException, msgspec.DecodeError, UnicodeError):
                raise TransportError("the node did not answer") from None
            from skvoz.store.drop_behind import DropBehind  # noqa: PLC0415  # heavy

            behind = DropBehind(into.fileno())
            while piece := _piece(answer):
                left = memoryview(piece)
                while left:
                    left = left[into.write(left) :]  # a file without a buffer may take a part
                behind.wrote(len(piece))
            if answer.length:
                raise TransportError("the node did not answer to the end")
        finally:
            connection.close()

    def get_bundle(self) -> Given:
        """Return a bundle to be carried; raise as `put_file` does."""
        file, headers = self._bundle("GET", b"")
        contents, left_out = headers.get("skvoz-contents", 0), headers.get("skvoz-left-out", 0)
        return Given(file=file, contents=int(contents), left_out=int(left_out))

    def put_bundle(self, file: bytes) -> Brought:
        """Take a bundle that somebody brought; raise as `put_file` does."""
        body, _ = self._bundle("POST", file)
        try:
            return msgspec.json.decode(body, type=Brought)
        except (msgspec.DecodeError, UnicodeError):
            raise TransportError("the node's answer makes no sense; is it of another version?") from None

    def _bundle(self, method: str, file: bytes) -> tuple[bytes, http.client.HTTPMessage]:
        connection = _UnixConnection(self._file)
        try:
            connection.request(method, "/bundle", file)
            answer = connection.getresponse()
            body = answer.read()
            if answer.status != http.HTTPStatus.OK:
                raise CallFailed(msgspec.json.decode(body, type=Error))
        except (OSError, http.client.HTTPException, msgspec.DecodeError, UnicodeError):
            raise TransportError("the node did not answer") from None
        finally:
            connection.close()
        return body, answer.headers

    def events(self, after: int, seconds: float | None = None) -> Generator[EventView]:
        """Yield every event after the sequence `after`, in order, old ones first; wait for new ones.

        Ends after `seconds`, else never; raises `CallFailed`, `NoNode` or `TransportError`.
        """
        # Heavy, and most commands only call.
        from websockets.exceptions import WebSocketException  # noqa: PLC0415
        from websockets.sync.client import unix_connect  # noqa: PLC0415

        until = None if seconds is None else time.monotonic() + seconds
        connected = _connected(self._file)
        try:
            with unix_connect(
                None, f"ws://node{_PATH}", sock=connected, max_size=None, compression=None, ping_interval=None
            ) as websocket:
                websocket.send(self._request("event.subscribe", {"after": after}), text=True)
                while True:
                    left = None if until is None else max(0.0, until - time.monotonic())
                    try:
                        message = websocket.recv(left, decode=False)
                    except TimeoutError:
                        return
                    told = _decode_told(message)
                    if told.error is not None:
                        raise CallFailed(told.error)
                    if told.method == "event":
                        yield _decode_event(told.params)
        except (OSError, WebSocketException):
            raise TransportError("the node has ended") from None
        except (msgspec.DecodeError, UnicodeError):
            raise TransportError("the node's words make no sense; is it of another version?") from None
        finally:
            connected.close()

    def _request(self, method: str, params: object) -> bytes:
        return _encode({"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": params})


def _piece(answer: http.client.HTTPResponse) -> bytes:
    try:
        return answer.read(_PIECE_SIZE)
    except (OSError, http.client.HTTPException):
        raise TransportError("the node did not answer to the end") from None


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, file: Path) -> None:
        super().__init__("node", timeout=CALL_TIMEOUT_S, blocksize=_PIECE_SIZE)
        self._file = file

    def connect(self) -> None:
        """Connect to the Unix socket; raise `NoNode` or `StoreError`."""
        self.sock = _connected(self._file)
        self.sock.settimeout(self.timeout)


def _connected(file: Path) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect(str(file))
    except OSError as error:
        connection.close()
        if error.errno in _NOBODY_LISTENS:
            raise NoNode("no node is running on this home") from None
        why = error.strerror or "its path is too long"
        raise StoreError(f"the API's socket can't be used: {why}") from None
    return connection


@contextlib.contextmanager
def reach(home: Path, ask_passphrase: Callable[[], str], protection: str = "automatic") -> Generator[Caller]:
    """Give a caller to the node of a home: the running one, else one in this process until the block ends.

    Makes the home where there is none, its key under `protection` (a value of
    `skvoz.store.protection.Protection`). Raises `HomeBusy` where another process holds the home and serves no
    API, and what `skvoz.node.node.open_home` raises.
    """
    caller = Caller(socket_file(home))
    if caller.is_answered():
        yield caller
        return
    from skvoz.api.local import hosted  # noqa: PLC0415  # heavy, and not needed where a node runs

    with contextlib.ExitStack() as stack:
        until = time.monotonic() + NODE_START_S
        while not caller.is_answered():
            try:
                stack.enter_context(hosted(home, ask_passphrase, protection))
            except HomeBusy:
                # Another process is about to serve it, or has just ceased to.
                if time.monotonic() > until:
                    raise
                time.sleep(_POLL_S)
        yield caller
