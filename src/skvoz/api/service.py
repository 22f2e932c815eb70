"""The methods over a node: one dispatcher, and a WebSocket and POST on a private Unix socket.

A caller on the WebSocket may call `event.subscribe {after}` and is then told every event after that
sequence as a notification `event`, in order and without gaps, until it goes.
"""

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncGenerator, Generator
from pathlib import Path
from typing import Protocol, TypeVar

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from skvoz import __version__
from skvoz.api import protocol
from skvoz.api.methods import COMMANDS, QUESTIONS, event_list
from skvoz.api.params import EventPageParams, NoParams, Subscribe
from skvoz.api.views import EventPageView, RelayStatusView, StatusView
from skvoz.base.errors import Malformed, SkvozError, StoreError
from skvoz.node.node import Node
from skvoz.store.queries import Queries

EVENTS_PER_STEP: int = 200
"""Events handed to a subscriber before others get their turn."""


class _Subscriber(Protocol):
    def __call__(self, after: int) -> None: ...


S = TypeVar("S", bound=msgspec.Struct)


def _params(kind: type[S], raw: msgspec.Raw) -> S:
    return msgspec.json.decode(raw, type=kind)


class Service:
    """Answers calls by asking a node."""

    def __init__(self, node: Node) -> None:
        self._node = node

    async def call(self, text: bytes | str, subscribe: _Subscriber | None = None) -> bytes:
        """Answer one call; errors are answers too."""
        try:
            request = protocol.parse_request(text)
        except Malformed as error:
            refused = protocol.plain_error(protocol.PARSE_ERROR, str(error), "malformed")
            return protocol.refusal(None, refused)
        try:
            return protocol.answer(request.id, await self._result(request, subscribe))
        except (msgspec.DecodeError, UnicodeError):
            refused = protocol.plain_error(
                protocol.INVALID_PARAMS, "the parameters don't fit the method", "bad_request"
            )
            return protocol.refusal(request.id, refused)
        except LookupError:
            refused = protocol.plain_error(
                protocol.METHOD_NOT_FOUND, "there is no such method", "unknown_method"
            )
            return protocol.refusal(request.id, refused)
        except SkvozError as error:
            return protocol.refusal(request.id, protocol.error_of(error))

    async def _result(self, request: protocol.Request, subscribe: _Subscriber | None) -> object:
        method, raw = request.method, request.params
        if method in COMMANDS:
            return await self._node.command(_params(COMMANDS[method], raw))
        if method in QUESTIONS:
            question = QUESTIONS[method]
            params = _params(question.params, raw)
            return await self._node.query(lambda queries: question.read(queries, params))
        if method == "node.status":
            _params(NoParams, raw)
            return await self._status()
        if method == "event.subscribe" and subscribe is not None:
            after = msgspec.json.decode(raw, type=Subscribe).after
            subscribe(after)
            return {}
        raise LookupError(method)

    async def _status(self) -> StatusView:
        node = self._node
        return StatusView(
            version=__version__,
            has_account=await node.query(Queries.account) is not None,
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
            last_event=node.last_event,
            key_protection=node.key_protection,
            store_problem=node.store_problem,
            dropped=await node.query(Queries.dropped),
        )

    async def events(self, after: int) -> EventPageView:
        """Wait until there is an event after `after`, and return a page of them."""
        await self._node.event_after(after)
        params = EventPageParams(after=after, limit=EVENTS_PER_STEP)
        return await self._node.query(lambda queries: event_list(queries, params))


class _Session:
    """One caller on the WebSocket: calls are answered as they end, events are told in order."""

    def __init__(self, service: Service, websocket: WebSocket) -> None:
        self._service = service
        self._websocket = websocket
        self._tasks: set[asyncio.Task[None]] = set()
        self._subscription: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Serve the caller until it goes."""
        await self._websocket.accept()
        try:
            while True:
                text = await self._websocket.receive_text()
                task = asyncio.create_task(self._answer(text))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        except (WebSocketDisconnect, KeyError):
            pass  # it went, or spoke in bytes, which nothing here does
        finally:
            for task in [*self._tasks, *([self._subscription] if self._subscription else [])]:
                task.cancel()

    async def _answer(self, text: str) -> None:
        answer = await self._service.call(text, self._subscribe)
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            await self._websocket.send_text(answer.decode())

    def _subscribe(self, after: int) -> None:
        if self._subscription is not None:
            self._subscription.cancel()
        self._subscription = asyncio.create_task(self._tell(after))

    async def _tell(self, after: int) -> None:
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            while True:
                page = await self._service.events(after)
                for event in page.events:
                    await self._websocket.send_text(protocol.notification("event", event).decode())
                after = max(after, page.last_sequence)


def application(service: Service) -> Starlette:
    """Return the web application: `POST /rpc`, and the same with events as a WebSocket."""

    async def post(request: HttpRequest) -> Response:
        length = int(request.headers.get("content-length") or protocol.REQUEST_SIZE_MAX + 1)
        if length > protocol.REQUEST_SIZE_MAX:
            return Response(status_code=413)
        return Response(await service.call(await request.body()), media_type="application/json")

    async def websocket(socket: WebSocket) -> None:
        await _Session(service, socket).run()

    return Starlette(routes=[Route("/rpc", post, methods=["POST"]), WebSocketRoute("/rpc", websocket)])


class _Server(uvicorn.Server):
    """Uvicorn without its signal handlers: who runs a node decides when it ends."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Leave the signals alone."""
        yield


@contextlib.asynccontextmanager
async def serving(node: Node, socket_file: Path) -> AsyncGenerator[None]:
    """Serve the API on a Unix socket that only this user can reach, until the block ends.

    The home's lock is held, so a socket file that is there already is a dead one. Raises `StoreError` where
    the socket can't be made. Callers can connect from the block's first line on.
    """
    config = uvicorn.Config(
        application(Service(node)),
        log_config=None,
        log_level=logging.CRITICAL,  # uvicorn's logger prints addresses and paths
        access_log=False,
        ws="websockets-sansio",
        ws_max_size=protocol.REQUEST_SIZE_MAX,
        ws_ping_interval=None,  # on one machine the system tells when the other end is gone
        ws_per_message_deflate=False,
        lifespan="off",
        timeout_graceful_shutdown=1,
    )
    server = _Server(config)
    with _private_socket(socket_file) as listening:
        running = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            yield
        finally:
            server.should_exit = True
            await running


async def serve(node: Node, socket_file: Path) -> None:
    """Serve the API until cancelled; see `serving`."""
    async with serving(node, socket_file):
        await asyncio.Event().wait()


@contextlib.contextmanager
def _private_socket(file: Path) -> Generator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        try:
            file.unlink(missing_ok=True)
            # Between bind and chmod the folder's own 0700 keeps others out.
            listening.bind(str(file))
            file.chmod(0o600)
            listening.listen()
        except OSError as error:
            why = error.strerror or "its path is too long"
            raise StoreError(f"the API's socket can't be made: {why}") from None
        try:
            yield listening
        finally:
            file.unlink(missing_ok=True)
