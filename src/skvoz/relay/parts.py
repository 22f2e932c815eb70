"""Parts of blobs on their way: how many may be under way at once, and what becomes of the store's answers."""

from typing import TYPE_CHECKING, Final

from skvoz.relay.seam import Effect, Job, PartJob, PartOutcome, Progress, ReadParts, WriteParts
from skvoz.wire.frames import Fetch, Fill, Part

if TYPE_CHECKING:
    from skvoz.relay.session import Session

PARTS_MAX: Final = 8
"""Parts of blobs that one session writes or reads at a time; further ones are `slow`."""
PARTS_BYTES_MAX: Final = 64 * 1024 * 1024
"""Bytes of parts that wait to be written, of all sessions; further ones are `slow`."""


class Parts:
    """Those of all sessions."""

    def __init__(self) -> None:
        self._fills: list[PartJob] = []
        self._fetches: list[PartJob] = []
        self._unwritten_bytes = 0

    def submit(self, session: "Session", request: Fill | Fetch) -> None:
        """Have a part written or read, or put its client off."""
        size = len(request.body) if isinstance(request, Fill) else 0
        if session.parts >= PARTS_MAX or self._unwritten_bytes + size > PARTS_BYTES_MAX:
            session.put_off(request.request)
            return
        if session.connection is None:
            return
        session.parts += 1
        self._unwritten_bytes += size
        job = PartJob(session.number, session.connection, request)
        (self._fills if isinstance(request, Fill) else self._fetches).append(job)

    def conclude(self, session: "Session | None", outcome: PartOutcome) -> Job | None:
        """Answer for a part; of one that was written, return what the store has to note first."""
        if isinstance(outcome.request, Fill):
            self._unwritten_bytes -= len(outcome.request.body)
        if session is not None:
            session.parts -= 1
        result = outcome.result
        if isinstance(result, Progress):
            if session is not None:
                session.pending += 1
            return Job(outcome.session, result)
        if session is not None and result is not None:
            if isinstance(result, Part):
                session.say_part(result)
            else:
                session.say(result)
        return None

    def take_effects(self) -> list[Effect]:
        """Return what the store is to do now."""
        effects: list[Effect] = []
        if self._fills:
            effects.append(WriteParts(self._fills))
            self._fills = []
        if self._fetches:
            effects.append(ReadParts(self._fetches))
            self._fetches = []
        return effects
