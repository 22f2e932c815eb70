"""What a connection does on its way to a relay."""

import asyncio
import ssl
from http import HTTPStatus
from pathlib import Path

import pytest
import trustme
from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from skvoz.base.errors import TransportError
from skvoz.transports.wss.websocket import connect


def test_a_connection_that_broke_still_says_when_it_was_heard() -> None:
    async def live() -> None:
        async def hang_up(connection: ServerConnection) -> None:
            await connection.recv()
            connection.transport.abort()

        async with serve(hang_up, "127.0.0.1", 0) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            async with await connect(f"ws://127.0.0.1:{port}/") as connection:
                await connection.send(bytes(100))
                with pytest.raises(TransportError):
                    await connection.receive()
                assert connection.heard_at > 0

    asyncio.run(live())


def test_a_relay_leads_nobody_to_another_host() -> None:
    """A stranger's relay could send a node on to hosts in its own network."""
    met: list[str] = []

    async def live() -> None:
        async def hang_up(connection: ServerConnection) -> None:
            await connection.close()

        def note(_: ServerConnection, request: Request) -> None:
            met.append(request.path)

        async with serve(hang_up, "127.0.0.1", 0, process_request=note) as other:
            port = next(iter(other.sockets)).getsockname()[1]

            def send_on(_: ServerConnection, __: Request) -> Response:
                headers = Headers({"Location": f"ws://127.0.0.1:{port}/inside", "Content-Length": "0"})
                return Response(HTTPStatus.FOUND, "Found", headers)

            async with serve(hang_up, "127.0.0.1", 0, process_request=send_on) as first:
                own_port = next(iter(first.sockets)).getsockname()[1]
                with pytest.raises(TransportError, match="something else"):
                    async with await connect(f"ws://127.0.0.1:{own_port}/"):
                        pass

    asyncio.run(live())
    assert not met


def test_an_address_with_tls_is_reached_where_its_authority_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a context of one's own, as a node connects; a stranger's certificate is refused in words."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)  # pyright: ignore[reportUnknownMemberType]
    file = tmp_path / "authority.pem"

    async def live() -> None:
        async def echo(connection: ServerConnection) -> None:
            async for message in connection:
                await connection.send(message)

        async with serve(echo, "127.0.0.1", 0, ssl=context) as server:
            address = f"wss://localhost:{next(iter(server.sockets)).getsockname()[1]}/"
            with pytest.raises(TransportError, match="not trusted"):
                await connect(address)
            authority.cert_pem.write_to_path(file)
            monkeypatch.setenv("SSL_CERT_FILE", str(file))
            async with await connect(address) as connection:
                await connection.send(b"hello")
                assert await connection.receive() == b"hello"

    asyncio.run(live())
