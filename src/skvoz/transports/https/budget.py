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
PACKETS_MAX: Final = 1_000_000
"""What a connection has where nothing froze one that had `PROBE_PACKETS`."""
PROBE_PACKETS: Final = 48
"""Twice what a network with that rule lets through, nearly."""
HANDSHAKE_PACKETS: Final = 14
"""Opening TCP, TLS with a browser's hello and a certificate of 1 kB, and HTTP/2."""
REQUEST_PACKETS: Final = 8
"""A request and its answer, with acks, as far as the bytes of both fit into a packet each."""
_PACKET_BYTES: Final = 1_100
"""What a packet carries besides its headers, TLS's and HTTP/2's, and a request's own.

A few bytes in one more packet are what the first answer froze on, over a real distance.
"""
_UP_PACKETS: Final = 1.25
"""For each further packet's bytes upwards, with the acks; likewise downwards, with HTTP/2's as well."""
_DOWN_PACKETS: Final = 2.2
_PROBE_FIRST_S: Final = 600.0
_PROBE_MOST_S: Final = 6 * 3600.0


def packets(up: int, down: int) -> int:
    """Return about how many packets a request with so many bytes in either direction takes.

    The figures are of Caddy and wreq over a way that counts (`tests/transports/counted_way.py`).
    """
    more_up, more_down = max(0, up - _PACKET_BYTES), max(0, down - _PACKET_BYTES)
    return REQUEST_PACKETS + math.ceil((_UP_PACKETS * more_up + _DOWN_PACKETS * more_down) / _PACKET_BYTES)


class Allowance:
    """What this network lets through to one host, as far as it has shown; `now` is seconds of any clock."""

    def __init__(self) -> None:
        self.packets = PACKETS_FIRST
        self._probe_at = 0.0
        self._probe_s = _PROBE_FIRST_S

    def may_probe(self, now: float) -> bool:
        """Tell whether it is time to try for more."""
        return self.packets == PACKETS_FIRST and now >= self._probe_at

    def passed(self, used: int) -> None:
        """Note that a connection which used so many packets is alive."""
        if used >= PROBE_PACKETS:
            self.packets = PACKETS_MAX

    def froze(self, used: int, now: float) -> None:
        """Note that a connection froze after so many packets: few again, and no trying for a while."""
        if used >= PACKETS_FIRST:
            self.packets = PACKETS_FIRST
            self._probe_at = now + self._probe_s
            self._probe_s = min(_PROBE_MOST_S, 2 * self._probe_s)


class Budget:
    """What is left for one connection."""

    def __init__(self, allowance: Allowance) -> None:
        self.allowance = allowance
        self.used = HANDSHAKE_PACKETS

    @property
    def left(self) -> int:
        """Packets that it may still have."""
        return self.allowance.packets - self.used

    @property
    def is_worth_a_request(self) -> bool:
        """Whether a request of some use still fits."""
        return self.left >= REQUEST_PACKETS

    def spend(self, up: int, down: int) -> None:
        """Note a request that was answered."""
        self.used += packets(up, down)
        self.allowance.passed(self.used)

    def pieces(self, up_wanted: int, piece_max: int) -> tuple[int, int]:
        """Return how many bytes to send and to ask for in the next request; something of each always."""
        spare = max(0, self.left - REQUEST_PACKETS) * _PACKET_BYTES
        up = min(up_wanted, piece_max, _PACKET_BYTES + int(spare / _UP_PACKETS))
        left = max(0.0, spare - _UP_PACKETS * max(0, up - _PACKET_BYTES))
        return up, min(piece_max, _PACKET_BYTES + int(left / _DOWN_PACKETS))
