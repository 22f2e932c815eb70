"""A relay that is reached through another one: `connect(near, …)` gives a `HopConnection`.

The other relay sees the address of the one that carries. That one sees where it carries to and how much, and
nothing of what: the session inside is sealed to the other relay, and its own is around it.
"""

from skvoz.transports.hop.carried import HopConnection, Onto, connect

__all__ = ["HopConnection", "Onto", "connect"]
