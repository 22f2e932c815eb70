"""Files of a message: an external part each, with a preview behind it where there is one.

    external part   url = "skvoz-blob:" ‖ base64url(relay id ‖ blob id ‖ power of two of a chunk, 1 byte)
                    encAlg 2 (AES-256-GCM), key 32 bytes, no nonce, no aad: chunks have nonces of their own
                    hashAlg 1 (SHA-256), hash and size of the plaintext
    preview parts   disposition "preview", behind the external part that they belong to: a small picture, and
                    application/vnd.skvoz.measures+cbor: [width, height, duration in ms, waveform]

How the chunks of a blob are encrypted is in `skvoz.client.sealed_files`.
"""

import base64
import binascii
from typing import Final

from msgspec.structs import replace

from skvoz.base.errors import BadRequest, Malformed
from skvoz.base.limits import CHUNK_SIZES, FILE_SIZE_MAX, TAG_SIZE
from skvoz.base.value import Value
from skvoz.codec import cbor
from skvoz.content.model import Disposition, ExternalPart, NestedPart, SinglePart

URL_SCHEME: Final = "skvoz-blob:"
MEASURES: Final = "application/vnd.skvoz.measures+cbor"
FILES_MAX: Final = 16
"""Files of one message: an album."""
THUMBNAIL_SIZE_MAX: Final = 16 * 1024
"""A picture that stands for a file until it is fetched, bytes."""
WAVEFORM_SIZE_MAX: Final = 256
"""Loudness of a recording in so many steps, a byte each."""
MEASURE_MAX: Final = 2**31 - 1
_THUMBNAIL_TYPES: Final = ("image/jpeg", "image/png", "image/webp")
_AES_256_GCM: Final = 2
_SHA_256: Final = 1
_KEY_SIZE: Final = 32
_HASH_SIZE: Final = 32
_RELAY_ID_SIZE: Final = 32
_BLOB_ID_SIZE: Final = 16
_PLACE_SIZE: Final = _RELAY_ID_SIZE + _BLOB_ID_SIZE + 1


class BlobPlace(Value, frozen=True, kw_only=True):
    """Where a file's blob lies; `chunk_size` is one of `CHUNK_SIZES`."""

    relay_id: bytes
    blob_id: bytes
    chunk_size: int


class File(Value, frozen=True, kw_only=True):
    """A file of a message: sizes in bytes and pixels, `sha256` of the plaintext, 0 or empty: not known."""

    place: BlobPlace
    key: bytes
    size: int
    sha256: bytes
    name: str = ""
    media_type: str = "application/octet-stream"
    description: str = ""
    thumbnail: bytes = b""
    thumbnail_type: str = ""
    width: int = 0
    height: int = 0
    duration_ms: int = 0
    waveform: bytes = b""


def file_parts(file: File) -> list[NestedPart]:
    """Return the parts that say a file; raise `BadRequest` where others would not take them."""
    parts: list[NestedPart] = [
        ExternalPart(
            disposition=Disposition.ATTACHMENT,
            content_type=file.media_type,
            url=_url(file.place),
            size=file.size,
            encryption=_AES_256_GCM,
            key=file.key,
            hash_algorithm=_SHA_256,
            content_hash=file.sha256,
            description=file.description,
            filename=file.name,
        )
    ]
    if file.thumbnail:
        if file.thumbnail_type not in _THUMBNAIL_TYPES or len(file.thumbnail) > THUMBNAIL_SIZE_MAX:
            raise BadRequest("a thumbnail is a JPEG, PNG or WebP of 16 KiB at most")
        parts.append(_preview(file.thumbnail_type, file.thumbnail))
    if file.width or file.height or file.duration_ms or file.waveform:
        measures = (file.width, file.height, file.duration_ms, file.waveform)
        if not _is_measured(file):
            raise BadRequest("a file's measures are out of range")
        parts.append(_preview(MEASURES, cbor.encode(measures)))
    return parts


def file_in(part: ExternalPart) -> File | None:
    """Return the file that an external part names; None where it is not of our kind."""
    place = _place(part.url)
    ours = (
        part.encryption == _AES_256_GCM
        and len(part.key) == _KEY_SIZE
        and not part.nonce
        and not part.aad
        and part.hash_algorithm == _SHA_256
        and len(part.content_hash) == _HASH_SIZE
        and part.size <= FILE_SIZE_MAX
    )
    if place is None or not ours:
        return None
    return File(
        place=place,
        key=part.key,
        size=part.size,
        sha256=part.content_hash,
        name=part.filename,
        media_type=part.content_type,
        description=part.description,
    )


def is_preview(part: NestedPart) -> bool:
    """Tell whether a part belongs to the file before it."""
    return isinstance(part, SinglePart) and part.disposition == Disposition.PREVIEW


def with_preview(file: File, part: SinglePart) -> File:
    """Return a file with what a preview part says of it; what makes no sense is passed over."""
    if part.content_type in _THUMBNAIL_TYPES and len(part.content) <= THUMBNAIL_SIZE_MAX:
        return replace(file, thumbnail=part.content, thumbnail_type=part.content_type)
    if part.content_type != MEASURES:
        return file
    try:
        found = cbor.decode(part.content)
    except Malformed:
        return file
    match found:
        case (int() as width, int() as height, int() as duration_ms, bytes() as waveform):
            measured = replace(file, width=width, height=height, duration_ms=duration_ms, waveform=waveform)
            return measured if _is_measured(measured) else file
        case _:
            return file


def _is_measured(file: File) -> bool:
    numbers = (file.width, file.height, file.duration_ms)
    in_range = all(not isinstance(one, bool) and 0 <= one <= MEASURE_MAX for one in numbers)
    return in_range and len(file.waveform) <= WAVEFORM_SIZE_MAX


def _preview(content_type: str, content: bytes) -> SinglePart:
    return SinglePart(disposition=Disposition.PREVIEW, content_type=content_type, content=content)


def _url(place: BlobPlace) -> str:
    power = (place.chunk_size - TAG_SIZE).bit_length() - 1
    place_bytes = place.relay_id + place.blob_id + bytes([power])
    return URL_SCHEME + base64.urlsafe_b64encode(place_bytes).rstrip(b"=").decode()


def _place(url: str) -> BlobPlace | None:
    if not url.startswith(URL_SCHEME) or not url.isascii():
        return None
    encoded = url.removeprefix(URL_SCHEME)
    try:
        data = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
    except (binascii.Error, ValueError):
        return None
    if len(data) != _PLACE_SIZE:
        return None
    relay_id, blob_id = data[:_RELAY_ID_SIZE], data[_RELAY_ID_SIZE:-1]
    chunk_size = (1 << data[-1]) + TAG_SIZE
    place = BlobPlace(relay_id=relay_id, blob_id=blob_id, chunk_size=chunk_size)
    # Only one spelling of a place: spare bits are zero, and there is no padding.
    return place if chunk_size in CHUNK_SIZES and _url(place) == url else None
