"""While a proxy is set nothing goes around it, unless the person allows that."""

import asyncio
from pathlib import Path

import pytest

from skvoz.base.errors import StoreError
from skvoz.base.ids import RelayId
from skvoz.node.dialer import Dialer
from skvoz.node.proxy_setting import FILE_NAME, ProxyChoice, ProxySetting
from skvoz.node.ways import Way
from skvoz.transports.proxy import parse_proxy
from tests.node.people import until, world
from tests.transports.caddy import AUTHORITY, front, needs_caddy
from tests.transports.test_proxy import needs_proxy, proxy_server

RELAY = RelayId(b"r" * 32)
ADDRESSES = ("wss://relay.example/x", "https://other.example/", "ws://plain.example/", "ws://127.0.0.1:1/")
PROXY = parse_proxy("127.0.0.1:9050", "anna", "hidden")


def is_plain(way: Way) -> bool:
    return way.address.startswith("ws:")


@needs_caddy
@needs_proxy
@pytest.mark.peer
@pytest.mark.slow
def test_a_running_node_leaves_for_the_proxy_and_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("skvoz.node.dialer._stays_here", is_plain)
    AUTHORITY.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))

    async def scenario() -> None:
        async with (
            world(tmp_path) as here,
            front(tmp_path / "front", here.relay.port) as port,
            proxy_server() as proxy_port,
        ):
            boris = await here.person("Boris", url=f"wss://localhost:{port}/")
            proxy = parse_proxy(f"127.0.0.1:{proxy_port}")

            async def all_go(through: str) -> bool:
                states = boris.node.relay_states()
                return all(one.state == "connected" and (through in one.address) for one in states)

            async def through_proxy() -> bool:
                return await all_go(proxy.shown)

            async def straight() -> bool:
                return await all_go("") and not await all_go(proxy.shown)

            setting = ProxySetting(boris.node._opened.home.folder)
            await until(straight)
            setting.write(ProxyChoice(proxy=proxy))
            await until(through_proxy)
            setting.remove()
            await until(straight)

    asyncio.run(scenario())


def dialer_of(folder: Path) -> Dialer:
    dialer = Dialer()
    dialer.keep_to(ProxySetting(folder))
    return dialer


def reached(folder: Path) -> list[tuple[str, str]]:
    dialer = dialer_of(folder)
    return [(way.address, way.through) for way in dialer.reach(RELAY, ADDRESSES)]


def test_with_a_proxy_every_way_goes_through_it_but_those_on_this_machine(tmp_path: Path) -> None:
    straight = reached(tmp_path)
    assert all(not through for _, through in straight)
    ProxySetting(tmp_path).write(ProxyChoice(proxy=PROXY))
    assert reached(tmp_path) == [
        ("wss://relay.example/x", PROXY.shown),
        ("https://other.example/", PROXY.shown),
        ("ws://127.0.0.1:1/", ""),
        ("https://relay.example/x", PROXY.shown),
    ]
    ProxySetting(tmp_path).remove()
    assert reached(tmp_path) == straight


def test_who_allows_it_goes_around_the_proxy_last(tmp_path: Path) -> None:
    ProxySetting(tmp_path).write(ProxyChoice(proxy=PROXY, allows_direct=True))
    dialer = dialer_of(tmp_path)
    ways = dialer.reach(RELAY, ADDRESSES[:1])
    ordered = dialer.ways.order(ways, 0.0)
    assert [bool(way.through) for way in ordered] == [True, True, False, False]
    assert dialer.ways.has_better(ordered[2], ways, 0.0)


@pytest.mark.parametrize(
    "content", [b"", b"{}", b'{"address": "x"}', b"\xff", b'{"address": "a:1", "more": 1}']
)
def test_with_a_setting_that_makes_no_sense_nothing_goes_out(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(content)
    assert reached(tmp_path) == [("ws://127.0.0.1:1/", "")]
    with pytest.raises(StoreError):
        ProxySetting(tmp_path).read()


def test_only_its_owner_reads_the_setting(tmp_path: Path) -> None:
    ProxySetting(tmp_path).write(ProxyChoice(proxy=PROXY))
    assert (tmp_path / FILE_NAME).stat().st_mode & 0o777 == 0o600
    assert ProxySetting(tmp_path).read() == ProxyChoice(proxy=PROXY)
    assert "hidden" not in repr(ProxySetting(tmp_path).read())
