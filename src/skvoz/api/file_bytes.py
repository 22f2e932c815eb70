"""The bytes of files over HTTP, since they have no place in JSON.

    POST /files?name=NAME&type=MEDIA_TYPE   the bytes as they are, with their Content-Length -> {"file_id": …}
         …&file_id=FILE_ID                  the same of a file that `file.attach` named
    GET, HEAD /files/FILE_ID                the bytes of a file that is here; ranges; FILE_ID in hex

What is put here is sent by `message.send`; what is to be got is brought here by `file.fetch`. What others
made is given out as a download that nothing here runs, shows or guesses at, unless it is a picture, a sound
or a film.
"""

import asyncio
import contextlib
import re
import uuid
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Final
from urllib.parse import quote

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse

from skvoz.api import protocol
from skvoz.api.lookups import known_file
from skvoz.api.requests import json_answer
from skvoz.api.views import View
from skvoz.base.errors import BadRequest, Conflict, DiskFull, NotFound, SkvozError
from skvoz.client.commands import StageFile
from skvoz.client.records import File, FileState
from skvoz.client.sealed_files import ChunkCipher, Layout
from skvoz.node.node import Node
from skvoz.store.file_cache import Putting, WholeFile
from skvoz.transports.allocation import keep_memory

SHOWN_TYPES: Final = re.compile(
    r"(image/(png|jpeg|gif|webp|avif)|audio/(mpeg|ogg|opus|wav|webm|mp4|aac|flac)|video/(mp4|webm|ogg))"
)
"""What a browser may show as what it says it is: nothing in these is ever run."""
_SAFELY: Final = {
    "x-content-type-options": "nosniff",
    "content-security-policy": "sandbox; default-src 'none'",
    "cache-control": "no-store",
    "accept-ranges": "bytes",
}
_RANGE: Final = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")
_STATUS: Final[dict[type[SkvozError], int]] = {BadRequest: 400, NotFound: 404, Conflict: 409, DiskFull: 507}


class PutFile(View, frozen=True, kw_only=True):
    """What putting a file here answers; the size is in bytes."""

    file_id: bytes
    size: int


async def put_file(node: Node, request: Request) -> Response:
    """Put a file into the home, sealed; nothing stays where the bytes end early or are too many."""
    keep_memory()
    try:
        size = _size(request)
        async with _attached(node, request.query_params.get("file_id", "")) as attached:
            putting = await asyncio.to_thread(node.files.put, size, attached)
            try:
                file_id = await _put(node, request, putting, is_attached=attached is not None)
            finally:
                await asyncio.to_thread(putting.give_up)
    except SkvozError as error:
        return _refusal(error)
    except ClientDisconnect:
        return Response(status_code=400)
    return json_answer(PutFile(file_id=file_id, size=size))


def _size(request: Request) -> int:
    length = request.headers.get("content-length", "")
    if not length.isascii() or not length.isdigit() or len(length) > 15:
        raise BadRequest("a file comes with its length")
    return int(length)


@contextlib.asynccontextmanager
async def _attached(node: Node, named: str) -> AsyncGenerator[bytes | None]:
    """Give the id of the file that the bytes are of, where one was named and waits for them alone."""
    if not named:
        yield None
        return
    file = await _file_named(node, named)
    if file.state is not FileState.AWAITED or file.file_id in node.files.arriving:
        raise Conflict("this file is here already")
    node.files.arriving.add(file.file_id)
    try:
        yield file.file_id
    finally:
        node.files.arriving.discard(file.file_id)


async def _put(node: Node, request: Request, putting: Putting, *, is_attached: bool) -> bytes:
    async for piece in request.stream():
        taken = 0
        while taken < len(piece):
            taken += putting.write(memoryview(piece)[taken:])
            if putting.chunk_is_full:
                await asyncio.to_thread(putting.flush)
    sealed = await asyncio.to_thread(putting.finish)
    wish = StageFile(
        client_id=uuid.uuid4().hex,
        file_id=sealed.file_id,
        file_key=sealed.key,
        size=sealed.layout.size,
        sha256=sealed.sha256,
        chunk_size=sealed.layout.chunk_size,
        name=request.query_params.get("name", ""),
        media_type=request.query_params.get("type", ""),
        is_attached=is_attached,
    )
    try:
        await node.command(wish)
    except SkvozError:
        await asyncio.to_thread(node.files.remove, sealed.file_id)
        raise
    return sealed.file_id


async def get_file(node: Node, request: Request) -> Response:
    """Give out a file that is here, whole or a range of it."""
    try:
        file = await _file_here(node, request.path_params["file_id"])
        start, end = _range(request, file.size)
        layout = Layout(size=file.size, chunk_size=file.chunk_size)
        cipher = ChunkCipher(key=file.file_key, layout=layout)
        whole = await asyncio.to_thread(node.files.whole, file.file_id, cipher)
    except SkvozError as error:
        return _refusal(error)
    shown = SHOWN_TYPES.fullmatch(file.media_type)
    headers = {
        **_SAFELY,
        "content-length": str(end - start),
        "content-disposition": f"{'inline' if shown else 'attachment'}; filename*=utf-8''{quote(file.name)}",
    }
    if (start, end) != (0, file.size):
        headers["content-range"] = f"bytes {start}-{end - 1}/{file.size}"
    if request.method == "HEAD":
        whole.close()
        return Response(headers=headers, media_type="application/octet-stream")
    return StreamingResponse(
        _pieces(whole, start, end),
        status_code=206 if "content-range" in headers else 200,
        headers=headers,
        media_type=file.media_type if shown else "application/octet-stream",
    )


async def _file_named(node: Node, named: str) -> File:
    try:
        file_id = bytes.fromhex(named)
    except ValueError:
        raise NotFound("there is no such file") from None
    return await node.query(lambda queries: known_file(queries, file_id))


async def _file_here(node: Node, named: str) -> File:
    file = await _file_named(node, named)
    if file.state not in {FileState.HERE, FileState.STAGED, FileState.UPLOADING}:
        raise Conflict("this file has not been fetched yet")
    return file


def _range(request: Request, size: int) -> tuple[int, int]:
    """Return the bytes that are asked for; what is no single range that fits asks for all."""
    asked = _RANGE.fullmatch(request.headers.get("range", ""))
    if asked is None or not any(asked.groups()):
        return 0, size
    first, last = asked.groups()
    start = int(first) if first else max(0, size - int(last))
    end = min(size, int(last) + 1) if first and last else size
    return (start, end) if start < end else (0, size)


async def _pieces(whole: WholeFile, start: int, end: int) -> AsyncIterator[bytes]:
    pieces = whole.plain(start, end)
    try:
        while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
            yield piece
    finally:
        whole.close()


def _refusal(error: SkvozError) -> Response:
    status = next((_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS), 500)
    return json_answer(protocol.error_of(error), status)
