"""What else people use, in the same box: each carries the same texts to an echo abroad and back.

- `base`: what a peer is, and how it is measured
- `tunnels`: random bytes (the negative control), shadowsocks, obfs4 without Tor behind it, Xray's REALITY
- `messengers`: plain HTTPS long poll, XMPP over TLS by prosody
"""

from typing import Final

from lab.peers.base import Peer, talk
from lab.peers.messengers import LongPoll, Xmpp
from lab.peers.tunnels import Obfs4, RandomBytes, Reality, Shadowsocks

PEERS: Final[tuple[type[Peer], ...]] = (LongPoll, Xmpp, Obfs4, Shadowsocks, Reality, RandomBytes)

__all__ = ["PEERS", "Peer", "talk"]
