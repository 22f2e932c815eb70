"""Having a node change something, and waiting until relays have it."""

import time
import uuid
from typing import TYPE_CHECKING, Final

import click

from skvoz.api.params import NoParams
from skvoz.api.views import StatusView
from skvoz.base.errors import TransportError
from skvoz.client.commands import Answer
from skvoz.texts import say

if TYPE_CHECKING:
    from skvoz.api.caller import Caller

PATIENCE_S: Final = 10.0
"""How long a command waits for a relay before it says that the rest goes on by itself."""
_POLL_S: Final = 0.05


def wish(caller: "Caller", method: str, **fields: object) -> Answer:
    """Have something changed; raise what refuses it."""
    return caller.call(method, {"client_id": uuid.uuid4().hex, **fields}, Answer)


def settle(caller: "Caller") -> bool:
    """Wait until the relays have all that this home wants to say; tell whether they do.

    What was wished before is kept whatever becomes of the node meanwhile, so that it ends is no failure.
    """
    until = time.monotonic() + PATIENCE_S
    try:
        while caller.call("node.status", NoParams(), StatusView).unsent:
            if time.monotonic() > until:
                return False
            time.sleep(_POLL_S)
    except TransportError:
        return False
    return True


def say_if_waiting(caller: "Caller") -> None:
    """Tell the person where something could not leave yet; it goes out by itself once a node can."""
    if not settle(caller):
        click.echo(say("No relay has this yet. It is kept, and goes on while your node runs."), err=True)
