"""The rows of the table: ways of getting through, each an entry here."""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from lab.places import CLEAN, DOMESTIC, LISTED, SUSPICIOUS, Place


class Scene(Enum):
    """Who the two of a row are, and what they have between them (`lab.scenes`)."""

    RELAY = "a relay outside, and a friend there"
    HOP = "likewise, and a relay at a domestic hoster, known through a friend who lives there"
    PROXY = "likewise, and a proxy on the person's own machine, with a server of its own abroad"
    DROP = "storage on the white list, and no relay"
    NEIGHBOURS = "both behind the box on one local network, their relay outside"
    STICK = "a relay outside, a friend there, and somebody who carries bundles"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A node behind the box: where its relay is looked for, and which transports it may use; none: all."""

    name: str
    title: str
    places: tuple[Place, ...]
    only: tuple[str, ...] = ()
    scene: Scene = Scene.RELAY
    under: tuple[str, ...] = ()
    """The tactics under which it is measured; none: all."""

    @property
    def is_free(self) -> bool:
        """Whether the node chooses by itself."""
        return not self.only

    def meets(self, tactic: str) -> bool:
        """Tell whether it is measured under a tactic."""
        return not self.under or tactic in self.under


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
    Row(
        name="hop",
        title="hop over a relay at a domestic hoster, relay abroad",
        places=(SUSPICIOUS,),
        only=("hop",),
        scene=Scene.HOP,
    ),
    Row(
        name="socks",
        title="wss through the person's own shadowsocks, relay abroad",
        places=(SUSPICIOUS,),
        only=("wss",),
        scene=Scene.PROXY,
    ),
    Row(
        name="deaddrop",
        title="dead drop in WebDAV storage on the white list",
        places=(LISTED,),
        only=("drop",),
        scene=Scene.DROP,
    ),
    FREE,
    Row(
        name="lan",
        title="free choice, both on one local network",
        places=(SUSPICIOUS,),
        scene=Scene.NEIGHBOURS,
        under=("off",),
    ),
    Row(
        name="bundle",
        title="free choice, and bundles carried by hand",
        places=(SUSPICIOUS,),
        scene=Scene.STICK,
        under=("off",),
    ),
)
