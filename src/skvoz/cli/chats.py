"""`skvoz chats`, `read`, `search` and `chat`: looking at conversations, and settling what is about them."""

import click

from skvoz.api.params import ChatParams, MessagePageParams, SearchParams
from skvoz.api.views import ChatView, FoundPageView, MessagePageView
from skvoz.base.errors import BadRequest
from skvoz.cli.command import Command, Group, Number, json_option
from skvoz.cli.desk import Desk, pass_desk
from skvoz.cli.naming import all_chats, find_chat
from skvoz.cli.output import chat_line, message_line, show_json
from skvoz.cli.wishes import say_if_waiting, wish
from skvoz.texts import count, say

_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


@click.command(cls=Command)
@json_option
@pass_desk
def chats(desk: Desk, *, as_json: bool) -> None:
    """List chats, the latest first."""
    with desk.reach() as caller:
        found = all_chats(caller)
    if as_json:
        show_json(found)
        return
    for chat in found:
        click.echo(chat_line(chat))
    if not found:
        click.echo(say("Nobody yet. `skvoz invite` makes a link for the first person."), err=True)


@click.command(cls=Command)
@click.argument("chat")
@click.option("--limit", type=click.IntRange(1, 500), default=50, help=say("At most so many messages."))
@click.option("--before", type=Number(), metavar="NUMBER", help=say("Only messages before this one."))
@click.option("--keep-unread", is_flag=True, help=say("Look without marking it as read."))
@json_option
@pass_desk
def read(desk: Desk, *, chat: str, limit: int, before: int | None, keep_unread: bool, as_json: bool) -> None:
    """Show a chat, and mark it as read."""
    with desk.reach() as caller:
        found = find_chat(caller, chat)
        wanted = MessagePageParams(chat_id=found.chat_id, before=before, limit=limit)
        page = caller.call("message.list", wanted, MessagePageView)
        others = [message for message in page.messages if not message.own]
        if others and found.unread and not keep_unread and before is None:
            wish(caller, "chat.read", chat_id=found.chat_id, message_id=others[0].message_id)
    if as_json:
        show_json(reversed(page.messages))
        return
    for message in reversed(page.messages):
        click.echo(message_line(message))
    if not page.messages:
        click.echo(say("Nothing is here yet."), err=True)
    if found.gaps:
        click.echo(
            count("{number} message may be missing", "{number} messages may be missing", found.gaps), err=True
        )
    if page.next_before is not None:
        click.echo(say("Older ones: --before {number}", number=page.next_before), err=True)


@click.command(cls=Command)
@click.argument("words", nargs=-1, required=True)
@click.option("--chat", metavar="CHAT", help=say("Only in this chat."))
@click.option("--limit", type=click.IntRange(1, 500), default=50, help=say("At most so many messages."))
@json_option
@pass_desk
def search(desk: Desk, *, words: tuple[str, ...], chat: str | None, limit: int, as_json: bool) -> None:
    """Find messages with all of these words."""
    with desk.reach() as caller:
        chat_id = None if chat is None else find_chat(caller, chat).chat_id
        wanted = SearchParams(text=" ".join(words), chat_id=chat_id, limit=limit)
        page = caller.call("message.search", wanted, FoundPageView)
    if as_json:
        show_json(page.messages)
        return
    for message in page.messages:
        click.echo(message_line(message))
    if not page.messages:
        click.echo(say("Nothing was found."), err=True)


@click.group(cls=Group)
def chat() -> None:
    """Settle a chat: requests, disappearing messages, silence."""


@chat.command("accept")
@click.argument("chat")
@json_option
@pass_desk
def accept_request(desk: Desk, chat: str, *, as_json: bool) -> None:
    """Let a stranger who wrote be a contact."""
    with desk.reach() as caller:
        chat_id = find_chat(caller, chat).chat_id
        wish(caller, "chat.accept", chat_id=chat_id)
        say_if_waiting(caller)
        if as_json:
            show_json([caller.call("chat.get", ChatParams(chat_id=chat_id), ChatView)])


@chat.command()
@click.argument("chat")
@json_option
@pass_desk
def decline(desk: Desk, chat: str, *, as_json: bool) -> None:
    """Forget a stranger's request; they are told nothing."""
    with desk.reach() as caller:
        chat_id = find_chat(caller, chat).chat_id
        wish(caller, "chat.decline", chat_id=chat_id)
        if as_json:
            show_json([caller.call("chat.get", ChatParams(chat_id=chat_id), ChatView)])


@chat.command()
@click.argument("chat")
@click.argument("after", metavar="TIME")
@json_option
@pass_desk
def expire(desk: Desk, chat: str, after: str, *, as_json: bool) -> None:
    """Let new messages disappear after TIME: 30s, 5m, 8h, 7d, 4w, or `off`.

    They disappear from every device that keeps to this; nobody can be forced to.
    """
    seconds = _seconds(after)
    with desk.reach() as caller:
        chat_id = find_chat(caller, chat).chat_id
        wish(caller, "chat.set_expiry", chat_id=chat_id, expiry_s=seconds)
        say_if_waiting(caller)
        if as_json:
            show_json([caller.call("chat.get", ChatParams(chat_id=chat_id), ChatView)])


def _seconds(text: str) -> int | None:
    if text == "off":
        return None
    number, unit = text[:-1], text[-1:]
    if unit not in _UNITS_S or not (number.isascii() and number.isdigit()) or not 0 < int(number) < 10**6:
        raise BadRequest("a time is a number with s, m, h, d or w, or off")
    return int(number) * _UNITS_S[unit]


@chat.command()
@click.argument("chat")
@click.option("--off", is_flag=True, help=say("Let it be heard again."))
@json_option
@pass_desk
def mute(desk: Desk, chat: str, *, off: bool, as_json: bool) -> None:
    """Keep a chat quiet."""
    with desk.reach() as caller:
        chat_id = find_chat(caller, chat).chat_id
        wish(caller, "chat.mute", chat_id=chat_id, muted=not off)
        if as_json:
            show_json([caller.call("chat.get", ChatParams(chat_id=chat_id), ChatView)])


@chat.command()
@click.argument("chat")
@click.option("--off", is_flag=True, help=say("Let it stand where it stood."))
@json_option
@pass_desk
def pin(desk: Desk, chat: str, *, off: bool, as_json: bool) -> None:
    """Put a chat on top of the list."""
    with desk.reach() as caller:
        chat_id = find_chat(caller, chat).chat_id
        wish(caller, "chat.pin", chat_id=chat_id, pinned=not off)
        if as_json:
            show_json([caller.call("chat.get", ChatParams(chat_id=chat_id), ChatView)])


@chat.command()
@click.argument("chat")
@click.option("--off", is_flag=True, help=say("Take it back into the list."))
@json_option
@pass_desk
def archive(desk: Desk, chat: str, *, off: bool, as_json: bool) -> None:
    """Keep a chat out of the page's list; it goes on as before."""
    with desk.reach() as caller:
        chat_id = find_chat(caller, chat).chat_id
        wish(caller, "chat.archive", chat_id=chat_id, archived=not off)
        if as_json:
            show_json([caller.call("chat.get", ChatParams(chat_id=chat_id), ChatView)])


@chat.command()
@click.argument("chat")
@json_option
@pass_desk
def forget(desk: Desk, chat: str, *, as_json: bool) -> None:
    """Delete a chat's messages here; others keep theirs."""
    with desk.reach() as caller:
        chat_id = find_chat(caller, chat).chat_id
        wish(caller, "chat.delete", chat_id=chat_id)
        if as_json:
            show_json([caller.call("chat.get", ChatParams(chat_id=chat_id), ChatView)])
