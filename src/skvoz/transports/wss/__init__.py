"""WebSocket to a relay: `connect(url)` gives a connection.

What it carries is sealed to the relay's key, so TLS hides a session among other sites' traffic and is
not what keeps it secret.

- `websocket`: which of the two an address means; plain ones, on this machine
- `handshake`: a WebSocket over TLS, opened with a current browser's hello
- `disguised`: what is then said over it
"""

from skvoz.transports.wss.websocket import WebSocketConnection, connect

__all__ = ["WebSocketConnection", "connect"]
