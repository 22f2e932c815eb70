"""Whoever goes through a proxy alone is not led around it by a checkup."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from skvoz.base.ids import RelayId
from skvoz.node.checkup import Checkup, Code, Target
from skvoz.node.dialer import Dialer
from skvoz.node.proxy_setting import ProxyChoice, ProxySetting
from skvoz.transports.proxy import parse_proxy
from tests.transports.caddy import free_port


@pytest.mark.parametrize("is_set", [True, False])
def test_nothing_is_asked_past_a_proxy(tmp_path: Path, is_set: bool) -> None:  # noqa: FBT001
    asked: list[str] = []

    async def resolver(host: str, _: int) -> Sequence[str]:
        asked.append(host)
        raise OSError

    async def scenario() -> None:
        setting = ProxySetting(tmp_path)
        if is_set:
            setting.write(ProxyChoice(parse_proxy(f"socks5://127.0.0.1:{free_port()}")))
        dialer = Dialer()
        dialer.keep_to(setting)
        target = Target(
            relay_id=RelayId(bytes(32)), public_key=bytes(1216), addresses=("wss://relay.invalid/",)
        )
        checkup = Checkup(dialer, lambda: [target], lambda _: None, resolver=resolver)
        checkup.start()
        report = await checkup.wait()
        (one,) = report.measured
        assert not one.works
        assert bool(one.places) is not is_set
        assert [finding.code for finding in report.findings] == [Code.UNCLEAR if is_set else Code.NAME_SILENT]

    asyncio.run(scenario())
    assert bool(asked) is not is_set
