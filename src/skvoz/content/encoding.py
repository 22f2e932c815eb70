"""MIMI content to bytes and back (draft-ietf-mimi-content-08 §6, appendix A.1)."""

from typing import Final

from skvoz.base.errors import BadRequest, Malformed
from skvoz.base.ids import MessageId
from skvoz.codec import cbor
from skvoz.content.media import is_text
from skvoz.content.model import (
    CONTENT_SIZE_MAX,
    EXPIRY_RELATIVE_MAX_S,
    EXTENSION_SIZE_MAX,
    EXTENSIONS_DEPTH_MAX,
    LAST_SEEN,
    LAST_SEEN_MAX,
    MESSAGE_ID_SIZE,
    PARTS_DEPTH_MAX,
    PARTS_MAX,
    ROOM_URI,
    SALT_SIZE,
    SENDER_URI,
    SENT_AT,
    TEXT_SIZE_MAX,
    TOPIC_SIZE_MAX,
    Expiration,
    ExtensionKey,
    ExternalPart,
    MimiContent,
    MultiPart,
    NestedPart,
    NullPart,
    PartSemantics,
    SinglePart,
)

# How many parts follow: the third field of every part.
_NULL: Final = 0
_SINGLE: Final = 1
_EXTERNAL: Final = 2
_MULTI: Final = 3

_UINT32_MAX: Final = 0xFFFF_FFFF
_UINT64_MAX: Final = 0xFFFF_FFFF_FFFF_FFFF
_SAFE_INTEGER_MAX: Final = (1 << 53) - 1
_NAME_SIZE_MAX: Final = 255
_URL_SIZE_MAX: Final = 2048
_DESCRIPTION_SIZE_MAX: Final = 4096
_KEY_SIZE_MAX: Final = 64
_AAD_SIZE_MAX: Final = 1024


def encode(content: MimiContent) -> bytes:
    """Encode deterministically; `BadRequest` where others would have to refuse the result."""
    extensions: dict[cbor.Key, cbor.Value] = {**content.extensions}
    if content.last_seen:
        extensions[LAST_SEEN] = content.last_seen
    expires = content.expires
    try:
        data = cbor.encode(
            (
                content.salt,
                content.replaces,
                content.topic_id,
                None if expires is None else (expires.relative, expires.time_s),
                content.in_reply_to,
                extensions,
                _part_value(content.body),
            )
        )
    except UnicodeEncodeError:
        raise BadRequest("the text has characters that can't be sent") from None
    try:
        parse(data)
    except Malformed as error:
        raise BadRequest(f"the message can't be sent: {error}") from None
    return data


def parse(data: bytes) -> MimiContent:
    """Parse one content, at most 64 KiB; `Malformed` if any rule of the format or limit is broken."""
    if len(data) > CONTENT_SIZE_MAX:
        raise Malformed("a content is too big")
    fields = cbor.decode(data)
    if not isinstance(fields, tuple) or len(fields) != 7:
        raise Malformed("a content is not an array of seven fields")
    salt, replaces, topic_id, expires, in_reply_to, extensions, body = fields
    if not isinstance(salt, bytes) or len(salt) != SALT_SIZE:
        raise Malformed("a salt is not 16 bytes")
    if not isinstance(extensions, dict):
        raise Malformed("extensions are not a map")
    part = _parse_part(body, PARTS_DEPTH_MAX)
    if isinstance(part, MultiPart) and _count(part) > PARTS_MAX:
        raise Malformed("a content has too many parts")
    others, last_seen = _parse_extensions(extensions)
    return MimiContent(
        salt=salt,
        replaces=None if replaces is None else _message_id(replaces),
        topic_id=_bytes(topic_id, TOPIC_SIZE_MAX),
        expires=None if expires is None else _parse_expiration(expires),
        in_reply_to=None if in_reply_to is None else _message_id(in_reply_to),
        last_seen=last_seen,
        extensions=others,
        body=part,
    )


def _part_value(part: NestedPart) -> cbor.Value:
    match part:
        case NullPart():
            return (int(part.disposition), part.language, _NULL)
        case SinglePart():
            return (
                int(part.disposition),
                part.language,
                _SINGLE,
                part.content_type,
                part.content,
            )
        case ExternalPart():
            return (
                int(part.disposition),
                part.language,
                _EXTERNAL,
                part.content_type,
                part.url,
                part.expires_s,
                part.size,
                part.encryption,
                part.key,
                part.nonce,
                part.aad,
                part.hash_algorithm,
                part.content_hash,
                part.description,
                part.filename,
            )
        case MultiPart():
            return (
                int(part.disposition),
                part.language,
                _MULTI,
                int(part.semantics),
                tuple(_part_value(nested) for nested in part.parts),
            )


def _parse_part(value: cbor.Value, depth: int) -> NestedPart:
    if depth == 0:
        raise Malformed("parts are nested too deeply")
    if not isinstance(value, tuple) or len(value) < 3:
        raise Malformed("a part is not an array of its fields")
    disposition = _uint(value[0], 0xFF)
    language = _text(value[1], _NAME_SIZE_MAX)
    cardinality = _uint(value[2], 0xFF)
    if cardinality == _SINGLE and len(value) == 5:
        return _parse_single(disposition, language, value[3], value[4])
    if cardinality == _NULL and len(value) == 3:
        return NullPart(disposition=disposition, language=language)
    if cardinality == _MULTI and len(value) == 5:
        parts = value[4]
        if not isinstance(parts, tuple) or not 2 <= len(parts) <= PARTS_MAX:
            raise Malformed("a part has too few or too many parts")
        return MultiPart(
            disposition=disposition,
            language=language,
            semantics=PartSemantics(_uint(value[3], PartSemantics.PROCESS_ALL)),
            parts=tuple([_parse_part(nested, depth - 1) for nested in parts]),
        )
    if cardinality == _EXTERNAL and len(value) == 15:
        return _parse_external(disposition, language, value[3:])
    raise Malformed("a part has other fields than its kind")


def _parse_single(
    disposition: int, language: str, content_type: cbor.Value, content: cbor.Value
) -> SinglePart:
    media_type = _text(content_type, _NAME_SIZE_MAX)
    body = _bytes(content, CONTENT_SIZE_MAX)
    if is_text(media_type):
        if len(body) > TEXT_SIZE_MAX:
            raise Malformed("a text is too long")
        try:
            body.decode()
        except UnicodeDecodeError:
            raise Malformed("a text is not UTF-8") from None
    return SinglePart(disposition=disposition, language=language, content_type=media_type, content=body)


def _parse_external(disposition: int, language: str, fields: tuple[cbor.Value, ...]) -> ExternalPart:
    part = ExternalPart(
        disposition=disposition,
        language=language,
        content_type=_text(fields[0], _NAME_SIZE_MAX),
        url=_text(fields[1], _URL_SIZE_MAX),
        expires_s=_uint(fields[2], _UINT32_MAX),
        size=_uint(fields[3], _UINT64_MAX),
        encryption=_uint(fields[4], 0xFFFF),
        key=_bytes(fields[5], _KEY_SIZE_MAX),
        nonce=_bytes(fields[6], _KEY_SIZE_MAX),
        aad=_bytes(fields[7], _AAD_SIZE_MAX),
        hash_algorithm=_uint(fields[8], 0xFF),
        content_hash=_bytes(fields[9], _KEY_SIZE_MAX),
        description=_text(fields[10], _DESCRIPTION_SIZE_MAX),
        filename=_text(fields[11], _NAME_SIZE_MAX),
    )
    if part.encryption == 0 and (part.key or part.nonce or part.aad):
        raise Malformed("an external part has a key for no algorithm")
    return part


def _parse_expiration(value: cbor.Value) -> Expiration:
    match value:
        case (bool() as relative, time):
            time_s = _uint(time, _UINT32_MAX)
            if relative and time_s > EXPIRY_RELATIVE_MAX_S:
                raise Malformed("an expiry is more than a year away")
            return Expiration(relative=relative, time_s=time_s)
        case _:
            raise Malformed("an expiry is not a pair")


def _parse_extensions(
    encoded: dict[cbor.Key, cbor.Value],
) -> tuple[dict[ExtensionKey, cbor.Value], tuple[MessageId, ...]]:
    extensions: dict[ExtensionKey, cbor.Value] = {}
    last_seen: tuple[MessageId, ...] = ()
    for key, value in encoded.items():
        if key == LAST_SEEN:
            last_seen = _parse_last_seen(value)
            continue
        if key == SENT_AT:
            _uint(value, _SAFE_INTEGER_MAX)
        elif key in (SENDER_URI, ROOM_URI):
            _text(value, _URL_SIZE_MAX)
        else:
            _check_unknown_extension(key, value)
        if isinstance(key, bytes):
            raise Malformed("an extension's key is neither a number nor a text")
        extensions[key] = value
    return extensions, last_seen


def _parse_last_seen(value: cbor.Value) -> tuple[MessageId, ...]:
    if not isinstance(value, tuple) or not 1 <= len(value) <= LAST_SEEN_MAX:
        raise Malformed("the last seen messages are not a list of a few ids")
    return tuple([_message_id(item) for item in value])


def _check_unknown_extension(key: cbor.Key, value: cbor.Value) -> None:
    if isinstance(key, int):
        if key == 0 or abs(key) > _SAFE_INTEGER_MAX:
            raise Malformed("an extension's number is out of range")
    elif not 1 <= len(key if isinstance(key, bytes) else key.encode()) <= _NAME_SIZE_MAX:
        raise Malformed("an extension's name is empty or too long")
    if _depth(value) > EXTENSIONS_DEPTH_MAX - 1:
        raise Malformed("an extension is nested too deeply")
    if len(cbor.encode(value)) > EXTENSION_SIZE_MAX:
        raise Malformed("an extension is too big")


def _depth(value: cbor.Value) -> int:
    if isinstance(value, tuple):
        return 1 + max((_depth(item) for item in value), default=0)
    if isinstance(value, dict):
        if any(isinstance(key, int) and abs(key) > _SAFE_INTEGER_MAX for key in value):
            raise Malformed("a number of a map in an extension is out of range")
        return 1 + max((_depth(item) for item in value.values()), default=0)
    return 0


def _count(part: NestedPart) -> int:
    if isinstance(part, MultiPart):
        return 1 + sum(_count(nested) for nested in part.parts)
    return 1


def _uint(value: cbor.Value, maximum: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= maximum:
        raise Malformed("a number of a content is missing or out of range")
    return value


def _bytes(value: cbor.Value, size_max: int) -> bytes:
    if not isinstance(value, bytes) or len(value) > size_max:
        raise Malformed("bytes of a content are missing or too long")
    return value


def _text(value: cbor.Value, size_max: int) -> str:
    if not isinstance(value, str) or (4 * len(value) > size_max and len(value.encode()) > size_max):
        raise Malformed("a text field of a content is missing or too long")
    return value


def _message_id(value: cbor.Value) -> MessageId:
    if not isinstance(value, bytes) or len(value) != MESSAGE_ID_SIZE:
        raise Malformed("a message id is not 32 bytes")
    return MessageId(value)
