"""A drop in a mail folder (IMAP4rev1): each object is a message, with its name for a subject.

    imaps://USER@HOST[:PORT]/FOLDER

Nothing can be put there only where nothing is, but a server numbers messages in the order in which they
come: of several messages of one name the one with the lowest number counts, and whoever put another one
came too late. The standard library's client blocks, so it runs on another thread.
"""

import asyncio
import base64
import binascii
import contextlib
import imaplib
import re
import secrets
import socket
import ssl
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from skvoz.base.errors import BadRequest, TransportError
from skvoz.transports.deaddrop.objects import SIZES
from skvoz.transports.deaddrop.places import StoragePlace
from skvoz.transports.deaddrop.storage import StorageFull, StorageOdd, StorageRefuses

T = TypeVar("T")

_TIMEOUT_S: Final = 45.0
_NAME: Final = re.compile(rb"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])")
_FOLDER: Final = re.compile(r"[A-Za-z0-9._/ -]{1,128}")
_LINE: Final = 76
_BODY_MAX: Final = 2 * SIZES[-1]


class ImapStorage:
    """One connection with its folder selected, made when it is first needed and again whenever it broke."""

    def __init__(self, place: StoragePlace, password: str) -> None:
        self._folder = place.path.removeprefix("/")
        if not place.host or not place.user or _FOLDER.fullmatch(self._folder) is None:
            raise BadRequest("a mail folder's address is imaps://USER@HOST/FOLDER")
        self._is_plain = place.scheme == "imap"
        place.check_reach(plain=self._is_plain)
        self._place = place
        self._password = password
        self._turn = asyncio.Lock()
        self._connection: imaplib.IMAP4 | None = None
        self.spent_bytes = 0

    async def names(self) -> set[str]:
        """Return the names of all messages in the folder."""

        def look(connection: imaplib.IMAP4) -> set[str]:
            found = _said(connection.uid("FETCH", "1:*", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])"))
            self.spent_bytes += len(found)
            return {name.decode() for name in _NAME.findall(found)}

        return await self._do(look)

    async def get(self, name: str) -> bytes | None:
        """Return the object of the first message of this name."""
        return await self._do(lambda connection: self._first(connection, name))

    async def create(self, name: str, data: bytes) -> bool:
        """Add a message, and take it away again where another one of this name came first."""

        def put(connection: imaplib.IMAP4) -> bool:
            if self._numbers(connection, name):
                return False
            self._append(connection, name, data)
            if self._first(connection, name) == data:
                return True
            for number in self._numbers(connection, name)[1:]:
                if self._body(connection, number) == data:
                    self._remove(connection, [number])
            return False

        return await self._do(put)

    async def put(self, name: str, data: bytes) -> None:
        """Put an object in place of what is there."""

        def put(connection: imaplib.IMAP4) -> None:
            before = self._numbers(connection, name)
            self._append(connection, name, data)
            self._remove(connection, before)

        await self._do(put)

    async def delete(self, name: str) -> None:
        """Delete all messages of this name."""
        await self._do(lambda connection: self._remove(connection, self._numbers(connection, name)))

    async def close(self) -> None:
        """Let the connection go."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await asyncio.to_thread(_end, connection)

    def _numbers(self, connection: imaplib.IMAP4, name: str) -> list[int]:
        """Return the numbers of all messages of a name, in the order in which they came."""
        _said(connection.noop())
        found = _said(connection.uid("SEARCH", "HEADER", "SUBJECT", name))
        self.spent_bytes += 200
        return sorted(int(number) for number in found.split() if number.isdigit())

    def _first(self, connection: imaplib.IMAP4, name: str) -> bytes | None:
        for number in self._numbers(connection, name):
            body = self._body(connection, number)
            if body is not None:
                return body
        return None

    def _body(self, connection: imaplib.IMAP4, number: int) -> bytes | None:
        """Return what a message holds: None of one that was deleted meanwhile, no bytes of a spoilt one."""
        answer: tuple[str, Sequence[object]] = connection.uid(
            "FETCH", str(number), f"(BODY.PEEK[TEXT]<0.{_BODY_MAX}>)"
        )
        text = next((pair[1] for part in answer[1] if (pair := _literal(part))), None)
        if answer[0] != "OK" or text is None:
            return None
        self.spent_bytes += len(text)
        try:
            return base64.b64decode(b"".join(text.split()), validate=True)[: SIZES[-1] + 1]
        except binascii.Error:
            return b""

    def _append(self, connection: imaplib.IMAP4, name: str, data: bytes) -> None:
        encoded = base64.b64encode(data).decode()
        lines = [encoded[start : start + _LINE] for start in range(0, len(encoded), _LINE)]
        head = (
            f"From: <{secrets.token_hex(4)}@localhost>",
            f"Subject: {name}",
            "MIME-Version: 1.0",
            "Content-Type: application/octet-stream",
            "Content-Transfer-Encoding: base64",
        )
        message = "\r\n".join((*head, "", *lines, "")).encode()
        self.spent_bytes += len(message)
        status, found = connection.append(f'"{self._folder}"', "(\\Seen)", "", message)
        if status != "OK":
            words = b" ".join(found).upper()
            if b"QUOTA" in words or b"LIMIT" in words or b"TOOBIG" in words:
                raise StorageFull("the drop's storage is full")
            raise StorageOdd("the drop's storage answers as something else")

    def _remove(self, connection: imaplib.IMAP4, numbers: list[int]) -> None:
        if numbers:
            listed = ",".join(map(str, numbers))
            _said(connection.uid("STORE", listed, "+FLAGS.SILENT", "(\\Deleted)"))
            _said(connection.expunge())

    async def _do(self, work: Callable[[imaplib.IMAP4], T]) -> T:
        """Do something over the connection, once more where a kept one turns out to be gone."""
        async with self._turn:
            kept = self._connection is not None
            try:
                return await asyncio.to_thread(self._run, work)
            except _Gone:
                if not kept:
                    raise
            return await asyncio.to_thread(self._run, work)

    def _run(self, work: Callable[[imaplib.IMAP4], T]) -> T:
        try:
            if self._connection is None:
                self._connection = self._open()
            return work(self._connection)
        except ssl.SSLCertVerificationError:
            raise TransportError("the certificate of the drop's storage is not trusted here") from None
        except (imaplib.IMAP4.abort, OSError):
            self._forget()
            raise _Gone("the drop's storage can't be reached") from None
        except imaplib.IMAP4.error:
            self._forget()
            raise StorageOdd("the drop's storage answers as something else") from None
        except BaseException:
            self._forget()
            raise

    def _forget(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            _drop(connection)

    def _open(self) -> imaplib.IMAP4:
        place = self._place
        if self._is_plain:
            connection = imaplib.IMAP4(place.host, place.port or 143, timeout=_TIMEOUT_S)
        else:
            context = ssl.create_default_context()
            connection = imaplib.IMAP4_SSL(
                place.host, place.port or 993, ssl_context=context, timeout=_TIMEOUT_S
            )
        try:
            self._enter(connection)
        except BaseException:
            _drop(connection)
            raise
        return connection

    def _enter(self, connection: imaplib.IMAP4) -> None:
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            connection.login(self._place.user, self._password)
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error:
            raise StorageRefuses(
                "the drop's storage refuses: the name, the password or the place is wrong"
            ) from None
        status, _ = connection.select(f'"{self._folder}"')
        if status != "OK":
            raise TransportError("the drop's folder isn't there")


class _Gone(TransportError):
    """The connection broke."""


def _literal(part: object) -> tuple[bytes, bytes] | None:
    """Return what the client gives for a literal: what was said before it, and its bytes."""
    match part:
        case (bytes() as before, bytes() as literal):
            return before, literal
        case _:
            return None


def _said(answer: tuple[str, Sequence[object]]) -> bytes:
    """Return all that a server said; raise `StorageOdd` where it refuses."""
    status, found = answer
    if status != "OK":
        raise StorageOdd("the drop's storage answers as something else")
    pieces: list[bytes] = []
    for part in found:
        pieces += (part,) if isinstance(part, bytes) else _literal(part) or ()
    return b"\n".join(pieces)


def _end(connection: imaplib.IMAP4) -> None:
    with contextlib.suppress(OSError, imaplib.IMAP4.error):
        connection.logout()
    _drop(connection)


def _drop(connection: imaplib.IMAP4) -> None:
    """Close a connection without a word; the library leaves one open where its server said nothing back."""
    with contextlib.suppress(OSError):
        connection.shutdown()
