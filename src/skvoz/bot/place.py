"""Where a bot's node is, and by which token it is let in: said by the environment.

SKVOZ_BOT_TOKEN   what `skvoz bot new` printed
SKVOZ_BOT_NODE    the page's address, http://127.0.0.1:PORT, for a bot that may not open the home's socket
SKVOZ_HOME        the home whose socket is used otherwise; where no token is said, the bot has all of it
SKVOZ_BOT_STATE   the file in which the bot keeps how far it is
"""

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from skvoz.base.errors import BadRequest
from skvoz.base.value import Value

TOKEN_VARIABLE: Final = "SKVOZ_BOT_TOKEN"  # noqa: S105  # a name, not a secret
NODE_VARIABLE: Final = "SKVOZ_BOT_NODE"
HOME_VARIABLE: Final = "SKVOZ_HOME"
STATE_VARIABLE: Final = "SKVOZ_BOT_STATE"
_NODE: Final = re.compile(r"http://(127\.0\.0\.1:[0-9]{1,5})/?")
_TOKEN: Final = re.compile(r"[!-~]{1,200}")


class Place(Value, frozen=True, kw_only=True):
    """How to reach a node: its home's socket, or its address on this machine."""

    socket: Path | None = None
    authority: str = ""
    """`127.0.0.1:PORT`; empty where the socket is used."""
    token: str = ""
    """Empty: as the owner, which only the socket allows."""

    @classmethod
    def of_home(cls, home: Path, token: str = "") -> "Place":
        """Return the place of the node that runs on a home; without a token everything there is open."""
        return cls(socket=home / "api.sock", token=token)


def place_in(environment: Mapping[str, str]) -> Place:
    """Return the place that an environment names; raise `BadRequest` where it names none, or a wrong one."""
    token, node = environment.get(TOKEN_VARIABLE, "").strip(), environment.get(NODE_VARIABLE, "").strip()
    home = environment.get(HOME_VARIABLE, "")
    if token and not _TOKEN.fullmatch(token):
        raise BadRequest("SKVOZ_BOT_TOKEN is no token of `skvoz bot new`")
    if node:
        # Elsewhere the token would travel in the clear, and nobody else's node knows it.
        found = _NODE.fullmatch(node)
        if found is None:
            raise BadRequest("SKVOZ_BOT_NODE has to be http://127.0.0.1:PORT")
        if not token:
            raise BadRequest("SKVOZ_BOT_NODE needs a SKVOZ_BOT_TOKEN")
        return Place(authority=found[1], token=token)
    if home:
        return Place.of_home(Path(home), token)
    if not token:
        raise BadRequest("SKVOZ_BOT_TOKEN is wanted, or SKVOZ_HOME for a bot with a home of its own")
    import platformdirs  # noqa: PLC0415  # only where it is needed

    return Place.of_home(Path(platformdirs.user_data_dir("skvoz")), token)


def state_file_in(environment: Mapping[str, str]) -> Path:
    """Return the file in which a bot keeps how far it is: by default it is named as the bot's program."""
    named = environment.get(STATE_VARIABLE, "")
    return Path(named) if named else Path(Path(sys.argv[0]).stem + ".state")
