"""`skvoz pin` and `pins`: messages that a chat keeps at hand."""

import click

from skvoz.api.message_views import PinListView
from skvoz.api.params import ChatParams
from skvoz.cli.command import Command, Number, json_option
from skvoz.cli.desk import Desk, pass_desk
from skvoz.cli.naming import find_chat, find_message
from skvoz.cli.output import message_line, show_json
from skvoz.cli.wishes import settle, wish
from skvoz.texts import say


@click.command(cls=Command)
@click.argument("number", type=Number(), metavar="NUMBER")
@click.option("--remove", is_flag=True, help=say("Take it off."))
@json_option
@pass_desk
def pin(desk: Desk, number: int, *, remove: bool, as_json: bool) -> None:
    """Keep a message at hand for everybody in its chat, or not any more."""
    with desk.reach() as caller:
        message = find_message(caller, number)
        answer = wish(caller, "message.pin", message_id=message.message_id, pinned=not remove)
        settle(caller)
    if as_json:
        show_json([answer])


@click.command(cls=Command)
@click.argument("chat")
@json_option
@pass_desk
def pins(desk: Desk, chat: str, *, as_json: bool) -> None:
    """List the messages that a chat keeps at hand, the latest first."""
    with desk.reach() as caller:
        found = caller.call("chat.pins", ChatParams(chat_id=find_chat(caller, chat).chat_id), PinListView)
    if as_json:
        show_json(found.pins)
        return
    for one in found.pins:
        click.echo(message_line(one.message))
    if not found.pins:
        click.echo(say("Nothing is pinned here."), err=True)
