"""`skvoz relay setup` and `check`: a public relay behind a site, and whether the world reaches it."""

import asyncio
import getpass
import secrets
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from skvoz.base.errors import BadRequest, Conflict, PeerError, StoreError, TransportError
from skvoz.base.ids import RelayId
from skvoz.cli.command import Command
from skvoz.client.relay_addresses import relay_address_text
from skvoz.texts import say

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from skvoz.transports import MessageConnection

_ANSWER_S: Final = 20.0
_HTTPS_PORT: Final = 443
_OUTSIDE: Final = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))
"""Addresses of nobody (RFC 5737, 3849), to which nothing is sent."""

pass_folder = click.make_pass_decorator(Path)


@click.command(cls=Command)
@click.argument("domain")
@click.option(
    "--site",
    required=True,
    metavar="DIR|URL",
    help=say("What everybody else meets there: a folder with an index.html, or the address of a site."),
)
@click.option(
    "--listen",
    default="127.0.0.1:8443",
    show_default=True,
    metavar="HOST:PORT",
    help=say("Where the relay itself listens."),
)
@pass_folder
def setup(folder: Path, domain: str, site: str, listen: str) -> None:
    """Write what a public relay needs, and say what to do with it.

    The relay's folder gets settings with a secret path, settings for Caddy, and the system's unit. Whoever
    doesn't know the path finds a site at DOMAIN, and nothing else. What is there already is not overwritten.
    """
    from skvoz.crypto import DEFAULT_SUITE, suite  # noqa: PLC0415  # heavy
    from skvoz.server import create_home, front, read_key, split_address  # noqa: PLC0415

    domain, chosen, path = front.check_domain(domain), front.choose_site(site), front.secret_path()
    split_address(listen)
    address = f"wss://{domain}{path}"
    home = create_home(folder)
    texts = {
        home.config_file: f'listen = "{listen}"\npath = "{path}"\naddress = "{address}"\n',
        home.folder / "Caddyfile": front.caddyfile(domain, path, listen, chosen),
        home.folder / "skvoz-relay.service": front.unit(getpass.getuser(), _program(), folder.resolve()),
    }
    for file in texts:
        if file.exists():
            raise Conflict(f"something of that name is in the relay's folder already: {file.name}")
    for file, text in texts.items():
        _write_new(file, text)
    key = suite(DEFAULT_SUITE).kem.public_key_of(read_key(home.key_file))
    click.echo(
        say("Written to {folder}: {names}", folder=str(folder), names=", ".join(f.name for f in texts))
    )
    click.echo(say("What is left to do, as root:"))
    click.echo(say("1. Let {domain} lead to this machine, and its ports 80 and 443 be open.", domain=domain))
    click.echo(say("2. Give Caddy its settings (beside other sites of yours: append them):"))
    click.echo(f"   install -m 640 -g caddy {folder.resolve() / 'Caddyfile'} /etc/caddy/Caddyfile")
    click.echo("   systemctl reload caddy")
    click.echo(say("3. Start the relay, now and whenever the machine starts:"))
    click.echo(f"   install -m 644 {folder.resolve() / 'skvoz-relay.service'} /etc/systemd/system/")
    click.echo("   systemctl daemon-reload && systemctl enable --now skvoz-relay")
    click.echo(say("4. See whether all of it works: `skvoz relay check`."))
    click.echo(say("Then give people this address. It is secret from everybody else:"))
    click.echo(relay_address_text(address, key))


def _program() -> Path:
    """Return what the unit starts: the `skvoz` beside this Python."""
    return Path(sys.executable).with_name("skvoz")


def _write_new(file: Path, text: str) -> None:
    try:
        with file.open("x", encoding="utf-8") as opened:
            opened.write(text)
        file.chmod(0o600)
    except OSError as error:
        raise StoreError(f"the relay's settings can't be written: {error.strerror}") from None


@click.command(cls=Command)
@pass_folder
def check(folder: Path) -> None:
    """Tell whether the world reaches this relay: its name, its certificate, its path.

    What is wrong is said on its line, and the exit code is 1 then.
    """
    from skvoz.crypto import DEFAULT_SUITE, suite  # noqa: PLC0415  # heavy
    from skvoz.server import RelayHome, read_key, read_settings  # noqa: PLC0415

    home = RelayHome(folder=folder)
    address = read_settings(home.config_file).address
    if not address.startswith("wss://"):
        raise BadRequest("relay.toml names no wss: address: `skvoz relay setup` writes one")
    key = suite(DEFAULT_SUITE).kem.public_key_of(read_key(home.key_file))
    if not asyncio.run(_check(address, key)):
        raise click.exceptions.Exit(1)


async def _check(address: str, key: bytes) -> bool:
    from skvoz.transports import https, wss  # noqa: PLC0415  # heavy
    from skvoz.transports.pace import Pace  # noqa: PLC0415

    network = https.Network(Pace())
    requests = https.connect("https" + address.removeprefix("wss"), network)
    return all(
        [
            await _name(address.removeprefix("wss://").partition("/")[0].partition(":")[0]),
            await _way(say("WebSocket"), wss.connect(address), key),
            await _way(say("single requests"), requests, key),
        ]
    )


async def _name(domain: str) -> bool:
    """Say where a domain leads; that it leads elsewhere may be right behind a translator of addresses."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(domain, _HTTPS_PORT, type=socket.SOCK_STREAM)
    except OSError:
        click.echo(say("{domain}: nobody knows this name", domain=domain))
        return False
    if {str(one[4][0]) for one in found} <= _own_addresses():
        click.echo(say("{domain}: leads to this machine", domain=domain))
    else:
        click.echo(
            say(
                "{domain}: leads to another address than this machine's own, as it does behind a router",
                domain=domain,
            )
        )
    return True


def _own_addresses() -> set[str]:
    own = {"127.0.0.1", "::1"}
    for family, outside in _OUTSIDE:
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect((outside, 9))
                own.add(str(probe.getsockname()[0]))
        except OSError:
            continue
    return own


async def _way(name: str, opening: "Awaitable[MessageConnection]", key: bytes) -> bool:
    """Say whether this very relay answers over a way."""
    from skvoz.client.relay_session import RelaySession  # noqa: PLC0415  # heavy
    from skvoz.crypto import DEFAULT_SUITE, sha256, suite  # noqa: PLC0415

    session = RelaySession(
        suite=suite(DEFAULT_SUITE),
        relay_id=RelayId(sha256(key)),
        public_key=key,
        randomness=secrets.token_bytes,
    )
    try:
        async with asyncio.timeout(_ANSWER_S):
            connection = await opening
            try:
                await connection.send(session.connected())
                while not session.is_up:
                    session.received(await connection.receive())
            finally:
                await connection.close()
    except TimeoutError:
        click.echo(f"{name}: {say('the relay does not answer any more')}")
        return False
    except (TransportError, PeerError) as problem:
        click.echo(f"{name}: {say(str(problem))}")
        return False
    click.echo(say("{name}: this relay answers", name=name))
    return True
