"""Contents and actions to test with."""

from typing import Any

from hypothesis import strategies as st

from skvoz.base.ids import AccountId, MessageId
from skvoz.codec import cbor
from skvoz.content import (
    Action,
    ClosePoll,
    Delete,
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
    location_text,
    poll_text,
)

SALT = bytes(range(16))
SENT_AT_MS = 1_764_000_000_000
ALICE = AccountId(b"a" * 32)
BOB = AccountId(b"b" * 32)


def message(number: int) -> MessageId:
    """Return the id of a message that doesn't exist."""
    return MessageId(b"\x01" + number.to_bytes(31, "big"))


MESSAGES = st.binary(min_size=31, max_size=31).map(lambda digest: MessageId(b"\x01" + digest))
ACCOUNTS = st.binary(min_size=32, max_size=32).map(AccountId)
EXPIRATIONS = st.builds(Expiration, relative=st.just(value=True), time_s=st.integers(0, 366 * 86400)) | (
    st.builds(Expiration, relative=st.just(value=False), time_s=st.integers(0, 2**32 - 1))
)

_WORDS = st.text(alphabet=st.characters(codec="utf-8"), max_size=60)
_LABELS = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\n"), min_size=1, max_size=128)


LOCATIONS = st.builds(
    Location,
    latitude_e7=st.integers(-900_000_000, 900_000_000),
    longitude_e7=st.integers(-1_800_000_000, 1_800_000_000),
    label=st.text(
        alphabet=st.characters(codec="utf-8", min_codepoint=32, exclude_characters="\x7f"), max_size=256
    ),
)


_LINES = st.text(
    alphabet=st.characters(codec="utf-8", min_codepoint=32, exclude_characters="\x7f"),
    min_size=1,
    max_size=100,
).filter(str.strip)
POLLS = st.builds(
    Poll,
    question=_LINES,
    options=st.lists(_LINES, min_size=2, max_size=12, unique=True).map(tuple),
    several=st.booleans(),
)


@st.composite
def texts_with_mentions(draw: st.DrawFn) -> tuple[str, tuple[Mention, ...]]:
    """Draw a text and people mentioned in it, no backslash right before a mention."""
    text = draw(_WORDS.filter(str.strip))
    mentions: list[Mention] = []
    for _ in range(draw(st.integers(0, 3))):
        said = mentions[-1].start + mentions[-1].length if mentions else 0
        text = text[:said] + text[said:].rstrip("\\")
        label = draw(_LABELS)
        mentions.append(Mention(account_id=draw(ACCOUNTS), start=len(text), length=len(label)))
        text += label + draw(_WORDS)
    if not text.strip():
        text += "."
    return text, tuple(mentions)


@st.composite
def _texts(draw: st.DrawFn) -> Text:
    expires = draw(st.none() | EXPIRATIONS)
    reply_to = draw(st.none() | MESSAGES)
    if draw(st.booleans()):
        return Text(text=draw(_WORDS.filter(str.strip)), reply_to=reply_to, expires=expires, plain=True)
    text, mentions = draw(texts_with_mentions())
    forwarded = draw(st.booleans())
    if draw(st.booleans()):
        poll = draw(POLLS)
        return Text(text=poll_text(poll), plain=True, poll=poll, reply_to=reply_to, expires=expires)
    if draw(st.booleans()):
        location = draw(LOCATIONS)
        said = location_text(location)
        return Text(
            text=said, plain=True, location=location, reply_to=reply_to, expires=expires, forwarded=forwarded
        )
    return Text(text=text, mentions=mentions, reply_to=reply_to, expires=expires, forwarded=forwarded)


@st.composite
def _edits(draw: st.DrawFn) -> Edit:
    text, mentions = draw(texts_with_mentions())
    return Edit(replaces=draw(MESSAGES), text=text, mentions=mentions)


_SOME = st.lists(MESSAGES, max_size=5).map(tuple)
REPORTS = st.builds(Report, delivered=_SOME, read=_SOME).filter(
    lambda report: report.delivered or report.read
)
ACTIONS: st.SearchStrategy[Action] = st.one_of(
    _texts(),
    _edits(),
    st.builds(Delete, replaces=MESSAGES),
    st.builds(Reaction, target=MESSAGES, emoji=st.sampled_from(["❤", "👩🏽‍⚕️", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "+1", "да"])),
    st.builds(Unreact, replaces=MESSAGES),
    st.builds(Pin, target=MESSAGES, pinned=st.booleans()),
    st.builds(
        Vote,
        target=MESSAGES,
        choices=st.sets(st.integers(0, 11)).map(lambda chosen: tuple(sorted(chosen))),
    ),
    st.builds(ClosePoll, target=MESSAGES),
    REPORTS,
)

_DISPOSITIONS = st.integers(0, 255)
_TYPES = st.sampled_from(["text/plain;charset=utf-8", "text/markdown", "image/png", "", "application/x-a"])
_LEAVES: st.SearchStrategy[NestedPart] = st.one_of(
    st.builds(NullPart, disposition=_DISPOSITIONS, language=st.sampled_from(["", "ru", "en,fr"])),
    st.builds(
        SinglePart,
        disposition=_DISPOSITIONS,
        content_type=_TYPES,
        content=st.text(max_size=60).map(str.encode),
    ),
    st.builds(
        ExternalPart,
        disposition=_DISPOSITIONS,
        content_type=_TYPES,
        url=st.just("https://example.com/a"),
        size=st.integers(0, 2**64 - 1),
        encryption=st.just(1),
        key=st.binary(max_size=32),
        nonce=st.binary(max_size=12),
    ),
)


def _multi(parts: st.SearchStrategy[NestedPart]) -> st.SearchStrategy[NestedPart]:
    return st.builds(
        MultiPart,
        disposition=_DISPOSITIONS,
        semantics=st.sampled_from(PartSemantics),
        parts=st.lists(parts, min_size=2, max_size=3).map(tuple),
    )


BODIES = _LEAVES | _multi(_LEAVES) | _multi(_multi(_LEAVES)) | _multi(_multi(_multi(_LEAVES)))
_SIMPLE: st.SearchStrategy[cbor.Value] = st.none() | st.integers(0, 2**64 - 1) | st.text(max_size=20)
EXTENSIONS = st.dictionaries(
    st.integers(3, 2**53 - 1) | st.integers(-(2**53) + 1, -1) | st.text(min_size=1, max_size=60),
    _SIMPLE
    | st.lists(_SIMPLE, max_size=3).map(tuple)
    | st.dictionaries(st.integers(-9, 9), _SIMPLE, max_size=3),
    max_size=4,
)


def _content(**fields: Any) -> MimiContent:
    # Hypothesis would look for what a mapping of CBOR's values is in another module than it is said in.
    return MimiContent(**fields)


CONTENTS = st.builds(
    _content,
    salt=st.binary(min_size=16, max_size=16),
    replaces=st.none() | MESSAGES,
    topic_id=st.binary(max_size=40),
    expires=st.none() | EXPIRATIONS,
    in_reply_to=st.none() | MESSAGES,
    last_seen=st.lists(MESSAGES, max_size=16).map(tuple),
    extensions=EXTENSIONS,
    body=BODIES,
)
