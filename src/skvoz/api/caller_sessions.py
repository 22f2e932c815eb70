"""One caller of a service: on a WebSocket, or with a POST, which is told no events.

A caller on the WebSocket may call `event.subscribe {after}` and is then told every event after that
sequence as a notification `event`, in order and without gaps, until it goes; and as `progress`, how far files
have come, and as `checkup`, how far a look at the network has. Bytes of files go beside that:
`skvoz.api.file_bytes`.
"""

import asyncio
import contextlib
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket, WebSocketDisconnect

from skvoz.api import protocol
from skvoz.api.access import OWNER, Access
from skvoz.api.requests import body_of
from skvoz.api.service import Service
from skvoz.api.views import DraftView, ProgressView, ThroughView
from skvoz.base.errors import NotAllowed, StoreError

CALLS_AT_ONCE_MAX: Final = 32
"""Calls of one WebSocket that wait for their answers: further ones are read when one is done."""
DRAFTS_WAITING_MAX: Final = 16
"""Drafts that wait for a page that reads slowly; with more, it is told of none meanwhile."""
PROGRESS_EVERY_S: Final = 0.25
"""How often a subscriber is told how far files have come."""
WRONG_DATA: Final = 1003
"""RFC 6455 §7.4.1: the other end sent bytes, and only text is spoken here."""
FORBIDDEN: Final = 1008
"""RFC 6455 §7.4.1: the token was revoked."""
EVENTS_FAILED: Final = 1011
"""RFC 6455 §7.4.1: this end can't go on."""


class CallerSession:
    """One caller on the WebSocket: calls are answered as they end, events are told in order."""

    def __init__(self, service: Service, websocket: WebSocket, access: Access = OWNER) -> None:
        self._service = service
        self._websocket = websocket
        self._access = access
        self._places = asyncio.Semaphore(CALLS_AT_ONCE_MAX)
        self._answering: set[asyncio.Task[None]] = set()
        self._telling: asyncio.Task[None] | None = None
        self._counting: asyncio.Task[None] | None = None
        self._drafts: asyncio.Queue[DraftView] = asyncio.Queue(DRAFTS_WAITING_MAX)
        self._telling_drafts: asyncio.Task[None] | None = None

    async def run(self, subprotocol: str | None = None) -> None:
        """Serve the caller until it goes."""
        await self._websocket.accept(subprotocol)
        try:
            while True:
                message = await self._websocket.receive()
                if message["type"] == "websocket.disconnect":
                    break
                text = message.get("text")
                if text is None:
                    await self._websocket.close(WRONG_DATA)
                    break
                await self._places.acquire()
                task = asyncio.create_task(self._answer(text))
                self._answering.add(task)
                task.add_done_callback(self._answered)
        finally:
            self._service.pages.discard(self._begun)
            for task in (*self._answering, self._telling, self._counting, self._telling_drafts):
                if task is not None:
                    task.cancel()

    def _answered(self, task: asyncio.Task[None]) -> None:
        self._answering.discard(task)
        self._places.release()

    async def _answer(self, text: str) -> None:
        wished: list[int] = []
        answer = await self._service.call(text, wished.append, self._access)
        await self._send(answer)
        for after in wished:
            if self._telling is not None:
                self._telling.cancel()
            self._telling = asyncio.create_task(self._tell(after))
            if self._access.is_owner:
                self._counting = self._counting or asyncio.create_task(self._count())
                self._telling_drafts = self._telling_drafts or asyncio.create_task(self._tell_drafts())
                self._service.pages.add(self._begun)

    async def _tell(self, after: int) -> None:
        try:
            while True:
                page = await self._service.events(after, self._access)
                for event in page.events:
                    await self._send(protocol.notification("event", event))
                told, after = page.events[-1].sequence if page.events else after, page.last_sequence
                if told < after:
                    # What is left out must not keep a bot's number from growing: old events are forgotten.
                    await self._send(protocol.notification("event.through", ThroughView(sequence=after)))
        except NotAllowed:
            await self._websocket.close(FORBIDDEN)
        except StoreError:
            # Whoever listens must not take this for silence.
            await self._websocket.close(EVENTS_FAILED)

    async def _count(self) -> None:
        """Tell how far files, and a look at the network, have come, where that has changed."""
        told, told_checkup = self._service.progress(), self._service.checkup()
        while True:
            await asyncio.sleep(PROGRESS_EVERY_S)
            checkup = self._service.checkup()
            if checkup != told_checkup:
                await self._send(protocol.notification("checkup", checkup))
            told_checkup = checkup
            now = self._service.progress()
            news = tuple(one for one in now.files if one not in told.files)
            if news:
                await self._send(protocol.notification("progress", ProgressView(files=news)))
            told = now

    def _begun(self, draft: DraftView) -> None:
        with contextlib.suppress(asyncio.QueueFull):  # a page that is slow to read hears of later ones
            self._drafts.put_nowait(draft)

    async def _tell_drafts(self) -> None:
        while True:
            await self._send(protocol.notification("draft", await self._drafts.get()))

    async def _send(self, words: bytes) -> None:
        # Waits while the caller is slow to read. Who went is noticed by `run`.
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            await self._websocket.send_text(words.decode())


async def answered_post(service: Service, request: Request, access: Access) -> Response:
    """Answer the call in a request's body."""
    body = await body_of(request, protocol.REQUEST_SIZE_MAX)
    return Response(await service.call(body, access=access), media_type="application/json")
