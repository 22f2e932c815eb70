"""The ways a session gets to a relay, each in its own folder and a stranger to the others.

- `connection`: what every way gives, a `MessageConnection`
- `allocation`: memory for large messages
- `pace`: handshakes with a host take turns, some time apart
- `proxy`: the person's own SOCKS5 proxy, which either way to a relay can go through
- `trust`: whose certificates are believed
- `deaddrop`: no relay at all, the rules of one over storage that all reach
- `hop`: a relay that is reached through another one
- `https`: short requests with a browser's hello and few packets a connection, where long ones are frozen
- `wss`: WebSocket over TLS, the live default; plain WebSocket on this machine and behind a hop
"""

from skvoz.transports.connection import MessageConnection

__all__ = ["MessageConnection"]
