"""A drop in a folder of a WebDAV server (RFC 4918): a cloud's disk, or one's own server.

    davs://USER@HOST/PATH[?create=move|put]

`create` says how an object is put where there is none: `move` writes beside it and moves it there without
overwriting (`Overwrite: F`); `put` asks for `If-None-Match: *`, which some servers don't heed.
"""

import asyncio
import base64
import re
import secrets
from typing import Final

from skvoz.base.errors import BadRequest, TransportError
from skvoz.transports.deaddrop.http_line import ANSWER_SIZE_MAX, Answer
from skvoz.transports.deaddrop.objects import SIZES
from skvoz.transports.deaddrop.places import CREATES, StoragePlace, quoted
from skvoz.transports.deaddrop.storage import StorageFull, StorageOdd, StorageRefuses

_NAME: Final = re.compile(rb"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])")
_NOT_FOUND: Final = 404
_CONFLICT: Final = 409
_PRECONDITION: Final = 412
_LOCKED: Final = 423
_TRIES: Final = 5
_LOCK_PAUSE_S: Final = 0.05
_FIND: Final = b'<?xml version="1.0"?><propfind xmlns="DAV:"><prop><resourcetype/></prop></propfind>'


class WebDavStorage:
    """Requests to one folder."""

    def __init__(self, place: StoragePlace, password: str) -> None:
        plain = place.scheme == "dav"
        self._line = place.line(plain=plain)
        self._create_by = place.options.get("create", CREATES[place.scheme][0])
        if self._create_by not in CREATES[place.scheme]:
            raise BadRequest("this is not the address of a storage")
        self._base = quoted(place.path)
        self._url = f"{'http' if plain else 'https'}://{place.authority}"
        credentials = base64.b64encode(f"{place.user}:{password}".encode()).decode()
        self._headers = [("Host", place.authority)]
        if place.user:
            self._headers.append(("Authorization", f"Basic {credentials}"))

    @property
    def spent_bytes(self) -> int:
        """See `Storage`."""
        return self._line.spent_bytes

    async def names(self) -> set[str]:
        """Return the names in the folder: whatever looks like one in the answer."""
        answer = await self._ask("PROPFIND", "", [("Depth", "1"), ("Content-Type", "text/xml")], _FIND)
        if answer.status == _NOT_FOUND:
            raise TransportError("the drop's folder isn't there")
        _check(answer)
        return {found.decode() for found in _NAME.findall(answer.body)}

    async def get(self, name: str) -> bytes | None:
        """Return an object."""
        answer = await self._ask("GET", name, size_max=SIZES[-1] + 1)
        if answer.status == _NOT_FOUND:
            return None
        _check(answer)
        return answer.body

    async def create(self, name: str, data: bytes) -> bool:
        """Put an object where there is none."""
        if self._create_by == "put":
            answer = await self._unlocked("PUT", name, [("If-None-Match", "*")], data)
            if answer.status == _PRECONDITION:
                return False
            _check(answer)
            return True
        beside = secrets.token_hex(16) + ".new"
        _check(await self._ask("PUT", beside, body=data))
        target = f"{self._url}{self._base}/{name}"
        answer = await self._unlocked("MOVE", beside, [("Destination", target), ("Overwrite", "F")])
        if answer.is_good:
            return True
        await self.delete(beside)
        if answer.status in {_PRECONDITION, _CONFLICT} or await self.get(name) is not None:
            return False
        _check(answer)
        return False

    async def _unlocked(
        self, method: str, name: str, headers: list[tuple[str, str]], body: bytes = b""
    ) -> Answer:
        """Ask again where somebody else is writing there just now."""
        answer = await self._ask(method, name, headers, body)
        for number in range(_TRIES):
            if answer.status != _LOCKED:
                break
            await asyncio.sleep(_LOCK_PAUSE_S * 2**number)
            answer = await self._ask(method, name, headers, body)
        return answer

    async def put(self, name: str, data: bytes) -> None:
        """Put an object, whatever is there."""
        _check(await self._ask("PUT", name, body=data))

    async def delete(self, name: str) -> None:
        """Delete an object."""
        answer = await self._ask("DELETE", name)
        if answer.status != _NOT_FOUND:
            _check(answer)

    async def close(self) -> None:
        """Let the connection go."""
        await self._line.close()

    async def _ask(
        self,
        method: str,
        name: str,
        headers: list[tuple[str, str]] | None = None,
        body: bytes = b"",
        size_max: int = ANSWER_SIZE_MAX,
    ) -> Answer:
        target = f"{self._base}/{name}"
        more = [] if headers is None else headers
        return await self._line.ask(method, target, [*self._headers, *more], body, size_max)


def _check(answer: Answer) -> None:
    """Say in a word what went wrong."""
    if answer.is_good:
        return
    match answer.status:
        case 401 | 403:
            raise StorageRefuses("the drop's storage refuses: the name, the password or the place is wrong")
        case 507 | 413:
            raise StorageFull("the drop's storage is full")
        case 404 | 409:
            raise TransportError("the drop's folder isn't there")
        case _:
            raise StorageOdd("the drop's storage answers as something else")
