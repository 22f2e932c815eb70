"""Checker of the examples of draft-ietf-mimi-content-08: bytes, fields and message ids."""

from collections.abc import Callable
from typing import Final

import cbor2

from skvoz.codec import cbor
from skvoz.content import (
    ExternalPart,
    MimiContent,
    MultiPart,
    NestedPart,
    NullPart,
    PartSemantics,
    SinglePart,
    encode,
    from_content,
    message_id,
    parse,
)
from tests.vectors.outcome import MismatchError, expect

_ALICE: Final = "mimi://example.com/u/alice-smith"
_BOB: Final = "mimi://example.com/u/bob-jones"
_CATHY: Final = "mimi://example.com/u/cathy-washington"
_ROOM: Final = "mimi://example.com/r/engineering_team"

_ORIGINAL: Final = "017ce54837404c3696e0c747b985cb172716d0ed0a3d249ca63ace7d82a096f4"
_REPLY: Final = "015354973c2b65ca937bf1e035ae53a5ab80e947afa43d46920d4202e5cc0b27"
_REACTION: Final = "0158c4288911e50a8f6be3f47746b6682f10fd91bc8c05557aa589a3157aff68"

# By the beginning of the salt, since a file may be renamed:
# its author, what it replaces and answers, what it is to people, and its message id by the draft.
_EXAMPLES: Final[dict[str, tuple[str, str | None, str | None, str, str | None]]] = {
    "5eed9406": (_ALICE, None, None, "Text", _ORIGINAL),
    "11a458c7": (_BOB, None, _ORIGINAL, "Text", _REPLY),
    "d37bc0e6": (_CATHY, None, _ORIGINAL, "Reaction", _REACTION),
    "04f290e2": (
        _CATHY,
        None,
        _ORIGINAL,
        "Text",
        "018d825adf9f6be00dcafc5704c4102f5022e74219d0b603e4ba7622654042af",
    ),
    "15d9705f": (_CATHY, None, _ORIGINAL, "Unknown", None),
    "b8c2e6d8": (
        _BOB,
        _REPLY,
        _ORIGINAL,
        "Edit",
        "014028c0deddbdea56bec26172f6ede953d11024cb82b8192b5e2aea62d7fb47",
    ),
    "0a590d73": (
        _BOB,
        _REPLY,
        _ORIGINAL,
        "Delete",
        "011d9efc78d04d4dcf4d82b07d5199bbef37011c1f0c7e004b6111c6dda504b4",
    ),
    "c5ba86dc": (
        _CATHY,
        _REACTION,
        _ORIGINAL,
        "Unreact",
        "013aadbb8f313253c8930f4e93c6ca54b2ed06d258185bdcec3870534c8a4ec4",
    ),
    "33be993e": (
        _ALICE,
        None,
        None,
        "Text",
        "01e59db8173939facc2c8a4a0f0ae8d0c7a11a81239626630c9464a8d6717a03",
    ),
    "18fac637": (
        _BOB,
        None,
        None,
        "Unknown",
        "0176180c7d19a925021fe446d241134d05c38e0d999cdc0f39c391d2377ed9d1",
    ),
    "678ac6cd": (
        _ALICE,
        None,
        None,
        "Unknown",
        "01496d15a8dba28d7397f9868b70768e4a67f765d5b5b1ae9e03848c5fdeb0ba",
    ),
    "261c953e": (_ALICE, None, None, "Text", None),
    "8528dc2d": (_ALICE, None, None, "Unknown", None),
    "b8362793": (_ALICE, None, None, "Unknown", None),
}


def check_content(_name: str, data: bytes) -> None:
    """Check one example: decoded as another library decodes it, encoded to the same bytes."""
    value = cbor.decode(data)
    fields = list(value) if isinstance(value, tuple) else []
    expect("fields", _listed(value), cbor2.loads(data))
    expect("deterministic encoding", cbor.encode(value), data)
    if len(fields) == 7 and isinstance(fields[1], int):
        _check_derived_values(fields)
        return
    content = parse(data)
    expect("encoding", encode(content), data)
    expect("fields of the content", _fields(content), cbor2.loads(data))
    example = _EXAMPLES.get(content.salt.hex()[:8])
    if example is not None:
        _check_example(content, data, example)


def _check_example(
    content: MimiContent, data: bytes, example: tuple[str, str | None, str | None, str, str | None]
) -> None:
    author, replaces, in_reply_to, kind, wanted_id = example
    expect("senderUri", content.extensions[1], author)
    expect("roomUri", content.extensions[2], _ROOM)
    expect("replaces", _hex(content.replaces), replaces)
    expect("inReplyTo", _hex(content.in_reply_to), in_reply_to)
    expect("what people did", type(from_content(content)).__name__, kind)
    if wanted_id is not None:
        expect("message id", message_id(author, _ROOM, data).hex(), wanted_id)


def _check_derived_values(fields: list[cbor.Value]) -> None:
    """Check the shape of `MessageDerivedValues` (appendix A.2): its values come from outside a message."""
    match fields:
        case [bytes() as an_id, int(), bytes(), int(), str(), str(), str()] if len(an_id) == 32:
            return
        case _:
            raise MismatchError("derived values")


def _fields(content: MimiContent) -> list[object]:
    expires = content.expires
    return [
        content.salt,
        content.replaces,
        content.topic_id,
        None if expires is None else [expires.relative, expires.time_s],
        content.in_reply_to,
        dict(content.extensions),
        _part_fields(content.body),
    ]


def _part_fields(part: NestedPart) -> list[object]:
    start: list[object] = [part.disposition, part.language]
    match part:
        case NullPart():
            return [*start, 0]
        case SinglePart():
            return [*start, 1, part.content_type, part.content]
        case ExternalPart():
            where: list[object] = [part.content_type, part.url, part.expires_s, part.size]
            how: list[object] = [part.encryption, part.key, part.nonce, part.aad]
            what: list[object] = [part.hash_algorithm, part.content_hash, part.description, part.filename]
            return [*start, 2, *where, *how, *what]
        case MultiPart():
            semantics = PartSemantics(part.semantics)
            return [*start, 3, semantics.value, [_part_fields(nested) for nested in part.parts]]


def _listed(value: cbor.Value) -> object:
    if isinstance(value, tuple):
        return [_listed(item) for item in value]
    if isinstance(value, dict):
        return {key: _listed(item) for key, item in value.items()}
    return value


def _hex(value: bytes | None) -> str | None:
    return None if value is None else value.hex()


FILE_KINDS: dict[str, Callable[[str, bytes], None]] = {"mimi-content": check_content}
