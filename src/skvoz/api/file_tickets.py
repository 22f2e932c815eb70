"""Tickets for files: what a page puts into an address where it can send no header, as for a film."""

import secrets
import time
from typing import Final

VALID_S: Final = 6 * 3600.0
"""Long enough to watch a film."""
TICKETS_MAX: Final = 512
"""As many pictures as a page shows; the oldest go first."""
_TICKET_SIZE: Final = 18


class FileTickets:
    """Which tickets open which files; in memory only."""

    def __init__(self) -> None:
        self._given: dict[str, tuple[bytes, float]] = {}

    def path_to(self, file_id: bytes) -> str:
        """Return a path that gives a file's bytes to whoever has it, for some hours."""
        while len(self._given) >= TICKETS_MAX:
            del self._given[next(iter(self._given))]
        ticket = secrets.token_urlsafe(_TICKET_SIZE)
        self._given[ticket] = (file_id, time.monotonic() + VALID_S)
        return f"/files/{file_id.hex()}?ticket={ticket}"

    def fits(self, file_id: str, ticket: str) -> bool:
        """Tell whether a ticket opens the file of this id in hex."""
        given = self._given.get(ticket)
        return given is not None and given[0].hex() == file_id and time.monotonic() < given[1]
