"""The private Unix socket of a home: a WebSocket, POST, and files, for whoever may open it."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp
from starlette.websockets import WebSocket

from skvoz.api.access import OWNER, Access
from skvoz.api.bundles import answered_bundle
from skvoz.api.caller_sessions import CallerSession, answered_post
from skvoz.api.file_bytes import get_file, put_file
from skvoz.api.listening import private_socket, served
from skvoz.api.requests import HANDLERS, bearer_of, unauthorised
from skvoz.api.service import Service


def _is_owner(request: HTTPConnection) -> bool:
    """Tell whether whoever opened the home's own socket presents no token, which would open less."""
    return bearer_of(request) is None


def application(service: Service) -> ASGIApp:
    """Return the web application for programs: `POST /rpc`, a WebSocket with events too, and files.

    Whoever opens the socket is the owner, unless they present a bot's token and so want no more than that.
    """

    async def access_of(request: HTTPConnection) -> Access | None:
        return OWNER if _is_owner(request) else await service.tokens.access(bearer_of(request) or "")

    async def post(request: Request) -> Response:
        access = await access_of(request)
        return unauthorised() if access is None else await answered_post(service, request, access)

    async def websocket(socket: WebSocket) -> None:
        access = await access_of(socket)
        if access is None:
            await socket.close()  # before it is accepted: HTTP 403
            return
        await CallerSession(service, socket, access).run()

    async def put(request: Request) -> Response:
        return await put_file(service.node, request) if _is_owner(request) else unauthorised()

    async def get(request: Request) -> Response:
        return await get_file(service.node, request) if _is_owner(request) else unauthorised()

    async def bundle(request: Request) -> Response:
        return await answered_bundle(service.node, request) if _is_owner(request) else unauthorised()

    routes = [
        Route("/rpc", post, methods=["POST"]),
        WebSocketRoute("/rpc", websocket),
        Route("/files", put, methods=["POST"]),
        Route("/files/{file_id}", get),
        Route("/bundle", bundle, methods=["GET", "POST"]),
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
