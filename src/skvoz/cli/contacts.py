"""`skvoz contacts` and `skvoz contact`: people, and how much they are trusted."""

import click

from skvoz.api.params import ContactParams, NoParams
from skvoz.api.views import ContactListView, ContactView, SafetyNumberView
from skvoz.cli.command import Command, Group, json_option
from skvoz.cli.desk import Desk, pass_desk
from skvoz.cli.naming import find_contact
from skvoz.cli.output import one_line, show_json
from skvoz.cli.wishes import say_if_waiting, wish
from skvoz.texts import say


@click.command(cls=Command)
@json_option
@pass_desk
def contacts(desk: Desk, *, as_json: bool) -> None:
    """List people."""
    with desk.reach() as caller:
        found = caller.call("contact.list", NoParams(), ContactListView).contacts
    if as_json:
        show_json(found)
        return
    for one in found:
        notes = _notes(one)
        click.echo(one_line(one.name) + (f"  ({', '.join(notes)})" if notes else ""))
    if not found:
        click.echo(say("Nobody yet. `skvoz invite` makes a link for the first person."), err=True)


def _notes(one: ContactView) -> list[str]:
    notes: list[str] = []
    if one.name != one.card_name:
        notes.append(say("says {name}", name=one_line(one.card_name)))
    if one.state == "blocked":
        notes.append(say("blocked"))
    if one.state == "request":
        notes.append(say("a request: accept or decline it"))
    if one.key_changed:
        notes.append(say("the key changed: compare the safety number again"))
    elif one.verified:
        notes.append(say("compared"))
    return notes


@click.group(cls=Group)
def contact() -> None:
    """Compare, rename or block a person."""


@contact.command()
@click.argument("person")
@click.option("--same", is_flag=True, help=say("You compared them: they are the same on both sides."))
@click.option("--different", is_flag=True, help=say("They are not, or not any more, the same."))
@json_option
@pass_desk
def number(desk: Desk, *, person: str, same: bool, different: bool, as_json: bool) -> None:
    """Show the safety number to compare with a person.

    Read it to each other over the phone or side by side. If both have the same digits, nobody is in between.
    """
    if same and different:
        raise click.UsageError(say("--same and --different don't go together"))
    with desk.reach() as caller:
        found = find_contact(caller, person)
        if same or different:
            wish(caller, "contact.verify", account_id=found.account_id, verified=same)
        params = ContactParams(account_id=found.account_id)
        shown = caller.call("contact.safety_number", params, SafetyNumberView)
    if as_json:
        show_json([shown])
        return
    digits = shown.digits.split()
    for start in range(0, len(digits), 4):
        click.echo(" ".join(digits[start : start + 4]))
    if shown.verified:
        click.echo(say("You have compared this number."), err=True)


@contact.command()
@click.argument("person")
@click.argument("name")
@json_option
@pass_desk
def rename(desk: Desk, person: str, name: str, *, as_json: bool) -> None:
    """Call a person by a name of your own; an empty one gives theirs back."""
    with desk.reach() as caller:
        account_id = find_contact(caller, person).account_id
        wish(caller, "contact.rename", account_id=account_id, own_name=name)
        if as_json:
            show_json([caller.call("contact.get", ContactParams(account_id=account_id), ContactView)])


@contact.command()
@click.argument("person")
@json_option
@pass_desk
def block(desk: Desk, person: str, *, as_json: bool) -> None:
    """Take nothing more from a person; they are told nothing."""
    _block(desk, person, blocked=True, as_json=as_json)


@contact.command()
@click.argument("person")
@json_option
@pass_desk
def unblock(desk: Desk, person: str, *, as_json: bool) -> None:
    """Take messages from a person again."""
    _block(desk, person, blocked=False, as_json=as_json)


def _block(desk: Desk, person: str, *, blocked: bool, as_json: bool) -> None:
    with desk.reach() as caller:
        account_id = find_contact(caller, person).account_id
        wish(caller, "contact.block", account_id=account_id, blocked=blocked)
        say_if_waiting(caller)
        if as_json:
            show_json([caller.call("contact.get", ContactParams(account_id=account_id), ContactView)])
