"""The page at this machine's own address: its files, and the API for who was let in.

    GET  /, /FILE         the page's files, the same for everybody
    POST /session         {"start": TOKEN} out of the address that was opened -> {"token": TOKEN}, or 403
    DELETE /session       ends the session of its token
    POST /rpc             a call; `Authorization: Bearer TOKEN`, of a session or a bot
    WebSocket /rpc        calls and events; subprotocols `skvoz` and `token.TOKEN`, or the same header
    POST /files, GET /files/FILE_ID   as in `skvoz.api.file_bytes`, with the same header of a session;
                          or the latter with a ticket out of `file.address`
    GET, POST /bundle     as in `skvoz.api.bundles`, likewise
    POST /qr              a picture, to be told what a QR code in it says: `skvoz.api.qr_codes`
    GET  /openrpc.json, /asyncapi.json

Tokens are sent as headers and not kept as cookies: cookies ignore ports, so the pages of two homes on one
machine would overwrite each other's.
"""

import contextlib
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Final

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp
from starlette.websockets import WebSocket

from skvoz.api import descriptions
from skvoz.api.access import OWNER, Access
from skvoz.api.bundles import answered_bundle
from skvoz.api.caller_sessions import CallerSession, answered_post
from skvoz.api.file_bytes import get_file, put_file
from skvoz.api.listening import LOOPBACK, loopback_socket, served
from skvoz.api.page_files import PageFiles
from skvoz.api.page_guard import FORBIDDEN, Guard
from skvoz.api.page_sessions import PageSessions
from skvoz.api.qr_codes import QrReader, answered_picture
from skvoz.api.requests import HANDLERS, bearer_of, body_of, unauthorised
from skvoz.api.service import Service
from skvoz.base.value import Value

SUBPROTOCOL: Final = "skvoz"
TOKEN_SUBPROTOCOL: Final = "token."  # noqa: S105  # a prefix, not a secret
START_SIZE_MAX: Final = 1024
"""Bytes of the body that exchanges a start token."""
TOO_LARGE: Final = 413


class _Start(Value, frozen=True):
    start: str


def page_file(home: Path) -> Path:
    """Return where a home keeps its page's port and sessions."""
    return home / "page.json"


def page_application(service: Service, sessions: PageSessions, codes: QrReader, port: int) -> ASGIApp:
    """Return the web application for browsers, behind its guard."""
    described = {f"/{name}": content for name, content in descriptions.files().items()}

    def is_let_in(request: Request) -> bool:
        return sessions.is_open(bearer_of(request) or "")

    async def description(request: Request) -> Response:
        return Response(described[request.url.path], media_type="application/json")

    async def start(request: Request) -> Response:
        return await _exchanged(sessions, request)

    async def end(request: Request) -> Response:
        sessions.close(bearer_of(request) or "")
        return Response(status_code=204)

    async def access_of(token: str) -> Access | None:
        return OWNER if sessions.is_open(token) else await service.tokens.access(token)

    async def post(request: Request) -> Response:
        access = await access_of(bearer_of(request) or "")
        return unauthorised() if access is None else await answered_post(service, request, access)

    async def websocket(socket: WebSocket) -> None:
        presented = bearer_of(socket)  # a program's; a browser offers it as a subprotocol
        access = await access_of(_offered(socket) if presented is None else presented)
        if access is None:
            await socket.close()  # before it is accepted: HTTP 403
            return
        await CallerSession(service, socket, access).run(SUBPROTOCOL if presented is None else None)

    async def put(request: Request) -> Response:
        return await put_file(service.node, request) if is_let_in(request) else unauthorised()

    async def get(request: Request) -> Response:
        ticket = request.query_params.get("ticket", "")
        may = is_let_in(request) or service.tickets.fits(request.path_params["file_id"], ticket)
        return await get_file(service.node, request) if may else unauthorised()

    async def qr(request: Request) -> Response:
        return await answered_picture(codes, request) if is_let_in(request) else unauthorised()

    async def bundle(request: Request) -> Response:
        return await answered_bundle(service.node, request) if is_let_in(request) else unauthorised()

    routes = [
        Route("/session", start, methods=["POST"]),
        Route("/session", end, methods=["DELETE"]),
        Route("/rpc", post, methods=["POST"]),
        WebSocketRoute("/rpc", websocket),
        Route("/files", put, methods=["POST"]),
        Route("/files/{file_id}", get),
        Route("/bundle", bundle, methods=["GET", "POST"]),
        Route("/qr", qr, methods=["POST"]),
        *(Route(path, description) for path in described),
        Route("/{path:path}", PageFiles().answer),
    ]
    inner = Starlette(routes=routes, exception_handlers=HANDLERS)
    return Guard(service.visits.of(inner), f"{LOOPBACK}:{port}")


async def _exchanged(sessions: PageSessions, request: Request) -> Response:
    body = await body_of(request, START_SIZE_MAX)
    if len(body) > START_SIZE_MAX:
        return Response(status_code=TOO_LARGE)
    try:
        token = sessions.exchange(msgspec.json.decode(body, type=_Start).start)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        token = None
    return Response(status_code=FORBIDDEN) if token is None else JSONResponse({"token": token})


def _offered(socket: WebSocket) -> str:
    # A browser's WebSocket can send no other header of the page's choice.
    offered: list[str] = socket.scope.get("subprotocols", [])
    tokens = [one.removeprefix(TOKEN_SUBPROTOCOL) for one in offered if one.startswith(TOKEN_SUBPROTOCOL)]
    return tokens[0] if len(tokens) == 1 and SUBPROTOCOL in offered else ""


@contextlib.asynccontextmanager
async def serving_page(
    service: Service, home: Path, clock_ms: Callable[[], int]
) -> AsyncGenerator[Callable[[], str]]:
    """Serve the page until the block ends; give what makes an address that opens it once.

    Raises `StoreError` where nothing can be served on this machine.
    """
    sessions = PageSessions(page_file(home), clock_ms)
    codes = QrReader()
    with loopback_socket(sessions.port) as listening:
        port = int(listening.getsockname()[1])
        sessions.served_at(port)

        def address() -> str:
            return f"http://{LOOPBACK}:{port}/#start={sessions.new_start()}"

        service.page_address = address
        try:
            async with served(page_application(service, sessions, codes, port), listening):
                yield address
        finally:
            service.page_address = None
            codes.close()
