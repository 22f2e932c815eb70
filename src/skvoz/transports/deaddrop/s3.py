"""A drop in a bucket of S3, or of a storage that speaks like it; requests are signed (Signature Version 4).

    s3://KEY@HOST/BUCKET[/PREFIX][?region=REGION]      the password is the secret key

An object is put where there is none by `If-None-Match: *`.
"""

import datetime as dt
import hashlib
import hmac
import html
import re
from typing import Final
from urllib.parse import quote

from skvoz.base.errors import BadRequest, TransportError
from skvoz.transports.deaddrop.http_line import ANSWER_SIZE_MAX, Answer
from skvoz.transports.deaddrop.objects import SIZES
from skvoz.transports.deaddrop.places import StoragePlace, quoted
from skvoz.transports.deaddrop.storage import StorageFull, StorageOdd, StorageRefuses

_NAME: Final = re.compile(rb"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])(?=</Key>)")
_NEXT: Final = re.compile(rb"<NextContinuationToken>([^<]{1,2048})</NextContinuationToken>")
_PAGES_MAX: Final = 200
_NOT_FOUND: Final = 404
_CONFLICT: Final = 409
_PRECONDITION: Final = 412
_TRIES: Final = 4


class S3Storage:
    """Requests to one bucket."""

    def __init__(self, place: StoragePlace, password: str) -> None:
        plain = place.scheme == "s3http"
        self._line = place.line(plain=plain)
        bucket, _, prefix = place.path.removeprefix("/").partition("/")
        if not bucket or not place.user:
            raise BadRequest("a storage of this kind is s3://KEY@HOST/BUCKET")
        self._bucket = f"/{quoted(bucket)}"
        self._prefix = f"{prefix}/" if prefix else ""
        self._host = place.authority
        self._key = place.user
        self._secret = password
        self._region = place.options.get("region", "us-east-1")

    @property
    def spent_bytes(self) -> int:
        """See `Storage`."""
        return self._line.spent_bytes

    async def names(self) -> set[str]:
        """Return the names under the prefix: whatever looks like one in the answers."""
        found: set[str] = set()
        token: str | None = None
        for _ in range(_PAGES_MAX):
            query = {"list-type": "2", "prefix": self._prefix}
            if token is not None:
                query["continuation-token"] = token
            answer = await self._ask("GET", self._bucket, query=query)
            if answer.status == _NOT_FOUND:
                raise TransportError("the drop's folder isn't there")
            _check(answer)
            found |= {name.decode() for name in _NAME.findall(answer.body)}
            following = _NEXT.search(answer.body)
            if following is None:
                return found
            token = html.unescape(following[1].decode("utf-8", "replace"))
        raise StorageOdd("the drop's storage answers as something else")

    async def get(self, name: str) -> bytes | None:
        """Return an object."""
        answer = await self._ask("GET", self._path(name), size_max=SIZES[-1] + 1)
        if answer.status == _NOT_FOUND:
            return None
        _check(answer)
        return answer.body

    async def create(self, name: str, data: bytes) -> bool:
        """Put an object where there is none; 409 means that another one is being put there just now."""
        answer = await self._put_new(name, data)
        for _ in range(_TRIES):
            if answer.status != _CONFLICT:
                break
            answer = await self._put_new(name, data)
        if answer.status in {_PRECONDITION, _CONFLICT}:
            return False
        _check(answer)
        return True

    async def _put_new(self, name: str, data: bytes) -> Answer:
        return await self._ask("PUT", self._path(name), [("if-none-match", "*")], data)

    async def put(self, name: str, data: bytes) -> None:
        """Put an object, whatever is there."""
        _check(await self._ask("PUT", self._path(name), body=data))

    async def delete(self, name: str) -> None:
        """Delete an object."""
        answer = await self._ask("DELETE", self._path(name))
        if answer.status != _NOT_FOUND:
            _check(answer)

    async def close(self) -> None:
        """Let the connection go."""
        await self._line.close()

    def _path(self, name: str) -> str:
        return f"{self._bucket}/{quoted(self._prefix)}{name}"

    async def _ask(
        self,
        method: str,
        path: str,
        headers: list[tuple[str, str]] | None = None,
        body: bytes = b"",
        *,
        query: dict[str, str] | None = None,
        size_max: int = ANSWER_SIZE_MAX,
    ) -> Answer:
        asked = "&".join(
            f"{quote(name, safe='~-._')}={quote(value, safe='~-._')}"
            for name, value in sorted((query or {}).items())
        )
        signed = self._signed(method, path, asked, [*(headers or [])], body)
        target = f"{path}?{asked}" if asked else path
        return await self._line.ask(method, target, signed, body, size_max)

    def _signed(
        self, method: str, path: str, query: str, headers: list[tuple[str, str]], body: bytes
    ) -> list[tuple[str, str]]:
        """Return the headers with their signature (AWS Signature Version 4, for the service `s3`)."""
        moment = dt.datetime.now(dt.UTC).strftime("%Y%m%dT%H%M%SZ")
        scope = f"{moment[:8]}/{self._region}/s3/aws4_request"
        digest = hashlib.sha256(body).hexdigest()
        headers += [("host", self._host), ("x-amz-content-sha256", digest), ("x-amz-date", moment)]
        headers.sort()
        names = ";".join(name for name, _ in headers)
        canonical = "\n".join(
            (method, path, query, *(f"{name}:{value}" for name, value in headers), "", names, digest)
        )
        text = "\n".join(("AWS4-HMAC-SHA256", moment, scope, hashlib.sha256(canonical.encode()).hexdigest()))
        key = f"AWS4{self._secret}".encode()
        for part in scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        signature = hmac.digest(key, text.encode(), "sha256").hex()
        credential = f"Credential={self._key}/{scope}, SignedHeaders={names}, Signature={signature}"
        return [*headers, ("Authorization", f"AWS4-HMAC-SHA256 {credential}")]


def _check(answer: Answer) -> None:
    """Say in a word what went wrong."""
    if answer.is_good:
        return
    if b"QuotaExceeded" in answer.body or answer.status in {413, 507}:
        raise StorageFull("the drop's storage is full")
    match answer.status:
        case 401 | 403:
            raise StorageRefuses("the drop's storage refuses: the name, the password or the place is wrong")
        case 404:
            raise TransportError("the drop's folder isn't there")
        case _:
            raise StorageOdd("the drop's storage answers as something else")
