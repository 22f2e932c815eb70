"""`skvoz group`: made, changed, left."""

import click

from skvoz.api.params import ChatParams
from skvoz.api.views import ChatView
from skvoz.cli.command import Group, json_option
from skvoz.cli.desk import Desk, pass_desk
from skvoz.cli.naming import find_contact, find_group, find_member, members_of
from skvoz.cli.output import one_line, show_json
from skvoz.cli.wishes import say_if_waiting, wish
from skvoz.texts import say


@click.group(cls=Group)
def group() -> None:
    """Make a group, and change it."""


@group.command()
@click.argument("title")
@click.argument("contacts", nargs=-1, metavar="CONTACT...")
@json_option
@pass_desk
def create(desk: Desk, *, title: str, contacts: tuple[str, ...], as_json: bool) -> None:
    """Make a group with these contacts; you are its admin."""
    with desk.reach() as caller:
        members = [find_contact(caller, one).account_id for one in contacts]
        made = wish(caller, "group.create", title=title, members=members)
        say_if_waiting(caller)
        if as_json:
            show_json([caller.call("chat.get", ChatParams(chat_id=made.chat_id or b""), ChatView)])


@group.command()
@click.argument("group")
@click.argument("contacts", nargs=-1, required=True, metavar="CONTACT...")
@json_option
@pass_desk
def add(desk: Desk, group: str, contacts: tuple[str, ...], *, as_json: bool) -> None:
    """Add contacts to a group; they read what is written from now on."""
    with desk.reach() as caller:
        chat_id = find_group(caller, group).chat_id
        members = [find_contact(caller, one).account_id for one in contacts]
        wish(caller, "group.add", chat_id=chat_id, members=members)
        say_if_waiting(caller)
        if as_json:
            show_json([caller.call("chat.get", ChatParams(chat_id=chat_id), ChatView)])


@group.command()
@click.argument("group")
@click.argument("member")
@json_option
@pass_desk
def remove(desk: Desk, group: str, member: str, *, as_json: bool) -> None:
    """Remove a person; they read nothing that is written after that."""
    with desk.reach() as caller:
        chat = find_group(caller, group)
        account_id = find_member(caller, chat, member).account_id
        wish(caller, "group.remove", chat_id=chat.chat_id, member=account_id)
        say_if_waiting(caller)
        if as_json:
            show_json([caller.call("chat.get", ChatParams(chat_id=chat.chat_id), ChatView)])


@group.command()
@click.argument("group")
@click.argument("title")
@json_option
@pass_desk
def rename(desk: Desk, group: str, title: str, *, as_json: bool) -> None:
    """Give a group another title."""
    with desk.reach() as caller:
        chat_id = find_group(caller, group).chat_id
        wish(caller, "group.rename", chat_id=chat_id, title=title)
        say_if_waiting(caller)
        if as_json:
            show_json([caller.call("chat.get", ChatParams(chat_id=chat_id), ChatView)])


@group.command()
@click.argument("group")
@click.argument("member")
@click.argument("role", type=click.Choice(["admin", "member"]))
@json_option
@pass_desk
def role(desk: Desk, group: str, member: str, role: str, *, as_json: bool) -> None:
    """Make a member an admin, or a plain member."""
    with desk.reach() as caller:
        chat = find_group(caller, group)
        account_id = find_member(caller, chat, member).account_id
        wish(caller, "group.set_role", chat_id=chat.chat_id, member=account_id, admin=role == "admin")
        say_if_waiting(caller)
        if as_json:
            show_json([caller.call("chat.get", ChatParams(chat_id=chat.chat_id), ChatView)])


@group.command()
@click.argument("group")
@json_option
@pass_desk
def members(desk: Desk, *, group: str, as_json: bool) -> None:
    """List who is in a group, admins first."""
    with desk.reach() as caller:
        found = members_of(caller, find_group(caller, group))
    if as_json:
        show_json(found)
        return
    for one in found:
        notes = [note for note, applies in ((say("admin"), one.admin), (say("you"), one.own)) if applies]
        click.echo(one_line(one.name) + (f"  ({', '.join(notes)})" if notes else ""))


@group.command()
@click.argument("group")
@json_option
@pass_desk
def leave(desk: Desk, group: str, *, as_json: bool) -> None:
    """Leave a group; its messages stay here."""
    with desk.reach() as caller:
        chat_id = find_group(caller, group).chat_id
        wish(caller, "group.leave", chat_id=chat_id)
        say_if_waiting(caller)
        if as_json:
            show_json([caller.call("chat.get", ChatParams(chat_id=chat_id), ChatView)])
