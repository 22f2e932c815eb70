"""A proxy through the API: set, shown without its password, given up; out of a bot's reach."""

import asyncio
from pathlib import Path

from skvoz.node.proxy_setting import FILE_NAME
from tests.api.programs import alone, served


def test_a_proxy_is_set_shown_without_its_password_and_given_up(tmp_path: Path) -> None:
    async def scenario() -> None:
        anna, _ = await alone(tmp_path)
        file = anna.node._opened.home.folder / FILE_NAME
        async with served(anna) as one:
            assert await one.result("proxy.get") == {"address": "", "name": "", "allows_direct": False}
            wished = {"address": "127.0.0.1:9050", "name": "anna", "password": "hidden"}
            shown = {"address": "socks5://127.0.0.1:9050", "name": "anna", "allows_direct": False}
            assert await one.result("proxy.set", **wished) == shown
            assert await one.result("proxy.get") == shown
            assert b"hidden" in file.read_bytes()
            refused = await one.refusal("proxy.set", address="http://hidden.example")
            assert "hidden" not in str(refused)
            await one.result("proxy.set")
            assert not file.exists()

    asyncio.run(scenario())
