"""Who gets in: a browser with the session's token, and nobody else."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.people import Visitor, meet
from tests.cli.terminal import Running

pytestmark = [pytest.mark.browser, pytest.mark.slow]
Visit = Callable[..., Visitor]


def test_the_start_token_is_out_of_the_address_and_opens_nothing_twice(visit: Visit) -> None:
    anna = visit("anna")
    page = anna.open()
    page.get_by_label("Your name").wait_for()
    assert page.url == f"{anna.origin}/"
    stolen = anna.context.browser
    assert isinstance(stolen, Browser)
    with stolen.new_context() as thief:
        other = thief.new_page()
        other.goto(anna.running.address)
        other.get_by_text("This page is closed").wait_for()
        other.goto(anna.origin)
        other.get_by_text("This page is closed").wait_for()


def test_a_reload_keeps_the_place_and_a_new_node_the_session(visit: Visit) -> None:
    anna, boris = visit("anna"), visit("boris", suggests=False)
    meet(anna, boris)
    page = anna.page
    page.reload()
    anna.sees("hello")
    assert page.url == f"{anna.origin}/"
    anna.stop_node()
    page.get_by_text("Your node does not answer").wait_for()
    page.get_by_role("button", name="Settings").click()
    page.get_by_role("button", name="Back").click()
    anna.write("written meanwhile")
    anna.sees("written meanwhile")
    anna.start_node()
    boris.sees("written meanwhile")
    page.get_by_text("Your node does not answer").wait_for(state="detached")
    anna.expect_complaints("ERR_CONNECTION_REFUSED")
    anna.expect_complaints("WebSocket connection")


def test_a_closed_page_is_closed_for_good(visit: Visit) -> None:
    anna = visit("anna")
    anna.begin("Anna")
    page = anna.page
    page.get_by_role("button", name="Later").click()
    page.get_by_role("button", name="Settings").click()
    page.get_by_role("button", name="Close this page").click()
    page.get_by_text("This page is closed").wait_for()
    page.reload()
    page.get_by_text("This page is closed").wait_for()


HOSTILE = """<!doctype html>
<title>elsewhere</title>
<iframe src="{origin}/"></iframe>
<script src="{origin}/main.js"></script>
<img src="{origin}/icon.svg" onload="document.title = 'read an image'">
<script>
  window.heard = [];
  const note = (name) => (what) => window.heard.push(`${{name}}: ${{what}}`);
  const call = {{ method: "POST", body: '{{"jsonrpc":"2.0","id":1,"method":"node.status"}}' }};
  fetch("{origin}/rpc", call).then(() => note("call")("answered"), () => note("call")("refused"));
  fetch("{origin}/").then(() => note("page")("answered"), () => note("page")("refused"));
  const line = new WebSocket("{socket}/rpc", ["skvoz", "token.x"]);
  line.onopen = () => note("socket")("answered");
  line.onerror = () => note("socket")("refused");
</script>
"""


def test_another_sites_page_can_do_nothing(visit: Visit, browser: Browser, tmp_path: Path) -> None:
    anna = visit("anna")
    anna.open().get_by_label("Your name").wait_for()
    text = HOSTILE.format(origin=anna.origin, socket=anna.origin.replace("http", "ws"))
    with browser.new_context() as context:
        page = context.new_page()
        page.route(
            "http://elsewhere.example/", lambda route: route.fulfill(body=text, content_type="text/html")
        )
        page.goto("http://elsewhere.example/")
        page.wait_for_function("window.heard.length === 3")
        assert set(page.evaluate("window.heard")) == {"call: refused", "page: refused", "socket: refused"}
        assert page.title() == "elsewhere"
        assert all("skvoz-app" not in frame.content() for frame in page.frames if frame != page.main_frame)


def test_markup_in_names_and_messages_runs_nothing(visit: Visit) -> None:
    nasty = "<img src=x onerror=document.title='ran'><script>document.title='ran'</script>"
    anna, boris = visit("anna"), visit("boris", suggests=False)
    anna.begin("Anna")
    boris.begin(nasty[:60], anna.link())
    texts = (nasty, "javascript:alert(1)", "[x](javascript:alert(1))", "<svg onload=alert(1)>", "`<b>x</b>`")
    for text in texts:
        boris.write(text)
    anna.sees("<svg onload=alert(1)>")
    for page in (anna.page, boris.page):
        assert page.locator("img[src=x], .scroll script, .scroll svg[onload], .scroll b").count() == 0
        assert page.locator(".scroll a").count() == 0
        assert "ran" not in page.title()


def test_the_private_file_leads_to_the_page(browser: Browser, tmp_path: Path) -> None:
    told = tmp_path / "told"
    script = tmp_path / "browser"
    script.write_text(f"#!/bin/sh\nprintf '%s' \"$1\" > {told}.new\nmv {told}.new {told}\n")
    script.chmod(0o700)
    with Running("--home", str(tmp_path / "home"), "--open", BROWSER=str(script)) as running:
        deadline = time.monotonic() + 20
        while not told.exists():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        with browser.new_context() as context:
            page = context.new_page()
            page.goto(told.read_text())
            page.get_by_label("Your name").wait_for()
            assert page.url.startswith("http://127.0.0.1:")
            assert "start=" not in page.url
        assert running.stop() == 0
