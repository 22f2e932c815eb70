"""`skvoz group link`, `asking`, `join`, `joining`: links into groups, from both ends."""

from typing import TYPE_CHECKING

import click

from skvoz.api.group_views import AskerView, GroupLinkView, JoiningListView, JoiningView
from skvoz.api.params import ChatParams, NoParams
from skvoz.base.errors import BadRequest, NotFound
from skvoz.cli.command import Number, json_option
from skvoz.cli.desk import Desk, pass_desk
from skvoz.cli.links import LinkRefused
from skvoz.cli.looking_after import group
from skvoz.cli.naming import find_group
from skvoz.cli.output import clock, failure, one_line, show_json
from skvoz.cli.wishes import say_if_waiting, settle, wish
from skvoz.texts import count, say

if TYPE_CHECKING:
    from skvoz.api.caller import Caller


@group.command()
@click.argument("group")
@click.option("--revoke", is_flag=True, help=say("Let the link lead nowhere, and forget who asked by it."))
@json_option
@pass_desk
def link(desk: Desk, *, group: str, revoke: bool, as_json: bool) -> None:
    """Make a link into a group, as its admin: whoever opens it can ask you to be let in.

    They see the group's name, how many are in it, and your name. It works while your node runs now and then,
    and you let each in or don't.
    """
    with desk.reach() as caller:
        chat_id = find_group(caller, group).chat_id
        wish(caller, "group.revoke_link" if revoke else "group.make_link", chat_id=chat_id)
        ready = settle(caller)
        found = _link(caller, chat_id)
    if as_json:
        show_json([found])
    elif not revoke:
        click.echo(found.link)
        if not ready:
            click.echo(say("No relay answers yet. The link works once your node reaches one."), err=True)


@group.command()
@click.argument("group")
@click.option("--approve", metavar="NAME", help=say("Let this person in."))
@click.option("--decline", metavar="NAME", help=say("Leave this person outside; they are not told."))
@json_option
@pass_desk
def asking(desk: Desk, *, group: str, approve: str | None, decline: str | None, as_json: bool) -> None:
    """List who asks you, by your link, to be let into a group."""
    if approve is not None and decline is not None:
        raise BadRequest("somebody is let in or left outside, one at a time")
    with desk.reach() as caller:
        chat_id = find_group(caller, group).chat_id
        found = _link(caller, chat_id).askers
        if approve is not None or decline is not None:
            method = "group.decline" if approve is None else "group.approve"
            who = _named(found, approve or decline or "")
            wish(caller, method, chat_id=chat_id, account_id=who.account_id)
            say_if_waiting(caller)
            found = _link(caller, chat_id).askers
    if as_json:
        show_json(found)
        return
    for one in found:
        click.echo(f"{one_line(one.name)}  {clock(one.asked_ms)}")
    if not found:
        click.echo(say("Nobody asks to join."), err=True)


def _link(caller: "Caller", chat_id: bytes) -> GroupLinkView:
    return caller.call("group.link", ChatParams(chat_id=chat_id), GroupLinkView)


def _named(askers: tuple[AskerView, ...], name: str) -> AskerView:
    wanted = name.strip().casefold()
    found = [one for one in askers if one.name.casefold() == wanted]
    if len(found) > 1:
        raise BadRequest("several who ask have that name: decide on the page, where they are told apart")
    if not found:
        raise NotFound("nobody like that asks to join any more")
    return found[0]


@group.command()
@click.argument("link")
@click.option("--look", is_flag=True, help=say("Only show what the link leads to."))
@json_option
@pass_desk
def join(desk: Desk, *, link: str, look: bool, as_json: bool) -> None:
    """Ask to be let into a group by its link, under your name.

    The admin whose link it is decides, and your node finds out by itself; nobody says "no".
    """
    with desk.reach() as caller:
        log_id = wish(caller, "group.open_link", link=link).log_id
        settle(caller)
        shown = _joining(caller, log_id)
        if shown is not None and shown.state == "shown" and not look:
            wish(caller, "group.ask", log_id=log_id)
            settle(caller)
            shown = _joining(caller, log_id)
    if shown is not None and shown.state == "failed":
        raise LinkRefused(failure(shown.failure))
    if as_json:
        show_json([] if shown is None else [shown])
    elif shown is not None:
        click.echo(_line(shown))


def _joinings(caller: "Caller") -> tuple[JoiningView, ...]:
    return caller.call("group.joining", NoParams(), JoiningListView).joinings


def _joining(caller: "Caller", log_id: bytes | None) -> JoiningView | None:
    return next((one for one in _joinings(caller) if one.log_id == log_id), None)


@group.command()
@click.option("--forget", type=Number(), metavar="PLACE", help=say("Wait for this one no more."))
@json_option
@pass_desk
def joining(desk: Desk, *, forget: int | None, as_json: bool) -> None:
    """List the groups that you asked to be let into, or forget one."""
    with desk.reach() as caller:
        found = _joinings(caller)
        if forget is not None:
            if not 1 <= forget <= len(found):
                raise NotFound("there is no such link")
            wish(caller, "group.cancel", log_id=found[forget - 1].log_id)
            found = _joinings(caller)
    if as_json:
        show_json(found)
        return
    for place, one in enumerate(found, 1):
        click.echo(f"{place}  {_line(one)}")
    if not found:
        click.echo(say("You ask to join no group."), err=True)


def _line(one: JoiningView) -> str:
    if one.state == "opening":
        return say("The link is not answered yet. This is kept, and goes on while your node runs.")
    size = count("{number} member", "{number} members", one.members)
    group = say(
        "“{title}”, {size}, by {name}", title=one_line(one.title), size=size, name=one_line(one.admin_name)
    )
    states = {
        "shown": say("not asked yet"),
        "asking": say("asking"),
        "asked": say("asked; they decide"),
        "failed": failure(one.failure),
    }
    return f"{group}: {states[one.state]}"
