"""Files of messages, in content and out of it."""

from typing import Any, cast

import pytest
from msgspec.structs import replace

from skvoz.base.errors import BadRequest
from skvoz.base.ids import MessageId
from skvoz.base.limits import CHUNK_SIZES
from skvoz.codec import cbor
from skvoz.content import (
    THUMBNAIL_SIZE_MAX,
    BlobPlace,
    Disposition,
    ExternalPart,
    File,
    MultiPart,
    PartSemantics,
    Report,
    SinglePart,
    Text,
    Unknown,
    encode,
    from_content,
    parse,
    report_in,
    to_content,
)
from skvoz.content.files import MEASURES

ID = MessageId(b"\x01" + bytes(31))


def a_file(**changes: Any) -> File:
    place = BlobPlace(relay_id=b"r" * 32, blob_id=b"b" * 16, chunk_size=CHUNK_SIZES[1])
    whole = File(place=place, key=b"k" * 32, size=5, sha256=b"h" * 32, name="a.jpg", media_type="image/jpeg")
    return replace(whole, **changes)


@pytest.mark.parametrize(
    "said",
    [
        Text(text="", files=(a_file(),)),
        Text(text="look", files=(a_file(),), reply_to=ID),
        Text(text="", files=(a_file(),), forwarded=True),
        Text(text="", files=(a_file(), a_file(name="b"))),
        Text(text="all", files=tuple(a_file(name=str(n)) for n in range(16))),
        Text(
            text="measured",
            files=(
                a_file(thumbnail=b"\xff\xd8", thumbnail_type="image/jpeg", width=3, height=4),
                a_file(duration_ms=5, waveform=b"\x00\xff"),
            ),
        ),
        Text(text="", files=(a_file(size=0, description="nothing"),), expires=None),
    ],
)
@pytest.mark.parametrize("report", [None, Report(read=(ID,))])
def test_files_survive_a_round_trip(said: Text, report: Report | None) -> None:
    content = to_content(said, salt=bytes(16), sent_at_ms=1, report=report)
    arrived = parse(encode(content))
    assert from_content(arrived) == said
    assert report_in(arrived) == report


@pytest.mark.parametrize(
    "changes",
    [
        {"url": "https://example.invalid/x"},
        {"url": "skvoz-blob:"},
        {"url": "skvoz-blob:" + "A" * 66},
        {"encryption": 1},
        {"key": b"short"},
        {"nonce": bytes(12)},
        {"hash_algorithm": 0},
        {"content_hash": b""},
        {"size": 2**31 + 1},
    ],
)
def test_external_parts_of_another_kind_are_unknown(changes: dict[str, Any]) -> None:
    content = to_content(Text(text="", files=(a_file(),)), salt=bytes(16), sent_at_ms=1)
    body = replace(cast("ExternalPart", content.body), description="described", **changes)
    found = from_content(replace(content, body=body))
    assert found == Unknown(kind="image/jpeg", text="described")


def test_previews_that_make_no_sense_are_passed_over() -> None:
    whole = a_file(thumbnail=b"x", thumbnail_type="image/png", width=1)
    content = to_content(Text(text="", files=(whole,)), salt=bytes(16), sent_at_ms=1)
    external, *_ = cast("MultiPart", content.body).parts
    wrong = [
        ("image/svg+xml", b"<svg/>"),
        ("image/png", bytes(THUMBNAIL_SIZE_MAX + 1)),
        (MEASURES, b"junk"),
        (MEASURES, cbor.encode((1, 2, 3))),
        (MEASURES, cbor.encode((-1, 2, 3, b""))),
        (MEASURES, cbor.encode((True, 2, 3, b""))),
        (MEASURES, cbor.encode((1, 2, 3, bytes(257)))),
    ]
    for content_type, data in wrong:
        preview = SinglePart(disposition=Disposition.PREVIEW, content_type=content_type, content=data)
        parts = (external, preview)
        body = MultiPart(disposition=1, semantics=PartSemantics.PROCESS_ALL, parts=parts)
        assert from_content(replace(content, body=body)) == Text(text="", files=(a_file(),))


def test_files_that_can_not_be_said_are_refused() -> None:
    for wrong in (
        Text(text="", files=(a_file(),) * 17),
        Text(text="", files=(a_file(thumbnail=b"x", thumbnail_type="image/svg+xml"),)),
        Text(text="", files=(a_file(thumbnail=bytes(THUMBNAIL_SIZE_MAX + 1), thumbnail_type="image/png"),)),
        Text(text="", files=(a_file(width=-1),)),
        Text(text="", files=(a_file(waveform=bytes(257)),)),
        Text(text=""),
    ):
        with pytest.raises(BadRequest):
            to_content(wrong, salt=bytes(16), sent_at_ms=1)


def test_files_with_two_texts_are_unknown() -> None:
    content = to_content(Text(text="one", files=(a_file(),)), salt=bytes(16), sent_at_ms=1)
    parts = cast("MultiPart", content.body).parts
    body = MultiPart(disposition=1, semantics=PartSemantics.PROCESS_ALL, parts=(*parts, parts[0]))
    found = from_content(replace(content, body=body))
    assert found == Unknown(kind="multipart/mixed", text="one\none")
