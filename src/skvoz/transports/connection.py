"""What every transport gives: a connection that carries whole binary messages, in order, or breaks."""

from typing import Protocol


class MessageConnection(Protocol):
    """A two-way stream of binary messages; nothing in it is trusted, sessions seal what they carry."""

    @property
    def heard_at(self) -> float:
        """When the other end last showed that something reaches it: the event loop's time, seconds."""
        ...

    async def send(self, message: bytes) -> None:
        """Hand one message over; raises `TransportError` once the connection is gone."""
        ...

    async def receive(self) -> bytes:
        """Wait for the next message; raises `TransportError` once the connection is gone."""
        ...

    async def close(self) -> None:
        """End the connection; closing twice is harmless."""
        ...
