"""JSON-RPC 2.0: requests and answers, and errors in one form.

A call is one object with an id and its parameters by name. There are no batches and no calls without an id:
docs/adr/0030-one-call-at-a-time.md says why.

An error is `{code, message, data: {kind, retryable, retry_after_ms}}`. `kind` is a word for programs, one
per class of `skvoz.base.errors`; `message` is English and safe to log.
"""

import re
from typing import Annotated, Any, Final, Literal, TypeVar

import msgspec

from skvoz.base.errors import (
    BadRequest,
    CallerError,
    ClientIdUsed,
    Conflict,
    DiskFull,
    HomeBusy,
    Locked,
    Malformed,
    NotAllowed,
    NotFound,
    PeerError,
    SchemaTooNew,
    SkvozError,
    StoreError,
    TooOften,
    TransportError,
    WrongPassphrase,
)
from skvoz.base.value import Value

REQUEST_SIZE_MAX: Final = 1024 * 1024
"""One request, bytes: texts are short, files go another way."""

METHOD_LENGTH_MAX: Final = 64
ID_LENGTH_MAX: Final = 128
ID_MAX: Final = 2**53 - 1
"""The largest integer that every JSON parser reads exactly."""
P = TypeVar("P", bound=msgspec.Struct)
RequestId = (
    Annotated[int, msgspec.Meta(ge=-ID_MAX, le=ID_MAX)]
    | Annotated[str, msgspec.Meta(max_length=ID_LENGTH_MAX)]
)

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
    ClientIdUsed: "client_id_used",
    TooOften: "too_often",
    CallerError: "refused",
    Malformed: "malformed",
    PeerError: "invalid",
    TransportError: "relay_unreachable",
    HomeBusy: "home_busy",
    SchemaTooNew: "schema_too_new",
    WrongPassphrase: "wrong_passphrase",
    Locked: "locked",
    DiskFull: "disk_full",
    StoreError: "store_failed",
    SkvozError: "failed",
}
"""Words for programs; a class that is not here has its nearest ancestor's."""
_RETRYABLE: Final = (TransportError, DiskFull, TooOften)
RETRY_AFTER_MS: Final = 5_000
"""When a repeat of something retryable makes sense, milliseconds."""


class ErrorData(Value, frozen=True, kw_only=True):
    """The part of an error that programs read."""

    kind: str
    retryable: bool = False
    retry_after_ms: int | None = None


class Error(Value, frozen=True, kw_only=True):
    """An error of JSON-RPC."""

    code: int
    message: str
    data: ErrorData


class Request(Value, frozen=True, kw_only=True):
    """A call."""

    jsonrpc: Literal["2.0"]
    method: Annotated[str, msgspec.Meta(max_length=METHOD_LENGTH_MAX)]
    id: RequestId
    params: msgspec.Raw = msgspec.Raw(b"{}")


class CallFailed(SkvozError):
    """A call that was, or is to be, answered with an error."""

    def __init__(self, error: Error) -> None:
        super().__init__(error.message)
        self.error = error


class NotACall(CallFailed):
    """Words that can't be taken as a call; `request_id` is its id where one can be seen."""

    def __init__(self, error: Error, request_id: int | str | None = None) -> None:
        super().__init__(error)
        self.request_id = request_id


class _Id(Value, frozen=True):
    id: RequestId | None = None


_request_decoder = msgspec.json.Decoder(Request)
_id_decoder = msgspec.json.Decoder(_Id)
_encoder = msgspec.json.Encoder()


def parse_request(text: bytes | str) -> Request:
    """Parse one call; raise `NotACall`."""
    if len(text) > REQUEST_SIZE_MAX:
        raise NotACall(plain_error(INVALID_REQUEST, "the request is too long", "too_long"))
    try:
        return _request_decoder.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise _not_a_call(text) from None


def _not_a_call(text: bytes | str) -> NotACall:
    """Say what is wrong with words that are no call, as JSON-RPC 2.0 §5.1 tells errors apart."""
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return NotACall(plain_error(PARSE_ERROR, "this is not JSON", "malformed"))
    if isinstance(value, list):
        why = "batches are not taken: send one call after the other"
    elif isinstance(value, dict) and "method" in value and "id" not in value:
        why = "a call needs an id: every call is answered"
    else:
        why = "this is not a JSON-RPC 2.0 call"
    try:
        request_id = _id_decoder.decode(text).id
    except msgspec.DecodeError:
        request_id = None
    return NotACall(plain_error(INVALID_REQUEST, why, "malformed"), request_id)


def parse_params(raw: msgspec.Raw, kind: type[P]) -> P:
    """Parse a method's parameters; raise `CallFailed` with what doesn't fit, in names of our own."""
    try:
        return msgspec.json.decode(raw, type=kind)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        why = f"the parameters don't fit the method: {_misfit(str(error))}"
        raise CallFailed(plain_error(INVALID_PARAMS, why, "bad_request")) from None


def _misfit(words: str) -> str:
    """Return the part of the library's words that can't quote what was sent: names of our own fields."""
    if missing := re.match(r"Object missing required field `(\w+)`", words):
        return f"`{missing[1]}` is missing"
    if words.startswith("Object contains unknown field"):
        return "there is a field too many"
    place = re.search(r" - at `\$\.([\w.\[\]]+)`$", words)
    return f"`{place[1]}` is wrong" if place else "an object with fields by name is wanted"


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
    retry_after_ms = RETRY_AFTER_MS if retryable else None
    if isinstance(failure, TooOften):
        retry_after_ms = failure.retry_after_ms
    data = ErrorData(kind=kind, retryable=retryable, retry_after_ms=retry_after_ms)
    return Error(code=REFUSED, message=str(failure), data=data)


def plain_error(code: int, message: str, kind: str) -> Error:
    """Return an error of JSON-RPC itself."""
    return Error(code=code, message=message, data=ErrorData(kind=kind))
