"""Faults as named options, drawn from the seed."""

from dataclasses import dataclass, fields, replace
from random import Random


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """How likely each fault is, 0 to 1: at each persist, message, connection or request, or a second."""

    crash_before_commit: float = 0.0
    """A client loses its process before a transaction is on the disk; a persist."""
    crash_after_commit: float = 0.0
    """A client loses its process after that and before anything goes out; a persist."""
    client_disk_full: float = 0.0
    """A client's disk takes nothing for a while; a second."""
    client_busy: float = 0.0
    """A client takes up what it is told only after some seconds, and does what its people wish at once; a
    fact."""
    connection_cut: float = 0.0
    """A connection breaks, with everything on its way; a message."""
    connection_frozen: float = 0.0
    """Something on the way swallows everything from now on; a message."""
    connect_fails: float = 0.0
    """A connection can't be made; a connection."""
    connection_replayed: float = 0.0
    """The network plays a client's recorded connection to the relay again; a connection."""
    network_slow: float = 0.0
    """A message takes up to ten seconds; a message."""
    partition: float = 0.0
    """A client reaches no relay for a while; a second."""
    relay_crash: float = 0.0
    """A relay loses its process and what was not synced; a second."""
    relay_restore: float = 0.0
    """A relay goes back to a backup; a second."""
    relay_disk_full: float = 0.0
    """A relay answers `full` for a while; a second."""
    relay_refuses: float = 0.0
    """A relay answers `slow` or `full`; a request."""
    relay_lies: float = 0.0
    """A relay says that it stored what it did not, or the other way round; an append or rekey."""
    relay_withholds: float = 0.0
    """A relay keeps an entry from all but its author; an append."""
    junk_closer: float = 0.0
    """A malicious member closes a segment with something that is no commit; a second."""
    echo: float = 0.0
    """A malicious member closes a segment with an old message of somebody else; a second."""
    expiry: float = 0.0
    """A client is away until entries have expired; a second."""
    clock_jump: float = 0.0
    """A client's clock jumps; a second."""

    def names(self) -> list[str]:
        """Return the faults that may happen."""
        return [field.name for field in fields(self) if getattr(self, field.name)]

    def only(self, names: set[str]) -> "Faults":
        """Return these faults without those that are not named."""
        return replace(self, **{name: 0.0 for name in self.names() if name not in names})


_LIKELY: dict[str, tuple[float, ...]] = {
    "crash_before_commit": (0.002, 0.01, 0.05),
    "crash_after_commit": (0.002, 0.01, 0.05),
    "client_disk_full": (0.01, 0.03),
    "client_busy": (0.02, 0.1),
    "connection_cut": (0.005, 0.02, 0.1),
    "connection_frozen": (0.002, 0.01),
    "connect_fails": (0.1, 0.5),
    "connection_replayed": (0.2,),
    "network_slow": (0.02, 0.2),
    "partition": (0.02, 0.05),
    "relay_crash": (0.01, 0.05),
    "relay_restore": (0.01, 0.02),
    "relay_withholds": (0.02, 0.1),
    "relay_disk_full": (0.02,),
    "relay_refuses": (0.02, 0.1),
    "relay_lies": (0.02, 0.1),
    "junk_closer": (0.01, 0.03),
    "echo": (0.01, 0.03),
    "expiry": (0.005,),
    "clock_jump": (0.01, 0.05),
}


def draw_faults(random: Random) -> Faults:
    """Return some faults, more or less likely; one world in ten has none."""
    share = random.choice((0.0, 0.1, 0.2, 0.2, 0.3, 0.3, 0.4, 0.5, 0.6, 0.8))
    chosen = {
        name: random.choice(likely) for name, likely in sorted(_LIKELY.items()) if random.random() < share
    }
    return Faults(**chosen)
