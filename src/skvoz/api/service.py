"""The methods over a node: one dispatcher, and a WebSocket and POST on a private Unix socket.

A caller on the WebSocket may call `event.subscribe {after}` and is then told every event after that
sequence as a notification `event`, in order and without gaps, until it goes; and as `progress`, how far files
have come. Bytes of files go beside that: `skvoz.api.file_bytes`.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
from starlette.applications import Starlette
from starlette.requests import HTTPConnection
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp
from starlette.websockets import WebSocket, WebSocketDisconnect

from skvoz import __version__
from skvoz.api import protocol
from skvoz.api.access import OWNER, Access, Tokens
from skvoz.api.acts import ACTS, UNLOCK
from skvoz.api.file_bytes import get_file, put_file
from skvoz.api.file_tickets import FileTickets
from skvoz.api.listening import private_socket, served
from skvoz.api.lookups import known_file
from skvoz.api.methods import COMMANDS, METHODS, QUESTIONS, event_list, stored_status
from skvoz.api.params import EventPageParams, FileParams, NoParams, Subscribe
from skvoz.api.views import (
    DraftView,
    EventPageView,
    FileAddressView,
    FileProgressView,
    PageView,
    ProgressView,
    RelayStatusView,
    StatusView,
    SubscriptionView,
    ThroughView,
)
from skvoz.api.visits import Visits
from skvoz.base.errors import BadRequest, Conflict, Locked, NotAllowed, NotFound, SkvozError, StoreError
from skvoz.client.commands import KeepDraft
from skvoz.node.node import Node, system_clock_ms
from skvoz.store import Protection

EVENTS_PER_STEP: Final = 200
"""Events handed to a subscriber before others get their turn."""
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

_log = logging.getLogger("skvoz.api")


Act = Callable[[Any], Awaitable[msgspec.Struct]]
Subscriber = Callable[[int], None]
"""Has events after this sequence told to the caller, once the present call is answered."""


class Service:
    """Answers calls by asking a node."""

    def __init__(
        self, node: Node | None, suggested_relay: str = "", clock_ms: Callable[[], int] = system_clock_ms
    ) -> None:
        """Serve a node; `suggested_relay` is the address of a relay to live at, as people write it."""
        self._suggested_relay = suggested_relay
        self._clock_ms = clock_ms
        self.visits = Visits()
        self.acts: dict[str, Act] = {}
        """Who does what is in `skvoz.api.acts`; nobody where a command runs the node for a moment."""
        self.pages: set[Callable[[DraftView], None]] = set()
        """Who is told what is begun in chats."""
        self.serve(node)
        self.removed = asyncio.Event()
        """Set once the home was removed, and the app is to end."""
        self.page_address: Callable[[], str] | None = None
        """Makes an address that opens the page once; nothing where no page is served."""

    def serve(self, node: Node | None) -> None:
        """Serve this node from now on; none while the home is locked."""
        self._node = node
        self._tokens = None if node is None else Tokens(node, self._clock_ms)
        self.tickets = FileTickets()
        """What opens files to a page where it can send no header."""

    @property
    def node(self) -> Node:
        """The node; raises `Locked`."""
        if self._node is None:
            raise Locked("this home is locked")
        return self._node

    @property
    def tokens(self) -> Tokens:
        """The tokens of bots; raises `Locked`."""
        if self._tokens is None:
            raise Locked("this home is locked")
        return self._tokens

    async def call(
        self, text: bytes | str, subscriber: Subscriber | None = None, access: Access = OWNER
    ) -> bytes:
        """Answer one call of somebody with this access; errors are answers too."""
        try:
            request = protocol.parse_request(text)
        except protocol.NotACall as error:
            return protocol.refusal(error.request_id, error.error)
        try:
            return protocol.answer(request.id, await self._result(request, subscriber, access))
        except SkvozError as error:
            return protocol.refusal(request.id, protocol.error_of(error))
        except Exception as error:  # noqa: BLE001  # a bug: the caller must not wait for ever
            # Its words may hold anything, so only its kind is told.
            _log.error("a call met a defect: %s", type(error).__name__)
            defect = protocol.plain_error(protocol.INTERNAL_ERROR, "this is a defect of the node", "defect")
            return protocol.refusal(request.id, defect)

    async def _result(
        self, request: protocol.Request, subscriber: Subscriber | None, access: Access
    ) -> object:
        name = request.method
        if name not in METHODS:
            unknown = protocol.plain_error(
                protocol.METHOD_NOT_FOUND, "there is no such method", "unknown_method"
            )
            raise protocol.CallFailed(unknown)
        access.admit(name)
        if name in COMMANDS:
            command = protocol.parse_params(request.params, COMMANDS[name])
            done = await self.node.command(command, lambda queries: access.check(name, command, queries))
            if isinstance(command, KeepDraft):
                for hear in tuple(self.pages):
                    hear(DraftView(chat_id=command.chat_id, text=command.text))
            return done
        if name in QUESTIONS:
            question = QUESTIONS[name]
            params = protocol.parse_params(request.params, question.params)
            return await self.node.query(lambda queries: question.read(access.reading(name, queries), params))
        if name == "node.status":
            protocol.parse_params(request.params, NoParams)
            return await self._status()
        if name == "node.page":
            protocol.parse_params(request.params, NoParams)
            return self._page()
        if name in ACTS:
            return await self._act(name, request.params)
        if name == "file.address":
            return await self._file_address(protocol.parse_params(request.params, FileParams))
        if name == "file.progress":
            protocol.parse_params(request.params, NoParams)
            return self.progress()
        if name == "event.subscribe":
            wished = protocol.parse_params(request.params, Subscribe)
            return await self._subscribe(wished, subscriber, access)
        raise AssertionError("a method that nobody answers")

    async def _act(self, name: str, raw: msgspec.Raw) -> msgspec.Struct:
        params = protocol.parse_params(raw, ACTS[name].params)
        if self._node is None and name != UNLOCK:
            raise Locked("this home is locked")
        if name not in self.acts:
            raise Conflict("a command runs this node for a moment: only the app does this")
        return await self.acts[name](params)

    def _page(self) -> PageView:
        if self.page_address is None:
            raise NotFound("this node serves no page")
        return PageView(address=self.page_address())

    async def _file_address(self, params: FileParams) -> FileAddressView:
        file = await self.node.query(lambda queries: known_file(queries, params.file_id))
        return FileAddressView(path=self.tickets.path_to(file.file_id))

    async def _subscribe(
        self, wished: Subscribe, subscriber: Subscriber | None, access: Access
    ) -> SubscriptionView:
        if subscriber is None:
            raise BadRequest("events are told on a WebSocket only; ask for a list of them here")
        node = self.node
        last = node.last_event
        after = last if wished.after is None else wished.after
        if after > last:
            # A number of another home, or of one that was made anew: waiting would be for ever.
            raise BadRequest("there has been no such event yet")
        if not await node.query(
            lambda queries: access.reading("event.subscribe", queries).keeps_events_after(after)
        ):
            raise NotFound("events that old are not kept any more: read everything anew, then listen")
        subscriber(after)
        return SubscriptionView(after=after, last_event=last)

    async def _status(self) -> StatusView:
        node = self._node
        if node is None:
            return LOCKED_STATUS
        stored = await node.query(stored_status)
        return StatusView(
            version=__version__,
            relays=tuple(
                RelayStatusView(
                    relay_id=state.relay_id,
                    channel=state.channel.value,
                    address=state.address,
                    state=state.state,
                    problem=state.problem,
                )
                for state in node.relay_states()
            ),
            suggested_relay=self._suggested_relay,
            last_event=node.last_event,
            key_protection=node.key_protection,
            store_problem=node.store_problem,
            has_account=stored.has_account,
            unsent=stored.unsent,
            dropped=stored.dropped,
        )

    def progress(self) -> ProgressView:
        """Return how far each file has come that moves."""
        return ProgressView(
            files=tuple(
                FileProgressView(file_id=file_id, done=one.done, total=one.total)
                for file_id, one in self.node.transfers.progress.items()
            )
        )

    async def events(self, after: int, access: Access) -> EventPageView:
        """Wait until there is an event after `after`, and return a page of what is told to this caller."""
        node = self.node
        await node.event_after(after)
        params = EventPageParams(after=after, limit=EVENTS_PER_STEP)
        return await node.query(
            lambda queries: event_list(access.reading("event.subscribe", queries), params)
        )


LOCKED_STATUS: Final = StatusView(
    version=__version__,
    has_account=True,
    relays=(),
    suggested_relay="",
    last_event=0,
    unsent=0,
    key_protection=Protection.PASSPHRASE.value,
    store_problem="",
    dropped={},
    locked=True,
)
"""All that a locked home tells."""


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
        """Tell how far files have come, where that has changed."""
        told = self._service.progress()
        while True:
            await asyncio.sleep(PROGRESS_EVERY_S)
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


async def answered_post(service: Service, request: HttpRequest, access: Access) -> Response:
    """Answer the call in a request's body."""
    body = await body_of(request, protocol.REQUEST_SIZE_MAX)
    return Response(await service.call(body, access=access), media_type="application/json")


async def body_of(request: HttpRequest, size_max: int) -> bytes:
    """Return a request's body; of one longer than `size_max` bytes the beginning, which is longer too."""
    text = bytearray()
    async for part in request.stream():
        text += part
        if len(text) > size_max:
            break
    return bytes(text)


def bearer_of(request: HTTPConnection) -> str | None:
    """Return the token that a request presents in its `Authorization`, "" for any other words there."""
    header = request.headers.get("authorization")
    if header is None:
        return None
    scheme, _, token = header.partition(" ")
    return token if scheme.lower() == "bearer" else ""


async def locked_answer(connection: HTTPConnection, error: Exception) -> Response | None:
    """Answer whoever wants anything of a locked home but to open it: 503, and the error as a call has it."""
    told = protocol.error_of(error if isinstance(error, Locked) else Locked("this home is locked"))
    answer = Response(msgspec.json.encode(told), 503, media_type="application/json")
    if not isinstance(connection, WebSocket):
        return answer
    await connection.send_denial_response(answer)
    return None


HANDLERS: Final[Mapping[Any, Any]] = {Locked: locked_answer}
"""For requests and WebSockets alike, which starlette's types tell apart."""


def unauthorised() -> Response:
    """Return the answer to somebody whose token opens nothing."""
    return Response(status_code=401, headers={"www-authenticate": "Bearer"})


def _is_owner(request: HTTPConnection) -> bool:
    """Tell whether whoever opened the home's own socket presents no token, which would open less."""
    return bearer_of(request) is None


def application(service: Service) -> ASGIApp:
    """Return the web application for programs: `POST /rpc`, a WebSocket with events too, and files.

    Whoever opens the socket is the owner, unless they present a bot's token and so want no more than that.
    """

    async def access_of(request: HTTPConnection) -> Access | None:
        return OWNER if _is_owner(request) else await service.tokens.access(bearer_of(request) or "")

    async def post(request: HttpRequest) -> Response:
        access = await access_of(request)
        return unauthorised() if access is None else await answered_post(service, request, access)

    async def websocket(socket: WebSocket) -> None:
        access = await access_of(socket)
        if access is None:
            await socket.close()  # before it is accepted: HTTP 403
            return
        await CallerSession(service, socket, access).run()

    async def put(request: HttpRequest) -> Response:
        return await put_file(service.node, request) if _is_owner(request) else unauthorised()

    async def get(request: HttpRequest) -> Response:
        return await get_file(service.node, request) if _is_owner(request) else unauthorised()

    routes = [
        Route("/rpc", post, methods=["POST"]),
        WebSocketRoute("/rpc", websocket),
        Route("/files", put, methods=["POST"]),
        Route("/files/{file_id}", get),
    ]
    return service.visits.of(Starlette(routes=routes, exception_handlers=HANDLERS))


@contextlib.asynccontextmanager
async def serving(service: Service, socket_file: Path) -> AsyncGenerator[None]:
    """Serve the API on a Unix socket that only this user can reach, until the block ends.

    The home's lock is held, so a socket file that is there already is a dead one. Raises `StoreError` where
    the socket can't be made. Callers can connect from the block's first line on.
    """
    with private_socket(socket_file) as listening:
        async with served(application(service), listening):
            yield


async def serve(service: Service, socket_file: Path) -> None:
    """Serve the API until cancelled; see `serving`."""
    async with serving(service, socket_file):
        await asyncio.Event().wait()
