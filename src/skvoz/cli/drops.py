"""`skvoz drop`: talk over storage that all of you reach, where no relay is in reach."""

import asyncio
import base64
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from skvoz.api.drop_views import DropKeyView, DropListView, DropParams, DropView
from skvoz.api.params import NoParams
from skvoz.base.errors import BadRequest, NotFound
from skvoz.cli.command import Group, json_option
from skvoz.cli.desk import Desk, pass_desk
from skvoz.cli.output import one_line, show_json
from skvoz.cli.wishes import wish
from skvoz.texts import say

if TYPE_CHECKING:
    from skvoz.transports.deaddrop import Found

_MIB: Final = 1024 * 1024


@click.group(cls=Group)
def drop() -> None:
    """Talk without any relay, over storage that all of you reach.

    A drop is a folder that is the same for all, or a place at a provider: whoever has its key reads and
    writes there. What lies in it is sealed. It is slower than a relay.
    """


_yes = click.option("--yes", is_flag=True, help=say("You have read the warning."))
_password = click.option(
    "--password-file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help=say("The storage's password, in a file; else you are asked where one is needed."),
)
_every = click.option(
    "--every",
    type=click.IntRange(1, 24 * 3600),
    default=30,
    metavar="SECONDS",
    help=say("How often to look for news while it is quiet."),
)
_bytes_a_day = click.option(
    "--megabytes-a-day",
    type=click.IntRange(1, 100_000),
    default=20,
    help=say("What looking for news may cost a day; above it, it is done every half an hour."),
)


@drop.command()
@click.argument("url")
@_password
@_bytes_a_day
@_every
@_yes
@json_option
@pass_desk
def make(
    desk: Desk,
    url: str,
    *,
    password_file: Path | None,
    megabytes_a_day: int,
    every: int,
    yes: bool,
    as_json: bool,
) -> None:
    """Make a drop at URL and print its address, for `skvoz account create --relay`.

    URL is an empty folder that all of you reach: file:///mnt/shared/drop, davs://USER@HOST/PATH (WebDAV),
    s3://KEY@HOST/BUCKET, sftp://USER@HOST/PATH or imaps://USER@HOST/FOLDER (mail). Whether two could take the
    same place there is tried. A folder that a cloud copies to each machine is not the same one.
    """
    from skvoz.transports.deaddrop import make_drop, needs_password  # noqa: PLC0415  # heavy

    _warn(agreed=yes)
    password = _password_of(password_file) if password_file or needs_password(url) else ""
    found = asyncio.run(make_drop(url, password))
    _keep(desk, found, megabytes_a_day, every)
    _show_new(desk, found.keys.relay_id, as_json=as_json)
    if not as_json:
        click.echo(
            say("Give its key to those who shall use it, over a way that you trust: `skvoz drop key`."),
            err=True,
        )


@drop.command()
@_bytes_a_day
@_every
@_yes
@json_option
@pass_desk
def join(desk: Desk, *, megabytes_a_day: int, every: int, yes: bool, as_json: bool) -> None:
    """Use a drop that somebody gave you the key of; it is read from the input, and not shown."""
    from skvoz.transports.deaddrop import find_drop, parse_drop_key  # noqa: PLC0415  # heavy

    key = parse_drop_key(_typed(say("The drop's key")))
    _warn(agreed=yes)
    found = asyncio.run(find_drop(key))
    _keep(desk, found, megabytes_a_day, every)
    _show_new(desk, found.keys.relay_id, as_json=as_json)


@drop.command("list")
@json_option
@pass_desk
def list_drops(desk: Desk, *, as_json: bool) -> None:
    """List drops: where they are, and what they cost today."""
    with desk.reach() as caller:
        found = caller.call("drop.list", NoParams(), DropListView).drops
    if as_json:
        show_json(found)
        return
    for one in found:
        click.echo(f"{_address(one)}\n  {one_line(one.place)}  {_cost(one)}")
    if not found:
        click.echo(say("No drops. `skvoz drop make URL` makes one."), err=True)


@drop.command()
@click.argument("address", required=False)
@json_option
@pass_desk
def key(desk: Desk, address: str | None, *, as_json: bool) -> None:
    """Print a drop's key, to hand on. The password of the storage is in it.

    Whoever has it can use the drop, see when others do, and empty it.
    """
    with desk.reach() as caller:
        drops = caller.call("drop.list", NoParams(), DropListView).drops
        found = _find(drops, address)
        view = caller.call("drop.key", DropParams(relay_id=found.relay_id), DropKeyView)
    if as_json:
        show_json([view])
        return
    click.echo(view.text)


@drop.command()
@click.argument("address", required=False)
@pass_desk
def forget(desk: Desk, address: str | None) -> None:
    """Forget a drop that no conversation of yours lies in; what is in it stays there."""
    with desk.reach() as caller:
        found = _find(caller.call("drop.list", NoParams(), DropListView).drops, address)
        wish(caller, "drop.forget", relay_id=found.relay_id)


def _warn(*, agreed: bool) -> None:
    """Say what a drop hides and what not, before anything is done."""
    if agreed:
        return
    click.echo(
        say(
            "Nobody but the people in a conversation can read what lies in a drop. But who keeps the storage "
            "sees who uses it, from where, when and how much, and may keep that. An account at a provider in "
            "your country is tied to your phone number, and what it does is logged and handed over."
        ),
        err=True,
    )
    if sys.stdin is None or not sys.stdin.isatty():
        raise BadRequest("say --yes once you have read the warning")
    click.confirm(say("Use it all the same?"), abort=True, err=True)


def _password_of(file: Path | None) -> str:
    if file is None:
        return _typed(say("The storage's password"))
    try:
        return file.read_text("utf-8").removesuffix("\n")
    except (OSError, UnicodeDecodeError):
        raise BadRequest("the password's file can't be read") from None


def _typed(question: str) -> str:
    if sys.stdin is not None and sys.stdin.isatty():
        return click.prompt(question, hide_input=True, err=True)
    typed = sys.stdin.readline().strip() if sys.stdin is not None else ""
    if not typed:
        raise BadRequest("there is no input to read from")
    return typed


def _keep(desk: Desk, found: "Found", megabytes: int, every: int) -> None:
    key = found.key
    with desk.reach() as caller:
        wish(
            caller,
            "drop.keep",
            relay_id=found.keys.relay_id,
            secret=key.secret,
            url=key.url,
            password=key.password,
            bytes_a_day=megabytes * _MIB,
            poll_s=every,
        )


def _show_new(desk: Desk, relay_id: bytes, *, as_json: bool) -> None:
    with desk.reach() as caller:
        found = caller.call("drop.list", NoParams(), DropListView).drops
    made = next(one for one in found if one.relay_id == relay_id)
    if as_json:
        show_json([made])
    else:
        click.echo(_address(made))


def _address(one: DropView) -> str:
    """Return what `--relay` takes."""
    return f"{one.address}#{base64.urlsafe_b64encode(one.relay_id).rstrip(b'=').decode()}"


def _cost(one: DropView) -> str:
    return say(
        "{used} of {most} MB today",
        used=round(one.bytes_today / _MIB, 2),
        most=round(one.bytes_a_day / _MIB),
    )


def _find(drops: tuple[DropView, ...], address: str | None) -> DropView:
    found = [one for one in drops if address is None or address in {one.address, _address(one)}]
    if len(found) == 1:
        return found[0]
    if found:
        raise BadRequest("there are several drops: say which one by its address")
    raise NotFound("there is no such drop")
