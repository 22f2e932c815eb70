"""Moves files between the home and relays, beside the sessions that carry messages.

What is to be moved comes as effects, what became of it goes back as inputs. A transfer that loses its
connection goes on by itself, from where the relay or the disk says that it stands.
"""

import asyncio
import secrets
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from skvoz.base.errors import DecryptFailed, DiskFull, StoreError, TransportError
from skvoz.base.ids import RelayId  # noqa: TC001  # beside classes that are needed
from skvoz.base.limits import PART_SIZE_MAX
from skvoz.base.value import Value
from skvoz.client.blob_session import BlobAnswer
from skvoz.client.effects import DiscardBlob, Download, FileEffect, RemoveFile, StopTransfer, Upload
from skvoz.client.inputs import DownloadDone, Input, TransferRefused, UploadDone
from skvoz.client.sealed_files import ChunkCipher, Layout, blob_read_key
from skvoz.crypto import sha256
from skvoz.node.blob_line import Answering, BlobLine, open_line
from skvoz.node.dialer import Dialer
from skvoz.store.file_cache import Fetching, FileCache
from skvoz.transports.allocation import keep_memory
from skvoz.wire.frames import Discard, Fetch, Fill, Filled, No, Part, Reserve

AT_ONCE_MAX: Final = 3
"""Files that move between the home and one relay at a time: a small one need not wait for a large one."""
WINDOW_PARTS: Final = 4
"""Parts of a file under way: the relay takes twice as many of one session."""
PROGRESS_KEPT_MAX: Final = 64
"""Files whose progress is told although they move no more."""
PART_SIZE_MIN: Final = 32 * 1024
_PART_SIZE_FIRST: Final = 256 * 1024
_QUICK_S: Final = 0.5
_TOOK_LONG_S: Final = 4.0
_RETRY_FIRST_S: Final = 0.5
_RETRY_MOST_S: Final = 30.0
Moving = Upload | Download


class Progress(Value, frozen=True):
    """How far a file has come, bytes of its blob."""

    done: int
    total: int


@dataclass(slots=True)
class _Shared:
    """A relay's line, and who uses it."""

    places: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE_MAX))
    opening: asyncio.Lock = field(default_factory=asyncio.Lock)
    line: BlobLine | None = None
    users: int = 0


class Transfers:
    """All files on their way; used on the event loop."""

    def __init__(
        self,
        cache: FileCache,
        tell: Callable[[Input], None],
        broke: Callable[[BaseException], None],
        dialer: Dialer,
    ) -> None:
        self._cache = cache
        self._dialer = dialer
        self._tell = tell
        self._broke = broke
        self._tasks: dict[bytes, asyncio.Task[None]] = {}
        self._stopping: set[bytes] = set()
        self._others: set[asyncio.Task[None]] = set()
        self._shared: dict[RelayId, _Shared] = {}
        self.progress: dict[bytes, Progress] = {}
        """Of what moves now, or did until lately, by file id."""

    def take(self, effect: FileEffect) -> None:
        """Do what an effect says; a file that moves already goes on moving."""
        match effect:
            case Upload() | Download():
                if effect.file_id not in self._tasks or effect.file_id in self._stopping:
                    self._chain(effect.file_id, self._tasks.get(effect.file_id), effect)
            case StopTransfer():
                self._stop(effect.file_id)
            case RemoveFile():
                self._spawn(self._remove(effect.file_id, self._stop(effect.file_id)))
            case DiscardBlob():
                self._spawn(self._discard(effect))

    async def close(self) -> None:
        """Stop everything; a later start takes it up again."""
        tasks = {*self._tasks.values(), *self._others}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        self._tasks.clear()
        self._stopping.clear()

    def _chain(self, file_id: bytes, before: asyncio.Task[None] | None, effect: Moving) -> None:
        keep_memory()
        self._stopping.discard(file_id)
        for finished in [one for one in self.progress if one not in self._tasks][:-PROGRESS_KEPT_MAX]:
            del self.progress[finished]
        task = asyncio.create_task(self._move(effect, before))
        self._tasks[file_id] = task
        task.add_done_callback(lambda done: self._ended(file_id, done))

    def _stop(self, file_id: bytes) -> asyncio.Task[None] | None:
        task = self._tasks.get(file_id)
        if task is not None:
            self._stopping.add(file_id)
            task.cancel()
        return task

    def _ended(self, file_id: bytes, task: asyncio.Task[None]) -> None:
        if self._tasks.get(file_id) is task:
            del self._tasks[file_id]
            self._stopping.discard(file_id)
        self._watch(task)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._others.add(task)
        task.add_done_callback(self._others.discard)
        task.add_done_callback(self._watch)

    def _watch(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._broke(error)

    async def _remove(self, file_id: bytes, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.wait((before,))
        self.progress.pop(file_id, None)
        if file_id not in self._tasks:
            try:
                await asyncio.to_thread(self._cache.remove, file_id)
            except StoreError:
                return  # what is left is removed at the next start

    async def _discard(self, effect: DiscardBlob) -> None:
        try:
            async with self._line(effect) as line:
                await (await line.ask(lambda number: Discard(number, effect.blob_id, effect.write_key)))
        except TransportError:
            return  # it expires by itself

    async def _move(self, effect: Moving, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.wait((before,))
        shared = self._shared.setdefault(effect.relay_id, _Shared())
        async with shared.places:
            fact = await self._move_to_the_end(effect)
        self._tell(fact)

    async def _move_to_the_end(self, effect: Moving) -> Input:
        failures = 0
        while True:
            stood = self.progress.get(effect.file_id)
            try:
                async with self._line(effect) as line:
                    if isinstance(effect, Upload):
                        return await self._upload(line, effect)
                    return await self._download(line, effect)
            except TransportError:
                failures = 0 if self.progress.get(effect.file_id) != stood else failures + 1
            except DiskFull:
                return TransferRefused(file_id=effect.file_id, code="disk_full", retry_after_ms=0)
            except (StoreError, DecryptFailed):
                return TransferRefused(file_id=effect.file_id, code="damaged", retry_after_ms=0)
            most = min(_RETRY_MOST_S, _RETRY_FIRST_S * 2 ** min(failures, 8))
            await asyncio.sleep(most * (0.5 + secrets.randbelow(1000) / 2000))

    @asynccontextmanager
    async def _line(self, effect: Moving | DiscardBlob) -> AsyncGenerator[BlobLine]:
        """Share one connection to a relay among the files that move; one that failed is given up."""
        shared = self._shared.setdefault(effect.relay_id, _Shared())
        async with shared.opening:
            if shared.line is None:
                shared.line = await open_line(
                    self._dialer, effect.relay_id, effect.public_key, effect.addresses
                )
            line = shared.line
        shared.users += 1
        try:
            yield line
        except TransportError:
            if shared.line is line:
                shared.line = None
                await line.close()
            raise
        finally:
            shared.users -= 1
            if shared.users == 0 and shared.line is line:
                shared.line = None
                await line.close()

    async def _upload(self, line: BlobLine, effect: Upload) -> Input:
        layout = Layout(size=effect.size, chunk_size=effect.chunk_size)
        cipher = ChunkCipher(key=effect.file_key, layout=layout)
        file = await asyncio.to_thread(self._cache.whole, effect.file_id, cipher)
        try:
            answer = await (await line.ask(lambda number: _reserve(number, effect, layout)))
            if not isinstance(answer, Filled):
                return _refused(effect, answer)
            window = _Window()
            offset = written = answer.written
            while written < layout.blob_bytes:
                self.progress[effect.file_id] = Progress(written, layout.blob_bytes)
                if offset < layout.blob_bytes and window.has_room:
                    size = min(window.part_size, layout.blob_bytes - offset)
                    body = await asyncio.to_thread(file.sealed, offset, size)
                    fill = _Fill(effect, offset, body)
                    window.add(await line.ask(fill))
                    offset += size
                    continue
                answer = await window.next()
                if not isinstance(answer, Filled):
                    return _refused(effect, answer)
                written = max(written, answer.written)
        finally:
            file.close()
        self.progress[effect.file_id] = Progress(layout.blob_bytes, layout.blob_bytes)
        return UploadDone(file_id=effect.file_id)

    async def _download(self, line: BlobLine, effect: Download) -> Input:
        layout = Layout(size=effect.size, chunk_size=effect.chunk_size)
        cipher = ChunkCipher(key=effect.file_key, layout=layout)
        fetching = await asyncio.to_thread(self._cache.fetch, effect.file_id, cipher, effect.sha256)
        try:
            refused = await self._fetch_all(line, effect, layout, fetching)
            if refused is not None:
                return refused
            await asyncio.to_thread(fetching.finish)
        except DecryptFailed:
            fetching.close()
            await asyncio.to_thread(self._cache.remove, effect.file_id)
            raise
        finally:
            fetching.close()
        return DownloadDone(file_id=effect.file_id)

    async def _fetch_all(
        self, line: BlobLine, effect: Download, layout: Layout, fetching: Fetching
    ) -> TransferRefused | None:
        window = _Window()
        read_key = blob_read_key(effect.file_key)
        offset = fetching.offset
        while fetching.offset < layout.blob_bytes:
            self.progress[effect.file_id] = Progress(fetching.offset, layout.blob_bytes)
            if offset < layout.blob_bytes and window.has_room:
                size = min(window.part_size, layout.blob_bytes - offset)
                window.add(await line.ask(_Fetch(effect.blob_id, read_key, offset, size)))
                offset += size
                continue
            answer = await window.next()
            if not isinstance(answer, Part):
                return _refused(effect, answer)
            await asyncio.to_thread(fetching.feed, answer.body)
        self.progress[effect.file_id] = Progress(layout.blob_bytes, layout.blob_bytes)
        return None


class _Window:
    """The parts of one file under way, in order; they grow where the line is quick."""

    def __init__(self) -> None:
        self.part_size = _PART_SIZE_FIRST
        self._waiting: deque[tuple[Answering, float]] = deque()

    @property
    def has_room(self) -> bool:
        return len(self._waiting) < WINDOW_PARTS

    def add(self, answering: Answering) -> None:
        self._waiting.append((answering, asyncio.get_running_loop().time()))

    async def next(self) -> BlobAnswer:
        answering, since = self._waiting.popleft()
        answer = await answering
        took_s = asyncio.get_running_loop().time() - since
        if took_s < _QUICK_S:
            self.part_size = min(PART_SIZE_MAX, self.part_size * 2)
        elif took_s > _TOOK_LONG_S:
            self.part_size = max(PART_SIZE_MIN, self.part_size // 2)
        return answer


class _Fill(Value, frozen=True):
    effect: Upload
    offset: int
    body: bytes

    def __call__(self, number: int) -> Fill:
        return Fill(number, self.effect.blob_id, self.effect.write_key, self.offset, self.body)


class _Fetch(Value, frozen=True):
    blob_id: bytes
    read_key: bytes
    offset: int
    size: int

    def __call__(self, number: int) -> Fetch:
        return Fetch(number, self.blob_id, self.read_key, self.offset, self.size)


def _reserve(number: int, effect: Upload, layout: Layout) -> Reserve:
    return Reserve(
        number,
        effect.blob_id,
        effect.log_id,
        effect.segment_key,
        sha256(effect.write_key),
        sha256(blob_read_key(effect.file_key)),
        layout.chunk_size,
        layout.chunk_count,
        None,
    )


def _refused(effect: Moving, answer: BlobAnswer) -> TransferRefused:
    if not isinstance(answer, No):
        raise TransportError("the relay answers something else than was asked")
    return TransferRefused(
        file_id=effect.file_id, code=answer.code, retry_after_ms=min(answer.retry_after_ms, 3_600_000)
    )
