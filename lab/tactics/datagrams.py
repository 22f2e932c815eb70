"""Rules about UDP."""

import secrets
from typing import Final

from lab.controls import Datagrams, Each
from lab.packets import UDP, Packet
from lab.tactics.base import DROP, PASS, Case, Tactic, Verdict

QUIC_SIZE_LEAST: Final = 1001
STUN_COOKIE: Final = b"\x21\x12\xa4\x42"
MEDIA_SIZES: Final = range(590, 1401)
_STUN_PORTS: Final = frozenset({3478, 19_302})
_MEDIA_PORTS_FROM: Final = 50_000


class Quic(Tactic):
    """QUIC version 1 to port 443 in datagrams of at least 1,001 bytes: dropped (n4p#654, #505; RU).

    So it was in 2022. Today's nodes also decrypt the first packet and look for names: without QUIC one
    is safe from both.
    """

    name = "quic"
    case = Case(control=Datagrams(443, b"\xc3\0\0\0\1" + bytes(1195)))

    def on_packet(self, packet: Packet, now: float) -> Verdict:
        """Look for the version."""
        if packet.protocol != UDP or packet.far_port != 443 or not packet.from_client:
            return PASS
        if len(packet.payload) < QUIC_SIZE_LEAST or bytes(packet.payload[1:5]) != b"\0\0\0\1":
            return PASS
        self.trigger("drop", packet)
        return DROP


class Calls(Tactic):
    """STUN by its cookie, and UDP of 590 to 1,400 bytes to ports of calls: dropped (youtubeUnblock#265; RU).

    Between people as well as with relays.
    """

    name = "calls"
    case = Case(
        control=Each(
            (
                Datagrams(3478, b"\0\1\0\0" + STUN_COOKIE + secrets.token_bytes(12)),
                Datagrams(50_000, bytes(1000)),
            )
        )
    )

    def on_packet(self, packet: Packet, now: float) -> Verdict:
        """Look for the cookie, the size and the port."""
        if packet.protocol != UDP:
            return PASS
        is_stun = len(packet.payload) >= 20 and bytes(packet.payload[4:8]) == STUN_COOKIE
        is_call = packet.far_port in _STUN_PORTS or packet.far_port >= _MEDIA_PORTS_FROM
        if not is_stun and not (is_call and len(packet.payload) in MEDIA_SIZES):
            return PASS
        self.trigger("drop", packet, stun=is_stun)
        return DROP
