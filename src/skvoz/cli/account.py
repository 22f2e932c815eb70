"""`skvoz account`: made once, and looked after."""

import sys

import click

from skvoz.api.params import NoParams
from skvoz.api.views import AccountView, PhraseView, StatusView
from skvoz.base.errors import BadRequest, Conflict, HomeBusy, NotFound
from skvoz.cli.command import Group, json_option
from skvoz.cli.desk import Desk, ask_passphrase, new_passphrase, pass_desk
from skvoz.cli.output import one_line, show_json
from skvoz.cli.wishes import say_if_waiting, wish
from skvoz.client.relay_addresses import parse_relay_address
from skvoz.texts import say

PROTECTIONS = ("automatic", "keyring", "passphrase", "file")


@click.group(cls=Group)
def account() -> None:
    """Make the account of this home, and look after it."""


@account.command()
@click.option("--name", required=True, help=say("What others see; it can be changed."))
@click.option(
    "--relay",
    "relay_address",
    default="",
    envvar="SKVOZ_RELAY",
    metavar="ADDRESS",
    help=say(
        "The relay to live at: wss://HOST/PATH#FINGERPRINT; not needed where your node knows one. "
        "Also: SKVOZ_RELAY."
    ),
)
@click.option("--ticket", default="", help=say("What lets you in at a relay that isn't open to all."))
@click.option(
    "--protect",
    type=click.Choice(PROTECTIONS),
    default="automatic",
    help=say("What keeps the home's key: the system's keyring, a passphrase, or a private file."),
)
@json_option
@pass_desk
def create(desk: Desk, *, name: str, relay_address: str, ticket: str, protect: str, as_json: bool) -> None:
    """Make this home's account: a name, and a relay to live at."""
    if relay_address:
        parse_relay_address(relay_address)  # before anything is made
    if protect != "automatic":
        make_home(desk, protect)
    with desk.reach() as caller:
        known = relay_address or caller.call("node.status", NoParams(), StatusView).suggested_relay
        if not known:
            raise BadRequest("no relay is known here: say which one by --relay")
        address = parse_relay_address(known, ticket.encode())
        wish(caller, "account.create", name=name, relay=address)
        made = caller.call("account.get", NoParams(), AccountView)
        say_if_waiting(caller)
    if as_json:
        show_json([made])
    else:
        click.echo(say("Hello, {name}. `skvoz invite` makes a link for the first person.", name=made.name))


@account.command()
@json_option
@pass_desk
def show(desk: Desk, *, as_json: bool) -> None:
    """Show who you are here."""
    with desk.reach() as caller:
        found = caller.call("account.get", NoParams(), AccountView)
    if as_json:
        show_json([found])
        return
    click.echo(one_line(found.name))
    if not found.phrase_confirmed:
        click.echo(say("The recovery phrase is not confirmed yet: `skvoz account phrase` shows it."))


@account.command()
@click.option("--confirm", is_flag=True, help=say("Type the phrase; then it is forgotten here."))
@json_option
@pass_desk
def phrase(desk: Desk, *, confirm: bool, as_json: bool) -> None:
    """Show the recovery phrase, or confirm that it is written down."""
    with desk.reach() as caller:
        if confirm:
            typed = _typed_phrase()
            wish(caller, "account.confirm_phrase", phrase=typed)
            click.echo(say("It is right, and forgotten here: keep the paper safe."), err=True)
            return
        found = caller.call("account.phrase", NoParams(), PhraseView)
    if as_json:
        show_json([found])
        return
    click.echo(found.phrase)
    click.echo(
        say("Write these words on paper. Whoever has them can be you; without them nobody can help."),
        err=True,
    )


def _typed_phrase() -> str:
    if sys.stdin is not None and sys.stdin.isatty():
        return click.prompt(say("The 24 words"), hide_input=True, err=True)
    typed = sys.stdin.readline().strip() if sys.stdin is not None else ""
    if not typed:
        raise BadRequest("there is no input to read from")
    return typed


@account.command()
@click.argument("name")
@json_option
@pass_desk
def rename(desk: Desk, name: str, *, as_json: bool) -> None:
    """Change the name that others see."""
    with desk.reach() as caller:
        wish(caller, "account.change", name=name)
        say_if_waiting(caller)
        if as_json:
            show_json([caller.call("account.get", NoParams(), AccountView)])


@account.command()
@click.argument("switch", type=click.Choice(["on", "off"]))
@json_option
@pass_desk
def reports(desk: Desk, switch: str, *, as_json: bool) -> None:
    """Tell others when their messages arrive and are read, or don't."""
    with desk.reach() as caller:
        wish(caller, "account.change", reports_enabled=switch == "on")
        if as_json:
            show_json([caller.call("account.get", NoParams(), AccountView)])


@account.command()
@click.argument("switch", type=click.Choice(["on", "off"]))
@json_option
@pass_desk
def nearby(desk: Desk, switch: str, *, as_json: bool) -> None:
    """Let conversations go on over the network around, where no relay can be reached.

    Whoever is on that network can see that this machine offers something, and with a trained eye that it is
    Skvoz; not whose it is, and not what is said. Both sides have to switch it on.
    """
    with desk.reach() as caller:
        wish(caller, "account.change", lan_enabled=switch == "on")
        if as_json:
            show_json([caller.call("account.get", NoParams(), AccountView)])


@account.command("lock-after")
@click.argument("minutes", type=click.IntRange(0, 24 * 60))
@json_option
@pass_desk
def lock_after(desk: Desk, minutes: int, *, as_json: bool) -> None:
    """Lock this home after so many minutes without use of its page; 0: never."""
    with desk.reach() as caller:
        wish(caller, "account.change", lock_after_minutes=minutes)
        if as_json:
            show_json([caller.call("account.get", NoParams(), AccountView)])


@account.command()
@click.argument("how", type=click.Choice(PROTECTIONS))
@pass_desk
def protect(desk: Desk, how: str) -> None:
    """Change what keeps this home's key, or its passphrase; no node may be running."""
    from skvoz.store import Home, Protection  # noqa: PLC0415  # heavy
    from skvoz.store.protection import change_protection  # noqa: PLC0415

    if not desk.folder.is_dir():
        raise NotFound("there is no home in this folder")
    if desk.running_node() is not None:
        raise HomeBusy("your node runs: end it first, then change what keeps its key")
    with Home(desk.folder) as home:
        change_protection(home.key_file, ask_passphrase, Protection(how), new_passphrase)


def make_home(desk: Desk, protect: str) -> None:
    """Make a home whose key is kept in a way that the person chose; raise where there is a home already."""
    from skvoz.node.node import open_home  # noqa: PLC0415  # heavy
    from skvoz.store import Home, Protection  # noqa: PLC0415

    with Home(desk.folder) as home:
        if home.key_file.exists():
            raise Conflict("this home is there already: `skvoz account protect` changes what keeps its key")
    ask = new_passphrase if protect == "passphrase" else ask_passphrase
    open_home(desk.folder, ask, Protection(protect)).close()
