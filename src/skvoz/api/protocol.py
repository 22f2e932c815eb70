"""JSON-RPC 2.0: requests and answers, and errors in one form.

An error is `{code, message, data: {kind, retryable, retry_after_ms}}`. `kind` is a word for programs, one
per class of `skvoz.base.errors`; `message` is English and safe to log.
"""

from typing import Any, Final

import msgspec

from skvoz.base.errors import (
    BadRequest,
    CallerError,
    Conflict,
    DiskFull,
    HomeBusy,
    Malformed,
    NotAllowed,
    NotFound,
    PeerError,
    SchemaTooNew,
    SkvozError,
    StoreError,
    TransportError,
    WrongPassphrase,
)

REQUEST_SIZE_MAX: Final = 1024 * 1024
"""One request, bytes: texts are short, files go another way."""

PARSE_ERROR: Final = -32700
INVALID_REQUEST: Final = -32600
METHOD_NOT_FOUND: Final = -32601
INVALID_PARAMS: Final = -32602
INTERNAL_ERROR: Final = -32603
REFUSED: Final = -32000
"""Everything that a `SkvozError` says; `kind` says which."""

KINDS: Final[dict[type[SkvozError], str]] = {
    BadRequest: "bad_request",
    NotFound: "not_found",
    NotAllowed: "not_allowed",
    Conflict: "conflict",
    CallerError: "refused",
    Malformed: "malformed",
    PeerError: "invalid",
    TransportError: "relay_unreachable",
    HomeBusy: "home_busy",
    SchemaTooNew: "schema_too_new",
    WrongPassphrase: "wrong_passphrase",
    DiskFull: "disk_full",
    StoreError: "store_failed",
    SkvozError: "failed",
}
"""Words for programs; a class that is not here has its nearest ancestor's."""
_RETRYABLE: Final = (TransportError, DiskFull)
RETRY_AFTER_MS: Final = 5_000
"""When a repeat of something retryable makes sense, milliseconds."""


class ErrorData(msgspec.Struct, frozen=True, kw_only=True):
    """The part of an error that programs read."""

    kind: str
    retryable: bool = False
    retry_after_ms: int | None = None


class Error(msgspec.Struct, frozen=True, kw_only=True):
    """An error of JSON-RPC."""

    code: int
    message: str
    data: ErrorData


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A call; without an `id` it would want no answer, which no method here allows."""

    jsonrpc: str
    method: str
    id: int | str
    params: msgspec.Raw = msgspec.Raw(b"{}")


class CallFailed(SkvozError):
    """A call that was answered with an error; made by whoever calls."""

    def __init__(self, error: Error) -> None:
        super().__init__(error.message)
        self.error = error


_request_decoder = msgspec.json.Decoder(Request)
_encoder = msgspec.json.Encoder()


def parse_request(text: bytes | str) -> Request:
    """Parse one call; raise `Malformed`."""
    if len(text) > REQUEST_SIZE_MAX:
        raise Malformed("the request is too long")
    try:
        request = _request_decoder.decode(text)
    except (msgspec.DecodeError, UnicodeError):
        raise Malformed("this is not a JSON-RPC 2.0 call") from None
    if request.jsonrpc != "2.0":
        raise Malformed("this is not a JSON-RPC 2.0 call")
    return request


def answer(request_id: int | str | None, result: object) -> bytes:
    """Encode a call's result."""
    return _encoder.encode({"jsonrpc": "2.0", "id": request_id, "result": result})


def refusal(request_id: int | str | None, error: Error) -> bytes:
    """Encode a call's error."""
    return _encoder.encode({"jsonrpc": "2.0", "id": request_id, "error": error})


def notification(method: str, params: Any) -> bytes:  # noqa: ANN401  # any encodable value
    """Encode something that is told without having been asked."""
    return _encoder.encode({"jsonrpc": "2.0", "method": method, "params": params})


def error_of(failure: SkvozError) -> Error:
    """Return how an error of ours looks to a program."""
    if isinstance(failure, CallFailed):
        return failure.error
    kind = next(KINDS[ancestor] for ancestor in type(failure).__mro__ if ancestor in KINDS)
    retryable = isinstance(failure, _RETRYABLE)
    data = ErrorData(kind=kind, retryable=retryable, retry_after_ms=RETRY_AFTER_MS if retryable else None)
    return Error(code=REFUSED, message=str(failure), data=data)


def plain_error(code: int, message: str, kind: str) -> Error:
    """Return an error of JSON-RPC itself."""
    return Error(code=code, message=message, data=ErrorData(kind=kind))
