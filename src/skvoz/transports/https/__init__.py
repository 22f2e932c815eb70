"""Single HTTPS requests to a relay: `connect(url, network)` gives an `HttpsConnection`.

For networks that freeze a connection after some packets, or count handshakes: requests have a current
browser's hello, a connection has a packet budget, and the next one comes a while after the last.

- `budget`: what a connection may have, and what a network has shown that it lets through
- `requests`: one connection, over which requests are posted
- `lane`: a lane over as many of them as it takes
- `look`: what a browser would meet at an address
"""

from skvoz.transports.https.lane import HttpsConnection, Network, connect
from skvoz.transports.https.look import look, see_page

__all__ = ["HttpsConnection", "Network", "connect", "look", "see_page"]
