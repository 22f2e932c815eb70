"""The ports of the pure rooms.

Time has no port: every function that needs it takes `now_ms`, milliseconds since 1970 UTC.
"""

from typing import Protocol


class Randomness(Protocol):
    """A source of bytes that nobody can predict (`secrets.token_bytes` outside of simulations)."""

    def __call__(self, length: int, /) -> bytes:
        """Return `length` fresh bytes."""
        ...
