import pytest
from hypothesis import given
from hypothesis import strategies as st

from skvoz.base.errors import BadRequest, Malformed
from skvoz.codec import cbor
from skvoz.content import (
    CONTENT_SIZE_MAX,
    LAST_SEEN_MAX,
    TEXT_SIZE_MAX,
    Expiration,
    MimiContent,
    MultiPart,
    NestedPart,
    NullPart,
    PartSemantics,
    SinglePart,
    Text,
    encode,
    from_content,
    parse,
    to_content,
)
from tests.content.contents import CONTENTS, SALT, SENT_AT_MS, message

_BODY: cbor.Value = (1, "", 1, "text/plain;charset=utf-8", b"hi")
_GOOD: tuple[cbor.Value, ...] = (SALT, None, b"", None, None, {}, _BODY)
_EXTERNAL: tuple[cbor.Value, ...] = (
    *(6, "", 2, "image/png", "https://example.com/a", 0, 9, 1),
    *(b"k", b"n", b"", 1, b"h", "a picture", "a.png"),
)


def _with(index: int, value: cbor.Value) -> bytes:
    return cbor.encode((*_GOOD[:index], value, *_GOOD[index + 1 :]))


def _nested(levels: int) -> NestedPart:
    part: NestedPart = NullPart(disposition=1)
    for _ in range(levels - 1):
        part = MultiPart(
            disposition=1, semantics=PartSemantics.PROCESS_ALL, parts=(part, NullPart(disposition=1))
        )
    return part


@given(CONTENTS)
def test_a_content_comes_back(content: MimiContent) -> None:
    data = encode(content)
    assert parse(data) == content
    assert encode(parse(data)) == data


@pytest.mark.slow
@given(CONTENTS, st.data())
def test_any_changed_byte_parses_to_what_encodes_so_or_is_refused(
    content: MimiContent, data: st.DataObject
) -> None:
    changed = bytearray(encode(content))
    changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    try:
        other = parse(bytes(changed))
    except Malformed:
        return
    assert encode(other) == bytes(changed)


def test_the_plain_content_is_good() -> None:
    assert parse(cbor.encode(_GOOD)).body == SinglePart(
        disposition=1, content_type="text/plain;charset=utf-8", content=b"hi"
    )


@pytest.mark.parametrize(
    ("index", "value"),
    [
        pytest.param(0, bytes(15), id="a short salt"),
        pytest.param(0, "a" * 16, id="a salt of text"),
        pytest.param(1, bytes(31), id="a short id in replaces"),
        pytest.param(1, "", id="a text in replaces"),
        pytest.param(2, None, id="no topic"),
        pytest.param(2, bytes(4097), id="a long topic"),
        pytest.param(3, (True, 367 * 86400), id="an expiry after more than a year"),
        pytest.param(3, (False, 2**32), id="an expiry beyond 32 bits"),
        pytest.param(3, (False, -1), id="an expiry before 1970"),
        pytest.param(3, (0, 5), id="an expiry with a number for a truth"),
        pytest.param(3, (True, True), id="an expiry with a truth for a number"),
        pytest.param(3, (True, 5, 5), id="an expiry of three"),
        pytest.param(4, bytes(33), id="a long id in inReplyTo"),
        pytest.param(5, None, id="no extensions"),
        pytest.param(5, {0: 1}, id="the reserved extension"),
        pytest.param(5, {2**53: 1}, id="an extension with a number that isn't safe"),
        pytest.param(5, {-(2**53): 1}, id="an extension with a negative number that isn't safe"),
        pytest.param(5, {"": 1}, id="an extension without a name"),
        pytest.param(5, {"a" * 256: 1}, id="an extension with a long name"),
        pytest.param(5, {b"a": 1}, id="an extension named by bytes"),
        pytest.param(5, {9: ((((),),),)}, id="a deep extension"),
        pytest.param(5, {9: ({2**60: 1},)}, id="an unsafe number deep in an extension"),
        pytest.param(5, {9: bytes(4096)}, id="a big extension"),
        pytest.param(5, {1: 5}, id="a senderUri that is no text"),
        pytest.param(5, {2: b"mimi:"}, id="a roomUri that is no text"),
        pytest.param(5, {"skvoz.sentAt": -1}, id="a send time before 1970"),
        pytest.param(5, {"skvoz.sentAt": True}, id="a send time that is a truth"),
        pytest.param(5, {"skvoz.sentAt": 2**53}, id="a send time that isn't safe"),
        pytest.param(5, {"skvoz.lastSeen": ()}, id="an empty list of seen messages"),
        pytest.param(5, {"skvoz.lastSeen": (bytes(5),)}, id="a seen message with a short id"),
        pytest.param(5, {"skvoz.lastSeen": (bytes(32),) * (LAST_SEEN_MAX + 1)}, id="too many seen messages"),
        pytest.param(6, (), id="an empty body"),
        pytest.param(6, (1, ""), id="a body of two fields"),
        pytest.param(6, None, id="no body"),
        pytest.param(6, (256, "", 0), id="a disposition beyond a byte"),
        pytest.param(6, (-1, "", 0), id="a negative disposition"),
        pytest.param(6, (True, "", 0), id="a disposition that is a truth"),
        pytest.param(6, (1, "x" * 256, 0), id="a long language"),
        pytest.param(6, (1, "", 4), id="an unknown kind of part"),
        pytest.param(6, (1, "", 0, 0), id="an empty part with something in it"),
        pytest.param(6, (1, "", 1, "text/plain"), id="a part without content"),
        pytest.param(6, (1, "", 1, "text/plain", "hi"), id="a part with text for bytes"),
        pytest.param(6, (1, "", 1, "x" * 256, b""), id="a long media type"),
        pytest.param(6, (1, "", 1, "text/markdown;variant=GFM-MIMI", b"\xff"), id="a text that isn't UTF-8"),
        pytest.param(6, (1, "", 1, "TEXT/Plain; charset=UTF-8", b"\xff"), id="the same, spelled otherwise"),
        pytest.param(6, (1, "", 1, "text/plain", b"a" * (TEXT_SIZE_MAX + 1)), id="a long text"),
        pytest.param(6, (1, "", 3, 0, (_BODY,)), id="one part among parts"),
        pytest.param(6, (1, "", 3, 3, (_BODY, _BODY)), id="unknown semantics"),
        pytest.param(6, (1, "", 3, 0, (_BODY,) * 65), id="too many parts"),
        pytest.param(6, (1, "", 3, 0, ((1, "", 3, 0, (_BODY,) * 32),) * 2), id="too many parts in all"),
        pytest.param(6, _EXTERNAL[:-1], id="an external part without a file name"),
        pytest.param(6, (*_EXTERNAL[:7], 0, *_EXTERNAL[8:]), id="a key for no algorithm"),
        pytest.param(6, (*_EXTERNAL[:4], "h" * 2049, *_EXTERNAL[5:]), id="a long address"),
        pytest.param(6, (*_EXTERNAL[:5], 2**32, *_EXTERNAL[6:]), id="an address that outlives 2106"),
    ],
)
def test_it_is_refused(index: int, value: cbor.Value) -> None:
    with pytest.raises(Malformed):
        parse(_with(index, value))


@pytest.mark.parametrize(
    ("index", "value"),
    [
        pytest.param(2, bytes(4096), id="a topic as long as may be"),
        pytest.param(3, (True, 366 * 86400), id="an expiry after a year"),
        pytest.param(5, {9: (((),),)}, id="an extension as deep as may be"),
        pytest.param(5, {"я" * 127: 1}, id="an extension with a name as long as may be"),
        pytest.param(6, (200, "", 0), id="an unknown disposition"),
        pytest.param(6, (1, "", 1, "text/plain", "я".encode() * (TEXT_SIZE_MAX // 2)), id="a long text"),
        pytest.param(
            6, (1, "", 1, "application/x-unknown", b"\xff" * 60_000), id="something big and unknown"
        ),
        pytest.param(6, _EXTERNAL, id="an external part"),
    ],
)
def test_it_is_accepted(index: int, value: cbor.Value) -> None:
    data = _with(index, value)
    assert encode(parse(data)) == data


def test_other_shapes_are_refused() -> None:
    shapes: list[cbor.Value] = [None, 7, {}, (), _GOOD[:6], (*_GOOD, None)]
    for value in shapes:
        with pytest.raises(Malformed):
            parse(cbor.encode(value))


def test_a_content_beyond_its_limit_is_refused() -> None:
    with pytest.raises(Malformed):
        parse(_with(6, (1, "", 1, "application/x", bytes(CONTENT_SIZE_MAX))))


def test_bytes_after_the_content_are_refused() -> None:
    with pytest.raises(Malformed):
        parse(cbor.encode(_GOOD) + b"\x00")


def test_parts_go_four_levels_deep() -> None:
    content = MimiContent(salt=SALT, body=_nested(4))
    assert parse(encode(content)) == content
    with pytest.raises(BadRequest):
        encode(MimiContent(salt=SALT, body=_nested(5)))


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(MimiContent(salt=b"", body=NullPart(disposition=1)), id="no salt"),
        pytest.param(
            MimiContent(
                salt=SALT,
                expires=Expiration(relative=True, time_s=10**9),
                body=NullPart(disposition=1),
            ),
            id="an expiry in a generation",
        ),
        pytest.param(
            MimiContent(
                salt=SALT,
                body=SinglePart(disposition=1, content_type="a/b", content=bytes(CONTENT_SIZE_MAX)),
            ),
            id="too big",
        ),
        pytest.param(
            MimiContent(
                salt=SALT,
                extensions={"x": "\ud800"},
                body=SinglePart(disposition=1, content_type="", content=b""),
            ),
            id="a lone surrogate",
        ),
    ],
)
def test_what_others_would_refuse_is_not_encoded(content: MimiContent) -> None:
    with pytest.raises(BadRequest):
        encode(content)


def test_send_time_and_seen_messages_travel() -> None:
    content = to_content(
        Text(text="hi"), salt=SALT, sent_at_ms=SENT_AT_MS, last_seen=(message(1), message(2))
    )
    received = parse(encode(content))
    assert received.sent_at_ms == SENT_AT_MS
    assert received.last_seen == (message(1), message(2))
    assert "skvoz.lastSeen" not in received.extensions


def test_a_content_of_somebody_else_has_no_send_time() -> None:
    assert parse(cbor.encode(_GOOD)).sent_at_ms is None


def test_secrets_of_people_stay_out_of_representations() -> None:
    content = to_content(Text(text="MARKED-SECRET"), salt=SALT, sent_at_ms=SENT_AT_MS)
    assert "MARKED" not in repr(content)
    assert "MARKED" not in repr(from_content(content))
