"""What requests present, and answers that have nothing to do with methods."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.websockets import WebSocket

from skvoz.api import protocol
from skvoz.base.errors import Locked


def json_answer(value: msgspec.Struct, status: int = 200) -> Response:
    """Return the answer that says a value."""
    return Response(msgspec.json.encode(value), status, media_type="application/json")


async def body_of(request: Request, size_max: int) -> bytes:
    """Return a request's body; of one longer than `size_max` bytes the beginning, which is longer too."""
    text = bytearray()
    async for part in request.stream():
        text += part
        if len(text) > size_max:
            break
    return bytes(text)


def bearer_of(request: HTTPConnection) -> str | None:
    """Return the token that a request presents in its `Authorization`, "" for any other words there."""
    header = request.headers.get("authorization")
    if header is None:
        return None
    scheme, _, token = header.partition(" ")
    return token if scheme.lower() == "bearer" else ""


async def locked_answer(connection: HTTPConnection, error: Exception) -> Response | None:
    """Answer whoever wants anything of a locked home but to open it: 503, and the error as a call has it."""
    told = protocol.error_of(error if isinstance(error, Locked) else Locked("this home is locked"))
    answer = json_answer(told, 503)
    if not isinstance(connection, WebSocket):
        return answer
    await connection.send_denial_response(answer)
    return None


HANDLERS: Final[Mapping[Any, Any]] = {Locked: locked_answer}
"""For requests and WebSockets alike, which starlette's types tell apart."""


def unauthorised() -> Response:
    """Return the answer to somebody whose token opens nothing."""
    return Response(status_code=401, headers={"www-authenticate": "Bearer"})
