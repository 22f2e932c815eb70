"""`skvoz lock` and `unlock`: the home of a node that goes on running."""

from typing import TYPE_CHECKING

import click

from skvoz.api.params import NoParams, UnlockParams
from skvoz.api.views import DoneView
from skvoz.base.errors import NotFound
from skvoz.cli.command import Command
from skvoz.cli.desk import Desk, ask_passphrase, pass_desk

if TYPE_CHECKING:
    from skvoz.api.caller import Caller


@click.command(cls=Command)
@pass_desk
def lock(desk: Desk) -> None:
    """Close this home until its passphrase is given; your node goes on running."""
    _running(desk).call("home.lock", NoParams(), DoneView)


@click.command(cls=Command)
@pass_desk
def unlock(desk: Desk) -> None:
    """Open a locked home with its passphrase."""
    caller = _running(desk)
    caller.call("home.unlock", UnlockParams(passphrase=ask_passphrase()), DoneView)


def _running(desk: Desk) -> "Caller":
    caller = desk.running_node()
    if caller is None:
        raise NotFound("no node runs on this home, so nothing is open")
    return caller
