"""`skvoz relay`: run a relay for others, and look into it."""

import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from skvoz.cli.command import Command, Group, json_option
from skvoz.cli.relay_setup import check, pass_folder, setup
from skvoz.client.relay_addresses import parse_relay_address, relay_address_text
from skvoz.texts import say

if TYPE_CHECKING:
    from skvoz.server import RelayService

_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.group(cls=Group, invoke_without_command=True)
@click.option(
    "--home",
    "folder",
    type=_FOLDER,
    metavar="DIR",
    envvar="SKVOZ_RELAY_HOME",
    help=say("The relay's folder. Also: SKVOZ_RELAY_HOME."),
)
@click.option("--listen", metavar="HOST:PORT", help=say("Where to listen; in front of it belongs TLS."))
@click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help=say("Settings from here instead of relay.toml in the folder."),
)
@click.pass_context
def relay(ctx: click.Context, folder: Path | None, listen: str | None, config_file: Path | None) -> None:
    """Run a relay for others, and look into it.

    It keeps sealed entries for people who talk through it, and knows neither who they are nor what they say.
    """
    ctx.obj = folder or _default_folder()
    if ctx.invoked_subcommand is None:
        _serve(ctx.obj, listen, config_file)


def _default_folder() -> Path:
    import platformdirs  # noqa: PLC0415  # only where it is needed

    return Path(platformdirs.user_data_dir("skvoz-relay"))


def _serve(folder: Path, listen: str | None, config_file: Path | None) -> None:
    from skvoz.server import create_home, read_settings, serve, split_address  # noqa: PLC0415  # heavy

    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("skvoz").setLevel(logging.INFO)
    home = create_home(folder)
    settings = read_settings(config_file or home.config_file)
    if listen is not None:
        host, port = split_address(listen)
        settings = msgspec.structs.replace(settings, host=host, port=port)

    def started(service: "RelayService") -> None:
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        address = f"ws://{host}:{service.port}{settings.path}"
        click.echo(relay_address_text(address, service.public_key))

    serve(folder, settings, started)


relay.add_command(setup)
relay.add_command(check)


@relay.command(cls=Command)
@click.argument("url")
@pass_folder
def address(folder: Path, url: str) -> None:
    """Print the address to give to people, for a relay that is reached at URL (wss://…)."""
    from skvoz.crypto import DEFAULT_SUITE, suite  # noqa: PLC0415  # heavy
    from skvoz.server import RelayHome, read_key  # noqa: PLC0415

    private_key = read_key(RelayHome(folder=folder).key_file)
    text = relay_address_text(url, suite(DEFAULT_SUITE).kem.public_key_of(private_key))
    parse_relay_address(text)
    click.echo(text)


@relay.command(cls=Command)
@json_option
@pass_folder
def disclose(folder: Path, *, as_json: bool) -> None:
    """Print everything that this relay holds, from its real storage; it may be running."""
    from skvoz.server import disclosed  # noqa: PLC0415  # heavy

    for one in disclosed(folder):
        click.echo(json.dumps(one.fields, ensure_ascii=False) if as_json else one.text)


@relay.command(cls=Command)
@click.argument("target", type=_FOLDER)
@pass_folder
def backup(folder: Path, target: Path) -> None:
    """Copy the relay's folder, also while it runs; the relay's key is in the copy."""
    from skvoz.server import back_up  # noqa: PLC0415  # heavy

    back_up(folder, target)


@relay.command(cls=Command)
@click.argument("source", type=_FOLDER)
@pass_folder
def restore(folder: Path, source: Path) -> None:
    """Make the relay's folder out of a backup; people's nodes say again what it lacks."""
    from skvoz.server import restore as put_back  # noqa: PLC0415  # heavy

    put_back(source, folder)
