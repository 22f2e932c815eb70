"""`./dev run`: a relay and a node on this machine, and what to do next."""

import asyncio
import contextlib
import getpass
import socket
import sys
import uuid
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Final

import click

from skvoz.api.local import running
from skvoz.base.errors import HomeBusy
from skvoz.cli.command import Command
from skvoz.cli.desk import ask_passphrase
from skvoz.cli.node import until_told_to_end
from skvoz.client.commands import CreateAccount
from skvoz.client.relay_addresses import parse_relay_address, relay_address_text
from skvoz.crypto import DEFAULT_SUITE, suite
from skvoz.node.node import Node, open_home
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
@click.option("--name", help=say("What others see."))
@click.option("--program", default="skvoz", help=say("How commands are called in what is printed."))
def try_out(folder: Path, person: str, name: str | None, program: str) -> None:
    """Run a relay and a node on this machine, to try things out."""
    if person != "me":
        program = f"{program} --as {person}"
    other = "vera" if person == "boris" else "boris"
    asyncio.run(_try_out(folder, folder / "people" / person, name, program, other))


async def _try_out(folder: Path, home: Path, name: str | None, program: str, other: str) -> None:
    async with _relay(folder / "relay") as address:
        with open_home(home, ask_passphrase) as opened:
            async with running(opened) as node:
                account = await node.query(Queries.account)
                if account is None:
                    await _make_account(node, name or _ask_name(), address)
                    account = await node.query(Queries.account)
                click.echo(_what_next(account.name if account else "", address, program, other))
                await until_told_to_end()


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


def _ask_name() -> str:
    if sys.stdin.isatty():
        return click.prompt(say("Your name, as others shall see it"), default=getpass.getuser())
    return getpass.getuser()


async def _make_account(node: Node, name: str, address: str) -> None:
    command = CreateAccount(client_id=uuid.uuid4().hex, name=name, relay=parse_relay_address(address))
    await node.command(command)


def _what_next(name: str, address: str, program: str, other: str) -> str:
    return "\n".join(
        (
            say("Hello, {name}. Your node runs, and so does a relay, at", name=name),
            f"  {address}",
            "",
            say("In another terminal:"),
            f"  {program} invite            " + say("a link for somebody, and its QR code"),
            f"  {program} chats             " + say("whom you can write to"),
            f"  {program} listen            " + say("what arrives"),
            f"  {program} send {say('NAME')} {say('TEXT')}         " + say("what you want to say"),
            f"  {program} --help            " + say("everything else"),
            "",
            say("Somebody else on this machine, in two more terminals:"),
            f"  ./dev run --as {other} --name {other.title()}",
            f'  ./dev skvoz --as {other} accept LINK --text "{say("Hello")}"',
            "",
            say("Ctrl-C ends it; everything is kept, and goes on with the next ./dev run."),
        )
    )
