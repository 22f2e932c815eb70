"""A relay that looks like an ordinary site: what `skvoz relay setup` writes, in front of a real relay."""

import asyncio
import secrets
import subprocess
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from skvoz.base.errors import BadRequest
from skvoz.base.ids import LogId
from skvoz.cli.relay_setup import _check
from skvoz.server import RelayService, Settings, create_home, front
from skvoz.transports import https, wss
from skvoz.transports.pace import Pace
from tests.server.prober import Probe, Target, all_probes, asks, probes_at, times_ms, told_apart
from tests.server.real_relay import Client
from tests.transports.caddy import CADDY, free_port, needs_caddy

LOG = LogId(b"l" * 16)
PLAIN = "localhost {{\n\troot * {site}\n\tfile_server\n}}\n"
UNCOVERED = "localhost {{\n\treverse_proxy {listen}\n}}\n"


class Caddy:
    """A real Caddy with its own authority, with settings as an operator would have them."""

    def __init__(self, folder: Path, settings: str) -> None:
        assert CADDY is not None
        folder.mkdir()
        self.folder = folder
        self.port = free_port()
        before = (
            f"{{\n\tadmin off\n\tlocal_certs\n\tskip_install_trust\n\tauto_https disable_redirects\n"
            f"\thttp_port {free_port()}\n\thttps_port {self.port}\n\tstorage file_system {folder}/store\n}}\n"
        )
        (folder / "Caddyfile").write_text(before + settings)
        command = [CADDY, "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]
        homes = {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
        with (folder / "log").open("wb") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, env=homes)

    @property
    def target(self) -> Target:
        return Target(port=self.port, authority=self.folder / "store/pki/authorities/local/root.crt")

    async def until_up(self) -> None:
        async with asyncio.timeout(20):
            while True:
                try:
                    await asyncio.to_thread(lambda: self.target.open("http/1.1").close())
                except OSError:
                    assert self._process.poll() is None, (self.folder / "log").read_text()
                    await asyncio.sleep(0.1)
                else:
                    return

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(10)


@dataclass
class Scene:
    """A plain site, the same with a relay behind a path, and a relay that has no cover."""

    service: RelayService
    path: str
    plain: Caddy
    covered: Caddy
    uncovered: Caddy


async def _scene(folder: Path, live: Callable[[Scene], Awaitable[None]]) -> None:
    site = folder / "site"
    site.mkdir()
    (site / "index.html").write_text("<html><title>Pottery</title>Pots and how they are made</html>")
    path = front.secret_path()
    create_home(folder / "relay")
    service = await RelayService(folder / "relay", Settings(port=0, reserve_bytes=0, path=path)).start()
    listen = f"127.0.0.1:{service.port}"
    caddies: list[Caddy] = []
    try:
        for name, settings in (
            ("plain", PLAIN.format(site=site)),
            ("covered", front.caddyfile("localhost", path, listen, front.choose_site(str(site)))),
            ("uncovered", UNCOVERED.format(listen=listen)),
        ):
            caddies.append(Caddy(folder / name, settings))
        for caddy in caddies:
            await caddy.until_up()
        scene = Scene(service, path, caddies[0], caddies[1], caddies[2])
        await live(scene)
    finally:
        for caddy in caddies:
            caddy.stop()
        await service.close()


@needs_caddy
@pytest.mark.peer
@pytest.mark.slow
def test_a_prober_cannot_tell_a_covered_relay_from_a_site_and_can_tell_an_uncovered_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The prober is known to be able to: without the cover it finds the relay by many of its probes."""

    async def live(scene: Scene) -> None:
        plain, covered, uncovered = (one.target for one in (scene.plain, scene.covered, scene.uncovered))
        unknown = front.secret_path()
        probes = all_probes(unknown)
        assert await asyncio.to_thread(told_apart, plain, covered, probes) == {}
        # Whoever has the path, and not the relay's key, gets a site's answers there as well.
        assert await asyncio.to_thread(told_apart, plain, covered, probes_at(scene.path)) == {}
        found = await asyncio.to_thread(told_apart, plain, uncovered, probes)
        assert {"GET /", f"GET {unknown}", f"POST {unknown}", "h2 GET /", f"h2 POST {unknown}"} <= set(found)
        assert f"WebSocket {unknown}" in found
        print(f"\n{len(probes)} probes; {len(found)} of them tell an uncovered relay")
        for name, probe in _timed(unknown).items():
            shown = [await asyncio.to_thread(times_ms, one, probe) for one in (plain, covered)]
            print(f"{name}: a site {shown[0]}, a relay behind one {shown[1]}")
        await _relay_is_reached(scene, monkeypatch)

    asyncio.run(_scene(tmp_path, live))


def _timed(unknown: str) -> dict[str, Probe]:
    return {
        "GET /": asks("GET", "/"),
        "GET of an unknown path": asks("GET", unknown),
        "POST to an unknown path": asks("POST", unknown, body=secrets.token_bytes(300)),
    }


async def _relay_is_reached(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has the link talks, over both transports."""
    monkeypatch.setenv("SSL_CERT_FILE", str(scene.covered.target.authority))
    address = f"wss://localhost:{scene.covered.port}{scene.path}"
    first, second = (Client(scene.service.public_key, address) for _ in range(2))
    requests = "https" + address.removeprefix("wss")
    async with await wss.connect(address) as one, await https.connect(requests, https.Network(Pace())) as two:
        await first.connect(one)
        await first.enter_room(LOG)
        await second.connect(two)
        await second.join_room(LOG)
        first.append(LOG, b"past the pots")
        await first.until(lambda _: len(first.stored()) == 1)
        await second.until(lambda _: second.bodies() == [b"past the pots"])
    assert await _check(address, scene.service.public_key)
    assert not await _check(address + "x", scene.service.public_key)
    assert not await _check(address, b"k" * len(scene.service.public_key))


def test_what_makes_no_settings_is_refused(tmp_path: Path) -> None:
    for domain in (
        "",
        "https://relay.example",
        "relay.example/x",
        "a b",
        "relay..example",
        "a{b",
        "-a.example",
    ):
        with pytest.raises(BadRequest):
            front.check_domain(domain)
    assert front.check_domain("Relay.Example.") == "relay.example"
    assert front.check_domain("гончар.рф") == "xn--80af4adm4b.xn--p1ai"
    for site in (
        str(tmp_path),
        "https://",
        "https://a.example/path",
        "https://u@a.example",
        "https://a b",
        "x",
    ):
        with pytest.raises(BadRequest):
            front.choose_site(site)
    odd = tmp_path / 'a "b'
    odd.mkdir()
    (odd / "index.html").touch()
    with pytest.raises(BadRequest):
        front.choose_site(str(odd))
    with pytest.raises(BadRequest):
        front.unit("me", Path("/usr/bin/skvoz"), odd)
    assert "reverse_proxy https://a.example {" in front.caddyfile(
        "b.example", "/x", "127.0.0.1:1", front.choose_site("https://a.example/")
    )
    assert len({front.secret_path() for _ in range(100)}) == 100
