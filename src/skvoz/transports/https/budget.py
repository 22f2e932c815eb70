"""How many packets a connection may have, pure: networks freeze it after some, and never say so.

What is known of one such rule: to networks that it takes for suspicious, after about 25 packets of both
directions together, acks too, nothing passes any more (net4people/bbs#490). A connection to a host therefore
has 24, until this network has shown that it lets more through. That is tried while there is nothing to say,
so that nobody waits for what may freeze.
"""

import math
from typing import Final

PACKETS_FIRST: Final = 24
"""What a connection has where nothing is known: opening it, and one request of some use."""
PACKETS_LEAST: Final = 20
"""What it has where connections froze all the same: opening it, and a small request."""
PACKETS_MAX: Final = 1_000_000
"""What a connection has where nothing froze one that had `PROBE_PACKETS`."""
PROBE_PACKETS: Final = 48
"""Twice what a network with that rule lets through, nearly."""
OUTLIVED_PACKETS: Final = 34
"""A connection that is alive after so many is on none of those networks: it may be used as if it were."""
HANDSHAKE_PACKETS: Final = 14
"""Opening TCP, TLS with a browser's hello and a certificate of 1 kB, and HTTP/2."""
REQUEST_PACKETS: Final = 6
"""A request and its answer, with acks, as far as the bytes of both fit into a packet each."""
_UP_FREE_BYTES: Final = 800
"""What of a request fits into a packet with its headers."""
_DOWN_FREE_BYTES: Final = 1_300
"""What of an answer fits into a packet."""
_PACKET_BYTES: Final = 1_400
"""What a further packet carries."""
_UP_PACKETS: Final = 1.6
"""For each further packet's bytes upwards, with the acks that come before the answer."""
_DOWN_PACKETS: Final = 1.35
"""Likewise downwards: they come at once, and are acknowledged when it is over."""
_PROBE_FIRST_S: Final = 600.0
_PROBE_MOST_S: Final = 6 * 3600.0


def packets(up: int, down: int) -> int:
    """Return about how many packets a request with so many bytes in either direction takes.

    The figures are of Caddy and wreq over a way of 40 ms there and back, counted in the lab's box.
    """
    more_up, more_down = max(0, up - _UP_FREE_BYTES), max(0, down - _DOWN_FREE_BYTES)
    return REQUEST_PACKETS + math.ceil((_UP_PACKETS * more_up + _DOWN_PACKETS * more_down) / _PACKET_BYTES)


class Allowance:
    """What this network lets through to one host, as far as it has shown; `now` is seconds of any clock."""

    def __init__(self) -> None:
        self.packets = PACKETS_FIRST
        self._probe_at = 0.0
        self._probe_s = _PROBE_FIRST_S

    @property
    def is_known_free(self) -> bool:
        """Whether connections have shown that they may live."""
        return self.packets == PACKETS_MAX

    def may_probe(self, now: float) -> bool:
        """Tell whether it is time to try for more."""
        return not self.is_known_free and now >= self._probe_at

    def passed(self, used: int) -> None:
        """Note that a connection which used so many packets is alive."""
        if used >= PROBE_PACKETS:
            self.packets = PACKETS_MAX

    def froze(self, used: int, now: float) -> None:
        """Note that a connection froze, after so many packets that it was known to have passed.

        Where that was beyond what a network with the rule lets through, or might be: few from now on, and no
        trying for a while. Where it was the first request: what was asked of it was too much.
        """
        if used > HANDSHAKE_PACKETS:
            self.packets = min(self.packets, PACKETS_FIRST)
            self._probe_at = now + self._probe_s
            self._probe_s = min(_PROBE_MOST_S, 2 * self._probe_s)
        elif not self.is_known_free:
            self.packets = max(PACKETS_LEAST, self.packets - 2)


class Budget:
    """What is left for one connection."""

    def __init__(self, allowance: Allowance) -> None:
        self.allowance = allowance
        self.used = HANDSHAKE_PACKETS
        self._proven = 0

    @property
    def left(self) -> int:
        """Packets that it may still have."""
        return self.allowance.packets - self.used

    @property
    def is_fresh(self) -> bool:
        """Whether nothing has come back over the connection yet."""
        return self.used == HANDSHAKE_PACKETS

    @property
    def is_worth_a_request(self) -> bool:
        """Whether a request of some use still fits, or what would freeze it hasn't."""
        return not self.is_beyond or self._proven >= OUTLIVED_PACKETS

    @property
    def is_beyond(self) -> bool:
        """Whether a further request tries for more than what is known to pass."""
        return self.left < REQUEST_PACKETS

    def spend(self, up: int, down: int) -> None:
        """Note a request that was answered."""
        self._proven = self.used = self.used + packets(up, down)
        self.allowance.passed(self.used)

    def call_back(self) -> None:
        """Note a request that was called back: it proves nothing."""
        self.used += REQUEST_PACKETS

    def pieces(self, up_wanted: int, piece_max: int) -> tuple[int, int]:
        """Return how many bytes to send and to ask for in the next request; something of each always.

        Beyond the budget size matters no more: if it freezes, nothing of it passes.
        """
        if self.is_beyond:
            return min(up_wanted, piece_max), piece_max
        spare = max(0, self.left - REQUEST_PACKETS) * _PACKET_BYTES
        up = min(up_wanted, piece_max, _UP_FREE_BYTES + int(spare / _UP_PACKETS))
        left = max(0.0, spare - _UP_PACKETS * max(0, up - _UP_FREE_BYTES))
        return up, min(piece_max, _DOWN_FREE_BYTES + int(left / _DOWN_PACKETS))
