"""Lines for people, objects for programs; what others wrote can't move the cursor."""

import time
import unicodedata
from collections.abc import Iterable

import click
import msgspec

from skvoz.api.views import ChatView, FileView, MessageView, PollView
from skvoz.texts import count, say

_BIDI = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_TEXT_PREVIEW = 60


def show_json(objects: Iterable[object]) -> None:
    """Print one object a line."""
    for one in objects:
        click.echo(msgspec.json.encode(one).decode())


def plain(text: str) -> str:
    """Return a text that somebody else chose as one that only prints: no escapes, no reordering of lines."""
    kept = [c for c in text if c == "\n" or (unicodedata.category(c) != "Cc" and c not in _BIDI)]
    return "".join(kept)


def one_line(text: str, width: int = 0) -> str:
    """Return a text on one line, cut to `width` characters where that is given."""
    line = " ".join(plain(text).split())
    return line if not width or len(line) <= width else line[: width - 1] + "…"


def called(name: str, width: int = 0) -> str:
    """Return a name likewise, or what to say of somebody who has none."""
    return one_line(name, width) or say("somebody without a name")


def clock(time_ms: int) -> str:
    """Return a time as people here write it: with the date, where it was not today."""
    then, now = time.localtime(time_ms / 1000), time.localtime()
    same_day = then[:3] == now[:3]
    return time.strftime("%H:%M" if same_day else "%Y-%m-%d %H:%M", then)


def message_line(message: MessageView) -> str:
    """Return a message for reading: number, time, author, text, and what became of it."""
    notes = _notes(message)
    end = f"   ({', '.join(notes)})" if notes else ""
    author = say("you") if message.own else one_line(message.author_name, 30)
    indent = "\n" + " " * 8
    said = [*plain(_body(message)).splitlines(), *map(_file_line, message.files)]
    body = indent.join([*_quoted(message), *said])
    return f"#{message.sequence:<5} {clock(message.sent_ms)}  {author}: {body}{end}"


def _quoted(message: MessageView) -> list[str]:
    """Return a line for what a message answers; none where it answers nothing that is here."""
    quoted = message.quoted
    if quoted is None or message.deleted:
        return []
    author = say("you") if quoted.own else one_line(quoted.author_name, 30)
    text = say("[deleted]") if quoted.deleted else one_line(quoted.text, _TEXT_PREVIEW)
    return [f"> #{quoted.sequence} {author}: {text}"]


def size_of(size: int) -> str:
    """Return a number of bytes as people read it."""
    if size < 1000:
        return say("{number} B", number=str(size))
    shown = size / 1000
    units = [say("kB"), say("MB"), say("GB")]
    while shown >= 1000 and len(units) > 1:
        shown /= 1000
        units.pop(0)
    return f"{shown:.0f} {units[0]}" if shown >= 100 else f"{shown:.1f} {units[0]}"


def _file_line(file: FileView) -> str:
    notes = [size_of(file.size)]
    if file.state == "uploading":
        notes.append(say("on its way"))
    if file.paused:
        notes.append(say("held"))
    if file.failure:
        notes.append(failure(file.failure))
    return f"[{one_line(file.name)}: {', '.join(notes)}]"


def _body(message: MessageView) -> str:
    if message.deleted:
        return say("[deleted]")
    if message.unsupported:
        shown = say("[something that this version can't show]")
        return f"{shown} {message.text}".rstrip()
    if message.poll is not None:
        return _poll(message.poll)
    return message.text


def _poll(poll: PollView) -> str:
    closed = f" ({say('closed')})" if poll.closed else ""
    answers = [
        f"{number}. {option.text}: {len(option.account_ids)}" for number, option in enumerate(poll.options, 1)
    ]
    return "\n".join((f"📊 {poll.question}{closed}", *answers))


def _notes(message: MessageView) -> list[str]:
    notes: list[str] = []
    if message.own:
        notes.append(message_state(message))
    if message.forwarded and not message.deleted:
        notes.append(say("forwarded"))
    if message.edited and not message.deleted:
        notes.append(say("edited"))
    notes += [f"{one_line(one.emoji)} {len(one.account_ids)}" for one in message.reactions]
    if message.expires_ms is not None:
        notes.append(say("disappears {time}", time=clock(message.expires_ms)))
    return notes


def message_state(message: MessageView) -> str:
    """Return how far a message of one's own has come, in words."""
    match message.state:
        case "queued":
            return say("waits to be sent")
        case "sent":
            return say("sent")
        case "delivered":
            return say("delivered")
        case "read":
            return say("read")
        case _:
            return say("not sent: {reason}", reason=failure(message.failure))


def failure(reason: str) -> str:
    """Return why something could not be done, in words."""
    known = {
        "left": say("you are not in this chat any more"),
        "too_big": say("the relay finds it too big"),
        "bad": say("the relay refused it"),
        "relay_refused": say("the relay makes no room for it"),
        "not_delivered": say("an invitation could not be delivered"),
        "not_reachable": say("somebody could not be reached, and was not added"),
        "bad_package": say("what somebody laid down for invitations is not usable"),
        "not_allowed": say("your role in the group does not permit it any more"),
        "used": say("the link was used already: somebody else may have seen it"),
        "invalid": say("what is behind the link is not what it promises"),
        "expired": say("what is behind the link has expired"),
        "denied": say("the link leads nowhere"),
        "relay_full": say("the relay has no room for it now; it is tried again"),
        "disk_full": say("the disk is full"),
        "file_gone": say("the relay does not have it any more"),
        "file_damaged": say("it is not what it was when it was sent, so it is not shown"),
    }
    return known.get(reason, reason)


def chat_line(chat: ChatView) -> str:
    """Return a chat for the list: title, what is new, the last words."""
    notes = [note for note in (_standing(chat), _news(chat)) if note]
    last = chat.last_message
    said = ""
    if last is not None:
        who = say("you") if last.own else one_line(last.author_name, 20)
        words = " ".join([_body(last), *(f"[{file.name}]" for file in last.files)])
        said = f"  {who}: {one_line(words, _TEXT_PREVIEW)}"
    title = called(chat.title, 40)
    standing = f"  ({', '.join(notes)})" if notes else ""
    return f"{clock(chat.last_activity_ms)}  {title}{standing}{said}"


def _news(chat: ChatView) -> str:
    notes: list[str] = []
    if chat.unread:
        notes.append(count("{number} new", "{number} new", chat.unread))
    if chat.gaps:
        notes.append(count("{number} message may be missing", "{number} messages may be missing", chat.gaps))
    return ", ".join(notes)


def _standing(chat: ChatView) -> str:
    if chat.is_request and chat.state == "held" and chat.last_message is None:
        return say("a request: accept or decline it; their words are fetched once you accept")
    if chat.is_request:
        return say("a request: accept or decline it")
    known = {
        "left": say("you left"),
        "removed": say("you were removed"),
        "leaving": say("you are leaving"),
        "lost": say("out of step, finding its way back"),
        "gone": say("the relay no longer has this conversation; asking it now and then"),
        "frozen": say("stopped: something else writes as this device"),
    }
    quiet = say("muted") if chat.muted else ""
    return known.get(chat.state, say("perhaps you are alone here") if chat.alone else quiet)
