"""What was measured of a network, pure values: no address, name or id stands in them.

Relays are counted from 1, in the order in which the node knows them.
"""

from typing import Final, Literal

from skvoz.base.value import Value

NameWord = Literal["none", "found", "inward", "unknown", "silent"]
"""What the resolver said of a name: `none`, there is no name to ask for; `inward`, it leads into a network of
its own, where no relay for the world can be; `unknown`, that there is no such name."""
TouchWord = Literal["open", "refused", "silent", "no_route"]
"""What became of a TCP connection."""
HelloWord = Literal["answered", "reset", "silent", "other_site", "untrusted", "untimely"]
"""What a TLS hello met: `other_site`, a good certificate for other names; `untrusted`, one that nobody
vouches for, or no TLS; `untimely`, one that is not valid at the time that this machine shows."""
PageWord = Literal["nothing", "own", "elsewhere", "page", "demand"]
"""What plain HTTP is answered: `own`, what a site that speaks TLS says; `elsewhere`, a way to another name;
`page`, something to read; `demand`, status 511, which only login pages have (RFC 6585 §6)."""
TrialEnd = Literal["fine", "unreached", "silent", "broken", "other"]
"""How a trial of a way ended: `unreached`, no connection; `silent`, nothing comes any more; `broken`, it was
cut off; `other`, something answers that is not this relay."""

SLOW_KBIT_S: Final = 200
"""Below this, people notice; networks that throttle let 130 to 150 kbit/s through."""


class Trial(Value, frozen=True, kw_only=True):
    """A way, tried as it is used: a session with the relay, then pings whose answers are counted.

    `carried` bytes went in both directions; `kbit_s` is the speed of the answers over one that stays open.
    """

    kind: str
    is_direct: bool
    is_tls: bool
    end: TrialEnd
    came_up: bool = False
    round_trip_ms: int | None = None
    carried: int = 0
    kbit_s: int | None = None

    @property
    def works(self) -> bool:
        """Whether it carries messages."""
        return self.came_up and self.end == "fine"


class Place(Value, frozen=True, kw_only=True):
    """What was found at one place where a relay is looked for directly; None: it was not asked."""

    is_tls: bool
    name: NameWord | None = None
    touches: tuple[TouchWord, ...] = ()
    plain: HelloWord | None = None
    """A hello that is no browser's, with the relay's name."""
    browser: HelloWord | None = None
    """A current browser's."""
    other: HelloWord | None = None
    """One with another name, where the first met nothing."""
    talk: HelloWord | None = None
    """What a request meets after the first hello, where that was answered and a browser's met nothing."""
    page: PageWord | None = None


class RelayMeasured(Value, frozen=True, kw_only=True):
    """All that was measured on the way to one relay."""

    relay: int
    trials: tuple[Trial, ...] = ()
    places: tuple[Place, ...] = ()
    together: int | None = None
    """Of `TOGETHER` connections that were begun at once, so many were answered; None: it was not tried."""
    is_complete: bool = True

    @property
    def works(self) -> bool:
        """Whether any way carries messages."""
        return any(trial.works for trial in self.trials)


TOGETHER: Final = 5
"""More than three with one name at once is what some networks cut off."""
