import pytest
from hypothesis import given
from msgspec.structs import replace

from skvoz.base.errors import BadRequest
from skvoz.codec import cbor
from skvoz.content import (
    REPORT_IDS_MAX,
    TEXT_SIZE_MAX,
    Action,
    ClosePoll,
    Delete,
    Disposition,
    Edit,
    ExternalPart,
    Location,
    Mention,
    MimiContent,
    MultiPart,
    NestedPart,
    NullPart,
    PartSemantics,
    Pin,
    Poll,
    Reaction,
    Report,
    SinglePart,
    Text,
    Unknown,
    Unreact,
    Vote,
    encode,
    from_content,
    parse,
    report_in,
    to_content,
)
from tests.content.contents import ACTIONS, ALICE, CONTENTS, REPORTS, SALT, SENT_AT_MS, message

_MARKDOWN = "text/markdown;variant=GFM-MIMI"
_REPORT = "application/vnd.skvoz.report+cbor"


def _said(action: Action, report: Report | None = None) -> MimiContent:
    return parse(encode(to_content(action, salt=SALT, sent_at_ms=SENT_AT_MS, report=report)))


def _received(
    body: NestedPart, *, replaces: int | None = None, in_reply_to: int | None = None
) -> MimiContent:
    content = MimiContent(
        salt=SALT,
        replaces=None if replaces is None else message(replaces),
        in_reply_to=None if in_reply_to is None else message(in_reply_to),
        body=body,
    )
    return parse(encode(content))


def _text(text: str, content_type: str = _MARKDOWN, disposition: int = Disposition.RENDER) -> SinglePart:
    return SinglePart(disposition=disposition, content_type=content_type, content=text.encode())


def _multi(semantics: PartSemantics, *parts: NestedPart) -> MultiPart:
    return MultiPart(disposition=Disposition.RENDER, semantics=semantics, parts=parts)


@given(ACTIONS)
def test_an_action_comes_back(action: Action) -> None:
    assert from_content(_said(action)) == action


@given(ACTIONS.filter(lambda action: not isinstance(action, Report)), REPORTS)
def test_a_report_rides_along(action: Action, report: Report) -> None:
    content = _said(action, report)
    assert from_content(content) == action
    assert report_in(content) == report


@given(CONTENTS)
def test_nothing_well_formed_is_an_error(content: MimiContent) -> None:
    from_content(content)
    report_in(content)


def test_a_report_alone_is_one() -> None:
    report = Report(delivered=(message(1),), read=(message(2), message(3)))
    content = _said(report)
    assert report_in(content) == report
    assert report_in(_said(Text(text="hi"))) is None


def test_a_report_of_many_messages_is_small() -> None:
    ids = tuple(message(number) for number in range(REPORT_IDS_MAX))
    assert len(encode(to_content(Report(read=ids), salt=SALT, sent_at_ms=SENT_AT_MS))) < 32 * len(ids) + 120


@pytest.mark.parametrize(
    "action",
    [
        pytest.param(Text(text=""), id="an empty text"),
        pytest.param(Text(text=" \n"), id="a blank text"),
        pytest.param(Text(text="a" * (TEXT_SIZE_MAX + 1)), id="a long text"),
        pytest.param(Text(text="a\ud800"), id="a lone surrogate"),
        pytest.param(
            Text(text="@A", mentions=(Mention(account_id=ALICE, start=0, length=2),), plain=True),
            id="a mention in a plain text",
        ),
        pytest.param(Edit(replaces=message(1), text=""), id="an edit to nothing"),
        pytest.param(Reaction(target=message(1), emoji=""), id="an empty reaction"),
        pytest.param(Reaction(target=message(1), emoji="a b"), id="a reaction with a space"),
        pytest.param(Reaction(target=message(1), emoji="\x1b[2J"), id="a reaction with an escape"),
        pytest.param(Reaction(target=message(1), emoji="\ud800"), id="a reaction of a lone surrogate"),
        pytest.param(Reaction(target=message(1), emoji="ж" * 33), id="a long reaction"),
        pytest.param(Report(), id="an empty report"),
        pytest.param(Report(read=(message(1),) * (REPORT_IDS_MAX + 1)), id="a report of too many"),
    ],
)
def test_it_can_not_be_said(action: Action) -> None:
    with pytest.raises(BadRequest):
        to_content(action, salt=SALT, sent_at_ms=SENT_AT_MS)


def test_a_report_carries_no_other() -> None:
    report = Report(read=(message(1),))
    with pytest.raises(BadRequest):
        to_content(report, salt=SALT, sent_at_ms=SENT_AT_MS, report=report)


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "text/plain;charset=utf-8", 'Text/Plain; Charset="UTF-8"', "text/plain;format=flowed"],
)
def test_plain_text_is_known_in_any_spelling(content_type: str) -> None:
    action = from_content(_received(_text("**hi**", content_type)))
    assert action == Text(text="**hi**", plain=True)


@pytest.mark.parametrize("content_type", ["text/markdown", "text/markdown;variant=CommonMark", _MARKDOWN])
def test_markdown_is_known_in_any_variant(content_type: str) -> None:
    assert from_content(_received(_text("**hi**", content_type))) == Text(text="**hi**")


@pytest.mark.parametrize("disposition", [0, 1, 4, 9, 255])
def test_a_disposition_that_is_unknown_means_render(disposition: int) -> None:
    assert from_content(_received(_text("hi", disposition=disposition))) == Text(text="hi")


def test_an_edit_or_a_deletion_may_name_what_the_first_version_answered() -> None:
    edited = from_content(_received(_text("hi"), replaces=1, in_reply_to=2))
    assert edited == Edit(replaces=message(1), text="hi")
    deleted = from_content(_received(NullPart(disposition=1), replaces=1, in_reply_to=2))
    assert deleted == Delete(replaces=message(1))
    unliked = from_content(_received(NullPart(disposition=2), replaces=1, in_reply_to=2))
    assert unliked == Unreact(replaces=message(1))


_HEART = _text("❤", "text/plain;charset=utf-8", Disposition.REACTION)


@pytest.mark.parametrize(
    ("content", "unknown"),
    [
        pytest.param(_received(NullPart(disposition=1)), Unknown(kind=""), id="nothing"),
        pytest.param(_received(_text("<b>", "text/html")), Unknown(kind="text/html"), id="HTML"),
        pytest.param(
            _received(_text("hi", "text/plain;charset=koi8-r")),
            Unknown(kind="text/plain;charset=koi8-r"),
            id="another character set",
        ),
        pytest.param(
            _received(_text("hi", disposition=Disposition.ATTACHMENT)),
            Unknown(kind=_MARKDOWN, text="hi"),
            id="a text as an attachment",
        ),
        pytest.param(
            _received(
                ExternalPart(
                    disposition=6, content_type="video/mp4", url="https://example.com", description="a film"
                )
            ),
            Unknown(kind="video/mp4", text="a film"),
            id="an attachment",
        ),
        pytest.param(
            _received(_HEART), Unknown(kind="text/plain;charset=utf-8", text="❤"), id="a reaction to nothing"
        ),
        pytest.param(
            _received(_HEART, replaces=1, in_reply_to=2),
            Unknown(kind="text/plain;charset=utf-8", text="❤"),
            id="a reaction in place of another",
        ),
        pytest.param(
            _received(_text("a\nb", "text/plain", Disposition.REACTION), in_reply_to=1),
            Unknown(kind="text/plain", text="a\nb"),
            id="a reaction of two lines",
        ),
        pytest.param(
            _received(SinglePart(disposition=0, content_type=_REPORT, content=b"\x00")),
            Unknown(kind=_REPORT),
            id="a broken report",
        ),
        pytest.param(
            _received(SinglePart(disposition=0, content_type=_REPORT, content=b"\x82\x41\x00\x40")),
            Unknown(kind=_REPORT),
            id="a report with part of an id",
        ),
        pytest.param(
            _received(_multi(PartSemantics.SINGLE_UNIT, _text("a"), _text("b"))),
            Unknown(kind="multipart/related"),
            id="a unit",
        ),
        pytest.param(
            _received(_multi(PartSemantics.PROCESS_ALL, _text("a"), _text("b", "image/png"), _text("c"))),
            Unknown(kind="multipart/mixed", text="a\nc"),
            id="several things at once",
        ),
        pytest.param(
            _received(_multi(PartSemantics.CHOOSE_ONE, _text("a", "image/png"), _text("b", "image/gif"))),
            Unknown(kind="multipart/alternative"),
            id="a choice among unknown things",
        ),
    ],
)
def test_it_is_kept_as_unknown(content: MimiContent, unknown: Unknown) -> None:
    assert from_content(content) == unknown


def test_of_a_choice_the_first_that_is_known_is_taken() -> None:
    content = _received(
        _multi(PartSemantics.CHOOSE_ONE, _text("x", "image/png"), _text("hi"), _text("no", "text/plain"))
    )
    assert from_content(content) == Text(text="hi")


def test_several_reports_are_no_message() -> None:
    part = _said(Report(read=(message(1),))).body
    content = _received(_multi(PartSemantics.PROCESS_ALL, part, part))
    assert from_content(content) == Report(read=(message(1),))
    assert report_in(replace(content, body=_multi(PartSemantics.CHOOSE_ONE, part, part))) is None


@pytest.mark.parametrize("value", [True, 1, "yes", None, (True,)])
def test_only_a_plain_true_marks_a_text_as_forwarded(value: cbor.Value) -> None:
    said = _said(Text(text="passed on"))
    marked = replace(said, extensions={**said.extensions, "skvoz.forwarded": value})
    assert from_content(parse(encode(marked))) == Text(text="passed on", forwarded=value is True)


def test_an_older_program_shows_a_pin_as_a_reaction() -> None:
    body = _said(Pin(target=message(1))).body
    assert isinstance(body, MultiPart)
    assert body.semantics is PartSemantics.CHOOSE_ONE
    assert from_content(_received(body.parts[1], in_reply_to=1)) == Reaction(target=message(1), emoji="📌")


@pytest.mark.parametrize("data", [b"", b"\x01", b"\xf6", b"\x81\xf5", b"\xf5\xf5"])
def test_a_broken_pin_is_unknown(data: bytes) -> None:
    kind = "application/vnd.skvoz.pin+cbor"
    part = SinglePart(disposition=Disposition.UNSPECIFIED, content_type=kind, content=data)
    assert from_content(_received(part, in_reply_to=1)) == Unknown(kind=kind)


def test_a_pin_of_nothing_is_unknown() -> None:
    kind = "application/vnd.skvoz.pin+cbor"
    part = SinglePart(disposition=Disposition.UNSPECIFIED, content_type=kind, content=b"\xf5")
    assert from_content(_received(part)) == Unknown(kind=kind)
    assert from_content(_received(part, in_reply_to=1, replaces=2)) == Unknown(kind=kind)


def test_an_older_program_shows_the_words_for_a_location() -> None:
    body = _said(Text(text="", location=Location(latitude_e7=5, longitude_e7=-5, label="*lake*"))).body
    assert isinstance(body, MultiPart)
    assert body.semantics is PartSemantics.CHOOSE_ONE
    words = from_content(_received(body.parts[1]))
    assert words == Text(text="📍 *lake*\n0.0000005, -0.0000005", plain=True)


def test_a_broken_location_is_shown_by_its_words() -> None:
    kind = "application/vnd.skvoz.location+cbor"
    broken = SinglePart(disposition=Disposition.RENDER, content_type=kind, content=b"\x80")
    assert from_content(_received(broken)) == Unknown(kind=kind)
    both = _multi(PartSemantics.CHOOSE_ONE, broken, _text("by the lake"))
    assert from_content(_received(both)) == Text(text="by the lake")


@pytest.mark.parametrize(
    ("action", "shown"),
    [
        (Vote(target=message(1), choices=(0,)), "🗳"),
        (Vote(target=message(1), choices=()), "🗳"),
        (ClosePoll(target=message(1)), "🔒"),
    ],
)
def test_an_older_program_shows_votes_as_reactions(action: Action, shown: str) -> None:
    body = _said(action).body
    assert isinstance(body, MultiPart)
    assert from_content(_received(body.parts[1], in_reply_to=1)) == Reaction(target=message(1), emoji=shown)


def test_an_older_program_shows_a_poll_in_words() -> None:
    body = _said(Text(text="", poll=Poll(question="When?", options=("*now*", "later")))).body
    assert isinstance(body, MultiPart)
    assert from_content(_received(body.parts[1])) == Text(text="📊 When?\n– *now*\n– later", plain=True)


@pytest.mark.parametrize(
    ("noun", "value"),
    [
        ("poll", ("q", ("a", "b"))),
        ("poll", ("q", ("a", "b"), 1)),
        ("poll", ("q", ("a",), False)),
        ("poll", ("q", ("a", "a"), False)),
        ("poll", ("", ("a", "b"), False)),
        ("poll", ("q", ("a", b"b"), False)),
        ("poll", ("q", ("a", "b\n"), False)),
        ("poll", ("q" * 301, ("a", "b"), False)),
        ("poll", ("q", tuple("abcdefghijklm"), False)),
        ("vote", 1),
        ("vote", (1, 0)),
        ("vote", (1, 1)),
        ("vote", (-1,)),
        ("vote", (12,)),
        ("vote", (True,)),
        ("poll-closed", False),
        ("poll-closed", 1),
    ],
)
def test_a_broken_poll_or_vote_is_unknown(noun: str, value: cbor.Value) -> None:
    kind = f"application/vnd.skvoz.{noun}+cbor"
    part = SinglePart(disposition=Disposition.UNSPECIFIED, content_type=kind, content=cbor.encode(value))
    assert from_content(_received(part, in_reply_to=1)) == Unknown(kind=kind)
