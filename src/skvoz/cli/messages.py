"""`skvoz send`, `edit`, `delete`, `react`, `receipts`: saying things, taking them back, who has them."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from skvoz.api.message_views import ReceiptListView
from skvoz.api.params import MessageParams
from skvoz.api.views import ChatView, MessageView
from skvoz.base.errors import BadRequest, TransportError
from skvoz.cli.command import Command, Number, json_option
from skvoz.cli.desk import Desk, pass_desk
from skvoz.cli.files import FILE, put_files, wait_for_upload
from skvoz.cli.naming import find_chat, find_message, members_of, mentions_in
from skvoz.cli.output import called, clock, message_line, message_state, show_json
from skvoz.cli.wishes import settle, wish
from skvoz.texts import say

if TYPE_CHECKING:
    from skvoz.api.caller import Caller
    from skvoz.client.commands import Answer

FROM_INPUT = "-"


@click.command(cls=Command)
@click.argument("chat")
@click.argument("text")
@click.option("--reply-to", type=Number(), metavar="NUMBER", help=say("The message that this answers."))
@click.option(
    "--file", "paths", type=FILE, multiple=True, metavar="FILE", help=say("A file that goes with it.")
)
@json_option
@pass_desk
def send(
    desk: Desk, *, chat: str, text: str, reply_to: int | None, paths: tuple[Path, ...], as_json: bool
) -> None:
    """Write to a chat; `-` reads the text from the input, and @NAME names a member.

    It is stored before anything is sent, so it is not lost whatever happens next. With files the text may
    be empty; it leaves once the relay has them.
    """
    text = _whole(text)
    with desk.reach() as caller:
        found = find_chat(caller, chat)
        answered = None if reply_to is None else find_message(caller, reply_to).message_id
        answer = wish(
            caller,
            "message.send",
            chat_id=found.chat_id,
            text=text,
            reply_to=answered,
            mentions=_mentions(caller, found, text),
            files=[{"file_id": file_id} for file_id in put_files(caller, paths)],
        )
        if paths:
            sent = caller.call("message.get", {"message_id": answer.message_id}, MessageView)
            wait_for_upload(caller, sent)
        tell_how_far(caller, answer, as_json=as_json)


def _whole(text: str) -> str:
    if text != FROM_INPUT:
        return text
    if sys.stdin is None:
        raise BadRequest("there is no input to read from")
    try:
        return sys.stdin.read().removesuffix("\n")
    except UnicodeDecodeError:
        raise BadRequest("the text is not UTF-8") from None


def _mentions(caller: "Caller", chat: ChatView, text: str) -> list[dict[str, object]]:
    return mentions_in(text, members_of(caller, chat)) if "@" in text else []


def tell_how_far(caller: "Caller", answer: "Answer", *, as_json: bool) -> None:
    """Say what became of a message by now; should the node have ended, that it is kept all the same."""
    settle(caller)
    try:
        shown = caller.call("message.get", {"message_id": answer.message_id}, MessageView)
    except TransportError:
        shown = None
    if as_json:
        show_json([shown or answer])
        return
    if shown is not None:
        click.echo(f"#{shown.sequence}  {message_state(shown)}", err=True)
    if shown is None or shown.state == "queued":
        click.echo(say("No relay has this yet. It is kept, and goes on while your node runs."), err=True)


@click.command(cls=Command)
@click.argument("number", type=Number(), metavar="NUMBER")
@click.argument("text")
@json_option
@pass_desk
def edit(desk: Desk, *, number: int, text: str, as_json: bool) -> None:
    """Put another text in place of your message's."""
    with desk.reach() as caller:
        message = find_message(caller, number)
        chat = caller.call("chat.get", {"chat_id": message.chat_id}, ChatView)
        text = _whole(text)
        mentions = _mentions(caller, chat, text)
        wish(caller, "message.edit", message_id=message.message_id, text=text, mentions=mentions)
        show_again(caller, message, as_json=as_json)


@click.command(cls=Command)
@click.argument("number", type=Number(), metavar="NUMBER")
@click.option("--here", is_flag=True, help=say("Only on this device."))
@json_option
@pass_desk
def delete(desk: Desk, number: int, *, here: bool, as_json: bool) -> None:
    """Delete a message for everybody, or only here.

    Others may have read it, and kept it.
    """
    with desk.reach() as caller:
        message = find_message(caller, number)
        answer = wish(caller, "message.delete", message_id=message.message_id, for_everyone=not here)
        settle(caller)
    if as_json:
        show_json([answer])


@click.command(cls=Command)
@click.argument("number", type=Number(), metavar="NUMBER")
@click.argument("emoji")
@click.option("--remove", is_flag=True, help=say("Take it off."))
@json_option
@pass_desk
def react(desk: Desk, *, number: int, emoji: str, remove: bool, as_json: bool) -> None:
    """Put an emoji on a message, or take it off."""
    with desk.reach() as caller:
        message = find_message(caller, number)
        wish(caller, "message.react", message_id=message.message_id, emoji=emoji, present=not remove)
        show_again(caller, message, as_json=as_json)


def show_again(caller: "Caller", message: MessageView, *, as_json: bool) -> None:
    """Show a message as it is after a change."""
    settle(caller)
    try:
        shown = caller.call("message.get", MessageParams(message_id=message.message_id), MessageView)
    except TransportError:
        click.echo(say("No relay has this yet. It is kept, and goes on while your node runs."), err=True)
        return
    if as_json:
        show_json([shown])
    else:
        click.echo(message_line(shown))


@click.command(cls=Command)
@click.argument("number", type=Number(), metavar="NUMBER")
@json_option
@pass_desk
def receipts(desk: Desk, *, number: int, as_json: bool) -> None:
    """Show who has a message of yours and has read it, as far as they tell.

    In groups a report comes with a person's next message, and some people send none.
    """
    with desk.reach() as caller:
        message = find_message(caller, number)
        if not message.own:
            raise BadRequest("people report to the author of a message only")
        found = caller.call("message.receipts", MessageParams(message_id=message.message_id), ReceiptListView)
    if as_json:
        show_json([found])
        return
    for one in found.receipts:
        if one.read_ms is not None:
            told = say("has read it, {time}", time=clock(one.read_ms))
        else:
            told = say("has it, {time}", time=clock(one.delivered_ms or 0))
        click.echo(f"{called(one.name)}  {told}")
    if not found.reports:
        click.echo(say("In groups of more than 20 people nobody reports what arrived or was read."), err=True)
        return
    for member in found.silent:
        click.echo(f"{called(member.name)}  {say('told nothing')}")
