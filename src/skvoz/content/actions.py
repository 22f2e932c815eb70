"""What people do in a conversation, as values, to MIMI content and back.

What doesn't fit any action becomes `Unknown`, never an error: the received bytes are kept, and
a later version may understand them.
"""

from typing import Final, TypeAlias, assert_never

from msgspec.structs import replace

from skvoz.base.errors import BadRequest, PeerError
from skvoz.base.ids import MessageId
from skvoz.base.value import Value
from skvoz.codec import cbor
from skvoz.content import media
from skvoz.content.files import FILES_MAX, File, file_in, file_parts, is_preview, with_preview
from skvoz.content.locations import Location, encode_location, location_text, parse_location
from skvoz.content.markdown import Mention, with_links, without_links
from skvoz.content.model import (
    FORWARDED,
    SENT_AT,
    TEXT_SIZE_MAX,
    Disposition,
    Expiration,
    ExternalPart,
    MimiContent,
    MultiPart,
    NestedPart,
    NullPart,
    PartSemantics,
    SinglePart,
)
from skvoz.content.polls import Poll, encode_choices, encode_poll, parse_choices, parse_poll, poll_text
from skvoz.content.reports import Report, encode_report, parse_report

REACTION_SIZE_MAX: Final = 64
"""A reaction, bytes of UTF-8: the longest emoji sequences are about 35."""

PIN_EMOJI: Final = "📌"
"""What a program that knows no pins shows under a pinned message."""
VOTE_EMOJI: Final = "🗳"
"""What a program that knows no polls shows of a vote, and ..."""
CLOSED_EMOJI: Final = "🔒"
"""... of a poll's end."""

_OURS: Final = frozenset({media.LOCATION, media.POLL, media.PIN, media.VOTE, media.POLL_CLOSED})
_NOT_SHOWN_AS_TEXT: Final = frozenset(
    {
        Disposition.REACTION,
        Disposition.PROFILE,
        Disposition.ICON,
        Disposition.ATTACHMENT,
        Disposition.SESSION,
        Disposition.PREVIEW,
    }
)


class Text(Value, frozen=True, kw_only=True):
    """Somebody writes: Markdown as typed, or with `plain` a text in which nothing is markup.

    Beside `files` the text may be empty.
    """

    text: str
    reply_to: MessageId | None = None
    mentions: tuple[Mention, ...] = ()
    expires: Expiration | None = None
    plain: bool = False
    files: tuple[File, ...] = ()
    location: Location | None = None
    """A place; the text is then that of `location_text`, and plain."""
    poll: Poll | None = None
    """A poll; the text is then that of `poll_text`, and plain."""
    forwarded: bool = False
    """Somebody else said it first; who is not told."""


class Edit(Value, frozen=True, kw_only=True):
    """A text takes the place of another; `replaces` is the first version's id, however often it changes."""

    replaces: MessageId
    text: str
    mentions: tuple[Mention, ...] = ()
    plain: bool = False


class Delete(Value, frozen=True, kw_only=True):
    """A message is taken back; `replaces` is its first version's id."""

    replaces: MessageId


class Reaction(Value, frozen=True, kw_only=True):
    """An emoji for a message."""

    target: MessageId
    emoji: str


class Unreact(Value, frozen=True, kw_only=True):
    """A reaction is taken back; `replaces` is the id of the reaction itself."""

    replaces: MessageId


class Pin(Value, frozen=True, kw_only=True):
    """A message is kept at hand for everybody in the chat, or (`pinned=False`) not any more."""

    target: MessageId
    pinned: bool = True


class Vote(Value, frozen=True, kw_only=True):
    """Answers of a poll are chosen, by numbers from 0 up, in place of those before; none: taken back."""

    target: MessageId
    choices: tuple[int, ...]


class ClosePoll(Value, frozen=True, kw_only=True):
    """Whoever asked takes no more votes."""

    target: MessageId


class Unknown(Value, frozen=True, kw_only=True):
    """A message of a kind that this version doesn't know: "unsupported message".

    `kind` is its media type as the author wrote it, perhaps empty; `text` what could be read of it.
    """

    kind: str
    text: str = ""


Action: TypeAlias = Text | Edit | Delete | Reaction | Unreact | Pin | Vote | ClosePoll | Report


def to_content(
    action: Action,
    *,
    salt: bytes,
    sent_at_ms: int,
    last_seen: tuple[MessageId, ...] = (),
    report: Report | None = None,
) -> MimiContent:
    """Return the content that says `action`, with a report riding along if one is due.

    `salt` is 16 fresh random bytes. Raises `BadRequest` if the action can't be said.
    """
    replaces = in_reply_to = expires = None
    body: NestedPart
    match action:
        case Text():
            in_reply_to, expires = action.reply_to, action.expires
            body = _text_body(action)
        case Edit():
            replaces = action.replaces
            body = _text_part(action)
        case Delete():
            replaces = action.replaces
            body = NullPart(disposition=Disposition.RENDER)
        case Reaction():
            in_reply_to = action.target
            body = _reaction_part(action.emoji)
        case Unreact():
            replaces = action.replaces
            body = NullPart(disposition=Disposition.REACTION)
        case Pin() | Vote() | ClosePoll():
            in_reply_to = action.target
            body = _mark_part(action)
        case Report():
            body = _report_part(action)
        case _:
            assert_never(action)
    if report is not None:
        if isinstance(action, Report):
            raise BadRequest("a report can't carry another")
        body = MultiPart(
            disposition=Disposition.RENDER,
            semantics=PartSemantics.PROCESS_ALL,
            parts=(body, _report_part(report)),
        )
    forwarded = isinstance(action, Text) and action.forwarded
    return MimiContent(
        salt=salt,
        replaces=replaces,
        expires=expires,
        in_reply_to=in_reply_to,
        last_seen=last_seen,
        extensions={SENT_AT: sent_at_ms, FORWARDED: True} if forwarded else {SENT_AT: sent_at_ms},
        body=body,
    )


def from_content(content: MimiContent) -> Action | Unknown:
    """Return what the author did; a report that rides along is found by `report_in`."""
    action = _action(content, content.body)
    return replace(action, forwarded=True) if isinstance(action, Text) and content.forwarded else action


def report_in(content: MimiContent) -> Report | None:
    """Return the report that a content is or carries."""
    body = content.body
    if isinstance(body, SinglePart):
        return _report(body)
    if isinstance(body, MultiPart) and body.semantics == PartSemantics.PROCESS_ALL:
        for part in body.parts:
            report = _report(part)
            if report is not None:
                return report
    return None


def _text_body(action: Text) -> NestedPart:
    if action.location is not None:
        return _before_text(media.LOCATION, encode_location(action.location), location_text(action.location))
    if action.poll is not None:
        return _before_text(media.POLL, encode_poll(action.poll), poll_text(action.poll))
    return _text_and_files(action) if action.files else _text_part(action)


def _before_text(kind: str, data: bytes, text: str) -> MultiPart:
    """Return a part of a kind of ours, and behind it what programs that don't know it show: a plain text."""
    return MultiPart(
        disposition=Disposition.RENDER,
        semantics=PartSemantics.CHOOSE_ONE,
        parts=(
            SinglePart(disposition=Disposition.RENDER, content_type=kind, content=data),
            _text_part(Text(text=text, plain=True)),
        ),
    )


def _text_and_files(action: Text) -> NestedPart:
    if len(action.files) > FILES_MAX:
        raise BadRequest("a message has 16 files at most")
    parts = [part for file in action.files for part in file_parts(file)]
    if action.text.strip():
        parts.insert(0, _text_part(action))
    if len(parts) == 1:
        return parts[0]
    return MultiPart(disposition=Disposition.RENDER, semantics=PartSemantics.PROCESS_ALL, parts=tuple(parts))


def _text_part(action: Text | Edit) -> SinglePart:
    if not action.text.strip():
        raise BadRequest("the message is empty")
    if action.plain and action.mentions:
        raise BadRequest("a plain text can't mention anybody")
    text = action.text if action.plain else with_links(action.text, action.mentions)
    return SinglePart(
        disposition=Disposition.RENDER,
        content_type=media.PLAIN if action.plain else media.MARKDOWN,
        content=_utf8(text, TEXT_SIZE_MAX, "the message is too long"),
    )


def _reaction_part(emoji: str) -> SinglePart:
    if not _is_reaction(emoji):
        raise BadRequest("a reaction is one emoji")
    return SinglePart(
        disposition=Disposition.REACTION,
        content_type=media.PLAIN,
        content=_utf8(emoji, REACTION_SIZE_MAX, "a reaction is one emoji"),
    )


def _mark_part(action: Pin | Vote | ClosePoll) -> MultiPart:
    match action:
        case Pin():
            return _with_reaction(media.PIN, cbor.encode(action.pinned), PIN_EMOJI)
        case Vote():
            return _with_reaction(media.VOTE, encode_choices(action.choices), VOTE_EMOJI)
        case ClosePoll():
            return _with_reaction(media.POLL_CLOSED, cbor.encode(value=True), CLOSED_EMOJI)


def _with_reaction(kind: str, data: bytes, emoji: str) -> MultiPart:
    """Return a part of a kind of ours, and behind it what programs that don't know it show: a reaction."""
    ours = SinglePart(disposition=Disposition.UNSPECIFIED, content_type=kind, content=data)
    return MultiPart(
        disposition=Disposition.RENDER,
        semantics=PartSemantics.CHOOSE_ONE,
        parts=(ours, _reaction_part(emoji)),
    )


def _report_part(report: Report) -> SinglePart:
    return SinglePart(
        disposition=Disposition.UNSPECIFIED, content_type=media.REPORT, content=encode_report(report)
    )


def _utf8(text: str, size_max: int, complaint: str) -> bytes:
    try:
        data = text.encode()
    except UnicodeEncodeError:
        raise BadRequest("the text has characters that can't be sent") from None
    if len(data) > size_max:
        raise BadRequest(complaint)
    return data


def _is_reaction(emoji: str) -> bool:
    """Say whether a text can stand under a message as a reaction: short, visible and on one line."""
    return (
        0 < len(emoji) <= REACTION_SIZE_MAX
        and len(emoji.encode(errors="replace")) <= REACTION_SIZE_MAX
        and not any(character.isspace() or character < " " or character == "\x7f" for character in emoji)
    )


def _action(content: MimiContent, part: NestedPart) -> Action | Unknown:
    match part:
        case SinglePart():
            return _single(content, part)
        case NullPart():
            if content.replaces is None:
                return Unknown(kind="")
            if part.disposition == Disposition.REACTION:
                return Unreact(replaces=content.replaces)
            return Delete(replaces=content.replaces)
        case ExternalPart():
            return _external(content, part)
        case MultiPart():
            return _several(content, part)


def _external(content: MimiContent, part: ExternalPart) -> Action | Unknown:
    file = file_in(part)
    if file is None or content.replaces is not None:
        return Unknown(kind=part.content_type, text=part.description)
    return Text(text="", reply_to=content.in_reply_to, expires=content.expires, files=(file,))


def _single(content: MimiContent, part: SinglePart) -> Action | Unknown:
    kind = part.content_type
    report = _report(part)
    if report is not None:
        return report
    if kind in _OURS:
        return _of_ours(content, part)
    markdown = media.is_markdown(kind)
    if not markdown and not media.is_plain(kind):
        return Unknown(kind=kind)
    text = part.content.decode(errors="replace")
    if part.disposition == Disposition.REACTION:
        if content.in_reply_to is not None and content.replaces is None and _is_reaction(text):
            return Reaction(target=content.in_reply_to, emoji=text)
        return Unknown(kind=kind, text=text)
    if part.disposition in _NOT_SHOWN_AS_TEXT:
        return Unknown(kind=kind, text=text)
    mentions: tuple[Mention, ...] = ()
    if markdown:
        text, mentions = without_links(text)
    if content.replaces is not None:
        return Edit(replaces=content.replaces, text=text, mentions=mentions, plain=not markdown)
    return Text(
        text=text,
        reply_to=content.in_reply_to,
        mentions=mentions,
        expires=content.expires,
        plain=not markdown,
    )


def _of_ours(content: MimiContent, part: SinglePart) -> Action | Unknown:
    """Return what a part of a kind of ours says; what is broken or out of place is unknown."""
    target = content.in_reply_to
    try:
        if content.replaces is not None:
            return Unknown(kind=part.content_type)
        match part.content_type:
            case media.LOCATION:
                location = parse_location(part.content)
                return replace(_plain(content, location_text(location)), location=location)
            case media.POLL:
                poll = parse_poll(part.content)
                return replace(_plain(content, poll_text(poll)), poll=poll)
            case media.PIN if target is not None:
                pinned = cbor.decode(part.content)
                if isinstance(pinned, bool):
                    return Pin(target=target, pinned=pinned)
            case media.VOTE if target is not None:
                return Vote(target=target, choices=parse_choices(part.content))
            case media.POLL_CLOSED if target is not None:
                if cbor.decode(part.content) is True:
                    return ClosePoll(target=target)
            case _:
                pass
    except PeerError:
        pass
    return Unknown(kind=part.content_type)


def _plain(content: MimiContent, text: str) -> Text:
    return Text(text=text, reply_to=content.in_reply_to, expires=content.expires, plain=True)


def _several(content: MimiContent, part: MultiPart) -> Action | Unknown:
    if part.semantics == PartSemantics.SINGLE_UNIT:
        # A unit is for those who understand all of it, and we know no kind of unit.
        return Unknown(kind="multipart/related")
    if part.semantics == PartSemantics.PROCESS_ALL and any(
        isinstance(one, ExternalPart) for one in part.parts
    ):
        return _with_files(content, part.parts)
    actions = [_action(content, nested) for nested in part.parts]
    if part.semantics == PartSemantics.CHOOSE_ONE:
        return next(
            (action for action in actions if not isinstance(action, Unknown)),
            Unknown(kind="multipart/alternative"),
        )
    said = [action for action in actions if not isinstance(action, Report)]
    if len(said) == 1:
        return said[0]
    if not said:
        return actions[0]
    # More than one thing was said at once. What can be read is shown, together with the remark.
    texts = [action.text for action in said if isinstance(action, (Text, Edit, Unknown)) and action.text]
    return Unknown(kind="multipart/mixed", text="\n".join(texts))


def _with_files(content: MimiContent, parts: tuple[NestedPart, ...]) -> Action | Unknown:
    """Return a text with files out of parts that are all to be processed."""
    files: list[File] = []
    said: list[Action | Unknown] = []
    after_file = False
    for part in parts:
        if isinstance(part, SinglePart) and is_preview(part):
            if after_file:
                files[-1] = with_preview(files[-1], part)
            continue
        action = _action(content, part)
        after_file = isinstance(action, Text) and len(action.files) == 1 and isinstance(part, ExternalPart)
        if after_file and isinstance(action, Text):
            files += action.files
        elif not isinstance(action, Report):
            said.append(action)
    text = said[0] if said else Text(text="", reply_to=content.in_reply_to, expires=content.expires)
    if len(said) > 1 or not isinstance(text, Text) or not files or len(files) > FILES_MAX:
        shown = "\n".join(one.text for one in said if isinstance(one, (Text, Unknown)) and one.text)
        return Unknown(kind="multipart/mixed", text=shown)
    return replace(text, files=tuple(files))


def _report(part: NestedPart) -> Report | None:
    if not isinstance(part, SinglePart) or part.content_type != media.REPORT:
        return None
    try:
        return parse_report(part.content)
    except PeerError:
        return None
