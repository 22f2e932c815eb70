"""`skvoz report`, and what admins of groups are told: `skvoz group reported`."""

from typing import TYPE_CHECKING

import click

from skvoz.api.group_views import ReportedListView, ReportedView
from skvoz.api.params import ChatParams
from skvoz.api.views import MemberListView
from skvoz.base.errors import BadRequest, NotFound
from skvoz.cli.command import Command, Number, json_option
from skvoz.cli.desk import Desk, pass_desk
from skvoz.cli.groups import group
from skvoz.cli.naming import find_group, find_message
from skvoz.cli.output import called, one_line, plain, show_json
from skvoz.cli.wishes import say_if_waiting, wish
from skvoz.client.commands import NOTE_LENGTH_MAX
from skvoz.texts import say

if TYPE_CHECKING:
    from skvoz.api.caller import Caller


@click.command(cls=Command)
@click.argument("number", type=Number(), metavar="NUMBER")
@click.option(
    "--reason",
    type=click.Choice(["spam", "insult", "danger", "other"]),
    default="other",
    help=say("What is wrong with it."),
)
@click.option("--note", default="", metavar="TEXT", help=say("What else the admins should know."))
@json_option
@pass_desk
def report(desk: Desk, *, number: int, reason: str, note: str, as_json: bool) -> None:
    """Tell the admins of a group about a message in it.

    It goes, end-to-end encrypted, to those admins who are your contacts, with your name and the text. Nobody
    else in the group learns of it, and no relay.
    """
    if len(note) > NOTE_LENGTH_MAX:
        raise BadRequest("a note has 500 characters at most")
    with desk.reach() as caller:
        message = find_message(caller, number)
        answer = wish(
            caller,
            "message.report",
            message_id=message.message_id,
            reason=reason,
            note=note,
        )
        members = caller.call("chat.members", ChatParams(chat_id=message.chat_id), MemberListView).members
        say_if_waiting(caller)
    if as_json:
        show_json([answer])
        return
    told = [
        one for one in members if one.admin and one.state == "accepted" and one.account_id != message.author
    ]
    names = ", ".join(one_line(one.name) for one in told)
    click.echo(say("It goes to {names}, and to nobody else.", names=names))


@group.command()
@click.argument("group")
@click.option(
    "--dismiss",
    type=Number(),
    metavar="PLACE",
    help=say("Take this one off your list; it changes nothing else."),
)
@json_option
@pass_desk
def reported(desk: Desk, *, group: str, dismiss: int | None, as_json: bool) -> None:
    """List the messages that members complain to you about, as an admin.

    `skvoz delete` deletes one for everybody, `skvoz group remove` takes a person out.
    """
    with desk.reach() as caller:
        chat_id = find_group(caller, group).chat_id
        if dismiss is not None:
            found = _reported(caller, chat_id)
            if not 1 <= dismiss <= len(found):
                raise NotFound("nothing is said against this message any more")
            wish(caller, "group.dismiss", chat_id=chat_id, message_id=found[dismiss - 1].message_id)
        found = _reported(caller, chat_id)
    if as_json:
        show_json(found)
        return
    for place, one in enumerate(found, 1):
        _show(place, one)
    if not found:
        click.echo(say("Nobody complains about anything."), err=True)


def _reported(caller: "Caller", chat_id: bytes) -> tuple[ReportedView, ...]:
    return caller.call("group.reported", ChatParams(chat_id=chat_id), ReportedListView).messages


def _show(place: int, one: ReportedView) -> None:
    author = called(one.author_name)
    number = "" if one.sequence is None else f" (#{one.sequence})"
    text = say("[deleted]") if one.deleted else one.text or one.complaints[0].quote
    click.echo(f"{place}  {author}{number}: {one_line(plain(text), 300)}")
    for complaint in one.complaints:
        name = called(complaint.name)
        words = [_reason_word(complaint.reason), one_line(complaint.note)]
        if not complaint.member:
            words.append(say("not in the group"))
        if one.sequence is None:
            words.append(say("the message is not here: its words are as they say"))
        click.echo(f"   {name}: {'; '.join(word for word in words if word)}")


def _reason_word(reason: str) -> str:
    """Return what is wrong with a message, in words."""
    known = {
        "spam": say("advertising or spam"),
        "insult": say("insults or harassment"),
        "danger": say("threats or danger"),
        "other": say("something else"),
    }
    return known.get(reason, reason)
