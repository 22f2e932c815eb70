"""`skvoz proxy`: relays through the person's own SOCKS5 proxy."""

import contextlib
import sys
from typing import TYPE_CHECKING

import click

from skvoz.base.errors import HomeBusy
from skvoz.cli.command import Group, json_option
from skvoz.cli.desk import Desk, pass_desk
from skvoz.cli.output import show_json
from skvoz.texts import say

if TYPE_CHECKING:
    from skvoz.node.proxy_setting import ProxyChoice, ProxySetting


@click.group(cls=Group)
def proxy() -> None:
    """Reach relays through a proxy of your own: Tor, a VPN's, Xray's.

    It has to speak SOCKS5. While one is set, nothing leaves the network around you but through it, which
    resolves names too. Programs that give you one tell its address; Tor's is 127.0.0.1:9050.
    """


@proxy.command()
@click.argument("address")
@click.option(
    "--name",
    default="",
    metavar="NAME",
    help=say("The name it knows you by; you are asked for its password."),
)
@click.option(
    "--allow-direct",
    is_flag=True,
    help=say("Where nothing gets through the proxy, go without it. Whoever watches then sees you do."),
)
@json_option
@pass_desk
def use(desk: Desk, address: str, name: str, *, allow_direct: bool, as_json: bool) -> None:
    """Go through the proxy at ADDRESS, socks5://HOST:PORT, from now on."""
    from skvoz.node.proxy_setting import ProxyChoice  # noqa: PLC0415  # heavy
    from skvoz.store.home import Home  # noqa: PLC0415
    from skvoz.transports.proxy import parse_proxy  # noqa: PLC0415

    parse_proxy(address, name)
    choice = ProxyChoice(
        proxy=parse_proxy(address, name, _password() if name else ""), allows_direct=allow_direct
    )
    with contextlib.suppress(HomeBusy):  # a node that runs takes the setting up by itself
        Home(desk.folder).close()  # makes the folder of a home that is to be
    _setting(desk).write(choice)
    _tell(choice, as_json=as_json)


@proxy.command()
@json_option
@pass_desk
def off(desk: Desk, *, as_json: bool) -> None:
    """Go without a proxy from now on."""
    _setting(desk).remove()
    _tell(None, as_json=as_json)


@proxy.command()
@json_option
@pass_desk
def show(desk: Desk, *, as_json: bool) -> None:
    """Say which proxy is used; its password is never shown."""
    _tell(_setting(desk).read(), as_json=as_json)


def _setting(desk: Desk) -> "ProxySetting":
    from skvoz.node.proxy_setting import ProxySetting  # noqa: PLC0415  # heavy

    return ProxySetting(desk.folder)


def _password() -> str:
    if sys.stdin.isatty():
        return click.prompt(say("Password of the proxy"), hide_input=True, err=True)
    return sys.stdin.readline().rstrip("\n")


def _tell(choice: "ProxyChoice | None", *, as_json: bool) -> None:
    if as_json:
        show_json(
            [
                {
                    "address": "" if choice is None else choice.proxy.shown,
                    "name": "" if choice is None else choice.proxy.name,
                    "allows_direct": choice is not None and choice.allows_direct,
                }
            ]
        )
    elif choice is None:
        click.echo(say("There is no proxy: relays are reached directly."))
    elif choice.allows_direct:
        click.echo(say("Through {proxy}; directly where nothing gets through it.", proxy=choice.proxy.shown))
    else:
        click.echo(
            say(
                "Through {proxy}; only what stays on this machine or on the network around goes past it.",
                proxy=choice.proxy.shown,
            )
        )
