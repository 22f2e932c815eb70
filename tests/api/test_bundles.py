"""Bundles through the API: whole or refused, and not for bots."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from skvoz.client import bundle_form
from skvoz.client.bundle_form import BUNDLE_SIZE_MAX
from tests.api.programs import new_bot, served
from tests.api.test_files import asked
from tests.cli.terminal import Terminal
from tests.node.people import world


def test_a_bundle_is_given_and_taken_over_http(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as here:
            anna, boris = await here.friends("Anna", "Boris")
            to_boris, to_anna = await boris.account_id(), await anna.account_id()
            before = await boris.texts(to_anna)
            await here.stop_relay()
            await anna.send(to_boris, "by hand")
            async with served(anna), served(boris):
                status, headers, file = await asyncio.to_thread(asked, anna, "GET", "/bundle")
                assert (status, len(file), headers["cache-control"]) == (200, 65_536, "no-store")
                assert int(headers["skvoz-contents"]) >= 1
                for is_first in (True, False):
                    status, _, answer = await asyncio.to_thread(asked, boris, "POST", "/bundle", file)
                    assert status == 200
                    assert bool(msgspec.json.decode(answer)["new_contents"]) is is_first
                await boris.wait_for(to_anna, [*before, "by hand"])
                for bad in (b"", file[:-1], bytes(65_536), bytes(BUNDLE_SIZE_MAX + 1)):
                    status, _, answer = await asyncio.to_thread(asked, boris, "POST", "/bundle", bad)
                    assert status == 400
                    assert msgspec.json.decode(answer)["data"]["kind"] == "bad_request"
                token = await new_bot(anna, "bot")
                for method in ("GET", "POST"):
                    status, _, _ = await asyncio.to_thread(
                        asked, anna, method, "/bundle", authorization=f"Bearer {token}"
                    )
                    assert status == 401
            await here.start_relay()
            await anna.send(to_boris, "again")
            await boris.wait_for(to_anna, [*before, "by hand", "again"])

    asyncio.run(scenario())


def test_what_does_not_fit_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def takes_it_all(_: object) -> int:
        return BUNDLE_SIZE_MAX

    monkeypatch.setattr(bundle_form, "room_of", takes_it_all)

    async def scenario() -> None:
        async with world(tmp_path) as here:
            anna, boris = await here.friends("Anna", "Boris")
            await anna.send(await boris.account_id(), "by hand")
            async with served(anna):
                _, headers, _ = await asyncio.to_thread(asked, anna, "GET", "/bundle")
                terminal = Terminal(anna.folder)
                said = await asyncio.to_thread(terminal.does, "bundle", "export", str(tmp_path / "bundle"))
            assert int(headers["skvoz-left-out"]) >= 1
            assert "The bundle is full" in said

    asyncio.run(scenario())
