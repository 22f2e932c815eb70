"""Two people who write to each other across the box: what arrived, when, how often, and what it cost."""

import asyncio
import itertools
import random
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Final

from lab.homes import Resident

TEXT_SIZE: Final = 1_000
FILE_SIZE: Final = 100_000
PATIENCE_S: Final = 30.0
"""A text that takes longer than this did not get through in time."""
FILE_PATIENCE_S: Final = 60.0
_POLL_S: Final = 0.05
_ALPHABET: Final = "abcdefghijklmnopqrstuvwxyz "


@dataclass(slots=True)
class Letter:
    """A text under way; times are of `time.monotonic`."""

    message_id: str
    sent_at: float
    arrivals: list[float] = field(default_factory=list[float])

    @property
    def took_s(self) -> float | None:
        """How long it took, or nothing while it is under way."""
        return self.arrivals[0] - self.sent_at if self.arrivals else None


class Chat:
    """Somebody behind the box, and somebody outside of it."""

    def __init__(self, inside: Resident, outside: Resident, folder: Path, seed: int) -> None:
        self.inside = inside
        self.outside = outside
        self.letters: list[Letter] = []
        self._files: list[tuple[Resident, str]] = []
        self._by_id: dict[str, Letter] = {}
        self._folder = folder
        self._random = random.Random(seed)  # noqa: S311  # texts, no secrets
        self._turns = itertools.cycle((True, False))

    def hear(self, message_id: str, at: float) -> None:
        """Take note of a message that came, on either side."""
        if message_id in self._by_id:
            self._by_id[message_id].arrivals.append(at)

    async def write(self) -> Letter:
        """Send a text of 1 kB, in turn from either side, the inside first."""
        text = "".join(self._random.choices(_ALPHABET, k=TEXT_SIZE))
        sender, reader = (self.inside, self.outside) if next(self._turns) else (self.outside, self.inside)
        at = time.monotonic()
        message_id = await sender.send(reader, text)
        letter = self._by_id[message_id] = Letter(message_id, at)
        self.letters.append(letter)
        return letter

    async def write_many(self, count: int, every_s: float) -> list[Letter]:
        """Send some texts, one at a time, and wait for them as long as patience lasts."""
        written: list[Letter] = []
        for _ in range(count):
            written.append(await self.write())
            await asyncio.sleep(every_s)
        await self.arrived(written, PATIENCE_S)
        return written

    async def arrived(self, letters: list[Letter], seconds: float) -> bool:
        """Wait for texts, and tell whether all came."""
        ends = time.monotonic() + seconds
        while not all(one.arrivals for one in letters) and time.monotonic() < ends:  # noqa: ASYNC110
            await asyncio.sleep(_POLL_S)
        return all(one.arrivals for one in letters)

    async def move_file(self, *, up: bool) -> float | None:
        """Send 100 kB from the inside, or to it; return how long it took, nothing where too long."""
        file = self._folder / "file"
        file.write_bytes(self._random.randbytes(FILE_SIZE))
        sender, reader = (self.inside, self.outside) if up else (self.outside, self.inside)
        at = time.monotonic()
        message_id = await sender.send_file(reader, file)
        self._files.append((reader, message_id))
        if not await self._files_arrived(FILE_PATIENCE_S):
            return None
        return time.monotonic() - at

    async def settle(self, seconds: float) -> bool:
        """Wait, once nothing is blocked any more, for all that is still under way; tell whether all came."""
        ends = time.monotonic() + seconds
        came = await self.arrived(self.letters, seconds)
        return came and await self._files_arrived(ends - time.monotonic())

    async def _files_arrived(self, seconds: float) -> bool:
        ends = time.monotonic() + seconds
        while self._files and time.monotonic() < ends:
            self._files = [(who, which) for who, which in self._files if not await who.has_file(which)]
            await asyncio.sleep(_POLL_S)
        return not self._files

    def count_lost(self) -> int:
        """Return how many texts never came; of use once settled."""
        return sum(not one.arrivals for one in self.letters)

    def count_twice(self) -> int:
        """Return how many came more than once."""
        return sum(len(one.arrivals) > 1 for one in self.letters)


def in_time(letters: list[Letter]) -> list[float]:
    """Return how long those took that came within patience, the quickest first."""
    took = (one.took_s for one in letters)
    return sorted(seconds for seconds in took if seconds is not None and seconds <= PATIENCE_S)


def share_in_time(letters: list[Letter]) -> float:
    """Return the share of texts that came within patience."""
    return len(in_time(letters)) / len(letters)


def median_s(letters: list[Letter]) -> float | None:
    """Return what half of those that came in time needed at most."""
    took = in_time(letters)
    return median(took) if took else None


def worst_s(letters: list[Letter]) -> float | None:
    """Return what the slowest of those that came in time needed."""
    took = in_time(letters)
    return took[-1] if took else None


def switch_s(letters: list[Letter], since: float, usual_s: float) -> float:
    """Return how long after `since` the last text arrived that took longer than usual; 0 where none did."""
    late = [one.arrivals[0] - since for one in letters if one.took_s is not None and one.took_s > usual_s]
    return max(late, default=0.0)
