"""`skvoz location`: a place on Earth as a message."""

import click

from skvoz.api.message_views import PastedView
from skvoz.api.params import TextParams
from skvoz.base.errors import BadRequest
from skvoz.cli.command import Command, json_option
from skvoz.cli.desk import Desk, pass_desk
from skvoz.cli.messages import tell_how_far
from skvoz.cli.naming import find_chat
from skvoz.cli.wishes import wish
from skvoz.texts import say


@click.command(cls=Command)
@click.argument("chat")
@click.argument("place")
@click.option("--label", default="", help=say("What is there."))
@json_option
@pass_desk
def location(desk: Desk, *, chat: str, place: str, label: str, as_json: bool) -> None:
    """Send a place on Earth; coordinates, a `geo:` address, or the link of a map, which is not opened."""
    with desk.reach() as caller:
        found = caller.call("location.parse", TextParams(text=place), PastedView).location
        if found is None:
            raise BadRequest("there are no coordinates in this")
        answer = wish(
            caller,
            "location.send",
            chat_id=find_chat(caller, chat).chat_id,
            latitude_e7=found.latitude_e7,
            longitude_e7=found.longitude_e7,
            label=label or found.label,
        )
        tell_how_far(caller, answer, as_json=as_json)
