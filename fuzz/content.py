"""Fuzz the reading of message contents: what parses encodes back, and can be shown."""

from typing import Final

from fuzz.target import Part, Target, one_of
from skvoz.base.ids import AccountId, GroupId, MessageId
from skvoz.codec import cbor
from skvoz.content import (
    Action,
    ClosePoll,
    Complaint,
    Delete,
    Disposition,
    Edit,
    Expiration,
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
    Unreact,
    Vote,
    account_in,
    check_addresses,
    displayable,
    encode,
    encode_complaint,
    from_content,
    message_id,
    parse,
    parse_complaint,
    parse_pasted_location,
    plain_text,
    report_in,
    to_content,
)
from skvoz.content.locations import encode_location, parse_location
from skvoz.content.polls import encode_choices, encode_poll, parse_choices, parse_poll
from skvoz.content.reports import encode_report, parse_report

_SENDER: Final = "mimi://skvoz.invalid/u/" + "A" * 43
_ROOM: Final = "mimi://skvoz.invalid/r/" + "A" * 22
_MESSAGE: Final = MessageId(b"\x01" + bytes(31))
_ALICE: Final = AccountId(bytes(32))

_PLACE: Final = Location(latitude_e7=557_539_000, longitude_e7=-376_208_000, label="Красная площадь")
_POLL: Final = Poll(question="Когда?", options=("today", "tomorrow"), several=True)
_PASTED: Final = (
    "55.7539, 37.6208",
    "55,7539° N 37,6208° W",
    "geo:0,0?q=55.7539,37.6208(lake)",
    "https://www.openstreetmap.org/?mlat=55.7539&mlon=37.6208#map=15/55.7539/37.6208",
    "https://www.google.com/maps/place/The+lake/@55.7,37.6,17z/data=!3d55.7539!4d37.6208",
    "https://yandex.ru/maps/?whatshere[point]=37.6208,55.7539&ll=37.6,55.7",
)
_ACTIONS: Final[tuple[Action, ...]] = (
    Text(
        text="Привет, @Алиса!", mentions=(Mention(account_id=_ALICE, start=8, length=6),), reply_to=_MESSAGE
    ),
    Text(text="*hi*", plain=True, expires=Expiration(relative=True, time_s=60)),
    Text(text="passed on", forwarded=True),
    Edit(replaces=_MESSAGE, text="\\[a] `b`"),
    Delete(replaces=_MESSAGE),
    Reaction(target=_MESSAGE, emoji="❤"),
    Unreact(replaces=_MESSAGE),
    Pin(target=_MESSAGE),
    Text(text="📊", poll=_POLL),
    Vote(target=_MESSAGE, choices=(1,)),
    ClosePoll(target=_MESSAGE),
    Text(text="📍", location=_PLACE),
    Report(delivered=(_MESSAGE,), read=(_MESSAGE, _MESSAGE)),
)
_PICTURE: Final = ExternalPart(
    disposition=Disposition.ATTACHMENT, content_type="image/png", url="https://example.com", filename="a.png"
)
_BODIES: Final[tuple[NestedPart, ...]] = (
    _PICTURE,
    MultiPart(
        disposition=Disposition.RENDER,
        semantics=PartSemantics.CHOOSE_ONE,
        parts=(SinglePart(disposition=1, content_type="text/html", content=b"<b>"), NullPart(disposition=1)),
    ),
)


_COMPLAINT: Final = Complaint(
    group_id=GroupId(b"g" * 16),
    message_id=_MESSAGE,
    author=AccountId(b"a" * 32),
    reason=1,
    note="n",
    quote="q",
)


def seeds() -> list[bytes]:
    """Return contents of every kind, encoded."""
    report = Report(read=(_MESSAGE,))
    said = [to_content(action, salt=bytes(16), sent_at_ms=1, last_seen=(_MESSAGE,)) for action in _ACTIONS]
    said.append(to_content(_ACTIONS[0], salt=bytes(16), sent_at_ms=1, report=report))
    extensions: dict[int | str, cbor.Value] = {1: _SENDER, 2: _ROOM, 9: (None, {"a": b"b"})}
    said += [MimiContent(salt=bytes(16), topic_id=b"t", extensions=extensions, body=body) for body in _BODIES]
    return [encode(content) for content in said]


def try_content(data: bytes) -> None:
    """Read bytes as a content, do with it what a client does, and hold it to its own encoding."""
    content = parse(data)
    if encode(content) != data:
        raise AssertionError("a content has two encodings")
    message_id(_SENDER, _ROOM, data)
    check_addresses(content, _SENDER, _ROOM)
    displayable(plain_text(from_content(content))).encode()
    report_in(content)


def try_text(data: bytes) -> None:
    """Read bytes as the Markdown of a message."""
    body = (1, "", 1, "text/markdown", data)
    try_content(cbor.encode((bytes(16), None, b"", None, None, {}, body)))


def try_report(data: bytes) -> None:
    """Read bytes as a report; what says nothing is never sent, and may be parsed."""
    report = parse_report(data)
    if report != Report() and encode_report(report) != data:
        raise AssertionError("a report has two encodings")


def try_complaint(data: bytes) -> None:
    """Read bytes as a complaint; an unknown reason is read as another one."""
    complaint = parse_complaint(data)
    if parse_complaint(encode_complaint(complaint)) != complaint:
        raise AssertionError("a complaint changes on its way")


def try_location(data: bytes) -> None:
    """Read bytes as a location."""
    if encode_location(parse_location(data)) != data:
        raise AssertionError("a location has two encodings")


def try_poll(data: bytes) -> None:
    """Read bytes as a poll."""
    if encode_poll(parse_poll(data)) != data:
        raise AssertionError("a poll has two encodings")


def try_choices(data: bytes) -> None:
    """Read bytes as a vote."""
    if encode_choices(parse_choices(data)) != data:
        raise AssertionError("a vote has two encodings")


def try_pasted(data: bytes) -> None:
    """Look for a place in what somebody pasted; one that is found can be sent."""
    found = parse_pasted_location(data.decode(errors="replace"))
    if found is not None:
        encode_location(found)


def try_address(data: bytes) -> None:
    """Look for an account in a URI."""
    account_in(data.decode(errors="surrogateescape"))


def make() -> Target:
    """Return the target."""
    reports = (Report(read=(_MESSAGE,)), Report(delivered=(_MESSAGE,), read=(_MESSAGE, _MESSAGE)))
    return one_of(
        (
            Part(try_content, seeds()),
            Part(try_text, ["*жирный* [a](https://b) `c`\n\n> d\n1. e".encode(), b"\\[a] <b> &amp; ![i](j)"]),
            Part(try_address, [_SENDER.encode()]),
            Part(try_complaint, [encode_complaint(_COMPLAINT)]),
            Part(try_location, [encode_location(_PLACE)]),
            Part(try_poll, [encode_poll(_POLL)]),
            Part(try_choices, [encode_choices(()), encode_choices((0, 11))]),
            Part(try_pasted, [text.encode() for text in _PASTED]),
            Part(try_report, [encode_report(report) for report in reports]),
        )
    )
