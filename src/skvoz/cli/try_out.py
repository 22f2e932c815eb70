"""`./dev run`: a relay, a node and its page on this machine, and what to do next."""

import asyncio
import contextlib
import socket
import uuid
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Final

import click

from skvoz.api.local import running_with_page
from skvoz.base.errors import HomeBusy
from skvoz.cli.command import Command
from skvoz.cli.desk import Desk
from skvoz.cli.neighbours import neighbours
from skvoz.cli.node import PageWish, open_again, opened_or_held, shown, until_told_to_end
from skvoz.client.commands import CreateAccount
from skvoz.client.relay_addresses import parse_relay_address, relay_address_text
from skvoz.crypto import DEFAULT_SUITE, suite
from skvoz.node.node import Node
from skvoz.server import RelayHome, RelayService, create_home, read_key, read_settings
from skvoz.store.queries import Queries
from skvoz.texts import say

_HOST: Final = "127.0.0.1"


@click.command(cls=Command, hidden=True)
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(".skvoz"),
    help=say("Where the relay and the homes are."),
)
@click.option("--as", "person", default="me", metavar="PERSON", help=say("Whose home; each is a person."))
@click.option("--name", default="", help=say("Make the account at once, under this name."))
@click.option("--open/--no-open", "opens", default=None, help=say("Open the page in a browser, or don't."))
@click.option("--program", default="skvoz", help=say("How commands are called in what is printed."))
def try_out(folder: Path, person: str, name: str, *, opens: bool | None, program: str) -> None:
    """Run a relay, a node and its page on this machine, to try things out."""
    if person != "me":
        program = f"{program} --as {person}"
    home = folder / "people" / person
    if open_again(Desk(home), PageWish(opens=opens)):
        return
    other = "vera" if person == "boris" else "boris"
    asyncio.run(_try_out(folder, home, name, opens=opens, next_steps=_what_next(program, other)))


async def _try_out(folder: Path, home: Path, name: str, *, opens: bool | None, next_steps: str) -> None:
    async with _relay(folder / "relay") as relay:
        with opened_or_held(Desk(home)) as opened:
            async with running_with_page(opened, relay) as (service, address):
                if name and not opened.is_locked and await service.node.query(Queries.account) is None:
                    await _make_account(service.node, name, relay)
                async with (
                    neighbours(service, home, relay),
                    shown(opened, PageWish(opens=opens), address()),
                ):
                    click.echo(next_steps)
                    await until_told_to_end(service.removed)


@contextlib.asynccontextmanager
async def _relay(folder: Path) -> AsyncGenerator[str]:
    """Run this machine's relay, unless another process does so already; give its address."""
    home = RelayHome(folder=folder)
    if not home.key_file.exists():
        create_home(folder)
    if not home.config_file.exists():
        home.config_file.write_text(f'listen = "{_HOST}:{_free_port()}"\n', encoding="utf-8")
    settings = read_settings(home.config_file)
    address = f"ws://{settings.host}:{settings.port}{settings.path}"
    try:
        service = await RelayService(folder, settings).start()
    except HomeBusy:
        click.echo(say("The relay of this folder runs already; this node uses it."), err=True)
        yield relay_address_text(address, _public_key(home))
        return
    try:
        yield relay_address_text(address, service.public_key)
    finally:
        await service.close()


def _public_key(home: RelayHome) -> bytes:
    return suite(DEFAULT_SUITE).kem.public_key_of(read_key(home.key_file))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        return int(probe.getsockname()[1])


async def _make_account(node: Node, name: str, address: str) -> None:
    command = CreateAccount(client_id=uuid.uuid4().hex, name=name, relay=parse_relay_address(address))
    await node.command(command)


def _what_next(program: str, other: str) -> str:
    return "\n".join(
        (
            "",
            say("Somebody else on this machine, in another terminal:"),
            f"  ./dev run --as {other}",
            say("The command line works beside the page:"),
            f"  {program} --help",
            say("Ctrl-C ends it; everything is kept, and goes on with the next ./dev run."),
        )
    )
