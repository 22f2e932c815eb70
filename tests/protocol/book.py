"""All vectors of `docs/protocol/vectors` by the names of their files."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from tests.protocol import made, made_carried, made_files, made_groups, made_lanes, sealed
from tests.protocol.made import Vector

FOLDER: Final = Path(__file__).resolve().parents[2] / "docs" / "protocol" / "vectors"
MADE: Final[dict[str, Callable[[], Vector]]] = {
    "identity": made.identity,
    "first_contact": made.first_contact,
    "group_link": made_groups.group_link,
    "conversation": made.conversation,
    "content": made.content,
    "carried": made_carried.carried,
    "file": made_files.file,
    "lane": made_lanes.lane,
}
"""What takes no chance: made whenever it is looked at."""
SEALED: Final[dict[str, tuple[Callable[[], Vector], Callable[[Vector], Vector]]]] = {
    "xwing": (sealed.make_xwing, sealed.xwing),
    "mail": (sealed.make_mail, sealed.mail_opened),
    "session": (sealed.make_session, sealed.session),
    "group": (sealed.make_group, sealed.group_joined),
}
"""What was encapsulated: how it was made once, and how everything in it is computed again."""
