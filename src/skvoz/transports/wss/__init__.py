"""WebSocket to a relay: `connect(url)` gives a `WebSocketConnection`.

What it carries is sealed to the relay's key, so TLS hides a session among other sites' traffic and is
not what keeps it secret.
"""

from skvoz.transports.wss.websocket import WebSocketConnection, connect

__all__ = ["WebSocketConnection", "connect"]
