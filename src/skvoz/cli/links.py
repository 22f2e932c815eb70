"""`skvoz invite`, `skvoz links`, `skvoz accept`: how two people meet."""

import sys

import click
import msgspec

from skvoz.api.params import ChatParams, EventPageParams, NoParams
from skvoz.api.views import ChatView, EventPageView, LinkListView, LinkView, StatusView
from skvoz.base.errors import PeerError
from skvoz.cli.command import Command, Number, json_option
from skvoz.cli.desk import Desk, pass_desk
from skvoz.cli.naming import find_link
from skvoz.cli.output import clock, failure, one_line, show_json
from skvoz.cli.wishes import say_if_waiting, settle, wish
from skvoz.texts import say


@click.command(cls=Command)
@click.option("--lasting", is_flag=True, help=say("A link for many people: they come as requests."))
@click.option("--qr/--no-qr", default=None, help=say("Show the link as a QR code too, or don't."))
@json_option
@pass_desk
def invite(desk: Desk, *, lasting: bool, qr: bool | None, as_json: bool) -> None:
    """Make a link for somebody to write to you by.

    Give it to one person, over a way that you trust: whoever has it first can be the one who writes.
    """
    with desk.reach() as caller:
        made = wish(caller, "link.create", lasting=lasting)
        link = made.link or ""
        ready = settle(caller)
        if as_json:
            shown = caller.call("link.list", NoParams(), LinkListView).links
            show_json(one for one in shown if one.log_id == made.log_id)
            return
    if qr or (qr is None and sys.stdout.isatty()):
        show_qr(link)
    click.echo(link)
    if not ready:
        click.echo(say("No relay answers yet. The link works once your node reaches one."), err=True)


def show_qr(link: str) -> None:
    """Print a link as a QR code of half blocks, which fits a terminal of 80 columns."""
    import segno  # noqa: PLC0415  # only here

    segno.make(link, error="l", micro=False).terminal(compact=True, border=2)


@click.command(cls=Command)
@click.option(
    "--revoke", type=Number(), metavar="NUMBER", help=say("Let this link lead nowhere from now on.")
)
@json_option
@pass_desk
def links(desk: Desk, *, revoke: int | None, as_json: bool) -> None:
    """List the links that you made, or revoke one."""
    with desk.reach() as caller:
        if revoke is not None:
            wish(caller, "link.revoke", log_id=find_link(caller, revoke).log_id)
            say_if_waiting(caller)
        found = caller.call("link.list", NoParams(), LinkListView).links
    if as_json:
        show_json(found)
        return
    for number, link in enumerate(found, 1):
        click.echo(f"{number}  {clock(link.created_ms)}  {_kind(link)}\n   {link.link}")
    if not found:
        click.echo(say("No links. `skvoz invite` makes one."), err=True)


def _kind(link: LinkView) -> str:
    if link.lasting:
        return say("lasting")
    return say("for one person, used") if link.used else say("for one person")


@click.command(cls=Command)
@click.argument("link")
@click.option("--text", metavar="MESSAGE", help=say("What to write to them first."))
@json_option
@pass_desk
def accept(desk: Desk, *, link: str, text: str | None, as_json: bool) -> None:
    """Open somebody's link and write to them.

    They may be offline: what you write waits for them.
    """
    with desk.reach() as caller:
        before = caller.call("node.status", NoParams(), StatusView).last_event
        chat_id = wish(caller, "link.accept", link=link, text=text).chat_id
        ready = settle(caller)
        happened = caller.call("event.list", EventPageParams(after=before), EventPageView).events
        reasons = [msgspec.json.decode(one.data)["reason"] for one in happened if one.kind == "link.failed"]
        if reasons:
            raise LinkRefused(failure(reasons[0]))
        chat = caller.call("chat.get", ChatParams(chat_id=chat_id or b""), ChatView)
    if as_json:
        show_json([chat])
    elif ready:
        click.echo(say("You and {name} can write to each other now.", name=one_line(chat.title)))
    else:
        click.echo(say("The link is not answered yet. This is kept, and goes on while your node runs."))


class LinkRefused(PeerError):
    """What is behind a link is not what it should be; the text is in the person's language already."""
