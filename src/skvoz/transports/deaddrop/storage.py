"""What a drop asks of whoever keeps its objects."""

from typing import Protocol

from skvoz.base.errors import TransportError


class StorageRefuses(TransportError):
    """The storage doesn't let this account in, or not to this place."""


class StorageOdd(TransportError):
    """The storage answers as something else would."""


class StorageFull(TransportError):
    """The storage takes nothing more."""


class Storage(Protocol):
    """Objects under names of 32 hexadecimal digits, in one place.

    Everything raises `TransportError` where the storage doesn't do its part. What comes back is not trusted.
    """

    @property
    def spent_bytes(self) -> int:
        """Bytes that went to the storage and back since this was opened, as well as that can be told."""
        ...

    async def names(self) -> set[str]:
        """Return the names of all objects, and perhaps of what isn't ours."""
        ...

    async def get(self, name: str) -> bytes | None:
        """Return an object, None where there is none; one that is too large to be ours is cut."""
        ...

    async def create(self, name: str, data: bytes) -> bool:
        """Put an object where there is none, whole or not at all; return False where there is one already.

        Of several who do it at once, one gets True: that is what `probe` looks for.
        """
        ...

    async def put(self, name: str, data: bytes) -> None:
        """Put an object, whatever is there."""
        ...

    async def delete(self, name: str) -> None:
        """Delete an object, if it is there."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...
