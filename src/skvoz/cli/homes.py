"""`skvoz home`: the folder with all that is yours."""

import click

from skvoz.api.params import NoParams, RemoveParams
from skvoz.api.views import AccountView, DoneView
from skvoz.base.errors import BadRequest, NotFound
from skvoz.cli.command import Group
from skvoz.cli.desk import Desk, pass_desk
from skvoz.cli.output import one_line
from skvoz.texts import say


@click.group(cls=Group)
def home() -> None:
    """Look after the folder with all that is yours."""


@home.command()
@pass_desk
def remove(desk: Desk) -> None:
    """Remove this home for good: its keys first, then all that is in it."""
    if not (desk.folder / "lock").exists():
        raise NotFound("there is no home in this folder")
    node = desk.running_node()
    name = (
        desk.folder.absolute().name
        if node is None
        else node.call("account.get", NoParams(), AccountView).name
    )
    click.echo(
        say(
            "This can't be undone. What others have from you stays with them; copies of this folder that you "
            "made elsewhere stay too."
        ),
        err=True,
    )
    typed = click.prompt(say("Type {name} to remove it", name=one_line(name)), err=True)
    if " ".join(typed.split()) != name:
        raise BadRequest("that was another word: nothing was removed")
    if node is None:
        _remove_here(desk)
    else:
        node.call("home.remove", RemoveParams(name=typed), DoneView)
    click.echo(say("It is removed."), err=True)


def _remove_here(desk: Desk) -> None:
    from skvoz.store import Home  # noqa: PLC0415  # heavy
    from skvoz.store.removal import remove_home  # noqa: PLC0415  # heavy

    with Home(desk.folder) as held:
        remove_home(held)
