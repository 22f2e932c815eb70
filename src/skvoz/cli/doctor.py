"""`skvoz doctor`: how this home and its relays are, in plain words."""

import itertools
from collections.abc import Iterable

import click

from skvoz.api.params import NoParams
from skvoz.api.views import RelayStatusView, StatusView
from skvoz.cli.command import Command, json_option
from skvoz.cli.desk import Desk, pass_desk, settle
from skvoz.cli.output import show_json
from skvoz.texts import count, say


@click.command(cls=Command)
@json_option
@pass_desk
def doctor(desk: Desk, *, as_json: bool) -> None:
    """Say how this home and its relays are."""
    has_node = desk.running_node() is not None
    with desk.reach() as caller:
        settle(caller)
        status = caller.call("node.status", NoParams(), StatusView)
    if as_json:
        show_json([status])
        return
    click.echo(say("Skvoz {version}, home {folder}", version=status.version, folder=str(desk.folder)))
    click.echo(_protection(status.key_protection))
    if not status.has_account:
        click.echo(say("There is no account here yet: `skvoz account create` makes one."))
    if has_node:
        click.echo(say("Your node is running."))
    else:
        click.echo(say("Your node is not running, so nothing arrives: `skvoz` starts it."))
    for line in _relay_lines(status.relays):
        click.echo(line)
    if status.store_problem:
        click.echo(say("The home's disk or database: {problem}", problem=say(status.store_problem)))
    dropped = sum(status.dropped.values())
    if dropped:
        click.echo(
            count(
                "{number} thing came that made no sense, and was dropped",
                "{number} things came that made no sense, and were dropped",
                dropped,
            )
        )
    if status.unsent:
        click.echo(
            count("{number} thing waits for a relay", "{number} things wait for a relay", status.unsent)
        )


def _protection(kind: str) -> str:
    match kind:
        case "keyring":
            return say("The home's key is in the system's keyring.")
        case "passphrase":
            return say("The home's key is under your passphrase.")
        case _:
            return say(
                "The home's key lies in a file beside it: who copies the folder can read everything. "
                "`skvoz account protect passphrase` changes that."
            )


def _relay_lines(relays: Iterable[RelayStatusView]) -> list[str]:
    """Return a relay's address, and under it what is spoken of with it in sessions of their own."""
    lines: list[str] = []
    for address, channels in itertools.groupby(relays, key=lambda relay: relay.address):
        lines.append(address)
        lines += [f"  {_channel(one.channel)}: {_relay_state(one.state, one.problem)}" for one in channels]
    return lines


def _channel(channel: str) -> str:
    known = {"rooms": say("conversations"), "inbox": say("your inboxes"), "post": say("others' inboxes")}
    return known.get(channel, channel)


def _relay_state(state: str, problem: str) -> str:
    if state == "connected":
        return say("connected")
    words = say("connecting") if state == "connecting" else say("will be tried again")
    return f"{words}: {say(problem)}" if problem else words
