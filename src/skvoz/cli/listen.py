"""`skvoz listen`: what arrives, as it arrives."""

from typing import TYPE_CHECKING

import click
import msgspec

from skvoz.api.params import ChatParams, ContactParams, MessageParams, NoParams
from skvoz.api.protocol import CallFailed
from skvoz.api.views import ChatView, ContactView, EventView, MessageView, StatusView
from skvoz.base.ids import AccountId, MessageId
from skvoz.base.value import Value
from skvoz.cli.command import Command, Number, Seconds, json_option
from skvoz.cli.desk import Desk, pass_desk
from skvoz.cli.output import called, failure, message_line, message_state, show_json
from skvoz.texts import say

if TYPE_CHECKING:
    from skvoz.api.caller import Caller


class _About(Value, frozen=True, kw_only=True):
    """What any event may name."""

    chat_id: bytes = b""
    message_id: MessageId = MessageId(b"")
    account_id: AccountId = AccountId(b"")
    actor: AccountId | None = None
    subject: AccountId | None = None
    what: str = ""
    reason: str = ""
    filled: bool = False
    key_changed: bool = False


class _Told(Value, frozen=True, kw_only=True, omit_defaults=True):
    """An event for programs, with the message that it is about, where there is one."""

    sequence: int
    kind: str
    data: msgspec.Raw
    created_ms: int
    message: MessageView | None = None


@click.command(cls=Command)
@click.option(
    "--after", type=Number(0), metavar="NUMBER", help=say("Begin after this event, not now; 0: all.")
)
@click.option("--seconds", type=Seconds(), metavar="SECONDS", help=say("Stop after so long."))
@json_option
@pass_desk
def listen(desk: Desk, *, after: int | None, seconds: float | None, as_json: bool) -> None:
    """Print what arrives, as it arrives.

    Where no node runs, this is one for as long as it runs.
    """
    with desk.reach() as caller:
        start = caller.call("node.status", NoParams(), StatusView).last_event if after is None else after
        for event in caller.events(start, seconds):
            if as_json:
                show_json([_told(caller, event)])
            else:
                _print(caller, event)


def _message(caller: "Caller", message_id: MessageId) -> MessageView | None:
    try:
        return caller.call("message.get", MessageParams(message_id=message_id), MessageView)
    except CallFailed:
        return None  # it has disappeared since


def _told(caller: "Caller", event: EventView) -> _Told:
    about = msgspec.json.decode(event.data, type=_About)
    return _Told(
        sequence=event.sequence,
        kind=event.kind,
        data=event.data,
        created_ms=event.created_ms,
        message=_message(caller, about.message_id) if about.message_id else None,
    )


def _print(caller: "Caller", event: EventView) -> None:
    about = msgspec.json.decode(event.data, type=_About)
    line = _line(caller, event.kind, about)
    if line:
        click.echo(line)


def _line(caller: "Caller", kind: str, about: _About) -> str:
    match kind:
        case "message.received":
            message = _message(caller, about.message_id)
            return "" if message is None else f"[{_title(caller, about.chat_id)}] {message_line(message)}"
        case "message.changed":
            return _changed(caller, about)
        case "message.missing":
            if about.filled:
                return say("[{chat}] the missing message came", chat=_title(caller, about.chat_id))
            return say("[{chat}] a message may be missing", chat=_title(caller, about.chat_id))
        case "chat.created":
            return say("[{chat}] a new chat", chat=_title(caller, about.chat_id))
        case "chat.changed":
            return _chat_changed(caller, about)
        case "link.used":
            return say("{name} came through your link", name=_name(caller, about.account_id))
        case "link.failed":
            return say("A link failed: {reason}", reason=failure(about.reason))
        case "request.failed":
            return f"[{_title(caller, about.chat_id)}] {failure(about.reason)}"
        case "contact.changed" if about.key_changed:
            name = _name(caller, about.account_id)
            return say("The key of {name} changed: compare the safety number again", name=name)
        case _:
            return ""


def _changed(caller: "Caller", about: _About) -> str:
    message = _message(caller, about.message_id)
    chat = _title(caller, about.chat_id)
    if message is None:
        return say("[{chat}] a message disappeared", chat=chat)
    if message.own and about.what in {"sent", "delivered", "read", "failed"}:
        return f"[{chat}] #{message.sequence}: {message_state(message)}"
    return f"[{chat}] {message_line(message)}"


def _chat_changed(caller: "Caller", about: _About) -> str:
    actor = _name(caller, about.actor) if about.actor else ""
    subject = _name(caller, about.subject) if about.subject else ""
    said = {
        "title": say("{actor} renamed it", actor=actor),
        "expiry": say("{actor} changed when messages disappear", actor=actor),
        "member_added": say("{actor} added {subject}", actor=actor, subject=subject),
        "member_removed": say("{subject} is out, by {actor}", actor=actor, subject=subject),
        "admin": say("{actor} made {subject} an admin", actor=actor, subject=subject),
        "not_admin": say("{actor} made {subject} a plain member", actor=actor, subject=subject),
        "left": say("you left"),
        "removed": say("you were removed"),
        "lost": say("out of step, finding its way back"),
        "gone": say("the relay no longer has this conversation; asking it now and then"),
        "found": say("in step again"),
        "frozen": say("stopped: something else writes as this device"),
    }.get(about.what)
    return f"[{_title(caller, about.chat_id)}] {said}" if said else ""


def _title(caller: "Caller", chat_id: bytes) -> str:
    try:
        found = caller.call("chat.get", ChatParams(chat_id=chat_id), ChatView)
    except CallFailed:
        return "…"
    return called(found.title, 30)


def _name(caller: "Caller", account_id: AccountId) -> str:
    try:
        found = caller.call("contact.get", ContactParams(account_id=account_id), ContactView)
    except CallFailed:
        return say("you")  # whoever else is named in an event is known here
    return called(found.name, 30)
