"""The page's address: whom it lets in, and what every answer carries."""

import asyncio
import socket
import time
from base64 import b64decode
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest
from starlette.requests import Request
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin, Subprotocol

from skvoz.api.caller import Caller, socket_file
from skvoz.api.file_tickets import TICKETS_MAX, VALID_S, FileTickets
from skvoz.api.home_socket import serving
from skvoz.api.listening import loopback_socket
from skvoz.api.page import START_SIZE_MAX, page_file, serving_page
from skvoz.api.page_files import FOLDER, MEDIA_TYPES, PageFiles, as_served, without_comments
from skvoz.api.params import NoParams
from skvoz.api.protocol import REQUEST_SIZE_MAX
from skvoz.api.service import Service
from skvoz.api.views import PageView
from tests.api.programs import Program, alone

STATUS = b'{"jsonrpc":"2.0","id":7,"method":"node.status"}'


class Clock:
    now_ms = 1_000_000

    def __call__(self) -> int:
        return self.now_ms


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    policies: list[str]
    body: bytes


@dataclass
class Door:
    """The page of somebody's node, and requests to it as a browser or anything else would make them."""

    port: int
    new_address: Callable[[], str]
    folder: Path
    clock: Clock
    service: Service

    @property
    def authority(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def origin(self) -> str:
        return f"http://{self.authority}"

    async def ask(self, method: str, path: str, body: bytes = b"", host: str = "", **headers: str) -> Answer:
        """Send one request, with these headers and no others."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        lines = [f"{method} {path} HTTP/1.1", f"host: {host or self.authority}"]
        headers.setdefault("connection", "close")
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        if body or method == "POST":
            lines.append(f"content-length: {len(body)}")
        try:
            writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
            async with asyncio.timeout(20):
                answer = await reader.read()
        finally:
            writer.close()
        top, _, rest = answer.partition(b"\r\n\r\n")
        first, *others = top.decode().split("\r\n")
        found = dict(line.lower().split(": ", 1) for line in others)
        policies = [line.split(": ", 1)[1] for line in others if line.startswith("content-security-policy")]
        return Answer(int(first.split()[1]), found, policies, rest)

    async def exchange(self, start: str, **headers: str) -> Answer:
        return await self.ask("POST", "/session", msgspec.json.encode({"start": start}), **headers)

    async def token(self) -> str:
        """Open the page as a browser does, and return the session's token."""
        start = self.new_address().partition("#start=")[2]
        answer = await self.exchange(start, origin=self.origin, sec_fetch_site="same-origin")
        assert answer.status == 200
        return msgspec.json.decode(answer.body)["token"]

    async def websocket_status(self, *subprotocols: str, origin: str | None = None) -> int:
        """Return the HTTP status that a WebSocket is answered with."""
        offered = [Subprotocol(one) for one in subprotocols] or None
        try:
            async with connect(
                f"ws://{self.authority}/rpc",
                subprotocols=offered,
                origin=None if origin is None else Origin(origin),
            ):
                return 101
        except InvalidStatus as refused:
            return refused.response.status_code


@asynccontextmanager
async def door(folder: Path) -> AsyncGenerator[Door]:
    anna, _ = await alone(folder)
    clock = Clock()
    service = Service(anna.node, "ws://127.0.0.1:9/#fingerprint")
    async with serving_page(service, folder, clock) as address:
        port = int(address().partition("#")[0].strip("/").rpartition(":")[2])
        yield Door(port, address, folder, clock, service)
    await anna.sleep()


def at_the_door(folder: Path, visit: Callable[[Door], Awaitable[None]]) -> None:
    async def scenario() -> None:
        async with door(folder / "anna") as one:
            await visit(one)

    asyncio.run(scenario())


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


def test_no_websocket_without_the_token_or_from_elsewhere(tmp_path: Path) -> None:
    async def visit(one: Door) -> None:
        token = f"token.{await one.token()}"
        assert await one.websocket_status("skvoz", token, origin=one.origin) == 101
        assert await one.websocket_status("skvoz", token) == 101  # a program, no browser
        for offered in ((), ("skvoz",), (token,), ("skvoz", "token.x"), ("skvoz", token, "token.x")):
            assert await one.websocket_status(*offered, origin=one.origin) == 403, offered
        for origin in ("http://evil.example", "null", f"http://localhost:{one.port}", "http://127.0.0.1"):
            assert await one.websocket_status("skvoz", token, origin=origin) == 403, origin

    at_the_door(tmp_path, visit)


def test_another_origin_is_refused_even_with_a_token(tmp_path: Path) -> None:
    async def visit(one: Door) -> None:
        token = await one.token()
        for origin in (
            "http://evil.example",
            "https://127.0.0.1",
            f"https://{one.authority}",
            f"http://localhost:{one.port}",
            f"http://127.0.0.1:{one.port + 1}",
            f"{one.origin}.evil.example",
            "null",
        ):
            called = await one.ask("POST", "/rpc", STATUS, authorization=f"Bearer {token}", origin=origin)
            assert called.status == 403, origin
            start = one.new_address().partition("#start=")[2]
            assert (await one.exchange(start, origin=origin)).status == 403
        for site in ("cross-site", "same-site", "none"):
            called = await one.ask(
                "POST", "/rpc", STATUS, authorization=f"Bearer {token}", sec_fetch_site=site
            )
            assert called.status == 403, site
            assert (await one.ask("GET", "/main.js", sec_fetch_site=site)).status == 403

    at_the_door(tmp_path, visit)


def test_a_name_that_was_made_to_lead_here_is_refused(tmp_path: Path) -> None:
    async def visit(one: Door) -> None:
        token = await one.token()
        hosts = (
            f"evil.example:{one.port}",
            "evil.example",
            "localhost",
            f"localhost:{one.port}",
            "127.0.0.1",
        )
        for host in hosts:
            origin = f"http://{host}"
            for path in ("/", "/main.js", "/openrpc.json"):
                assert (await one.ask("GET", path, host=host)).status == 421, host
            called = await one.ask(
                "POST", "/rpc", STATUS, host=host, authorization=f"Bearer {token}", origin=origin
            )
            assert called.status == 421
            upgraded = await one.ask(
                "GET",
                "/rpc",
                host=host,
                origin=origin,
                connection="upgrade",
                upgrade="websocket",
                sec_websocket_version="13",
                sec_websocket_key="A" * 22 + "==",
                sec_websocket_protocol=f"skvoz, token.{token}",
            )
            assert upgraded.status == 403

    at_the_door(tmp_path, visit)


def test_links_lead_to_the_page_and_frames_do_not(tmp_path: Path) -> None:
    async def visit(one: Door) -> None:
        async def navigate(site: str, dest: str, path: str = "/") -> int:
            answer = await one.ask(
                "GET", path, sec_fetch_site=site, sec_fetch_mode="navigate", sec_fetch_dest=dest
            )
            return answer.status

        assert await navigate("none", "document") == 200  # the address line
        assert await navigate("cross-site", "document") == 200  # the private file that leads here
        assert await navigate("same-origin", "document") == 200
        for dest in ("iframe", "frame", "embed", "object"):
            assert await navigate("cross-site", dest) == 403
        assert await navigate("cross-site", "document", "/main.js") == 403
        answer = await one.ask("GET", "/")
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-frame-options"] == "deny"

    at_the_door(tmp_path, visit)


def test_every_answer_carries_the_headers(tmp_path: Path) -> None:
    async def visit(one: Door) -> None:
        answers = [
            await one.ask("GET", "/"),
            await one.ask("GET", "/main.js"),
            await one.ask("GET", "/nowhere"),
            await one.ask("GET", "/", host="evil.example"),
            await one.ask("POST", "/rpc", STATUS),
            await one.ask("POST", "/rpc", STATUS, authorization=f"Bearer {await one.token()}"),
            await one.exchange("x"),
        ]
        assert [answer.status for answer in answers] == [200, 200, 404, 421, 401, 200, 403]
        for answer in answers:
            policy = answer.headers["content-security-policy"]
            assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; ")
            assert "unsafe" not in policy
            assert "require-trusted-types-for 'script'; trusted-types lit-html" in policy
            assert answer.headers["cross-origin-opener-policy"] == "same-origin"
            assert answer.headers["cross-origin-resource-policy"] == "same-origin"
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["referrer-policy"] == "no-referrer"
            assert answer.headers["cache-control"] in {"no-store", "no-cache"}
            assert "access-control-allow-origin" not in answer.headers
            assert "server" not in answer.headers
            assert "set-cookie" not in answer.headers

    at_the_door(tmp_path, visit)


def test_a_file_keeps_the_policy_that_lets_it_do_nothing(tmp_path: Path) -> None:
    async def visit(one: Door) -> None:
        bearer = f"Bearer {await one.token()}"
        put = await one.ask("POST", "/files?name=a.html&type=text/html", b"<script>", authorization=bearer)
        assert put.status == 200
        file_id = b64decode(msgspec.json.decode(put.body)["file_id"]).hex()
        assert (await one.ask("GET", f"/files/{file_id}")).status == 401
        got = await one.ask("GET", f"/files/{file_id}", authorization=bearer)
        assert got.body == b"<script>"
        assert len(got.policies) == 2
        assert got.policies[0].startswith("sandbox; default-src 'none'")
        assert got.policies[1].startswith("default-src 'none'; script-src 'self'")
        assert got.headers["content-disposition"].startswith("attachment")

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


def test_only_the_pages_own_files_are_there(tmp_path: Path) -> None:
    async def visit(one: Door) -> None:
        for file in FOLDER.rglob("*"):
            if not file.is_file():
                continue
            answer = await one.ask("GET", f"/{file.relative_to(FOLDER).as_posix()}")
            assert answer.status == (200 if file.suffix in MEDIA_TYPES else 404), file.name
            if answer.status == 200:
                assert answer.body == as_served(file)
                assert answer.headers["content-type"] == MEDIA_TYPES[file.suffix]
                known = answer.headers["etag"]
                again = await one.ask("GET", f"/{file.relative_to(FOLDER).as_posix()}", if_none_match=known)
                assert (again.status, again.body) == (304, b"")
        for path in (
            "/../api/page.py",
            "/..%2fapi%2fpage.py",
            "//etc/passwd",
            "/vendor/",
            "/vendor/lit.LICENSE",
            "/types/api.d.ts",
            "/index.html/",
            "/%00",
            "/main.js%00.html",
        ):
            assert (await one.ask("GET", path)).status in {400, 404}, path

    at_the_door(tmp_path, visit)


def test_the_page_names_its_modules_so_that_they_are_fetched_together(tmp_path: Path) -> None:
    async def visit(one: Door) -> None:
        named = (await one.ask("GET", "/")).headers["link"]
        modules = {file.relative_to(FOLDER).as_posix() for file in FOLDER.rglob("*.js")} - {"look.js"}
        assert {f"</{name}>; rel=modulepreload" for name in modules} == set(named.split(", "))

    at_the_door(tmp_path, visit)


@pytest.mark.parametrize(
    ("suffix", "written", "sent"),
    [
        (".js", b"/** Why.\n * More. **/\nrun(); // beside\n  // above\n", b"\n\nrun(); // beside\n\n"),
        (".js", b"/** @type {A} */ (x).y();\nz(); /* a\n*/\n", b"(x).y();\nz(); /* a\n*/\n"),
        (".js", b"/** @typed */ a(/** @type {A} */ (b));\n", b"/** @typed */ a((b));\n"),
        (".js", b"a(() => {\n  b(`  c\n    d`);\n});\n", b"a(() => {\nb(`  c\nd`);\n});\n"),
        (".js", b'a("/* in */");\nb("// a string");\n', None),
        (".js", b"/* one */ run(); /* two */\n/* three */\n", b"/* one */ run(); /* two */\n\n"),
        (".css", b"/* A list. */\na { b: c; }\n// d\n", b"\na { b: c; }\n// d\n"),
        (".html", b"<!-- why -->\n// not code\n", None),
        (".js", b"/* without an end\nrun();\n", None),
    ],
)
def test_only_comments_on_lines_of_their_own_types_and_indentation_are_left_out(
    suffix: str, written: bytes, sent: bytes | None
) -> None:
    assert without_comments(written, suffix) == (written if sent is None else sent)


def test_a_changed_file_is_served_anew(tmp_path: Path) -> None:
    script = tmp_path / "run.js"
    script.write_text("// why\nrun();\n")
    files = PageFiles(tmp_path)
    request = Request({"type": "http", "path_params": {"path": "run.js"}, "headers": []})
    before = asyncio.run(files.answer(request))
    assert (before.body, asyncio.run(files.answer(request)).headers) == (b"\nrun();\n", before.headers)
    script.write_text("// why\nrun(2);\n")
    after = asyncio.run(files.answer(request))
    assert after.body == b"\nrun(2);\n"
    assert after.headers["etag"] != before.headers["etag"]


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


def test_tickets_lapse_and_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    tickets = FileTickets()
    first = tickets.path_to(b"f" * 16).partition("=")[2]
    assert tickets.fits((b"f" * 16).hex(), first)
    assert not tickets.fits((b"g" * 16).hex(), first)
    later = tickets.path_to(b"f" * 16).partition("=")[2]
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + VALID_S + 1)
    assert not tickets.fits((b"f" * 16).hex(), later)
    fresh = [tickets.path_to(b"f" * 16).partition("=")[2] for _ in range(TICKETS_MAX + 1)]
    assert [tickets.fits((b"f" * 16).hex(), one) for one in fresh] == [False] + [True] * TICKETS_MAX
