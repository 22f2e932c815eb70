"""`skvoz` alone: the node of this home, until it is told to end."""

import asyncio
import contextlib
import signal

import click

from skvoz.api.caller import Caller, socket_file
from skvoz.api.local import running
from skvoz.base.errors import HomeBusy
from skvoz.cli.desk import Desk, ask_passphrase
from skvoz.node.node import OpenHome, open_home
from skvoz.store.queries import Queries
from skvoz.texts import say


def run_node(desk: Desk) -> None:
    """Run the node of a home until SIGTERM or Ctrl-C; raise `HomeBusy` where it runs already."""
    try:
        opened = open_home(desk.folder, ask_passphrase)
    except HomeBusy:
        if Caller(socket_file(desk.folder)).is_answered():
            raise HomeBusy("your node runs already") from None
        raise
    with opened:
        asyncio.run(_run(opened))


async def _run(opened: OpenHome) -> None:
    async with running(opened) as node:
        if await node.query(Queries.account) is None:
            click.echo(say("There is no account here yet: `skvoz account create` makes one."))
        click.echo(say("Your node runs. Ctrl-C ends it."))
        await until_told_to_end()


async def until_told_to_end() -> None:
    """Wait for SIGTERM or SIGINT."""
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):  # Windows has no such handlers
            loop.add_signal_handler(number, told.set)
    await told.wait()
