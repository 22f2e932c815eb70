"""Who is kept from the page, and what every answer of it carries."""

from base64 import b64decode
from pathlib import Path

import msgspec

from tests.api.door import STATUS, Door, at_the_door


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
