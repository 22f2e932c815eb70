"""The page's address: whom it lets in, and what they reach there."""

import asyncio
import socket
from base64 import b64decode
from pathlib import Path

import msgspec
import pytest
from websockets.asyncio.client import connect
from websockets.typing import Origin, Subprotocol

from skvoz.api.caller import Caller, socket_file
from skvoz.api.home_socket import serving
from skvoz.api.listening import loopback_socket
from skvoz.api.page import START_SIZE_MAX, page_file, serving_page
from skvoz.api.params import NoParams
from skvoz.api.protocol import REQUEST_SIZE_MAX
from skvoz.api.service import Service
from skvoz.api.views import PageView
from tests.api.door import STATUS, Clock, Door, at_the_door
from tests.api.programs import Program, alone


def test_a_page_is_opened_once_and_calls_with_its_token(tmp_path: Path) -> None:
    async def visit(one: Door) -> None:
        start = one.new_address().partition("#start=")[2]
        answer = await one.exchange(start, origin=one.origin, sec_fetch_site="same-origin")
        token = msgspec.json.decode(answer.body)["token"]
        called = await one.ask("POST", "/rpc", STATUS, authorization=f"Bearer {token}", origin=one.origin)
        status = msgspec.json.decode(called.body)["result"]
        assert status["has_account"] is True
        assert status["suggested_relay"] == "ws://127.0.0.1:9/#fingerprint"
        # A stolen old start token, for whoever finds it in a history or a list of processes.
        assert (await one.exchange(start)).status == 403
        late = one.new_address().partition("#start=")[2]
        one.clock.now_ms += 60_001
        assert (await one.exchange(late)).status == 403

    at_the_door(tmp_path, visit)


@pytest.mark.slow
@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Bearer x", "Basic {token}", "{token}", "Bearer {start}"]
)
def test_nobody_calls_without_the_sessions_token(tmp_path: Path, header: str) -> None:
    async def visit(one: Door) -> None:
        token, start = await one.token(), one.new_address().partition("#start=")[2]
        sent = header.format(token=token, start=start)
        answer = await one.ask("POST", "/rpc", STATUS, **({"authorization": sent} if sent else {}))
        assert (answer.status, answer.body) == (401, b"")
        assert (await one.ask("POST", f"/rpc?token={token}", STATUS)).status == 401
        assert (await one.ask("POST", "/rpc", STATUS, cookie=f"token={token}")).status == 401

    at_the_door(tmp_path, visit)


def test_calls_and_events_on_a_websocket(tmp_path: Path) -> None:
    async def visit(one: Door) -> None:
        token = await one.token()
        async with connect(
            f"ws://{one.authority}/rpc",
            subprotocols=[Subprotocol("skvoz"), Subprotocol(f"token.{token}")],
            origin=Origin(one.origin),
        ) as websocket:
            assert websocket.subprotocol == "skvoz"
            program = Program(websocket)
            assert (await program.result("account.get"))["name"] == "Anna"
            await program.result("event.subscribe", after=0)
            assert (await program.events_through(1))[0]["kind"] == "account.created"

    at_the_door(tmp_path, visit)


def test_wrong_methods_and_too_big_bodies(tmp_path: Path) -> None:
    async def visit(one: Door) -> None:
        token = await one.token()
        for method, path in (
            ("GET", "/session"),
            ("PUT", "/session"),
            ("GET", "/rpc"),
            ("PUT", "/rpc"),
            ("OPTIONS", "/rpc"),
            ("DELETE", "/rpc"),
            ("POST", "/"),
            ("POST", "/main.js"),
            ("TRACE", "/"),
        ):
            answer = await one.ask(method, path, authorization=f"Bearer {token}")
            assert answer.status in {404, 405}, (method, path)
        long = STATUS + b" " * REQUEST_SIZE_MAX
        called = await one.ask("POST", "/rpc", long, authorization=f"Bearer {token}")
        assert msgspec.json.decode(called.body)["error"]["data"]["kind"] == "too_long"
        assert (await one.ask("POST", "/session", b" " * (START_SIZE_MAX + 1))).status == 413
        for words in (b"", b"{", b"[]", b'{"start": 1}', b'{"start": "\xff"}', b"[" * 1000):
            assert (await one.ask("POST", "/session", words)).status == 403

    at_the_door(tmp_path, visit)


def test_answers_do_not_wait_for_acknowledgements() -> None:
    # asyncio switches Nagle's algorithm off only where the protocol is named; without it, 40 ms an answer.
    with loopback_socket(0) as listening:
        assert listening.proto == socket.IPPROTO_TCP


def test_the_descriptions_are_served(tmp_path: Path) -> None:
    async def visit(one: Door) -> None:
        for name, version in (("openrpc", "openrpc"), ("asyncapi", "asyncapi")):
            answer = await one.ask("GET", f"/{name}.json", sec_fetch_site="same-origin")
            assert version in msgspec.json.decode(answer.body)

    at_the_door(tmp_path, visit)


def test_an_ended_session_opens_nothing_more(tmp_path: Path) -> None:
    async def visit(one: Door) -> None:
        token = await one.token()
        ended = await one.ask("DELETE", "/session", authorization=f"Bearer {token}", origin=one.origin)
        assert ended.status == 204
        assert (await one.ask("POST", "/rpc", STATUS, authorization=f"Bearer {token}")).status == 401
        assert await one.websocket_status("skvoz", f"token.{token}") == 403

    at_the_door(tmp_path, visit)


def test_the_node_gives_an_address_that_opens_its_page(tmp_path: Path) -> None:
    async def visit(one: Door) -> None:
        async with serving(one.service, socket_file(one.folder)):
            caller = Caller(socket_file(one.folder))
            address = await asyncio.to_thread(lambda: caller.call("node.page", NoParams(), PageView).address)
        place, _, start = address.partition("#start=")
        assert place == f"{one.origin}/"
        assert (await one.exchange(start)).status == 200

    at_the_door(tmp_path, visit)


def test_a_page_keeps_its_address_and_sessions_when_the_node_starts_again(tmp_path: Path) -> None:
    async def scenario() -> None:
        anna, _ = await alone(tmp_path / "anna")
        ports: list[int] = []
        token = ""
        for _ in range(2):
            service = Service(anna.node)
            async with serving_page(service, anna.folder, Clock()) as address:
                port = int(address().partition("#")[0].strip("/").rpartition(":")[2])
                ports.append(port)
                one = Door(port, address, anna.folder, Clock(), service)
                token = token or await one.token()
                called = await one.ask("POST", "/rpc", STATUS, authorization=f"Bearer {token}")
                assert called.status == 200
        assert ports[0] == ports[1]
        assert page_file(anna.folder).exists()
        with socket.create_server(("127.0.0.1", ports[0])):
            async with serving_page(Service(anna.node), anna.folder, Clock()) as address:
                assert f":{ports[0]}/" not in address()
        await anna.sleep()

    asyncio.run(scenario())


def test_files_are_put_and_got_by_who_was_let_in_only(tmp_path: Path) -> None:
    async def visit(one: Door) -> None:
        bearer = f"Bearer {await one.token()}"
        assert (await one.ask("POST", "/files?name=x", b"bytes")).status == 401
        assert (await one.ask("POST", "/files?name=x", b"bytes", authorization="Bearer x")).status == 401
        evil = await one.ask("POST", "/files", b"bytes", authorization=bearer, origin="http://evil.invalid")
        assert evil.status == 403
        made = await one.ask("POST", "/files?name=x", b"bytes", authorization=bearer, origin=one.origin)
        file_id = b64decode(msgspec.json.decode(made.body)["file_id"])
        path = f"/files/{file_id.hex()}"
        assert (await one.ask("GET", path)).status == 401
        assert (await one.ask("GET", f"{path}?ticket=x")).status == 401
        got = await one.ask("GET", path, authorization=bearer, sec_fetch_site="same-origin")
        assert (got.status, got.body) == (200, b"bytes")
        assert any("sandbox" in policy for policy in got.policies)
        body = msgspec.json.encode(
            {"jsonrpc": "2.0", "id": 1, "method": "file.address", "params": {"file_id": file_id}}
        )
        called = await one.ask("POST", "/rpc", body, authorization=bearer)
        with_ticket = msgspec.json.decode(called.body)["result"]["path"]
        assert (await one.ask("GET", with_ticket)).body == b"bytes"
        other = await one.ask("POST", "/files?name=y", b"others", authorization=bearer)
        other_id = b64decode(msgspec.json.decode(other.body)["file_id"])
        ticket = with_ticket.partition("?")[2]
        assert (await one.ask("GET", f"/files/{other_id.hex()}?{ticket}")).status == 401
        assert (await one.ask("GET", with_ticket, sec_fetch_site="cross-site")).status == 403

    at_the_door(tmp_path, visit)
