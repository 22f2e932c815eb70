"""`skvoz doctor`: how this home, its relays and the network are, in plain words."""

import itertools
import platform
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import click

from skvoz.api.params import NoParams
from skvoz.api.views import RelayStatusView, StatusView
from skvoz.cli.command import Command, json_option
from skvoz.cli.desk import Desk, pass_desk
from skvoz.cli.network import for_support, lines, look
from skvoz.cli.output import show_json
from skvoz.cli.wishes import settle
from skvoz.texts import count, say

if TYPE_CHECKING:
    from skvoz.api.checkup_views import CheckupView


@click.command(cls=Command)
@click.option(
    "--network/--no-network",
    "looks",
    default=True,
    help=say("Look at what the network does, for a minute at most, or only at this home."),
)
@click.option(
    "--many",
    "together",
    is_flag=True,
    help=say("Begin many connections at once too: some networks cut you off for a minute for that."),
)
@json_option
@pass_desk
def doctor(desk: Desk, *, looks: bool, together: bool, as_json: bool) -> None:
    """Say how this home, its relays and the network are: what is blocked here, and what to do."""
    has_node = desk.running_node() is not None
    with desk.reach() as caller:
        status = caller.call("node.status", NoParams(), StatusView)
        report = look(caller, together=together) if looks and not status.locked else None
        if report is None or not report.findings:
            settle(caller)
        status = caller.call("node.status", NoParams(), StatusView)
    if as_json:
        show_json([_for_support(status, report, has_node=has_node)])
        return
    click.echo(say("Skvoz {version}, home {folder}", version=status.version, folder=str(desk.folder)))
    for line in _home_lines(status, has_node=has_node):
        click.echo(line)
    for line in _relay_lines(status.relays):
        click.echo(line)
    if report is not None:
        for line in lines(report):
            click.echo(line)


def _home_lines(status: StatusView, *, has_node: bool) -> Iterator[str]:
    yield _protection(status.key_protection)
    if not status.has_account:
        yield say("There is no account here yet: `skvoz account create` makes one.")
    if has_node:
        yield say("Your node is running.")
    else:
        yield say("Your node is not running, so nothing arrives: `skvoz` starts it.")
    if status.store_problem:
        yield say("The home's disk or database: {problem}", problem=say(status.store_problem))
    dropped = sum(status.dropped.values())
    if dropped:
        yield count(
            "{number} thing came that made no sense, and was dropped",
            "{number} things came that made no sense, and were dropped",
            dropped,
        )
    if status.unsent:
        yield count("{number} thing waits for a relay", "{number} things wait for a relay", status.unsent)
    if status.lan_problem:
        yield say("The network around: {problem}", problem=say(status.lan_problem))
    if status.lan_relays:
        yield count(
            "{number} machine of somebody you share a chat with is here.",
            "{number} machines of people you share a chat with are here.",
            status.lan_relays,
        )


def _for_support(status: StatusView, report: "CheckupView | None", *, has_node: bool) -> dict[str, Any]:
    """Return all of it for whoever helps, without addresses, ids and names: relays are numbers."""
    ids = dict.fromkeys(one.relay_id for one in status.relays)
    order = {relay_id: number for number, relay_id in enumerate(ids, 1)}
    return {
        "version": status.version,
        "system": platform.system(),
        "node_running": has_node,
        "locked": status.locked,
        "has_account": status.has_account,
        "key_protection": status.key_protection,
        "store_problem": status.store_problem,
        "unsent": status.unsent,
        "dropped": status.dropped,
        "lan_relays": status.lan_relays,
        "lan_problem": status.lan_problem,
        "sessions": [
            {
                "relay": order[one.relay_id],
                "channel": one.channel,
                "state": one.state,
                "problem": one.problem,
            }
            for one in status.relays
        ],
        "network": None if report is None else for_support(report),
    }


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
