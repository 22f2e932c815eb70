"""The rows of the table: ways of getting through, each an entry here."""

from dataclasses import dataclass, field
from typing import Final

from lab.places import CLEAN, DOMESTIC, LISTED, SUSPICIOUS, Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A node behind the box: where its relay is looked for, and which transports it may use; none: all."""

    name: str
    title: str
    places: tuple[Place, ...]
    only: tuple[str, ...] = field(default=())

    @property
    def is_free(self) -> bool:
        """Whether the node chooses by itself."""
        return not self.only


def relay_name(place: Place) -> str:
    """Return the name under which the relay is served in a network."""
    return f"relay.{place.name}.example"


FREE: Final = Row(name="free", title="free choice", places=(SUSPICIOUS, CLEAN, DOMESTIC, LISTED))
ROWS: Final = (
    Row(name="wss", title="wss, relay abroad", places=(SUSPICIOUS,), only=("wss",)),
    Row(name="https", title="https, relay abroad", places=(SUSPICIOUS,), only=("https",)),
    Row(
        name="https-domestic",
        title="https, relay at a domestic hoster",
        places=(DOMESTIC,),
        only=("https",),
    ),
    FREE,
)
